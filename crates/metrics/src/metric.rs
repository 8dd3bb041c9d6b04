//! What a metric is.

use crate::context::Context;
use crate::error::MetricError;
use crate::output::MetricOutput;

/// A measurement of trained networks: a pure function of what [`Context`] shows.
pub trait Metric: Sync {
    /// The name used in `[measure] metrics`.
    fn name(&self) -> &'static str;

    /// The per-layer columns it fills, in order.
    fn columns(&self) -> &'static [&'static str];

    /// The columns by trial it fills, in order.
    fn trial_columns(&self) -> &'static [&'static str] {
        &[]
    }

    /// Measures all trials of the unit at once. A value that does not exist is null and never
    /// touches another trial's.
    ///
    /// # Errors
    /// Shapes that do not belong together, labels outside 0…K−1, libtorch failures.
    fn measure(&self, context: &Context<'_>) -> Result<MetricOutput, MetricError>;
}
