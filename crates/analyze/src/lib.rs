//! Views over the tables of a store: phase diagrams, SQL, reports, figures.
//!
//! [`open_store`] gives a [`Store`]; [`phase`] turns a [`PhaseRequest`] into a [`PhaseDiagram`],
//! which is pure data (one [`Cell`] for each combination of axis values, with its counts and
//! statistics); [`write_diagram`] makes a figure or a table of it, by the file's extension.
//! [`curve`] gives values against the training step, [`rpd`] the rank distributions themselves.
//! [`query`], [`show`] and [`summary`] answer everything else, [`default_figures`] says what a
//! finished sweep is worth drawing.
//!
//! Statistics run over seeds as metrics.md defines them ("Statistics over seeds"). Tables are
//! read lazily: columns are projected and conditions pushed down before anything is loaded.
//!
//! This crate knows the store's layout and column definitions and nothing of how trials are
//! scheduled, trained or measured. It is the only one that uses polars. Into a store it writes
//! nothing but `_compact`: [`compact`] puts few sorted files beside the shards, which scans read
//! wherever they stand for the shards exactly.

mod aggregate;
mod censoring;
mod columns;
mod compact;
mod condition;
mod curve;
mod curve_data;
mod default_figures;
mod derived;
mod diagram;
mod error;
mod export;
mod figure;
mod finished;
mod level;
mod manifest;
mod paired;
mod phase;
mod plan;
mod query;
mod read_trials;
mod request;
mod rows;
mod rpd;
mod selection;
mod show;
mod source;
mod statistics;
mod store;
mod student;
mod summary;
mod trial_columns;

pub use columns::ColumnInfo;
pub use compact::{CompactLimits, CompactedTable, compact, compact_finished, compact_with};
pub use curve::curve;
pub use curve_data::{AxisScale, Curve, CurveLayer, CurveLine, CurvePoint, CurveRequest};
pub use default_figures::{DefaultFigure, default_figures};
pub use diagram::{Cell, CellState, DiagramAxis, PhaseDiagram, ValueKind};
pub use error::{AnalyzeError, Result};
pub use export::{
    cells_table, check_output, curve_table, rpd_table, write_curve, write_diagram, write_rpd,
};
pub use figure::{curve_figure, heat_map, rpd_figure};
pub use finished::Outcomes;
pub use level::Level;
pub use phase::phase;
pub use query::query;
pub use request::{Against, LayerPick, PhaseRequest, Reference, Stat, StepPick};
pub use rows::{RowFormat, table_text, write_rows};
pub use rpd::{RankDistribution, RpdLayer, RpdRequest, rpd};
pub use show::{TrialReport, show};
pub use statistics::{Mode, Summary};
pub use store::{Store, TABLES, open_store};
pub use summary::{SweepSummary, summary};
