//! Views over the tables of a store: phase diagrams, SQL, reports, figures.
//!
//! [`open_store`] gives a [`Store`]; [`phase`] turns a [`PhaseRequest`] into a [`PhaseDiagram`],
//! which is pure data (one [`Cell`] for each combination of axis values, with its counts and
//! statistics); [`write_diagram`] makes a figure or a table of it, by the file's extension.
//! [`query`], [`show`] and [`summary`] answer everything else, [`default_figures`] says what a
//! finished sweep is worth drawing.
//!
//! Statistics run over seeds as metrics.md defines them ("Statistics over seeds"). Tables are
//! read lazily: columns are projected and conditions pushed down before anything is loaded.
//!
//! This crate knows the store's layout and column definitions and nothing of how trials are
//! scheduled, trained or measured. It is the only one that uses polars, and it never writes
//! into a store.

mod aggregate;
mod censoring;
mod columns;
mod condition;
mod default_figures;
mod derived;
mod diagram;
mod error;
mod export;
mod figure;
mod level;
mod phase;
mod plan;
mod query;
mod read_trials;
mod request;
mod rows;
mod selection;
mod show;
mod source;
mod statistics;
mod store;
mod student;
mod summary;
mod trial_columns;

pub use columns::ColumnInfo;
pub use default_figures::{DefaultFigure, default_figures};
pub use diagram::{Cell, CellState, DiagramAxis, PhaseDiagram, ValueKind};
pub use error::{AnalyzeError, Result};
pub use export::{cells_table, check_output, write_diagram};
pub use figure::heat_map;
pub use level::Level;
pub use phase::phase;
pub use query::query;
pub use request::{LayerPick, PhaseRequest, Stat, StepPick};
pub use rows::{RowFormat, table_text, write_rows};
pub use show::{TrialReport, show};
pub use statistics::{Mode, Summary};
pub use store::{Store, TABLES, open_store};
pub use summary::{SweepSummary, summary};
