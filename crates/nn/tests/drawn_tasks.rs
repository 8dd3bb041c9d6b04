//! Units of tasks whose data are drawn: one data set a unit, and a trial fused is the trial alone.

#![allow(clippy::unwrap_used)]

use phasegrid_nn::{Measured, NnError, Observer, train};
use phasegrid_spec::Hyperparameters;
use phasegrid_tasks::load_for;
use tch::Device;

/// All parameters of each trial at the last step, by the caller's index.
#[derive(Default)]
struct Final(Vec<Vec<f32>>);

impl Observer for Final {
    fn at_step(&mut self, measured: &Measured<'_>) -> Result<(), NnError> {
        self.0 = vec![Vec::new(); measured.trials.len()];
        for (position, trial) in measured.trials.iter().enumerate() {
            let tensors = measured.ensemble.trial_tensors(position);
            self.0[*trial] = tensors.into_iter().flat_map(|(_, _, values)| values).collect();
        }
        Ok(())
    }
}

fn trained(trials: &[Hyperparameters]) -> Result<Vec<Vec<f32>>, NnError> {
    tch::set_num_threads(1);
    let dataset = load_for(&trials[0], None).unwrap();
    let mut last = Final::default();
    train(trials, &dataset, &[trials[0].steps], Device::Cpu, &mut last)?;
    Ok(last.0)
}

/// Small shapes of the three tasks.
fn shapes() -> [Hyperparameters; 3] {
    let of = |task: &str| Hyperparameters {
        task: task.into(),
        data_seed: 3,
        depth: 1,
        width: 6,
        steps: 60,
        batch_size: 8,
        task_dimension: 5,
        task_classes: 3,
        ..Hyperparameters::default()
    };
    let modular =
        Hyperparameters { task_dimension: 64, task_classes: 10, ..of("modular-addition") };
    [
        of("gaussian-mixture"),
        Hyperparameters { task_teacher_width: 4, train_samples: 100, ..of("teacher-student") },
        Hyperparameters { task_p: 7, ..modular },
    ]
}

#[test]
fn a_trial_fused_is_the_trial_alone() {
    for shape in shapes() {
        let vary = |index: usize| Hyperparameters {
            learning_rate: [0.1, 0.05, 0.2, 0.1][index],
            seed: [1, 1, 2, 1][index],
            label_noise: [0.0, 0.2, 0.0, 0.2][index],
            ..shape.clone()
        };
        let trials: Vec<Hyperparameters> = (0..4).map(vary).collect();
        let fused = trained(&trials).unwrap();
        for (trial, own) in trials.iter().zip(&fused) {
            let alone = trained(std::slice::from_ref(trial)).unwrap();
            for (own, expected) in own.iter().zip(&alone[0]) {
                let error = (own - expected).abs() / (1.0 + expected.abs());
                assert!(error <= 1e-5, "{}: {own} against {expected}", shape.task);
            }
        }
        assert_ne!(fused[0], fused[1]);
    }
}

#[test]
fn a_unit_has_one_data_set() {
    for shape in shapes() {
        let other = Hyperparameters { data_seed: 4, ..shape.clone() };
        let error = trained(&[shape, other]).unwrap_err();
        assert!(matches!(error, NnError::MixedShapes { name: "data_seed", .. }), "{error}");
    }
}
