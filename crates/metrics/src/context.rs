//! What a metric sees: networks, where they started, and the rows to measure on.

use phasegrid_nn::{Ensemble, Forward, GroupedRows};
use tch::Tensor;

use crate::error::MetricError;

/// The probe set of a unit's trials.
#[derive(Debug)]
pub struct Probe {
    /// P rows for each of the E trials, [P, n_0] each.
    pub rows: GroupedRows,
    /// [E, P] i64, the labels trained on, 0…K−1.
    pub labels: Tensor,
    /// K
    pub classes: i64,
    /// `probe_seed`: keys resamples and subsamples.
    pub seed: u64,
}

/// The test set.
#[derive(Clone, Copy, Debug)]
pub struct TestSet<'a> {
    /// T rows for each of the E trials.
    pub rows: &'a GroupedRows,
    /// [E, T] i64, 0…K−1.
    pub labels: &'a Tensor,
}

/// Everything a metric may look at, at one step. A metric is a pure function of it.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The E trained networks.
    pub ensemble: &'a Ensemble,
    /// The same networks at step 0.
    pub initial: &'a Ensemble,
    /// The probe set.
    pub probe: &'a Probe,
    /// The test set.
    pub test: TestSet<'a>,
    /// `ensemble.forward(&probe.rows)`, computed once per measured step.
    pub forward: &'a Forward,
}

impl Context<'_> {
    /// Checks that all shapes belong together.
    pub(crate) fn validate(&self) -> Result<(), MetricError> {
        let trials = self.ensemble.len() as i64;
        let (rows, test_rows) = (self.probe.rows.rows(), self.test.rows.rows());
        expect("probe.labels", &self.probe.labels, &[trials, rows])?;
        expect("test.labels", self.test.labels, &[trials, test_rows])?;
        expect("forward.logits", &self.forward.logits, &[trials, self.probe.classes, rows])?;
        for (layer, activation) in self.forward.activations.iter().enumerate() {
            let units = self.ensemble.layers[layer].weight.size()[1];
            expect("forward.activations", activation, &[trials, units, rows])?;
            expect(
                "forward.pre_activations",
                &self.forward.pre_activations[layer],
                &[trials, units, rows],
            )?;
            let weight = &self.ensemble.layers[layer].weight;
            expect("initial.layers.weight", &self.initial.layers[layer].weight, &weight.size())?;
        }
        Ok(())
    }
}

fn expect(what: &'static str, tensor: &Tensor, expected: &[i64]) -> Result<(), MetricError> {
    match tensor.size() == expected {
        true => Ok(()),
        false => {
            Err(MetricError::Shape { what, found: tensor.size(), expected: expected.to_vec() })
        }
    }
}
