//! Colours: perceptually uniform maps for numbers, a palette for categories.

use std::fmt;

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

impl Rgb {
    /// Text and frames.
    pub(super) const INK: Rgb = Rgb(0x22, 0x22, 0x22);
    /// Paper.
    pub(super) const WHITE: Rgb = Rgb(0xff, 0xff, 0xff);
    /// Text that steps back.
    pub(super) const GREY: Rgb = Rgb(0x66, 0x66, 0x66);
    /// Cells without a value.
    pub(super) const PALE: Rgb = Rgb(0xf2, 0xf2, 0xf2);
    /// Marks on them.
    pub(super) const FAINT: Rgb = Rgb(0xa6, 0xa6, 0xa6);
    /// Cells in which every trial diverged.
    pub(super) const DIVERGED: Rgb = Rgb(0x3d, 0x3d, 0x3d);

    /// Whether black marks stand out on it better than white ones.
    pub(super) fn is_light(self) -> bool {
        let Rgb(red, green, blue) = self;
        0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue) > 140.0
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// Viridis at a position in 0…1: a sixth-degree fit to matplotlib's table, by M. Zucker (CC0).
pub(super) fn viridis(position: f64) -> Rgb {
    const COEFFICIENTS: [[f64; 7]; 3] = [
        [
            0.277_727_3,
            0.105_093_0,
            -0.330_861_8,
            -4.634_230_5,
            6.228_269_9,
            4.776_385,
            -5.435_455_9,
        ],
        [
            0.005_407_3,
            1.404_613_5,
            0.214_847_6,
            -5.799_101,
            14.179_933_4,
            -13.745_145_4,
            4.645_852_6,
        ],
        [
            0.334_099_8,
            1.384_590_2,
            0.095_095_2,
            -19.332_441,
            56.690_552_6,
            -65.353_032_6,
            26.312_435_2,
        ],
    ];
    let position = position.clamp(0.0, 1.0);
    let channel = |coefficients: &[f64; 7]| {
        let value =
            coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * position + coefficient);
        (value.clamp(0.0, 1.0) * 255.0).round() as u8
    };
    Rgb(channel(&COEFFICIENTS[0]), channel(&COEFFICIENTS[1]), channel(&COEFFICIENTS[2]))
}

/// Blue for negative, white for zero, red for positive; ColorBrewer's RdBu, reversed.
pub(super) fn diverging(position: f64) -> Rgb {
    const ANCHORS: [Rgb; 9] = [
        Rgb(0x1d, 0x53, 0x97),
        Rgb(0x43, 0x93, 0xc3),
        Rgb(0x92, 0xc5, 0xde),
        Rgb(0xd1, 0xe5, 0xf0),
        Rgb(0xf9, 0xf7, 0xf5),
        Rgb(0xfd, 0xdb, 0xc7),
        Rgb(0xf4, 0xa5, 0x82),
        Rgb(0xd6, 0x60, 0x4d),
        Rgb(0xa1, 0x18, 0x2b),
    ];
    let place = position.clamp(0.0, 1.0) * (ANCHORS.len() - 1) as f64;
    let below = (place.floor() as usize).min(ANCHORS.len() - 2);
    let share = place - below as f64;
    let (one, two) = (ANCHORS[below], ANCHORS[below + 1]);
    let mix =
        |one: u8, two: u8| (f64::from(one) * (1.0 - share) + f64::from(two) * share).round() as u8;
    Rgb(mix(one.0, two.0), mix(one.1, two.1), mix(one.2, two.2))
}

/// Colours of the phases: the same in every figure.
const PHASES: [(&str, Rgb); 7] = [
    ("I", Rgb(0x33, 0x66, 0xaa)),
    ("II", Rgb(0xe0, 0x8a, 0x1e)),
    ("III", Rgb(0x22, 0x88, 0x53)),
    ("flat", Rgb(0x8c, 0xc5, 0xe8)),
    ("untrained", Rgb(0xe6, 0xdd, 0xb4)),
    ("collapsed", Rgb(0xaa, 0x44, 0x77)),
    ("diverged", Rgb::DIVERGED),
];

/// Colours of other categories, by rank (after P. Tol's muted scheme).
const OTHERS: [Rgb; 9] = [
    Rgb(0x33, 0x22, 0x88),
    Rgb(0xdd, 0xcc, 0x77),
    Rgb(0x88, 0xcc, 0xee),
    Rgb(0xcc, 0x66, 0x77),
    Rgb(0x11, 0x77, 0x33),
    Rgb(0x88, 0x22, 0x55),
    Rgb(0x44, 0xaa, 0x99),
    Rgb(0x99, 0x99, 0x33),
    Rgb(0xaa, 0x44, 0x99),
];

/// The colour of each of these categories. Beyond the palette colours repeat.
pub(super) fn palette(categories: &[String]) -> Vec<Rgb> {
    let mut others = OTHERS.iter().cycle();
    categories
        .iter()
        .map(|name| match PHASES.iter().find(|(phase, _)| phase == name) {
            Some((_, colour)) => *colour,
            None => others.next().copied().unwrap_or(Rgb::GREY),
        })
        .collect()
}

/// Colours of lines that stand for names (P. Tol's bright scheme, the lightest ones last).
const LINES: [Rgb; 7] = [
    Rgb(0x44, 0x77, 0xaa),
    Rgb(0xee, 0x66, 0x77),
    Rgb(0x22, 0x88, 0x33),
    Rgb(0xaa, 0x33, 0x77),
    Rgb(0xcc, 0xbb, 0x44),
    Rgb(0x66, 0xcc, 0xee),
    Rgb(0x77, 0x77, 0x77),
];

/// The colour of the line of this rank among lines without an order.
pub(super) fn of_name(rank: usize) -> Rgb {
    LINES[rank % LINES.len()]
}

/// The colour of the line of this rank among `count` lines in order. The yellow end of the map,
/// which is faint on paper, is left out.
pub(super) fn of_rank(rank: usize, count: usize) -> Rgb {
    if count < 2 { LINES[0] } else { viridis(0.88 * rank as f64 / (count - 1) as f64) }
}

/// Orders categories: phases as metrics.md lists them, anything else by name.
pub(super) fn sort_categories(categories: &mut [String]) {
    let place =
        |name: &String| PHASES.iter().position(|(phase, _)| phase == name).unwrap_or(PHASES.len());
    categories.sort_by(|one, two| place(one).cmp(&place(two)).then_with(|| one.cmp(two)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viridis_agrees_with_matplotlib() {
        for (position, Rgb(red, green, blue)) in
            [(0.0, Rgb(68, 1, 84)), (0.5, Rgb(33, 145, 140)), (1.0, Rgb(253, 231, 37))]
        {
            let found = viridis(position);
            for (one, two) in [(found.0, red), (found.1, green), (found.2, blue)] {
                assert!(one.abs_diff(two) <= 6, "{position}: {found}");
            }
        }
    }

    #[test]
    fn zero_is_almost_white_and_signs_differ() {
        assert_eq!(diverging(0.5), Rgb(0xf9, 0xf7, 0xf5));
        assert!(diverging(0.0).2 > diverging(0.0).0);
        assert!(diverging(1.0).0 > diverging(1.0).2);
    }

    #[test]
    fn phases_come_first_and_keep_their_colours() {
        let mut names: Vec<String> = ["zzz", "untrained", "II", "I"].map(String::from).to_vec();
        sort_categories(&mut names);
        assert_eq!(names, ["I", "II", "untrained", "zzz"]);
        assert_eq!(palette(&names)[0], Rgb(0x33, 0x66, 0xaa));
    }
}
