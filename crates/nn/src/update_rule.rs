//! What an optimizer is to the training step.

use crate::gradient::Gradient;
use phasegrid_spec::Hyperparameters;
use tch::{Device, TchError, Tensor};

/// An update rule with its state, for every trial of an ensemble at once.
pub(crate) trait UpdateRule {
    /// `[E, 1, 1]`, or nothing for 1: a factor on each trial's loss gradient, multiplied into
    /// the derivative at the logits and so into every gradient that `update` gets.
    fn gradient_factor(&self) -> Option<&Tensor>;

    /// Called before the updates of step `step` (1 for the first).
    fn begin_step(&mut self, step: i64);

    /// Updates one parameter, `[E, n, m]`, in place; `slot` is its position in
    /// [`Ensemble::parameters`](crate::Ensemble::parameters).
    fn update(
        &mut self,
        slot: usize,
        parameter: &mut Tensor,
        gradient: &dyn Gradient,
    ) -> Result<(), TchError>;

    /// Handles on the state that outlives a step, each with the trials as first dimension.
    fn state(&self) -> Vec<Tensor>;
}

/// One number a trial as an f32 tensor `[E, 1, 1]`.
pub(crate) fn per_trial(
    trials: &[Hyperparameters],
    device: Device,
    value: impl Fn(&Hyperparameters) -> f64,
) -> Result<Tensor, TchError> {
    let values: Vec<f32> = trials.iter().map(|trial| value(trial) as f32).collect();
    Tensor::f_from_slice(&values)?.f_view([-1, 1, 1])?.f_to_device(device)
}

/// The same, or nothing if the number is 0 for every trial.
pub(crate) fn per_trial_unless_zero(
    trials: &[Hyperparameters],
    device: Device,
    value: impl Fn(&Hyperparameters) -> f64,
) -> Result<Option<Tensor>, TchError> {
    if trials.iter().all(|trial| value(trial) == 0.0) {
        return Ok(None);
    }
    per_trial(trials, device, value).map(Some)
}
