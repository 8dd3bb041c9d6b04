//! Metrics of fused networks: how the layers order the samples, and how linear they are.
//!
//! A [`Metric`] is a pure function of a [`Context`] (networks, their start, a probe set, a
//! test set) and returns columns of the tables as a [`MetricOutput`], for all trials of a unit
//! at once; [`REGISTRY`] lists them. [`phase`] turns what they measured into a trial's phase.
//! One definition of each quantity: docs/metrics.md, whose marks \[P\] (the paper's) and \[O\]
//! (ours) the documentation repeats.
//!
//! Tensors have the samples last: fields and activations [E, n, P], labels [E, P]. A value
//! that does not exist is null, never NaN, and never disturbs another trial's. This crate
//! knows no table schema, sweep, store or network.

mod affine;
mod basin;
mod basin_solver;
mod classes;
mod context;
mod curvature;
mod error;
mod field;
mod host;
mod host_layers;
mod host_rows;
mod host_weights;
mod kernel;
mod lanczos;
mod lmap;
mod metric;
mod moments;
mod nearest;
mod noise;
mod noise_shape;
mod noisy_rows;
mod noisy_weights;
mod order;
mod output;
mod pairs;
mod per_row;
pub mod phase;
mod rank;
mod rank_device;
mod rank_host;
mod rank_layers;
mod registry;
mod sample_basin;
mod signed;
mod streams;
mod tail;
mod tau;
mod weight_basin;
mod weighted;

pub use basin::{BasinRow, Censored, Scope, Space, headline_threshold};
pub use context::{Context, Probe, TestSet};
pub use curvature::Curvature;
pub use error::MetricError;
pub use kernel::Kernel;
pub use lmap::LinearMap;
pub use metric::Metric;
pub use nearest::nearest_train_rms;
pub use order::Order;
pub use output::{Cell, LayerColumns, MetricOutput, ResampledGradients, TrialColumns};
pub use registry::{REGISTRY, metric};
pub use sample_basin::SampleBasin;
pub use weight_basin::WeightBasin;
