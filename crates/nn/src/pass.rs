//! One training step of a whole ensemble: forward, hand-written backward, in-place updates.
//!
//! delta^(l) is the loss derivative at the input of layer l's bias and weights (times the
//! update rule's gradient factor). From the output down: the derivative at y^(l-1) is
//! W^(l)ᵀ·delta^(l), taken *before* W^(l) is updated; then W^(l) gets delta^(l)·y^(l-1)ᵀ, and
//! f' (and batch norm's derivative) turn the former into delta^(l-1). All large buffers are
//! made once and written over each step.

use crate::activation;
use crate::batch_norm;
use crate::ensemble::{Ensemble, Layer};
use crate::gradient::{BlockInputs, Dense, Product, RowSum, SharedProduct};
use crate::update_rule::UpdateRule;
use phasegrid_spec::Activation;
use tch::{TchError, Tensor};

/// The buffers of one hidden layer, all `[E, n_l, B]`.
struct HiddenBuffers {
    /// W y + b; with batch norm, then its normalised values x̂.
    linear: Tensor,
    /// h, where batch norm makes it differ from `linear`.
    normalised: Option<Tensor>,
    /// y, where f' needs h too; else y overwrites h.
    output: Option<Tensor>,
    /// 1/sqrt(var + eps) of this minibatch, with batch norm.
    inverse_deviation: Option<Tensor>,
}

/// out = W y + b, `[E, n, B]`
fn affine(layer: &Layer, input: &Tensor, out: &Tensor) -> Result<(), TchError> {
    layer.bias.f_baddbmm_out(out, &layer.weight, input).map(drop)
}

/// The same for the first layer, whose input the trials of a group share.
fn shared_affine(layer: &Layer, inputs: &[BlockInputs], out: &Tensor) -> Result<(), TchError> {
    for BlockInputs { block, inputs } in inputs {
        let columns = inputs.f_transpose(1, 2)?;
        let (bias, weight) = (block.part(&layer.bias)?, block.part(&layer.weight)?);
        drop(bias.f_baddbmm_out(&block.part(out)?, &weight, &columns)?);
    }
    Ok(())
}

impl HiddenBuffers {
    fn pre_activation(&self) -> &Tensor {
        self.normalised.as_ref().unwrap_or(&self.linear)
    }

    fn output(&self) -> &Tensor {
        self.output.as_ref().unwrap_or_else(|| self.pre_activation())
    }
}

/// Everything a step computes between the minibatch and the updated parameters.
pub(crate) struct Pass {
    hidden: Vec<HiddenBuffers>,
    /// z, then its derivative: `[E, K, B]`.
    pub(crate) logits: Tensor,
    /// Derivatives at hidden activations, used in turn: `[E, width, B]`.
    deltas: [Tensor; 2],
    activation: Activation,
    batch_norm_momentum: f64,
}

impl Pass {
    /// Buffers for minibatches of `batch_size` rows.
    pub(crate) fn new(
        ensemble: &Ensemble,
        batch_size: i64,
        batch_norm_momentum: f64,
    ) -> Result<Pass, TchError> {
        let trials = ensemble.len() as i64;
        let options = (ensemble.layers[0].weight.kind(), ensemble.device());
        let buffer = |units: i64| Tensor::f_empty([trials, units, batch_size], options);
        let activation = ensemble.activation;
        let keeps_both = !activation::derivative_needs_only_output(activation);
        let mut hidden = Vec::with_capacity(ensemble.depth());
        for layer in &ensemble.layers[..ensemble.depth()] {
            let units = layer.weight.size()[1];
            hidden.push(HiddenBuffers {
                linear: buffer(units)?,
                normalised: layer.batch_norm.as_ref().map(|_| buffer(units)).transpose()?,
                output: keeps_both.then(|| buffer(units)).transpose()?,
                inverse_deviation: None,
            });
        }
        let width = ensemble.layers[0].weight.size()[1];
        Ok(Pass {
            hidden,
            logits: buffer(ensemble.classes())?,
            deltas: [buffer(width)?, buffer(width)?],
            activation,
            batch_norm_momentum,
        })
    }

