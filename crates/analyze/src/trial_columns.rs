//! Names of the columns that trials are read into, apart from any hyperparameter's.

/// Outcome of the trial.
pub(crate) const STATUS: &str = "__status";
/// The value drawn.
pub(crate) const VALUE: &str = "__value";
/// Side on which a radius is censored.
pub(crate) const CENSORED: &str = "__censored";
