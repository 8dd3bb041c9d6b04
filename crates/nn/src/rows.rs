//! Input rows for an ensemble whose trials need not all see the same ones.

use std::ops::Range;
use tch::Tensor;

/// Rows seen by consecutive trials of an ensemble.
#[derive(Debug)]
pub struct RowGroup {
    /// Positions in the ensemble.
    pub trials: Range<usize>,
    /// `[rows, n_0]`
    pub inputs: Tensor,
}

/// The rows of every trial of an ensemble: groups in ensemble order, without gaps, with the
/// same number of rows each. The first layer of a group is one matrix product.
#[derive(Debug)]
pub struct GroupedRows {
    /// At least one.
    pub groups: Vec<RowGroup>,
}

impl GroupedRows {
    /// The same rows, `[rows, n_0]`, for each of `trials` trials.
    pub fn shared(trials: usize, inputs: Tensor) -> GroupedRows {
        GroupedRows { groups: vec![RowGroup { trials: 0..trials, inputs }] }
    }

    /// Rows per trial.
    pub fn rows(&self) -> i64 {
        self.groups.first().map_or(0, |group| group.inputs.size()[0])
    }

    /// Trials covered.
    pub fn trials(&self) -> usize {
        self.groups.last().map_or(0, |group| group.trials.end)
    }

    /// Rows `start..start + length` of every trial, as views.
    pub fn narrow(&self, start: i64, length: i64) -> GroupedRows {
        let groups = self.groups.iter().map(|group| RowGroup {
            trials: group.trials.clone(),
            inputs: group.inputs.narrow(0, start, length),
        });
        GroupedRows { groups: groups.collect() }
    }

    /// The rows of `trials` (increasing positions) for the ensemble that
    /// [`Ensemble::select`](crate::Ensemble::select) makes of the same positions.
    pub fn select(&self, trials: &[i64]) -> GroupedRows {
        let mut groups = Vec::new();
        let mut start = 0;
        for group in &self.groups {
            let kept =
                trials.iter().filter(|&&trial| group.trials.contains(&(trial as usize))).count();
            if kept > 0 {
                groups.push(RowGroup {
                    trials: start..start + kept,
                    inputs: group.inputs.shallow_clone(),
                });
            }
            start += kept;
        }
        GroupedRows { groups }
    }

    /// `(weights of a group as one matrix) @ inputsᵀ`: weight `[E, n, n_0]` to `[E, n, rows]`.
    pub(crate) fn first_products(&self, weight: &Tensor) -> Tensor {
        let width = weight.size()[1];
        let products: Vec<Tensor> =
            self.groups.iter().map(|group| group.product(weight, width)).collect();
        match products.as_slice() {
            [only] => only.shallow_clone(),
            several => Tensor::cat(several, 0),
        }
    }
}

impl RowGroup {
    fn product(&self, weight: &Tensor, width: i64) -> Tensor {
        let trials = self.trials.len() as i64;
        let own_weights = weight.narrow(0, self.trials.start as i64, trials);
        let matrix = own_weights.reshape([trials * width, -1]);
        matrix.matmul(&self.inputs.tr()).view([trials, width, -1])
    }
}
