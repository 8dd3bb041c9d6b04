//! The training losses: their derivative at the logits, and their sum over steps.
//!
//! A new loss is a variant in `phasegrid_spec::Loss` and one arm in each function here and in
//! `evaluate`.

use crate::arrangement::Block;
use phasegrid_spec::Loss;
use tch::{TchError, Tensor};

/// What the derivative of the summed loss must be multiplied by to become that of the loss, a
/// mean: 1/B for cross-entropy, 2/(B K) for MSE.
pub(crate) fn derivative_factor(loss: Loss, batch_size: i64, classes: i64) -> f64 {
    match loss {
        Loss::CrossEntropy => 1.0 / batch_size as f64,
        Loss::Mse => 2.0 / (batch_size * classes) as f64,
    }
}

/// What the summed loss must be multiplied by to become the loss.
pub(crate) fn mean_factor(loss: Loss, batch_size: i64, classes: i64) -> f64 {
    match loss {
        Loss::CrossEntropy => 1.0 / batch_size as f64,
        Loss::Mse => 1.0 / (batch_size * classes) as f64,
    }
}

/// Overwrites the logits `[E, K, B]` with `scale` times the derivative of the summed loss
/// (`scale` is `[E, 1, 1]`), and adds each trial's summed loss to `loss_sum` `[E, 1, 1]`.
///
/// `targets` is one-hot, `[groups, K, B]`. Cross-entropy goes through log-softmax: the loss is
/// -sum(target · log p), the derivative p - target. A log p of -inf for any class, the target's
/// or not, makes the sum non-finite and counts as a non-finite loss: logits further apart than
/// f32 reaches have diverged.
pub(crate) fn backward(
    loss: Loss,
    logits: &mut Tensor,
    targets: &Tensor,
    blocks: &[Block],
    scale: &Tensor,
    loss_sum: &mut Tensor,
) -> Result<(), TchError> {
    match loss {
        Loss::CrossEntropy => {
            let log_softmax = logits.f_log_softmax(1, None)?;
            for block in blocks {
                let targets = block_targets(targets, block)?;
                let columns = targets.f_view([targets.size()[0], -1, 1])?.f_neg()?;
                let rows = block_view(&log_softmax, block)?.f_flatten(2, 3)?;
                drop(block.part(loss_sum)?.f_baddbmm_(&rows, &columns)?);
            }
            drop(log_softmax.f_exp_out(logits)?);
            subtract_targets(logits, targets, blocks)?;
        }
        Loss::Mse => {
            subtract_targets(logits, targets, blocks)?;
            let row = logits.f_view([logits.size()[0], 1, -1])?;
            drop(loss_sum.f_baddbmm_(&row, &row.f_transpose(1, 2)?)?);
        }
    }
    logits.f_mul_(scale).map(drop)
}

fn subtract_targets(logits: &Tensor, targets: &Tensor, blocks: &[Block]) -> Result<(), TchError> {
    for block in blocks {
        let targets = block_targets(targets, block)?.f_unsqueeze(1)?;
        drop(block_view(logits, block)?.f_sub_(&targets)?);
    }
    Ok(())
}

/// `[groups of the block, K, B]`
fn block_targets(targets: &Tensor, block: &Block) -> Result<Tensor, TchError> {
    let groups = &block.groups;
    targets.f_narrow(0, groups.start as i64, groups.len() as i64)
}

/// A block's part of `[E, K, B]` as `[groups, trials of a group, K, B]`.
fn block_view(tensor: &Tensor, block: &Block) -> Result<Tensor, TchError> {
    let size = tensor.size();
    let (start, trials) = (block.trials.start as i64, block.trials.len() as i64);
    tensor.f_narrow(0, start, trials)?.f_view([block.groups.len() as i64, -1, size[1], size[2]])
}
