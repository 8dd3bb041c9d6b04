//! Blocks: what one submission adds to a sweep.

use crate::error::SpecError;
use crate::grid::Grid;
use crate::hyperparameter::Hyperparameters;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Training rows of tasks by name, for `epochs` and for checking batch sizes. A task that is
/// absent has a size the caller does not know, or one that follows from its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrainRows(pub BTreeMap<String, u64>);

impl TrainRows {
    /// Rows that a trial trains on, if the size of its task is known or it names a number.
    pub fn of(&self, trial: &Hyperparameters) -> Option<u64> {
        let named = u64::try_from(trial.train_samples).ok().filter(|rows| *rows > 0);
        named.or_else(|| self.available(trial))
    }

    /// Training rows there are for a trial, if that is known.
    pub fn available(&self, trial: &Hyperparameters) -> Option<u64> {
        let drawn = trial.task_size().map(|size| size.train_rows);
        drawn.or_else(|| self.0.get(trial.task.as_ref()).copied())
    }
}

/// The grids of one sweep file, resolved. A sweep is an append-only list of blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Product grids and point lists, in the order of the file.
    pub grids: Vec<Grid>,
}

impl Block {
    /// Checks every point: combinations that no trainer accepts, and that something is left
    /// after `[where]`. Points of earlier grids count here too.
    pub fn validate(&self, train_rows: &TrainRows) -> Result<(), SpecError> {
        let mut remaining = 0_u64;
        for grid in &self.grids {
            for (_, trial) in grid.trials(0, grid.raw_len()) {
                remaining += 1;
                trial.validate(train_rows)?;
            }
        }
        if remaining > 0 {
            return Ok(());
        }
        Err(SpecError::new("where", "no grid point is left after the conditions"))
    }
}
