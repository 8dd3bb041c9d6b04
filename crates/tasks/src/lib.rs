//! Tasks as arrays: their data, splits, subsets and label noise, and the random streams that
//! draw them.
//!
//! [`load`] gives the [`Dataset`] of a task's name; [`training_rows`], [`noisy_labels`] and
//! [`probe_rows`] say what a trial sees of it; [`stream::Stream`] is the keyed generator
//! behind all of phasegrid's randomness.
//!
//! This crate knows no tensors, sweeps or network; the data folder comes in as an argument.

mod dataset;
mod digits;
mod error;
mod idx;
mod idx_file;
mod registry;
mod request;
pub mod stream;
mod subset;

pub use dataset::{Dataset, Split};
pub use error::TaskError;
pub use registry::{TASKS, TaskDescription, available, check_name, load};
pub use subset::{noisy_labels, probe_rows, training_rows};
