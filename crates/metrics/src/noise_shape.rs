//! Which row and which noise a block of noisy rows is made of.

/// What a block is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Block b: `of_row` copies of row b, each with noise of its own.
    Copies { of_row: usize },
    /// Block b: row b / count along ray b % count, the rays the same for every row.
    Rays { count: usize },
}

impl Shape {
    pub(crate) fn row(self, block: usize) -> usize {
        match self {
            Shape::Copies { .. } => block,
            Shape::Rays { count } => block / count,
        }
    }

    /// Which noise of a trial the block has, among its noises in pieces of [`Shape::copies`].
    pub(crate) fn noise(self, block: usize) -> usize {
        match self {
            Shape::Copies { .. } => block,
            Shape::Rays { count } => block % count,
        }
    }

    pub(crate) fn copies(self) -> usize {
        match self {
            Shape::Copies { of_row } => of_row,
            Shape::Rays { .. } => 1,
        }
    }
}
