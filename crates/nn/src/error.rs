//! What can go wrong in training and evaluating ensembles.

use phasegrid_tasks::TaskError;
use tch::TchError;

/// Why a unit could not be trained. Divergence is no error: it is an outcome of a trial.
#[derive(Debug, thiserror::Error)]
pub enum NnError {
    /// A unit without trials.
    #[error("a unit needs at least one trial")]
    NoTrials,
    /// Two trials differ in a hyperparameter that a unit must share.
    #[error("trials of one unit must share {name}, found {first} and {other}")]
    MixedShapes {
        /// The hyperparameter.
        name: &'static str,
        /// Its value in the first trial.
        first: String,
        /// Another trial's.
        other: String,
    },
    /// A minibatch larger than the training set.
    #[error(
        "batch_size {batch_size} is larger than the {training_rows} training rows: lower batch_size or raise train_samples"
    )]
    BatchTooLarge {
        /// The batch size asked for.
        batch_size: i64,
        /// Rows to train on.
        training_rows: usize,
    },
    /// Batch norm over one row: the running variance (ddof 1) would be 0/0.
    #[error("batch norm needs batch_size of at least 2")]
    BatchNormOfOneRow,
    /// Momentum belongs to SGD; Adam has its own.
    #[error(
        "momentum {momentum} with optimizer {optimizer}: momentum must be 0 with adam and adamw"
    )]
    MomentumWithAdam {
        /// The momentum asked for.
        momentum: f64,
        /// adam or adamw.
        optimizer: &'static str,
    },
    /// A step to be observed lies outside the training, or the list is not increasing.
    #[error("observed steps must increase and lie in 0..={steps}, found {step}")]
    ObservedStep {
        /// The offending entry.
        step: i64,
        /// The trials' steps.
        steps: i64,
    },
    /// The task's data do not suffice for these trials.
    #[error("the data set cannot be used: {0}")]
    Task(#[from] TaskError),
    /// A checkpoint of another unit, or a damaged one.
    #[error("the checkpoint does not fit the unit: {0}")]
    Checkpoint(&'static str),
    /// The observer asked to stop.
    #[error("the training was cancelled")]
    Cancelled,
    /// The observer failed.
    #[error("a measurement failed: {0}")]
    Observer(Box<dyn std::error::Error + Send + Sync>),
    /// libtorch refused an operation or ran out of memory.
    #[error("libtorch: {0}")]
    Torch(#[from] TchError),
}

impl NnError {
    /// Whether libtorch ran out of memory: the unit should be split, not retried as it is.
    pub fn is_out_of_memory(&self) -> bool {
        let NnError::Torch(error) = self else { return false };
        let message = error.to_string();
        [
            "out of memory",
            "can't allocate memory",
            "not enough memory",
            "CUBLAS_STATUS_ALLOC_FAILED",
        ]
        .iter()
        .any(|phrase| message.contains(phrase))
    }
}
