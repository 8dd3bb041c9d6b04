//! Adam and AdamW: beta 0.9/0.999, eps 1e-8 outside the root, bias-corrected; weight decay is
//! added to the gradient (Adam) or shrinks the weights first (AdamW): metrics.md, section 0.
//!
//! The buffers hold M = m/(1 - beta1) and V = v/(1 - beta2), which spares their updates a
//! factor: M = beta1·M + g, V = beta2·V + g². With s = sqrt((1 - beta2)/(1 - beta2^t)) the
//! update is w -= lr·(1 - beta1)/(1 - beta1^t)/s · M / (sqrt(V) + eps/s).

use crate::gradient::Gradient;
use crate::update_rule::{UpdateRule, per_trial, per_trial_unless_zero};
use phasegrid_spec::Hyperparameters;
use tch::{Device, TchError, Tensor};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Both variants.
pub(crate) struct Adam {
    negative_rate: Tensor,
    decay: Option<Decay>,
    /// M, V and room for the gradient, of every parameter.
    buffers: Vec<Buffers>,
    /// -lr·(1 - beta1)/(1 - beta1^t)/s of the current step.
    step_factor: Tensor,
    /// eps/s of the current step.
    step_epsilon: f64,
}

enum Decay {
    /// wd: g += wd·w
    Coupled(Tensor),
    /// 1 - lr·wd: w *= 1 - lr·wd
    Decoupled(Tensor),
}

struct Buffers {
    first: Tensor,
    second: Tensor,
    gradient: Tensor,
}

impl Adam {
    pub(crate) fn new(
        trials: &[Hyperparameters],
        parameters: &[Tensor],
        decoupled: bool,
    ) -> Result<Adam, TchError> {
        let device = parameters.first().map_or(Device::Cpu, Tensor::device);
        let coupled_decay = per_trial_unless_zero(trials, device, |trial| trial.weight_decay)?;
        let decay = match coupled_decay {
            Some(_) if decoupled => {
                let kept_share =
                    |trial: &Hyperparameters| 1.0 - trial.learning_rate * trial.weight_decay;
                Some(Decay::Decoupled(per_trial(trials, device, kept_share)?))
            }
            other => other.map(Decay::Coupled),
        };
        let buffers = parameters.iter().map(|parameter| {
            Ok(Buffers {
                first: parameter.f_zeros_like()?,
                second: parameter.f_zeros_like()?,
                gradient: parameter.f_zeros_like()?,
            })
        });
        let negative_rate = per_trial(trials, device, |trial| -trial.learning_rate)?;
        Ok(Adam {
            step_factor: negative_rate.f_zeros_like()?,
            step_epsilon: EPSILON,
            negative_rate,
            decay,
            buffers: buffers.collect::<Result<_, TchError>>()?,
        })
    }
}

impl UpdateRule for Adam {
    fn gradient_factor(&self) -> Option<&Tensor> {
        None
    }

    fn begin_step(&mut self, step: i64) {
        let first_correction = 1.0 - BETA1.powf(step as f64);
        let second_correction = 1.0 - BETA2.powf(step as f64);
        let root_scale = ((1.0 - BETA2) / second_correction).sqrt();
        self.step_factor = &self.negative_rate * ((1.0 - BETA1) / (first_correction * root_scale));
        self.step_epsilon = EPSILON / root_scale;
    }

    fn update(
        &mut self,
        slot: usize,
        parameter: &mut Tensor,
        gradient: &dyn Gradient,
    ) -> Result<(), TchError> {
        let Buffers { first, second, gradient: own } = &mut self.buffers[slot];
        gradient.write_to(own)?;
        match &self.decay {
            Some(Decay::Coupled(decay)) => drop(own.f_addcmul_(parameter, decay)?),
            Some(Decay::Decoupled(kept_share)) => drop(parameter.f_mul_(kept_share)?),
            None => {}
        }
        drop(first.f_mul_scalar_(BETA1)?.f_add_(own)?);
        drop(second.f_mul_scalar_(BETA2)?.f_addcmul_(own, own)?);
        // The gradient is used up: its room takes the denominator, then the direction.
        drop(second.f_sqrt_out(own)?);
        drop(own.f_add_scalar_(self.step_epsilon)?);
        drop(first.f_div_out(own, own)?);
        parameter.f_addcmul_(own, &self.step_factor).map(drop)
    }

    fn state(&self) -> Vec<Tensor> {
        let handles =
            |buffers: &Buffers| [buffers.first.shallow_clone(), buffers.second.shallow_clone()];
        self.buffers.iter().flat_map(handles).collect()
    }
}
