//! Training a unit: the loop over steps, measurements on the way, divergence.

use crate::arrangement::ensemble_order;
use crate::checkpoint::Checkpoint;
use crate::divergence::{self, Snapshot};
use crate::ensemble::Ensemble;
use crate::error::NnError;
use crate::init::initial_ensemble;
use crate::minibatch::TrainingData;
use crate::run::Run;
use crate::unit;
use phasegrid_spec::Hyperparameters;
use phasegrid_tasks::Dataset;
use std::rc::Rc;
use tch::Device;

/// Steps between two checks for divergence, unless a measurement comes first. Larger spares
/// checks and snapshots, smaller spares replayed steps.
const CHECKED_EVERY: i64 = 25;

/// The living trials at a measured step.
#[derive(Debug)]
pub struct Measured<'a> {
    /// t: updates done.
    pub step: i64,
    /// Their networks.
    pub ensemble: &'a Ensemble,
    /// Index in the caller's list of the trial at each position of the ensemble: the ensemble
    /// has an order of its own, and the trials that diverged are gone from it.
    pub trials: &'a [usize],
}

/// Who watches a training.
pub trait Observer {
    /// At step 0 and the steps asked for; an error ends the training.
    fn at_step(&mut self, measured: &Measured<'_>) -> Result<(), NnError>;

    /// Asked before every step; true ends the training with [`NnError::Cancelled`].
    fn should_stop(&self) -> bool {
        false
    }

    /// Asked at steps without anything pending; true asks for [`keep`](Self::keep).
    fn checkpoint_due(&mut self) -> bool {
        false
    }

    /// Takes a checkpoint; an error ends the training.
    fn keep(&mut self, _checkpoint: Checkpoint) -> Result<(), NnError> {
        Ok(())
    }

    /// Told now and then how many steps are done.
    fn progress(&mut self, _step: i64) {}
}

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All steps done, every number finite.
    Ok,
    /// The loss before, or a parameter after, update `step` was the first non-finite one.
    Diverged {
        /// That update's number, from 1.
        step: i64,
    },
}

/// A trial's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// Updates done: all, or those up to and with the one that diverged.
    pub steps_done: i64,
}

/// Trains `trials`, all of one shape, and shows the living ones to `observer` at the steps
/// `observe_at` (increasing, within 0…steps). Outcomes come in the order of `trials`.
///
/// A trial's numbers depend on its own hyperparameters alone; what it is trained beside only
/// shows in the last bits of rounding.
pub fn train(
    trials: &[Hyperparameters],
    dataset: &Dataset,
    observe_at: &[i64],
    device: Device,
    observer: &mut dyn Observer,
) -> Result<Vec<Outcome>, NnError> {
    Training::new(trials, dataset, observe_at, device)?.finish(observe_at, observer)
}

/// Continues a training from a checkpoint made with the same arguments: its later
/// measurements and all outcomes.
pub fn resume(
    checkpoint: &Checkpoint,
    trials: &[Hyperparameters],
    dataset: &Dataset,
    observe_at: &[i64],
    device: Device,
    observer: &mut dyn Observer,
) -> Result<Vec<Outcome>, NnError> {
    let mut training = Training::new(trials, dataset, observe_at, device)?;
    training.restore(checkpoint)?;
    training.finish(observe_at, observer)
}

/// A unit between two checks for divergence.
struct Training {
    run: Run,
    /// The run's state at `step`.
    snapshot: Snapshot,
    /// The caller's index of each living trial, in ensemble order.
    living: Vec<usize>,
    /// In the caller's order; those of the living are foreseen ones.
    outcomes: Vec<Outcome>,
    step: i64,
    steps: i64,
    /// The step whose measurement a checkpoint says was made.
    already_measured: Option<i64>,
}

impl Training {
    fn new(
        trials: &[Hyperparameters],
        dataset: &Dataset,
        observe_at: &[i64],
        device: Device,
    ) -> Result<Training, NnError> {
        let steps = unit::check(trials)?;
        unit::check_observed_steps(observe_at, steps)?;
        let _no_grad = tch::no_grad_guard();
        let living = ensemble_order(trials);
        let ordered: Vec<Hyperparameters> =
            living.iter().map(|&index| trials[index].clone()).collect();
        let data = Rc::new(TrainingData::new(dataset, &ordered, device)?);
        let (inputs, classes) = (dataset.input_dimension, dataset.classes);
        let ensemble = initial_ensemble(&ordered, inputs, classes, device)?;
        let run = Run::new(ordered, data, ensemble)?;
        Ok(Training {
            snapshot: Snapshot::of(&run)?,
            run,
            living,
            outcomes: vec![Outcome { status: Status::Ok, steps_done: steps }; trials.len()],
            step: 0,
            steps,
            already_measured: None,
        })
    }

