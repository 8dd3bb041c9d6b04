//! A training continued from a checkpoint is the training that was never interrupted.

#![allow(clippy::unwrap_used)]

use phasegrid_nn::{Checkpoint, Measured, NnError, Observer, Outcome, Status, resume, train};
use phasegrid_spec::{Hyperparameters, Optimizer};
use phasegrid_tasks::load;
use tch::Device;

#[derive(Default)]
struct Witness {
    checkpoints: Vec<Checkpoint>,
    wants_checkpoints: bool,
    seen: Vec<(i64, Vec<usize>, Vec<f32>)>,
}

impl Observer for Witness {
    fn at_step(&mut self, measured: &Measured<'_>) -> Result<(), NnError> {
        let tensors =
            (0..measured.trials.len()).flat_map(|trial| measured.ensemble.trial_tensors(trial));
        let values = tensors.flat_map(|(_, _, values)| values).collect();
        self.seen.push((measured.step, measured.trials.to_vec(), values));
        Ok(())
    }
    fn checkpoint_due(&mut self) -> bool {
        self.wants_checkpoints
    }
    fn keep(&mut self, checkpoint: Checkpoint) -> Result<(), NnError> {
        self.checkpoints.push(checkpoint);
        Ok(())
    }
}

fn trials(shape: &Hyperparameters) -> Vec<Hyperparameters> {
    let rates = [0.05, 1e36, 0.1, 0.02];
    let vary = |index: usize| Hyperparameters {
        learning_rate: rates[index],
        momentum: if shape.optimizer == Optimizer::Sgd { 0.5 } else { 0.0 },
        seed: [4, 1, 1, 4][index],
        ..shape.clone()
    };
    (0..4).map(vary).collect()
}

#[test]
fn every_checkpoint_continues_to_the_same_bits() {
    tch::set_num_threads(1);
    let dataset = load("digits", None).unwrap();
    let observe_at = [0, 10, 90];
    for optimizer in [Optimizer::Sgd, Optimizer::AdamW] {
        let batch_norm = optimizer == Optimizer::AdamW;
        let shape = Hyperparameters { optimizer, batch_norm, steps: 90, ..Default::default() };
        let trials = trials(&shape);
        let mut whole = Witness { wants_checkpoints: true, ..Default::default() };
        let outcomes = train(&trials, &dataset, &observe_at, Device::Cpu, &mut whole).unwrap();
        let steps: Vec<i64> = whole.checkpoints.iter().map(|checkpoint| checkpoint.step).collect();
        assert_eq!(steps, [0, 10, 35, 60, 85]);
        for checkpoint in &whole.checkpoints {
            let mut rest = Witness::default();
            let again: Vec<Outcome> =
                resume(checkpoint, &trials, &dataset, &observe_at, Device::Cpu, &mut rest).unwrap();
            assert_eq!(again, outcomes);
            let expected: Vec<_> =
                whole.seen.iter().filter(|seen| seen.0 > checkpoint.step).collect();
            assert_eq!(rest.seen.iter().collect::<Vec<_>>(), expected);
        }
        if optimizer == Optimizer::Sgd {
            assert!(matches!(outcomes[1].status, Status::Diverged { .. }));
            assert_eq!(whole.checkpoints[4].diverged, [(1, outcomes[1].steps_done)]);
        }
    }
}

#[test]
fn a_foreign_checkpoint_is_refused() {
    let dataset = load("digits", None).unwrap();
    let shape = Hyperparameters { steps: 10, ..Default::default() };
    let mut witness = Witness { wants_checkpoints: true, ..Default::default() };
    let trials = trials(&shape);
    train(&trials, &dataset, &[], Device::Cpu, &mut witness).unwrap();
    let checkpoint = &witness.checkpoints[0];
    let refused = |checkpoint: &Checkpoint, trials: &[Hyperparameters]| {
        let result =
            resume(checkpoint, trials, &dataset, &[], Device::Cpu, &mut Witness::default());
        assert!(matches!(result, Err(NnError::Checkpoint(_))), "{result:?}");
    };
    refused(checkpoint, &trials[..3]);
    let wider: Vec<_> =
        trials.iter().map(|trial| Hyperparameters { width: 33, ..trial.clone() }).collect();
    refused(checkpoint, &wider);
    refused(&Checkpoint { step: 11, ..checkpoint.clone() }, &trials);
    refused(&Checkpoint { living: vec![0, 1, 2, 9], ..checkpoint.clone() }, &trials);
    let mut reordered = checkpoint.clone();
    reordered.living.reverse();
    refused(&reordered, &trials);
}
