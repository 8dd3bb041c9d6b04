//! How wide text is in the font of the figures, and breaking it into lines.

use std::sync::OnceLock;
use ttf_parser::Face;

/// Height of capital letters and digits, in font sizes.
pub(super) const CAP_HEIGHT: f64 = 0.73;

/// Distance of baselines, in font sizes.
pub(super) const LINE_HEIGHT: f64 = 1.25;

/// Width of a line of regular text.
pub(super) fn width_of(text: &str, size: f64) -> f64 {
    static FACE: OnceLock<Option<Face<'static>>> = OnceLock::new();
    let face = FACE.get_or_init(|| Face::parse(dejavu::sans::regular(), 0).ok());
    let Some(face) = face else { return 0.6 * size * text.chars().count() as f64 };
    let units = f64::from(face.units_per_em());
    let advance = |character: char| {
        let glyph = face.glyph_index(character)?;
        face.glyph_hor_advance(glyph).map(f64::from)
    };
    text.chars().map(|character| advance(character).unwrap_or(0.6 * units)).sum::<f64>() * size
        / units
}

/// Breaks text at spaces (not at non-breaking ones) so that no line is wider, as far as words allow.
pub(super) fn wrap(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if width_of(&format!("{line} {word}"), size) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.into_iter().map(|line| line.replace('\u{a0}', " ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        assert!((width_of("0", 10.0) - 6.36).abs() < 0.01);
        assert!(width_of("10⁻³", 8.0) > width_of("10", 8.0));
    }

    #[test]
    fn lines_fit_or_are_single_words() {
        let lines = wrap("mean over layers of a measured quantity", 8.0, 80.0);
        assert!(lines.len() > 1);
        assert!(lines.iter().all(|line| width_of(line, 8.0) <= 80.0));
        assert_eq!(wrap("unbreakable", 8.0, 1.0), ["unbreakable"]);
    }
}
