//! A phase diagram as data: axes, and one cell for each combination of their values.

use crate::columns::ColumnInfo;
use crate::level::Level;
use crate::request::Stat;
use crate::statistics::{Mode, Summary};
use phasegrid_spec::AxisKind;

/// One axis, or the facets.
#[derive(Clone, Debug, PartialEq)]
pub struct DiagramAxis {
    /// The hyperparameter.
    pub column: ColumnInfo,
    /// How the sweep file wrote it, if it is an axis of the sweep.
    pub kind: Option<AxisKind>,
    /// Its values, ascending; names in the order of the sweep file.
    pub levels: Vec<Level>,
}

/// What a value is, and so how it is summarised and coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// A number.
    Number,
    /// A radius: censored values count as 0 or infinity, the median stands for the cell.
    Radius,
    /// Text: the most frequent value stands for the cell.
    Category,
}

/// Why a cell shows what it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellState {
    /// It has a value.
    Value,
    /// No trial succeeded, some diverged.
    Diverged,
    /// No trial succeeded or diverged, some failed.
    Failed,
    /// Trials succeeded, but the value is null in all of them, or the statistic undefined.
    Null,
    /// The sweep has trials there, none has landed yet.
    Missing,
    /// The sweep has no trials there, or `--where` excludes them.
    Outside,
}

/// One cell. Counts are of trials; `n_null` and `n_censored` are among the `n_ok`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Position on the horizontal axis.
    pub x: usize,
    /// Position on the vertical axis, upward.
    pub y: usize,
    /// Position among the facets; 0 where there are none.
    pub facet: usize,
    /// What the cell shows.
    pub state: CellState,
    /// The statistic; none for categories.
    pub value: Option<f64>,
    /// The most frequent value, for categories.
    pub mode: Option<Mode>,
    /// Trials.
    pub n: usize,
    /// Trials that finished.
    pub n_ok: usize,
    /// Trials that diverged.
    pub n_diverged: usize,
    /// Trials that failed.
    pub n_failed: usize,
    /// Finished trials without a value.
    pub n_null: usize,
    /// Finished trials whose radius is censored.
    pub n_censored: usize,
    /// All statistics of the values.
    pub summary: Summary,
}

impl Cell {
    /// Whether some of its trials are not behind the value, or categories tie.
    pub fn is_hatched(&self) -> bool {
        self.n_ok < self.n || self.mode.as_ref().is_some_and(|mode| mode.tied)
    }
}

/// A phase diagram: cells facet by facet, row by row from the lowest y, none left out.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseDiagram {
    /// The sweep.
    pub sweep: String,
    /// Tasks of the selection, separated by commas.
    pub task: String,
    /// Horizontal axis.
    pub x: DiagramAxis,
    /// Vertical axis.
    pub y: DiagramAxis,
    /// Facets, if there are any.
    pub facet: Option<DiagramAxis>,
    /// The value.
    pub value: ColumnInfo,
    /// What the value is.
    pub kind: ValueKind,
    /// The statistic shown.
    pub stat: Stat,
    /// Where in the network and when, such as `layer 1` or `step 100`; may be empty.
    pub place: String,
    /// Hyperparameters averaged over beside the seeds.
    pub over: Vec<String>,
    /// The condition, or empty.
    pub condition: String,
    /// What the values are differences from, such as `width = 8`; they are paired by seed.
    pub against: Option<String>,
    /// The cells.
    pub cells: Vec<Cell>,
}

impl PhaseDiagram {
    /// Number of panels.
    pub fn facet_count(&self) -> usize {
        self.facet.as_ref().map_or(1, |facet| facet.levels.len())
    }

    /// The cells of one panel, row by row from the lowest y.
    pub fn panel(&self, facet: usize) -> &[Cell] {
        let size = self.x.levels.len() * self.y.levels.len();
        &self.cells[facet * size..(facet + 1) * size]
    }

    /// Smallest and largest number of trials in the cells that have some.
    pub fn trials_per_cell(&self) -> Option<(usize, usize)> {
        let counts = || self.cells.iter().map(|cell| cell.n).filter(|n| *n > 0);
        Some((counts().min()?, counts().max()?))
    }
}