    /// Computes the logits in training mode; running statistics of batch norm move.
    pub(crate) fn forward(
        &mut self,
        ensemble: &mut Ensemble,
        inputs: &[BlockInputs],
    ) -> Result<(), TchError> {
        let depth = ensemble.depth();
        for (index, layer) in ensemble.layers.iter_mut().enumerate() {
            let (below, rest) = self.hidden.split_at_mut(index);
            let target = rest.first().map_or(&self.logits, |buffers| &buffers.linear);
            match below.last() {
                Some(buffers) => affine(layer, buffers.output(), target)?,
                None => shared_affine(layer, inputs, target)?,
            }
            if index < depth {
                self.activate(index, layer)?;
            }
        }
        Ok(())
    }

    fn activate(&mut self, index: usize, layer: &mut Layer) -> Result<(), TchError> {
        let buffers = &mut self.hidden[index];
        if let (Some(parameters), Some(normalised)) =
            (&mut layer.batch_norm, &mut buffers.normalised)
        {
            let inverse_deviation = batch_norm::forward(
                parameters,
                &mut buffers.linear,
                normalised,
                self.batch_norm_momentum,
            )?;
            buffers.inverse_deviation = Some(inverse_deviation);
        }
        let pre_activation = buffers.normalised.as_mut().unwrap_or(&mut buffers.linear);
        match &mut buffers.output {
            Some(output) => activation::apply_into(self.activation, pre_activation, output),
            None => activation::apply_in_place(self.activation, pre_activation),
        }
    }

    /// From the derivative at the logits (in `self.logits`) to updated parameters everywhere.
    pub(crate) fn backward(
        &mut self,
        ensemble: &mut Ensemble,
        inputs: &[BlockInputs],
        rule: &mut dyn UpdateRule,
    ) -> Result<(), TchError> {
        let mut delta = self.logits.shallow_clone();
        // First slot of the layer above the current one.
        let mut slot_above = ensemble.parameters().len();
        for index in (0..ensemble.layers.len()).rev() {
            let (lower, upper) = ensemble.layers.split_at_mut(index);
            let layer = &mut upper[0];
            let slot = slot_above - if layer.batch_norm.is_some() { 4 } else { 2 };
            let Some(layer_below) = lower.last_mut() else {
                rule.update(slot, &mut layer.weight, &SharedProduct { delta: &delta, inputs })?;
                return rule.update(slot + 1, &mut layer.bias, &RowSum { delta: &delta });
            };
            let below = &self.hidden[index - 1];
            let mut delta_below = self.deltas[index % 2].shallow_clone();
            drop(layer.weight.f_transpose(1, 2)?.f_bmm_out(&delta_below, &delta)?);
            rule.update(
                slot,
                &mut layer.weight,
                &Product { delta: &delta, input: below.output() },
            )?;
            rule.update(slot + 1, &mut layer.bias, &RowSum { delta: &delta })?;

            activation::backward_in_place(
                self.activation,
                &mut delta_below,
                below.pre_activation(),
                below.output(),
            )?;
            if let (Some(parameters), Some(inverse_deviation)) =
                (&mut layer_below.batch_norm, &below.inverse_deviation)
            {
                // The derivative goes through the old gamma; only then is gamma updated.
                let (gamma, beta) = batch_norm::backward(
                    parameters,
                    &mut delta_below,
                    &below.linear,
                    inverse_deviation,
                )?;
                rule.update(slot - 2, &mut parameters.gamma, &Dense(&gamma))?;
                rule.update(slot - 1, &mut parameters.beta, &Dense(&beta))?;
            }
            delta = delta_below;
            slot_above = slot;
        }
        Ok(())
    }
}
