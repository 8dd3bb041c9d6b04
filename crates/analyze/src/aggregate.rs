//! From trials to cells.

use crate::censoring::stand_in;
use crate::diagram::{Cell, CellState, ValueKind};
use crate::error::Result;
use crate::level::CodedColumn;
use crate::request::Stat;
use crate::statistics::{Mode, Summary};
use crate::trial_columns::{CENSORED, STATUS, VALUE};
use polars::prelude::*;
use std::collections::BTreeMap;

/// How many cells there are along each direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) facets: usize,
}

impl Extent {
    /// Number of cells.
    pub(crate) fn cells(self) -> usize {
        self.x * self.y * self.facets
    }

    /// Number of the cell at these positions.
    pub(crate) fn index(self, x: usize, y: usize, facet: usize) -> usize {
        (facet * self.y + y) * self.x + x
    }
}

/// Outcome of one trial.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Ok,
    Diverged,
    Failed,
}

/// Summarises the trials of every cell. `cell_of` has one cell number a row of `trials`.
pub(crate) fn aggregate(
    trials: &DataFrame,
    cell_of: &[u32],
    extent: Extent,
    kind: ValueKind,
    stat: Stat,
) -> Result<Vec<Cell>> {
    let mut cells = empty_cells(extent);
    let outcomes = outcomes(trials)?;
    for (cell, outcome) in cell_of.iter().zip(&outcomes) {
        let cell = &mut cells[*cell as usize];
        cell.n += 1;
        match outcome {
            Outcome::Ok => cell.n_ok += 1,
            Outcome::Diverged => cell.n_diverged += 1,
            Outcome::Failed => cell.n_failed += 1,
        }
    }
    if kind == ValueKind::Category {
        summarise_categories(&mut cells, trials, cell_of, &outcomes)?;
    } else {
        summarise_numbers(&mut cells, trials, cell_of, &outcomes, stat)?;
    }
    for cell in &mut cells {
        cell.state = state_of(cell);
    }
    Ok(cells)
}

fn empty_cells(extent: Extent) -> Vec<Cell> {
    let position = |index: usize| Cell {
        x: index % extent.x,
        y: index / extent.x % extent.y,
        facet: index / extent.x / extent.y,
        state: CellState::Outside,
        value: None,
        mode: None,
        n: 0,
        n_ok: 0,
        n_diverged: 0,
        n_failed: 0,
        n_null: 0,
        n_censored: 0,
        summary: Summary::default(),
    };
    (0..extent.cells()).map(position).collect()
}

fn state_of(cell: &Cell) -> CellState {
    match cell {
        Cell { n: 0, .. } => CellState::Outside,
        _ if cell.value.is_some() || cell.mode.is_some() => CellState::Value,
        Cell { n_ok: 1.., .. } => CellState::Null,
        Cell { n_diverged: 1.., .. } => CellState::Diverged,
        _ => CellState::Failed,
    }
}

fn outcomes(trials: &DataFrame) -> Result<Vec<Outcome>> {
    let status = CodedColumn::new(trials.column(STATUS)?)?;
    let meaning: Vec<Outcome> = status
        .levels
        .iter()
        .map(|level| match level.to_string().as_str() {
            "ok" => Outcome::Ok,
            "diverged" => Outcome::Diverged,
            _ => Outcome::Failed,
        })
        .collect();
    Ok(status.codes.iter().map(|code| meaning[*code as usize]).collect())
}

/// Statistics run over the finished trials; a value that is no finite number counts as null.
fn summarise_numbers(
    cells: &mut [Cell],
    trials: &DataFrame,
    cell_of: &[u32],
    outcomes: &[Outcome],
    stat: Stat,
) -> Result<()> {
    let values = trials.column(VALUE)?.f64()?.clone();
    let sides = trials.column(CENSORED).ok().map(CodedColumn::new).transpose()?;
    let mut grouped: Vec<Vec<f64>> = vec![Vec::new(); cells.len()];
    for (row, value) in values.iter().enumerate() {
        if outcomes[row] != Outcome::Ok {
            continue;
        }
        let number = cell_of[row] as usize;
        let side = sides.as_ref().map(|sides| sides.levels[sides.codes[row] as usize].to_string());
        if let Some(stand_in) = side.as_deref().and_then(stand_in) {
            cells[number].n_censored += 1;
            grouped[number].push(stand_in);
        } else if let Some(value) = value.filter(|value| value.is_finite()) {
            grouped[number].push(value);
        } else {
            cells[number].n_null += 1;
        }
    }
    for (cell, values) in cells.iter_mut().zip(&mut grouped) {
        cell.summary = Summary::of(values, cell.n_censored > 0);
        cell.value = match stat {
            Stat::Mean => cell.summary.mean,
            Stat::Std => cell.summary.std,
            Stat::Median => cell.summary.median,
        };
    }
    Ok(())
}

/// Every trial that did not fail votes with its value: a diverged trial's phase is `diverged`.
fn summarise_categories(
    cells: &mut [Cell],
    trials: &DataFrame,
    cell_of: &[u32],
    outcomes: &[Outcome],
) -> Result<()> {
    let values = CodedColumn::new(trials.column(VALUE)?)?;
    let mut counts: Vec<BTreeMap<u32, usize>> = vec![BTreeMap::new(); cells.len()];
    for (row, code) in values.codes.iter().enumerate() {
        let number = cell_of[row] as usize;
        let is_null = values.levels[*code as usize] == crate::level::Level::Null;
        if is_null && outcomes[row] == Outcome::Ok {
            cells[number].n_null += 1;
        }
        if !is_null && outcomes[row] != Outcome::Failed {
            *counts[number].entry(*code).or_default() += 1;
        }
    }
    for (cell, counts) in cells.iter_mut().zip(counts) {
        let named: Vec<(String, usize)> = counts
            .into_iter()
            .map(|(code, count)| (values.levels[code as usize].to_string(), count))
            .collect();
        cell.mode = Mode::of(&named);
    }
    Ok(())
}
