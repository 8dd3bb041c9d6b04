//! A training interrupted: everything another process needs to continue it, on the host.

/// One tensor's shape and values in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedTensor {
    /// `[E, n, m]`
    pub shape: Vec<i64>,
    /// f32, as trained.
    pub values: Vec<f32>,
}

/// The state of a unit after `step` updates. Continuing from it gives the numbers that an
/// uninterrupted training gives, to the last bit on the same machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Updates done; a measurement due at this step was made.
    pub step: i64,
    /// The caller's index of each living trial, in ensemble order.
    pub living: Vec<usize>,
    /// The caller's index of each trial that diverged, and the step at which.
    pub diverged: Vec<(usize, i64)>,
    /// Parameters, running statistics and optimizer state of the living trials.
    pub tensors: Vec<SavedTensor>,
}
