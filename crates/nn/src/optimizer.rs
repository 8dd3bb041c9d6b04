//! The registry of update rules. A new optimizer is one module and one line in [`for_trials`].

use crate::adam::Adam;
use crate::ensemble::Ensemble;
use crate::error::NnError;
use crate::sgd::{MomentumSgd, PlainSgd};
use crate::update_rule::UpdateRule;
use phasegrid_spec::{Hyperparameters, Optimizer};

/// The rule of these trials (in ensemble order), with fresh state.
pub(crate) fn for_trials(
    trials: &[Hyperparameters],
    ensemble: &Ensemble,
) -> Result<Box<dyn UpdateRule>, NnError> {
    let shape = trials.first().ok_or(NnError::NoTrials)?;
    let parameters = ensemble.parameters();
    Ok(match shape.optimizer {
        Optimizer::Sgd if trials.iter().all(|trial| trial.momentum == 0.0) => {
            Box::new(PlainSgd::new(trials, ensemble.device())?)
        }
        Optimizer::Sgd => Box::new(MomentumSgd::new(trials, &parameters)?),
        Optimizer::Adam => Box::new(Adam::new(trials, &parameters, false)?),
        Optimizer::AdamW => Box::new(Adam::new(trials, &parameters, true)?),
    })
}
