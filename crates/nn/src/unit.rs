//! What the trials of a unit must fulfil before any of them is trained.

use crate::error::NnError;
use phasegrid_spec::{HyperparameterId, Hyperparameters, Optimizer};

/// Checks that the trials have one shape that can be trained, and returns their steps.
pub(crate) fn check(trials: &[Hyperparameters]) -> Result<i64, NnError> {
    let first = trials.first().ok_or(NnError::NoTrials)?;
    for id in HyperparameterId::all().filter(|id| !first.is_fusable(*id)) {
        let shared = first.get(id);
        let differing = trials.iter().map(|trial| trial.get(id)).find(|value| *value != shared);
        if let Some(other) = differing {
            return Err(NnError::MixedShapes {
                name: id.name(),
                first: shared.to_string(),
                other: other.to_string(),
            });
        }
    }
    let with_momentum = trials.iter().find(|trial| trial.momentum != 0.0);
    if let (Some(trial), Optimizer::Adam | Optimizer::AdamW) = (with_momentum, first.optimizer) {
        return Err(NnError::MomentumWithAdam {
            momentum: trial.momentum,
            optimizer: first.optimizer.name(),
        });
    }
    if first.batch_norm && first.batch_size < 2 {
        return Err(NnError::BatchNormOfOneRow);
    }
    Ok(first.steps)
}

/// Checks that observed steps increase and lie in 0…steps.
pub(crate) fn check_observed_steps(observe_at: &[i64], steps: i64) -> Result<(), NnError> {
    let mut lowest_allowed = 0;
    for &step in observe_at {
        if !(lowest_allowed..=steps).contains(&step) {
            return Err(NnError::ObservedStep { step, steps });
        }
        lowest_allowed = step + 1;
    }
    Ok(())
}