    fn finish(
        mut self,
        observe_at: &[i64],
        observer: &mut dyn Observer,
    ) -> Result<Vec<Outcome>, NnError> {
        let _no_grad = tch::no_grad_guard();
        while !self.living.is_empty() {
            let is_due = observe_at.binary_search(&self.step).is_ok();
            if is_due && self.already_measured != Some(self.step) {
                let (ensemble, trials) = (&self.run.ensemble, self.living.as_slice());
                observer.at_step(&Measured { step: self.step, ensemble, trials })?;
            }
            if self.step == self.steps {
                break;
            }
            if observer.checkpoint_due() {
                observer.keep(self.checkpoint())?;
            }
            let max_stretch = self.run.max_stretch();
            let last_step = stretch_end(self.step, self.steps, observe_at, max_stretch);
            advance(&mut self.run, self.step + 1, last_step, observer)?;
            let diverged = divergence::find(&self.run, &self.snapshot, self.step + 1, last_step)?;
            self.step = last_step;
            if diverged.is_empty() {
                self.snapshot.renew(&self.run)?;
            } else {
                self.remove(&diverged)?;
            }
            observer.progress(self.step);
        }
        Ok(self.outcomes)
    }

    /// Records the divergence of trials (ensemble positions, with their steps) and goes on
    /// without them.
    fn remove(&mut self, diverged: &[(usize, i64)]) -> Result<(), NnError> {
        for &(position, at) in diverged {
            self.outcomes[self.living[position]] = diverged_at(at);
        }
        let is_living = |position: &usize| diverged.iter().all(|(gone, _)| gone != position);
        let kept: Vec<usize> = (0..self.living.len()).filter(is_living).collect();
        self.keep_positions(&kept)
    }

    fn keep_positions(&mut self, kept: &[usize]) -> Result<(), NnError> {
        self.living = kept.iter().map(|&position| self.living[position]).collect();
        if kept.is_empty() {
            return Ok(());
        }
        let positions: Vec<i64> = kept.iter().map(|&position| position as i64).collect();
        self.run = self.run.select(&positions, &self.run.state())?;
        self.snapshot = Snapshot::of(&self.run)?;
        Ok(())
    }

    fn checkpoint(&self) -> Checkpoint {
        let diverged_step = |(index, outcome): (usize, &Outcome)| match outcome.status {
            Status::Diverged { step } => Some((index, step)),
            Status::Ok => None,
        };
        Checkpoint {
            step: self.step,
            living: self.living.clone(),
            diverged: self.outcomes.iter().enumerate().filter_map(diverged_step).collect(),
            tensors: self.run.save(),
        }
    }

    fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), NnError> {
        let is_kept = |index: &usize| checkpoint.living.contains(index);
        let positions = 0..self.living.len();
        let kept: Vec<usize> =
            positions.filter(|&position| is_kept(&self.living[position])).collect();
        let is_diverged_known =
            checkpoint.diverged.iter().all(|(index, _)| *index < self.outcomes.len());
        let covers_all = checkpoint.living.len() + checkpoint.diverged.len() == self.outcomes.len();
        if !(0..=self.steps).contains(&checkpoint.step) || !is_diverged_known || !covers_all {
            return Err(NnError::Checkpoint("its steps or trials are not this unit's"));
        }
        if kept.len() < self.living.len() {
            self.keep_positions(&kept)?;
        }
        if self.living != checkpoint.living {
            return Err(NnError::Checkpoint("its trials stand in another order"));
        }
        for &(index, at) in &checkpoint.diverged {
            self.outcomes[index] = diverged_at(at);
        }
        if !self.living.is_empty() {
            self.run.restore(&checkpoint.tensors)?;
            self.snapshot.renew(&self.run)?;
        }
        self.step = checkpoint.step;
        self.already_measured = Some(checkpoint.step);
        Ok(())
    }
}

fn diverged_at(step: i64) -> Outcome {
    Outcome { status: Status::Diverged { step }, steps_done: step }
}

/// The last step before the next check: the next measurement, or a few steps on.
fn stretch_end(step: i64, steps: i64, observe_at: &[i64], max_stretch: i64) -> i64 {
    let next_observed = observe_at.iter().copied().find(|&observed| observed > step);
    let longest = step + CHECKED_EVERY.min(max_stretch);
    next_observed.unwrap_or(steps).min(longest).min(steps)
}

fn advance(
    run: &mut Run,
    first_step: i64,
    last_step: i64,
    observer: &dyn Observer,
) -> Result<(), NnError> {
    run.prepare(first_step, last_step)?;
    run.clear_losses()?;
    for step in first_step..=last_step {
        if observer.should_stop() {
            return Err(NnError::Cancelled);
        }
        run.step(step)?;
    }
    Ok(())
}
