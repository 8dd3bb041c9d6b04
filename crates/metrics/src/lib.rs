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

mod basin;
mod basin_memo;
mod basin_solver;
mod classes;
mod context;
mod error;
mod field;
mod host;
mod lmap;
mod metric;
mod moments;
mod order;
mod output;
mod pairs;
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
pub use error::MetricError;
pub use lmap::LinearMap;
pub use metric::Metric;
pub use order::Order;
pub use output::{Cell, LayerColumns, MetricOutput, ResampledGradients};
pub use registry::{REGISTRY, metric};
pub use sample_basin::SampleBasin;
pub use weight_basin::WeightBasin;
