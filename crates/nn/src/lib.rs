//! Fused training of multilayer perceptrons with libtorch.
//!
//! Trials of one shape are one [`Ensemble`]: batched tensors with samples last, trained
//! together by [`train`] with a hand-written backward pass and in-place updates. Every trial's
//! numbers come from its own hyperparameters and from streams keyed by its seeds, never from
//! its neighbours. Conventions: docs/metrics.md, section 0.
//!
//! This crate knows no sweep, store or network; devices and data come in as arguments.

mod activation;
mod adam;
mod arrangement;
mod batch_norm;
mod checkpoint;
mod data_order;
mod divergence;
mod ensemble;
mod error;
mod evaluate;
mod gradient;
mod gradients;
mod init;
mod loss;
mod minibatch;
mod optimizer;
mod pass;
mod rows;
mod run;
mod sgd;
mod train;
mod unit;
mod unit_rows;
mod update_rule;

#[cfg(test)]
mod golden;

pub use activation::apply as apply_activation;
pub use checkpoint::{Checkpoint, SavedTensor};
pub use ensemble::{BATCH_NORM_EPSILON, BatchNorm, Ensemble, Forward, Layer, Statistics};
pub use error::NnError;
pub use evaluate::{correct_rows, evaluate, evaluate_with};
pub use gradients::gradients;
pub use init::initial_ensemble;
pub use rows::{GroupedRows, RowGroup};
pub use train::{Measured, Observer, Outcome, Status, resume, train};
pub use unit_rows::LabelledRows;
