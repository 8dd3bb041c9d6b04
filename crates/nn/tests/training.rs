//! Training: fused against alone, divergence, observation, refusals.

#![allow(clippy::unwrap_used)]

use phasegrid_nn::{
    Ensemble, GroupedRows, LabelledRows, Measured, NnError, Observer, Outcome, Status, evaluate,
    initial_ensemble, train,
};
use phasegrid_spec::{Activation, Hyperparameters, Init, Loss, Optimizer};
use phasegrid_tasks::{Dataset, Split, load, training_rows};
use std::sync::OnceLock;
use tch::{Device, Kind, Tensor};

/// Keeps what it saw: step, the caller's indices, all tensors of each trial.
#[derive(Default)]
struct Witness {
    seen: Vec<(i64, Vec<usize>, Vec<Vec<f32>>)>,
    progress: Vec<i64>,
    stop_after: Option<i64>,
}

impl Observer for Witness {
    fn at_step(&mut self, measured: &Measured<'_>) -> Result<(), NnError> {
        let flat = |position| {
            let tensors = measured.ensemble.trial_tensors(position);
            tensors.into_iter().flat_map(|(_, _, values)| values).collect()
        };
        let parameters = (0..measured.trials.len()).map(flat).collect();
        self.seen.push((measured.step, measured.trials.to_vec(), parameters));
        Ok(())
    }
    fn should_stop(&self) -> bool {
        self.stop_after.is_some_and(|limit| self.progress.last().is_some_and(|step| *step >= limit))
    }
    fn progress(&mut self, step: i64) {
        self.progress.push(step);
    }
}

impl Witness {
    /// The parameters of a trial, by the caller's index, at a step.
    fn parameters(&self, step: i64, trial: usize) -> &[f32] {
        let (_, trials, parameters) = self.seen.iter().find(|seen| seen.0 == step).unwrap();
        &parameters[trials.iter().position(|index| *index == trial).unwrap()]
    }
}

fn digits() -> &'static Dataset {
    static DIGITS: OnceLock<Dataset> = OnceLock::new();
    // The networks are tiny: threads inside libtorch would only wait for one another.
    tch::set_num_threads(1);
    DIGITS.get_or_init(|| load("digits", None).unwrap())
}

fn run(trials: &[Hyperparameters], observe_at: &[i64]) -> (Vec<Outcome>, Witness) {
    let mut witness = Witness::default();
    let outcomes = train(trials, digits(), observe_at, Device::Cpu, &mut witness).unwrap();
    (outcomes, witness)
}

fn refusal(trials: &[Hyperparameters]) -> String {
    train(trials, digits(), &[], Device::Cpu, &mut Witness::default()).unwrap_err().to_string()
}

/// Trials that differ in everything fusable, with groups of different sizes, unordered.
fn varied(shape: &Hyperparameters) -> Vec<Hyperparameters> {
    let rates = [0.05, 0.1, 0.02, 0.05, 0.1];
    let seeds = [3, 1, 3, 2, 3];
    let vary = |index: usize| Hyperparameters {
        learning_rate: rates[index] * if shape.optimizer == Optimizer::Sgd { 1.0 } else { 0.03 },
        seed: seeds[index],
        init_scale: [1.0, 0.7, 1.2, 1.0, 1.0][index],
        weight_decay: [0.0, 1e-3, 0.0, 1e-2, 0.0][index],
        momentum: if shape.optimizer == Optimizer::Sgd {
            shape.momentum * [1.0, 0.5, 0.0, 1.0, 1.0][index]
        } else {
            0.0
        },
        data_seed: [0, 0, 0, 0, 5][index],
        label_noise: [0.0, 0.1, 0.0, 0.0, 0.1][index],
        ..shape.clone()
    };
    (0..5).map(vary).collect()
}

fn assert_fused_is_alone(shape: &Hyperparameters) {
    let trials = varied(shape);
    let (outcomes, fused) = run(&trials, &[0, 7, shape.steps]);
    assert!(outcomes.iter().all(|outcome| outcome.status == Status::Ok));
    for (index, trial) in trials.iter().enumerate() {
        let (_, alone) = run(std::slice::from_ref(trial), &[0, 7, shape.steps]);
        assert_eq!(fused.parameters(0, index), alone.parameters(0, 0), "initial weights");
        let (own, expected) =
            (fused.parameters(shape.steps, index), alone.parameters(shape.steps, 0));
        for (own, expected) in own.iter().zip(expected) {
            let error = (own - expected).abs() / (1.0 + expected.abs());
            assert!(error <= 1e-5, "{:?} trial {index}: {own} against {expected}", shape.optimizer);
        }
        assert_ne!(fused.parameters(0, index), own);
    }
}

