//! What can be wrong with what a metric is given.

use thiserror::Error;

/// Why a metric could not be computed at all.
///
/// A value that does not exist (weights that are not finite, a class absent from the probe,
/// nothing to average over) is not an error: it is [`Cell::Null`](crate::Cell::Null).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MetricError {
    /// A tensor has not the shape that the others call for.
    #[error("{what} has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The tensor.
        what: &'static str,
        /// Its shape.
        found: Vec<i64>,
        /// The shape the rest of the context calls for.
        expected: Vec<i64>,
    },
    /// A label outside 0…K−1.
    #[error("{what} holds the label {label}, outside 0…{}", classes - 1)]
    Label {
        /// The tensor of labels.
        what: &'static str,
        /// The label found.
        label: i64,
        /// K, the number of classes.
        classes: i64,
    },
    /// More probe rows or classes than the exact integer sums of ranks can hold.
    #[error("{rows} probe rows are more than the {limit} that ranks are counted for")]
    TooManyRows {
        /// Rows asked for.
        rows: usize,
        /// The most that are possible.
        limit: usize,
    },
    /// The gradient of the loss could not be taken.
    #[error("gradient: {0}")]
    Gradient(#[from] phasegrid_nn::NnError),
    /// libtorch refused an operation or a transfer to the host.
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
}
