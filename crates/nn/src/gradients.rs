//! The gradient of the training loss at given rows: what a training step would follow.

use crate::arrangement::Block;
use crate::ensemble::Ensemble;
use crate::error::NnError;
use crate::gradient::{BlockInputs, Gradient};
use crate::loss;
use crate::pass::Pass;
use crate::rows::GroupedRows;
use crate::update_rule::UpdateRule;
use tch::{Kind, TchError, Tensor};

/// The mean loss `[E]` of each trial over its rows, and its derivatives by every parameter, in
/// the order and shapes of [`Ensemble::parameters`].
///
/// `labels` is `[E, rows]`. Batch norm is in training mode: it takes the statistics of these
/// rows, and the running ones of `ensemble` stay as they are. Any floating-point type.
pub fn gradients(
    ensemble: &Ensemble,
    rows: &GroupedRows,
    labels: &Tensor,
) -> Result<(Tensor, Vec<Tensor>), NnError> {
    let _no_grad = tch::no_grad_guard();
    let (trials, row_count, classes) = (ensemble.len(), rows.rows(), ensemble.classes());
    let options = (ensemble.layers[0].weight.kind(), ensemble.device());
    let index = labels.f_unsqueeze(1)?;
    let ones = Tensor::f_ones([trials as i64, 1, row_count], options)?;
    let targets = Tensor::f_zeros([trials as i64, classes, row_count], options)?
        .f_scatter(1, &index, &ones)?;

    let mut inputs = Vec::with_capacity(rows.groups.len());
    for (number, group) in rows.groups.iter().enumerate() {
        let block = Block { groups: number..number + 1, trials: group.trials.clone() };
        inputs.push(BlockInputs { block, inputs: group.inputs.f_unsqueeze(0)? });
    }
    let mut copy = ensemble.copy();
    let mut pass = Pass::new(&copy, row_count, 0.0)?;
    pass.forward(&mut copy, &inputs)?;

    // Labels may differ between trials of equal rows, so each has targets of its own.
    let own_targets = [Block { groups: 0..trials, trials: 0..trials }];
    let derivative_factor = loss::derivative_factor(ensemble.loss, row_count, classes);
    let scale = Tensor::f_full([trials as i64, 1, 1], derivative_factor, options)?;
    let mut loss_sum = scale.f_zeros_like()?;
    loss::backward(ensemble.loss, &mut pass.logits, &targets, &own_targets, &scale, &mut loss_sum)?;

    let parameters = copy.parameters();
    let room = parameters.iter().map(Tensor::f_zeros_like).collect::<Result<_, _>>()?;
    let mut recorder = Recorder { gradients: room };
    pass.backward(&mut copy, &inputs, &mut recorder)?;
    let mean_factor = loss::mean_factor(ensemble.loss, row_count, classes);
    let losses = loss_sum.f_view([trials as i64])?.f_mul_scalar(mean_factor)?;
    Ok((losses.f_to_kind(Kind::Double)?, recorder.gradients))
}

/// An update rule that updates nothing and keeps the gradients.
struct Recorder {
    gradients: Vec<Tensor>,
}

impl UpdateRule for Recorder {
    fn gradient_factor(&self) -> Option<&Tensor> {
        None
    }

    fn begin_step(&mut self, _step: i64) {}

    fn update(
        &mut self,
        slot: usize,
        _parameter: &mut Tensor,
        gradient: &dyn Gradient,
    ) -> Result<(), TchError> {
        gradient.write_to(&mut self.gradients[slot])
    }

    fn state(&self) -> Vec<Tensor> {
        Vec::new()
    }
}