fn tanh_shape() -> Hyperparameters {
    Hyperparameters {
        activation: Activation::Tanh,
        width: 9,
        steps: 100,
        batch_size: 16,
        ..Default::default()
    }
}

#[test]
fn a_trial_fused_is_the_trial_alone() {
    let shape = tanh_shape();
    assert_fused_is_alone(&shape);
    assert_fused_is_alone(&Hyperparameters { momentum: 0.9, ..shape.clone() });
    assert_fused_is_alone(&Hyperparameters {
        train_samples: 300,
        loss: Loss::Mse,
        init: Init::HeNormal,
        ..shape.clone()
    });
    assert_fused_is_alone(&Hyperparameters { batch_norm: true, depth: 1, ..shape.clone() });
}

#[test]
fn a_trial_fused_is_the_trial_alone_with_adam() {
    let shape = tanh_shape();
    assert_fused_is_alone(&Hyperparameters { optimizer: Optimizer::Adam, ..shape.clone() });
    assert_fused_is_alone(&Hyperparameters { optimizer: Optimizer::AdamW, ..shape });
}

#[test]
fn networks_learn_the_digits() {
    for activation in Activation::NAMES.iter().filter_map(|name| Activation::from_name(name)) {
        let trial =
            Hyperparameters { activation, learning_rate: 0.3, steps: 600, ..Default::default() };
        let accuracies = test_accuracies(&[trial]);
        assert!(accuracies[0] > 0.85, "{}: {accuracies:?}", activation.name());
    }
}

/// Test accuracy at the end, for trials that are their ensemble's only ones.
fn test_accuracies(trials: &[Hyperparameters]) -> Vec<f64> {
    struct Final(&'static Dataset, i64, Vec<f64>);
    impl Observer for Final {
        fn at_step(&mut self, measured: &Measured<'_>) -> Result<(), NnError> {
            assert_eq!(measured.step, self.1);
            let test = LabelledRows::test(self.0, measured.trials.len(), Device::Cpu);
            self.2 = evaluate(measured.ensemble, &test.rows, &test.labels).1;
            Ok(())
        }
    }
    let mut observer = Final(digits(), trials[0].steps, Vec::new());
    train(trials, digits(), &[trials[0].steps], Device::Cpu, &mut observer).unwrap();
    observer.2
}

#[test]
fn divergence_is_found_at_its_step_and_leaves_the_neighbours_alone() {
    let shape = Hyperparameters {
        activation: Activation::Identity,
        loss: Loss::Mse,
        steps: 60,
        ..Default::default()
    };
    let rates = [0.05, 1e30, 40.0, 0.1, 5.0];
    let trials: Vec<Hyperparameters> = rates
        .iter()
        .map(|&learning_rate| Hyperparameters { learning_rate, ..shape.clone() })
        .collect();
    let (outcomes, witness) = run(&trials, &[0, 1, 2, 60]);
    for (index, trial) in trials.iter().enumerate() {
        let (alone, alone_witness) = run(std::slice::from_ref(trial), &[0, 60]);
        assert_eq!(outcomes[index], alone[0], "rate {}", rates[index]);
        if alone[0].status == Status::Ok {
            let pairs = witness.parameters(60, index).iter().zip(alone_witness.parameters(60, 0));
            pairs.for_each(|(own, expected)| {
                assert!((own - expected).abs() <= 1e-5 * (1.0 + expected.abs()))
            });
        } else {
            assert_eq!(alone[0].steps_done, first_non_finite_step(trial), "rate {}", rates[index]);
        }
    }
    assert_eq!(outcomes[0].status, Status::Ok);
    assert_eq!(outcomes[3], Outcome { status: Status::Ok, steps_done: 60 });
    let steps: Vec<i64> = [1, 2, 4].iter().map(|&index| outcomes[index].steps_done).collect();
    assert!(steps[0] < steps[1] && steps[1] < steps[2] && steps[2] < 60, "{steps:?}");
    // Gone from what is observed after its step, there before.
    let living = |step: i64| &witness.seen.iter().find(|seen| seen.0 == step).unwrap().1;
    assert_eq!(living(0).len(), 5);
    let mut at_end = living(60).clone();
    at_end.sort_unstable();
    assert_eq!(at_end, [0, 3]);
}

/// By watching every step: the first with a non-finite parameter. (For MSE without overflow in
/// the loss alone, that is the update of the first non-finite loss too.)
fn first_non_finite_step(trial: &Hyperparameters) -> i64 {
    let every_step: Vec<i64> = (0..=trial.steps).collect();
    let (_, witness) = run(std::slice::from_ref(trial), &every_step);
    let last_living = witness.seen.last().unwrap().0;
    assert!(
        witness
            .seen
            .iter()
            .all(|(_, _, parameters)| parameters[0].iter().all(|value| value.is_finite()))
    );
    last_living + 1
}

#[test]
fn all_trials_may_diverge() {
    let trial = Hyperparameters {
        learning_rate: 1e38,
        activation: Activation::Identity,
        steps: 30,
        ..Default::default()
    };
    let other = Hyperparameters { seed: 1, ..trial.clone() };
    let (outcomes, witness) = run(&[trial, other], &[0, 30]);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome.status, Status::Diverged { step } if step <= 3))
    );
    assert_eq!(witness.seen.len(), 1);
}

