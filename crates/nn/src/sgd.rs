//! SGD: g += wd·w; v = m·v + g; w -= lr·v (metrics.md, section 0).
//!
//! The factor -lr is folded into the gradient from the logits on, so that a product of deltas
//! and inputs accumulates straight into the weights (or into u = -lr·v).

use crate::gradient::Gradient;
use crate::update_rule::{UpdateRule, per_trial, per_trial_unless_zero};
use phasegrid_spec::Hyperparameters;
use tch::{Device, TchError, Tensor};

/// Without momentum: w = (1 - lr·wd)·w - lr·g, no state and no gradient tensor.
pub(crate) struct PlainSgd {
    negative_rate: Tensor,
    /// 1 - lr·wd
    kept_share: Option<Tensor>,
}

impl PlainSgd {
    pub(crate) fn new(trials: &[Hyperparameters], device: Device) -> Result<PlainSgd, TchError> {
        let decays = trials.iter().any(|trial| trial.weight_decay != 0.0);
        let kept_share = |trial: &Hyperparameters| 1.0 - trial.learning_rate * trial.weight_decay;
        Ok(PlainSgd {
            negative_rate: per_trial(trials, device, |trial| -trial.learning_rate)?,
            kept_share: if decays { Some(per_trial(trials, device, kept_share)?) } else { None },
        })
    }
}

impl UpdateRule for PlainSgd {
    fn gradient_factor(&self) -> Option<&Tensor> {
        Some(&self.negative_rate)
    }

    fn begin_step(&mut self, _step: i64) {}

    fn update(
        &mut self,
        _slot: usize,
        parameter: &mut Tensor,
        gradient: &dyn Gradient,
    ) -> Result<(), TchError> {
        if let Some(kept_share) = &self.kept_share {
            drop(parameter.f_mul_(kept_share)?);
        }
        gradient.add_to(parameter)
    }

    fn state(&self) -> Vec<Tensor> {
        Vec::new()
    }
}

/// With momentum: u = m·u - lr·(g + wd·w), w += u, where u = -lr·v.
pub(crate) struct MomentumSgd {
    negative_rate: Tensor,
    momentum: Tensor,
    /// -lr·wd
    decay: Option<Tensor>,
    /// u of every parameter.
    velocities: Vec<Tensor>,
}

impl MomentumSgd {
    pub(crate) fn new(
        trials: &[Hyperparameters],
        parameters: &[Tensor],
    ) -> Result<MomentumSgd, TchError> {
        let device = parameters.first().map_or(Device::Cpu, Tensor::device);
        let decay = |trial: &Hyperparameters| -trial.learning_rate * trial.weight_decay;
        Ok(MomentumSgd {
            negative_rate: per_trial(trials, device, |trial| -trial.learning_rate)?,
            momentum: per_trial(trials, device, |trial| trial.momentum)?,
            decay: per_trial_unless_zero(trials, device, decay)?,
            velocities: parameters.iter().map(Tensor::f_zeros_like).collect::<Result<_, _>>()?,
        })
    }
}

impl UpdateRule for MomentumSgd {
    fn gradient_factor(&self) -> Option<&Tensor> {
        Some(&self.negative_rate)
    }

    fn begin_step(&mut self, _step: i64) {}

    fn update(
        &mut self,
        slot: usize,
        parameter: &mut Tensor,
        gradient: &dyn Gradient,
    ) -> Result<(), TchError> {
        let velocity = &mut self.velocities[slot];
        drop(velocity.f_mul_(&self.momentum)?);
        gradient.add_to(velocity)?;
        if let Some(decay) = &self.decay {
            drop(velocity.f_addcmul_(parameter, decay)?);
        }
        parameter.f_add_(velocity).map(drop)
    }

    fn state(&self) -> Vec<Tensor> {
        self.velocities.iter().map(Tensor::shallow_clone).collect()
    }
}
