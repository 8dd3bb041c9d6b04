//! What one sweep may ask for. The limits protect a shared coordinator; they are stated in
//! every error that refuses something because of them.

/// Bounds on sweep files and grids.
#[derive(Clone, Copy, Debug)]
pub struct Limits;

impl Limits {
    /// Points of one grid before `[where]`, and of all grids of a sweep together.
    pub const GRID_POINTS: u64 = 20_000_000;
    /// Values of one axis.
    pub const AXIS_VALUES: u64 = 100_000;
    /// Grids and point lists in one sweep, over all its blocks.
    pub const GRIDS: usize = 1_000;
    /// Entries of `[[points]]` in one file.
    pub const POINTS: usize = 100_000;
    /// Bytes of a sweep file.
    pub const FILE_BYTES: usize = 4 << 20;
    /// Characters of a sweep name.
    pub const NAME_LENGTH: usize = 64;
    /// Characters of one condition.
    pub const CONDITION_LENGTH: usize = 1_000;
    /// Steps in a list of `at`.
    pub const AT_STEPS: usize = 1_000;
}
