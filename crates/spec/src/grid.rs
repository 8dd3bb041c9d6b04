//! Grids: products of axes, and explicit lists of points, enumerated by index.

mod points;
mod product;

pub use points::PointList;
pub use product::ProductGrid;

use crate::block::TrainRows;
use crate::choice::Optimizer;
use crate::error::SpecError;
use crate::hyperparameter::Hyperparameters;
use serde::{Deserialize, Serialize};

/// One grid of a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Grid {
    /// The product of axes.
    Product(ProductGrid),
    /// Points given one by one.
    Points(PointList),
}

impl Grid {
    /// Number of raw indices.
    pub fn raw_len(&self) -> u64 {
        match self {
            Grid::Product(grid) => grid.raw_len(),
            Grid::Points(list) => list.len() as u64,
        }
    }

    /// The trial at a raw index; `None` where `[where]` or a repetition excludes it.
    pub fn trial(&self, index: u64) -> Option<Hyperparameters> {
        match self {
            Grid::Product(grid) => grid.trial(index),
            Grid::Points(list) => list.get(index).cloned(),
        }
    }

    /// Trials at the raw indices `start..end`, ascending, excluded ones left out.
    pub fn trials(
        &self,
        start: u64,
        end: u64,
    ) -> impl Iterator<Item = (u64, Hyperparameters)> + '_ {
        (start..end.min(self.raw_len()))
            .filter_map(move |index| self.trial(index).map(|trial| (index, trial)))
    }

    /// Whether the grid has this trial.
    pub fn contains(&self, trial: &Hyperparameters) -> bool {
        match self {
            Grid::Product(grid) => grid.contains(trial),
            Grid::Points(list) => list.contains(trial),
        }
    }

    /// Where the run of raw indices of one shape that includes `index` ends.
    pub fn shape_end(&self, index: u64) -> u64 {
        match self {
            Grid::Product(grid) => grid.shape_end(index),
            Grid::Points(list) => list.shape_end(index),
        }
    }
}

impl Hyperparameters {
    /// Refuses combinations that have no meaning: a parameter of another task, momentum with
    /// Adam, a minibatch larger than the training rows (as far as their number is known).
    pub fn validate(&self, train_rows: &TrainRows) -> Result<(), SpecError> {
        self.check_task_parameters()?;
        if self.momentum != 0.0 && self.optimizer != Optimizer::Sgd {
            return Err(SpecError::new(
                "momentum",
                format!(
                    "momentum {} with optimizer {}: momentum belongs to sgd; set it to 0, or exclude the points with a condition such as momentum == 0 or optimizer == \"sgd\"",
                    self.momentum,
                    self.optimizer.name()
                ),
            ));
        }
        match train_rows.available(self) {
            Some(available) if self.train_samples as u64 > available => {
                return Err(SpecError::new(
                    "train_samples",
                    format!(
                        "{} rows asked for, but task {} has {available}",
                        self.train_samples, self.task
                    ),
                ));
            }
            _ => {}
        }
        match train_rows.of(self) {
            Some(rows) if self.batch_size as u64 > rows => Err(SpecError::new(
                "batch_size",
                format!("{} is more than the {rows} training rows", self.batch_size),
            )),
            _ => Ok(()),
        }
    }
}
