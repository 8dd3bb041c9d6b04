//! The small print below the panels of a figure.

use super::colour::Rgb;
use super::legend::SMALL;
use super::scene::{Anchor, Area, Scene, TextStyle};
use super::text::{CAP_HEIGHT, LINE_HEIGHT, wrap};

/// Parts of a caption as one text; a short part stays on one line.
pub(super) fn join(parts: Vec<String>) -> String {
    let keep = |part: String| {
        if part.chars().count() <= 40 { part.replace(' ', "\u{a0}") } else { part }
    };
    parts.into_iter().map(keep).collect::<Vec<_>>().join("\u{a0}· ")
}

/// Draws a caption from the top of an area of this width, and returns the height it took.
pub(super) fn draw(scene: &mut Scene, caption: &str, area: Area) -> f64 {
    scene.open_group("caption");
    let mut y = area.y;
    for line in wrap(caption, SMALL, area.width) {
        let style = TextStyle::new(SMALL, Anchor::Start).coloured(Rgb::GREY);
        scene.text(area.x, y + SMALL * CAP_HEIGHT, &line, style);
        y += SMALL * LINE_HEIGHT;
    }
    scene.close_group();
    y - area.y
}
