//! Positions of trials in a sweep.

use serde::{Deserialize, Serialize};

/// One grid point by position: the grid's number in the sweep and the raw index in the grid's
/// product. A raw index may stand for no trial (`[where]`, or a point an earlier grid has).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TrialIndex {
    /// Number of the grid, over all blocks of the sweep.
    pub grid: u32,
    /// Raw index in that grid.
    pub index: u64,
}

/// The raw indices `start..end` of one grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TrialRange {
    /// Number of the grid, over all blocks of the sweep.
    pub grid: u32,
    /// First raw index.
    pub start: u64,
    /// One past the last raw index.
    pub end: u64,
}

impl TrialRange {
    /// Number of raw indices.
    pub fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.end <= self.start
    }

    /// Whether a raw index lies in it.
    pub fn contains(&self, position: TrialIndex) -> bool {
        position.grid == self.grid && (self.start..self.end).contains(&position.index)
    }
}