#[test]
fn observation_progress_and_cancellation() {
    let trial = Hyperparameters { steps: 70, ..Default::default() };
    let (_, witness) = run(std::slice::from_ref(&trial), &[0, 3, 40]);
    assert_eq!(witness.seen.iter().map(|seen| seen.0).collect::<Vec<_>>(), [0, 3, 40]);
    assert_eq!(witness.progress, [3, 28, 40, 65, 70]);
    let mut impatient = Witness { stop_after: Some(3), ..Default::default() };
    let stopped = train(std::slice::from_ref(&trial), digits(), &[3], Device::Cpu, &mut impatient);
    assert!(matches!(stopped, Err(NnError::Cancelled)));
    let wrong_steps = train(&[trial], digits(), &[3, 3], Device::Cpu, &mut Witness::default());
    assert!(matches!(wrong_steps, Err(NnError::ObservedStep { step: 3, steps: 70 })));
    let none = Hyperparameters { steps: 0, ..Default::default() };
    assert_eq!(run(&[none], &[0]).0, [Outcome { status: Status::Ok, steps_done: 0 }]);
}

#[test]
fn what_cannot_be_trained_is_refused_with_reasons() {
    let trial = Hyperparameters::default();
    let too_large = Hyperparameters { batch_size: 101, train_samples: 100, ..trial.clone() };
    assert_eq!(
        refusal(&[too_large]),
        "batch_size 101 is larger than the 100 training rows: lower batch_size or raise train_samples"
    );
    let momentum = Hyperparameters { optimizer: Optimizer::Adam, momentum: 0.5, ..trial.clone() };
    assert_eq!(
        refusal(&[momentum]),
        "momentum 0.5 with optimizer adam: momentum must be 0 with adam and adamw"
    );
    let one_row = Hyperparameters { batch_norm: true, batch_size: 1, ..trial.clone() };
    assert_eq!(refusal(&[one_row]), "batch norm needs batch_size of at least 2");
    let other = Hyperparameters { width: 7, ..trial.clone() };
    assert_eq!(refusal(&[trial, other]), "trials of one unit must share width, found 32 and 7");
    assert_eq!(refusal(&[]), "a unit needs at least one trial");
}

#[test]
fn the_smallest_networks_and_batches_train() {
    let labels = vec![0, 1, 1, 0, 1];
    let split = Split { inputs: vec![-1.0, 1.0, 2.0, -3.0, 0.5], labels };
    let dataset = Dataset::new("line", 1, split.clone(), split, None);
    assert_eq!(dataset.classes, 2);
    for batch_size in [1, 5] {
        for loss in [Loss::CrossEntropy, Loss::Mse] {
            let trial = Hyperparameters {
                width: 1,
                depth: 1,
                batch_size,
                loss,
                steps: 40,
                ..Default::default()
            };
            let mut witness = Witness::default();
            let outcomes = train(&[trial], &dataset, &[0, 40], Device::Cpu, &mut witness).unwrap();
            assert_eq!(outcomes[0].status, Status::Ok);
            assert_ne!(witness.parameters(0, 0), witness.parameters(40, 0));
        }
    }
}

#[test]
fn evaluation_counts_ties_nan_and_rows() {
    let trial = Hyperparameters { depth: 1, width: 2, ..Default::default() };
    let ensemble: Ensemble = initial_ensemble(&[trial.clone(), trial], 1, 3, Device::Cpu).unwrap();
    let zero = ensemble.map(|tensor| tensor.zeros_like());
    drop(zero.layers[1].bias.get(1).get(2).fill_(f64::NAN));
    let rows = GroupedRows::shared(2, Tensor::ones([4, 1], (Kind::Float, Device::Cpu)));
    let labels = Tensor::from_slice(&[0i64, 1, 2, 0]).unsqueeze(0).expand([2, -1], false);
    let (loss, accuracy) = evaluate(&zero, &rows, &labels);
    assert_eq!(accuracy, [0.5, 0.0]);
    assert!((loss[0] - 3f64.ln()).abs() < 1e-6 && loss[1].is_nan());
    let mse = Ensemble { loss: Loss::Mse, ..zero };
    assert!((evaluate(&mse, &rows, &labels).0[0] - 1.0 / 3.0).abs() < 1e-6);
}

