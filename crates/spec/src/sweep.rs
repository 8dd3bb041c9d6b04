//! A sweep: an append-only list of blocks, whose trials are enumerated, not stored.

use crate::block::Block;
use crate::error::SpecError;
use crate::grid::Grid;
use crate::hyperparameter::Hyperparameters;
use crate::limits::Limits;
use crate::measure::Measure;
use crate::ranges::{TrialIndex, TrialRange};
use crate::value::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A sweep's grids over all its blocks. A point that several grids have belongs to the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    name: String,
    measure: Measure,
    grids: Vec<Grid>,
}

impl Sweep {
    /// A sweep of these blocks, in order of submission.
    pub fn new(name: impl Into<String>, measure: Measure, blocks: Vec<Block>) -> Self {
        let grids = blocks.into_iter().flat_map(|block| block.grids).collect();
        Sweep { name: name.into(), measure, grids }
    }

    /// The sweep's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is measured in every trial.
    pub fn measure(&self) -> &Measure {
        &self.measure
    }

    /// Number of grids; numbers already given out stay as they are when blocks are appended.
    pub fn grid_count(&self) -> u32 {
        self.grids.len() as u32
    }

    /// Raw indices of a grid; 0 for a number there is no grid of.
    pub fn raw_len(&self, grid: u32) -> u64 {
        self.grids.get(grid as usize).map_or(0, Grid::raw_len)
    }

    /// Appends a block and returns how many trials it adds. Iterates the block once.
    pub fn append(&mut self, block: Block) -> u64 {
        let first = self.grid_count();
        self.grids.extend(block.grids);
        (first..self.grid_count()).map(|grid| self.count_in(grid)).sum()
    }

    /// What appending a block would exceed, if anything.
    pub fn check_limits(&self, block: &Block) -> Result<(), SpecError> {
        let grids = self.grids.len() + block.grids.len();
        if grids > Limits::GRIDS {
            return Err(SpecError::new(
                "grid",
                format!("the sweep would have {grids} grids; the limit is {}", Limits::GRIDS),
            ));
        }
        let points: u64 =
            self.grids.iter().chain(&block.grids).map(Grid::raw_len).fold(0, u64::saturating_add);
        if points > Limits::GRID_POINTS {
            return Err(SpecError::new(
                "axes",
                format!(
                    "the sweep would have {points} grid points before [where]; the limit is {}: split it into several sweeps",
                    Limits::GRID_POINTS
                ),
            ));
        }
        Ok(())
    }

    /// The trial at a position; `None` where there is none, or an earlier grid has it.
    pub fn trial(&self, position: TrialIndex) -> Option<Hyperparameters> {
        let trial = self.grids.get(position.grid as usize)?.trial(position.index)?;
        self.is_first(position.grid, &trial).then_some(trial)
    }

    /// The trials in a range, ascending.
    pub fn trials_in(
        &self,
        range: TrialRange,
    ) -> impl Iterator<Item = (TrialIndex, Hyperparameters)> + '_ {
        self.grids
            .get(range.grid as usize)
            .into_iter()
            .flat_map(move |grid| grid.trials(range.start, range.end))
            .filter(move |(_, trial)| self.is_first(range.grid, trial))
            .map(move |(index, trial)| (TrialIndex { grid: range.grid, index }, trial))
    }

    /// Every trial of the sweep, in grid order.
    pub fn trials(&self) -> impl Iterator<Item = (TrialIndex, Hyperparameters)> + '_ {
        (0..self.grid_count())
            .flat_map(|grid| self.trials_in(TrialRange { grid, start: 0, end: self.raw_len(grid) }))
    }

    /// Where the run of one shape's raw indices that includes `index` ends.
    pub fn shape_end(&self, grid: u32, index: u64) -> u64 {
        self.grids.get(grid as usize).map_or(index, |one| one.shape_end(index).min(one.raw_len()))
    }

    /// Exact number of trials. Iterates: about a second for 10^6 points.
    pub fn count(&self) -> u64 {
        (0..self.grid_count()).map(|grid| self.count_in(grid)).sum()
    }

    /// Names of the tasks the sweep trains on.
    pub fn tasks(&self) -> Vec<Arc<str>> {
        let mut names = BTreeSet::new();
        for grid in &self.grids {
            match grid {
                Grid::Product(product) => {
                    let axis = product.axes().iter().find(|axis| axis.target.name() == "task");
                    match axis {
                        Some(axis) => names.extend(axis.values.iter().filter_map(text)),
                        None => {
                            names.insert(Arc::clone(&product.base().task));
                        }
                    }
                }
                Grid::Points(_) => {
                    names.extend(grid.trials(0, u64::MAX).map(|(_, trial)| trial.task))
                }
            }
        }
        names.into_iter().collect()
    }

    fn count_in(&self, grid: u32) -> u64 {
        self.trials_in(TrialRange { grid, start: 0, end: self.raw_len(grid) }).count() as u64
    }

    fn is_first(&self, grid: u32, trial: &Hyperparameters) -> bool {
        !self.grids[..grid as usize].iter().any(|earlier| earlier.contains(trial))
    }
}

fn text(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Text(name) => Some(Arc::clone(name)),
        _ => None,
    }
}
