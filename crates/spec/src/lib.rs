//! From a sweep file to trials, without I/O.
//!
//! A [`SweepFile`] is parsed and validated into a [`Block`] of grids; a [`Sweep`] is an
//! append-only list of blocks whose trials are enumerated by index, never stored. One
//! [`Hyperparameters`] value is one trial; what trials must share to be trained together
//! is their [`Shape`].
//!
//! This crate knows no clock, disk, network or device: the size of a data set, where
//! `epochs` needs it, comes in as an argument.

mod axis;
mod block;
mod choice;
mod condition;
mod drawn_task;
mod error;
mod grid;
mod hyperparameter;
mod identity;
mod limits;
mod measure;
mod ranges;
mod sweep;
mod sweep_file;
mod task;
mod toml_reader;
mod value;

pub use axis::{Axis, AxisKind, AxisTarget};
pub use block::{Block, TrainRows};
pub use choice::{Activation, Init, Loss, Optimizer};
pub use condition::Condition;
pub use drawn_task::DrawnTask;
pub use error::{SpecError, nearest};
pub use grid::{Grid, PointList, ProductGrid};
pub use hyperparameter::{
    HYPERPARAMETERS, Hyperparameter, HyperparameterId, Hyperparameters, Kind, Presence,
};
pub use identity::{Shape, TrialId};
pub use limits::Limits;
pub use measure::{AtSteps, Measure, SaveWeights, TrainEvaluation, log_spaced_steps};
pub use ranges::{TrialIndex, TrialRange};
pub use sweep::Sweep;
pub use sweep_file::{SweepFile, validate_sweep_name};
pub use task::TaskSize;
pub use value::{Value, round_to_12_digits};