#[test]
fn rows_of_a_unit_follow_its_seeds_and_noise() {
    let dataset = digits();
    let base = Hyperparameters { train_samples: 200, ..Default::default() };
    let trials = [
        base.clone(),
        Hyperparameters { label_noise: 0.5, ..base.clone() },
        Hyperparameters { data_seed: 1, ..base.clone() },
    ];
    let probe = LabelledRows::probe(dataset, &trials, 50, 0, Device::Cpu).unwrap();
    let ranges: Vec<_> = probe.rows.groups.iter().map(|group| group.trials.clone()).collect();
    assert_eq!(ranges, [0..2, 2..3]);
    assert_eq!(probe.labels.size(), [3, 50]);
    assert!(
        probe.source[0].iter().all(|row| training_rows(dataset, 200, 0).unwrap().contains(row))
    );
    let differing =
        probe.trained().ne_tensor(&probe.labels).sum_dim_intlist(&[1i64][..], false, Kind::Int64);
    let differing: Vec<i64> = Vec::try_from(differing).unwrap();
    assert!(
        differing[0] == 0 && (10..=40).contains(&differing[1]) && differing[2] == 0,
        "{differing:?}"
    );
    let kept = probe.select(&[1, 2]);
    assert_eq!(
        kept.rows.groups.iter().map(|group| group.trials.clone()).collect::<Vec<_>>(),
        [0..1, 1..2]
    );
    assert_eq!(kept.source, probe.source);

    let everything = [base.clone(), Hyperparameters { data_seed: 1, ..base }]
        .map(|trial| Hyperparameters { train_samples: 0, ..trial });
    let all = LabelledRows::training(dataset, &everything, Device::Cpu).unwrap();
    assert_eq!((all.rows.groups.len(), all.rows.rows()), (1, 1_500));
    assert!(all.trained_labels.is_none());
}

/// What is in the stores must stay reproducible: streams, their use and the data order.
#[test]
fn initial_weights_and_first_steps_never_change() {
    let trial =
        Hyperparameters { depth: 1, width: 2, seed: 11, init_scale: 2.0, ..Default::default() };
    let he = Hyperparameters { init: Init::HeNormal, ..trial.clone() };
    let first = |trial: &Hyperparameters, steps: i64| {
        let trial = Hyperparameters { steps, ..trial.clone() };
        let (_, witness) = run(std::slice::from_ref(&trial), &[steps]);
        let parameters = witness.parameters(steps, 0);
        [parameters[0], parameters[127], parameters[128], parameters[130], parameters[149]]
    };
    assert_eq!(
        format!("{:?} {:?}", first(&trial, 0), first(&he, 0)),
        "[-0.088860184, -0.24932325, 0.21803515, 0.5039338, 1.0107466] \
         [0.30563766, 0.003305229, 0.0, -0.84522736, -4.1522317]"
    );
    let golden: [f32; 5] = [-0.088860184, -0.17888036, 0.23902565, 0.65660214, 0.93081266];
    for (own, expected) in first(&trial, 50).iter().zip(golden) {
        assert!((own - expected).abs() < 1e-5, "{own} {expected} {:?}", first(&trial, 50));
    }
}

/// Memory must not grow with the number of units trained (changing shapes, retained buffers).
#[test]
fn memory_stays_bounded_over_many_units() {
    let resident_pages = || -> i64 {
        let statistics = std::fs::read_to_string("/proc/self/statm").unwrap();
        statistics.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap()
    };
    let train_units = |count: i64| {
        for unit in 0..count {
            let shape = Hyperparameters {
                depth: 1 + unit % 3,
                width: 3 + unit % 17,
                batch_size: 2 + unit % 29,
                optimizer: [Optimizer::Sgd, Optimizer::Adam][(unit % 2) as usize],
                train_samples: 100,
                steps: 5,
                ..Default::default()
            };
            let other = Hyperparameters { seed: 1, learning_rate: 1e38, ..shape.clone() };
            run(&[shape, other], &[5]);
        }
    };
    train_units(100);
    let before = resident_pages();
    train_units(400);
    let grown = (resident_pages() - before) * 4096;
    assert!(grown < 32 << 20, "{grown} bytes more after 400 units");
}
