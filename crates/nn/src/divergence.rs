//! Finding the exact step at which a trial diverged, without looking at every step.
//!
//! A run is checked at the end of each stretch of steps, for all trials at once. Only the
//! trials that fail the check are trained again, alone, from the stretch's first state, and
//! checked after each step. Non-finite numbers stay: a parameter that was infinite or NaN
//! inside a stretch still is at its end, so no divergence is missed.

use crate::error::NnError;
use crate::run::Run;
use tch::Tensor;

/// A copy of a run's state, made at the first step of a stretch and written over at the next.
pub(crate) struct Snapshot {
    tensors: Vec<Tensor>,
}

impl Snapshot {
    /// A copy of the run's present state.
    pub(crate) fn of(run: &Run) -> Result<Snapshot, NnError> {
        let room = run.state().iter().map(Tensor::f_empty_like).collect::<Result<_, _>>()?;
        let mut snapshot = Snapshot { tensors: room };
        snapshot.renew(run)?;
        Ok(snapshot)
    }

    /// Overwrites the copy with the present state of the same run.
    pub(crate) fn renew(&mut self, run: &Run) -> Result<(), NnError> {
        for (saved, present) in self.tensors.iter_mut().zip(run.state()) {
            saved.f_copy_(&present)?;
        }
        Ok(())
    }
}

/// The trials of `run` (positions) that diverged in updates `first_step..=last_step`, each
/// with the number of the update of its first non-finite minibatch loss or parameter.
pub(crate) fn find(
    run: &Run,
    snapshot: &Snapshot,
    first_step: i64,
    last_step: i64,
) -> Result<Vec<(usize, i64)>, NnError> {
    let flags = run.suspects()?;
    let suspects: Vec<i64> = (0..flags.len())
        .filter(|&position| flags[position])
        .map(|position| position as i64)
        .collect();
    if suspects.is_empty() {
        return Ok(Vec::new());
    }
    let mut replay = run.select(&suspects, &snapshot.tensors)?;
    replay.prepare(first_step, last_step)?;
    let mut steps: Vec<Option<i64>> = vec![None; suspects.len()];
    for step in first_step..=last_step {
        replay.clear_losses()?;
        replay.step(step)?;
        let (losses, parameters) = (replay.finite_losses()?, replay.finite_parameters()?);
        for (index, found) in steps.iter_mut().enumerate() {
            if !(losses[index] && parameters[index]) {
                found.get_or_insert(step);
            }
        }
        if steps.iter().all(Option::is_some) {
            break;
        }
    }
    // The replay rounds differently from the fused run, so at the very edge of overflow it may
    // stay finite where the run did not: then the stretch's last step, where it was seen.
    let finite_in_run = run.finite_parameters()?;
    let step_of = |index: usize, position: i64| {
        let seen_in_run = (!finite_in_run[position as usize]).then_some(last_step);
        steps[index].or(seen_in_run)
    };
    let found = suspects.iter().enumerate().filter_map(|(index, &position)| {
        step_of(index, position).map(|step| (position as usize, step))
    });
    Ok(found.collect())
}
