//! What can go wrong, in words a user can act on.

use polars::error::PolarsError;
use std::path::PathBuf;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, AnalyzeError>;

/// An error of the analyzer. [`AnalyzeError::is_usage`] tells bad requests from bad stores.
#[derive(Debug, thiserror::Error)]
pub enum AnalyzeError {
    /// The path is no store.
    #[error(
        "{path} is not a phasegrid store: it has no _phasegrid.json; give the directory that `run --out` or the coordinator's `--store` wrote to"
    )]
    NotAStore {
        /// What was given.
        path: String,
    },
    /// A store that is not a local directory.
    #[error("{url} is not a local path: copy or mount the store, then give its directory")]
    NotLocal {
        /// What was given.
        url: String,
    },
    /// The store was written by a newer release.
    #[error(
        "{path} has format version {found}, this program reads up to {supported}: update phasegrid"
    )]
    NewerFormat {
        /// The file that states the version.
        path: PathBuf,
        /// Version it states.
        found: u64,
        /// Newest version this program reads.
        supported: u64,
    },
    /// A file of ours that does not parse.
    #[error("{path}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Reading or writing failed.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// No sweep has published anything.
    #[error("{path} has no published trials yet; see `phasegrid status`")]
    NoTrials {
        /// The store.
        path: PathBuf,
    },
    /// A table that nobody wrote.
    #[error("sweep {sweep} has no table {table}: {hint}")]
    NoTable {
        /// The sweep, or several.
        sweep: String,
        /// The table asked for.
        table: String,
        /// What would bring it about, or which tables there are.
        hint: String,
    },
    /// No sweep of that name.
    #[error("no sweep \"{name}\" with published trials; the store holds {known}")]
    UnknownSweep {
        /// What was asked for.
        name: String,
        /// Names, separated by commas.
        known: String,
    },
    /// The store holds several sweeps.
    #[error("the store holds several sweeps ({known}): choose one with --sweep")]
    SweepRequired {
        /// Names, separated by commas.
        known: String,
    },
    /// A column that the table does not have.
    #[error("no column \"{name}\" in {table}{suggestion}; `phasegrid metrics` lists every column")]
    UnknownColumn {
        /// What was asked for.
        name: String,
        /// Where it was looked for.
        table: String,
        /// ` (did you mean …?)`, or empty.
        suggestion: String,
    },
    /// A value that cannot be drawn.
    #[error("--value {name}: {reason}")]
    NotDrawable {
        /// The column.
        name: String,
        /// Why not, and what can be.
        reason: String,
    },
    /// An axis, facet or --over that is no hyperparameter, or is named twice.
    #[error("{option} {name}: {reason}")]
    BadAxis {
        /// The option, such as `--x`.
        option: &'static str,
        /// The column.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A condition that does not parse, or names no column.
    #[error("--where \"{expression}\": {reason}")]
    BadWhere {
        /// The condition as given.
        expression: String,
        /// What is wrong.
        reason: String,
    },
    /// A hyperparameter that varies without having been given a place.
    #[error(
        "{name} has {count} values in the selection ({values}): {}fix it with --where, or average over it with --over {name}",
        options_in_words(options)
    )]
    Varies {
        /// The hyperparameter.
        name: String,
        /// Number of values.
        count: usize,
        /// The first of them.
        values: String,
        /// Options that would give it a place; empty if there are none.
        options: &'static str,
    },
    /// Nothing is left to draw.
    #[error("no trial of sweep {sweep} satisfies --where \"{expression}\"")]
    EmptySelection {
        /// The sweep.
        sweep: String,
        /// The condition.
        expression: String,
    },
    /// A layer or step that no trial has, or that the value does not have.
    #[error("{option} {given}: {reason}")]
    BadPick {
        /// `--layer` or `--step`.
        option: &'static str,
        /// What was asked for.
        given: String,
        /// What there is.
        reason: String,
    },
    /// More cells than a figure or an export can hold.
    #[error(
        "{x} by {y} by {facets} cells are too many: choose axes with fewer values or select with --where"
    )]
    TooManyCells {
        /// Columns.
        x: usize,
        /// Rows.
        y: usize,
        /// Facets.
        facets: usize,
    },
    /// SQL that does not run.
    #[error("SQL: {reason}")]
    Sql {
        /// What polars says, or which tables there are.
        reason: String,
    },
    /// No trial with that identity.
    #[error(
        "no trial {prefix}: give a trial_id, or its first digits, as in the column trial_id of trials"
    )]
    UnknownTrial {
        /// What was asked for.
        prefix: String,
    },
    /// Several trials begin with these digits.
    #[error("{prefix} is ambiguous: {matches}; give more digits")]
    AmbiguousTrial {
        /// What was asked for.
        prefix: String,
        /// Some of the trials.
        matches: String,
    },
    /// An output file whose extension says nothing.
    #[error("{path}: the extension must be one of {expected}")]
    Extension {
        /// The file.
        path: PathBuf,
        /// The extensions known.
        expected: &'static str,
    },
    /// The figure could not be rasterised or converted.
    #[error("cannot draw {path}: {reason}")]
    Render {
        /// The file.
        path: PathBuf,
        /// What the renderer says.
        reason: String,
    },
    /// Another compaction of the store is at work.
    #[error("another `phasegrid compact` is at work on this store ({path} is locked): wait for it")]
    CompactionBusy {
        /// The lock.
        path: PathBuf,
    },
    /// A table could not be read.
    #[error("reading the store: {0}")]
    Read(#[from] PolarsError),
}

impl AnalyzeError {
    /// Whether the request is at fault (exit code 2), not the store or the disk.
    pub fn is_usage(&self) -> bool {
        !matches!(
            self,
            AnalyzeError::Read(_)
                | AnalyzeError::Io { .. }
                | AnalyzeError::Malformed { .. }
                | AnalyzeError::NewerFormat { .. }
                | AnalyzeError::Render { .. }
                | AnalyzeError::CompactionBusy { .. }
        )
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> AnalyzeError {
        let path = path.into();
        move |source| AnalyzeError::Io { path, source }
    }

    pub(crate) fn unknown_column<'a>(
        name: &str,
        table: impl Into<String>,
        known: impl IntoIterator<Item = &'a str>,
    ) -> AnalyzeError {
        let suggestion = phasegrid_spec::nearest(name, known)
            .map(|best| format!(" (did you mean {best}?)"))
            .unwrap_or_default();
        AnalyzeError::UnknownColumn { name: name.to_owned(), table: table.into(), suggestion }
    }
}

fn options_in_words(options: &str) -> String {
    if options.is_empty() { String::new() } else { format!("make it {options}, ") }
}
