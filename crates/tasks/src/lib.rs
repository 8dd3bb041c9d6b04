//! Tasks as arrays: their data, splits, subsets and label noise, and the random streams that
//! draw them.
//!
//! [`load_for`] gives the [`Dataset`] of a trial's task; [`training_rows`], [`noisy_labels`] and
//! [`probe_rows`] say what a trial sees of it; [`stream::Stream`] is the keyed generator
//! behind all of phasegrid's randomness.
//!
//! This crate knows no tensors, sweeps or network; the data folder comes in as an argument.

mod dataset;
mod digits;
mod error;
mod gaussian_mixture;
mod idx;
mod idx_file;
mod modular_addition;
mod registry;
mod request;
pub mod stream;
mod subset;
mod teacher_student;

pub use dataset::{Dataset, Split};
pub use error::TaskError;
pub use registry::{
    TASKS, TaskDescription, available, check_name, load, load_for, same_data, task_fingerprint,
};
pub use subset::{noisy_labels, probe_rows, training_rows};
