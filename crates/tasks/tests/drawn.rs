//! The drawn tasks: what they are, that they never change, and what a trial sees of them.

#![allow(clippy::unwrap_used)]

use phasegrid_spec::{DrawnTask, HyperparameterId, Hyperparameters};
use phasegrid_tasks::{
    Dataset, TASKS, available, load, load_for, noisy_labels, probe_rows, same_data,
    task_fingerprint, training_rows,
};
use std::collections::BTreeSet;

fn of(task: DrawnTask) -> Hyperparameters {
    Hyperparameters { task: task.name().into(), ..Hyperparameters::default() }
}

fn draw(trial: &Hyperparameters) -> Dataset {
    load_for(trial, None).unwrap()
}

/// Small relatives of the three.
fn small() -> [Hyperparameters; 3] {
    [
        Hyperparameters {
            task_classes: 4,
            task_dimension: 6,
            task_separation: 2.5,
            ..of(DrawnTask::GaussianMixture)
        },
        Hyperparameters {
            task_classes: 3,
            task_dimension: 5,
            task_teacher_depth: 1,
            task_teacher_width: 7,
            ..of(DrawnTask::TeacherStudent)
        },
        Hyperparameters { task_p: 11, task_train_share: 0.3, ..of(DrawnTask::ModularAddition) },
    ]
}

#[test]
fn golden_fingerprints() {
    // Pinned: stores written with these data must stay extendable.
    let found: Vec<String> = small()
        .into_iter()
        .flat_map(|trial| [trial.clone(), Hyperparameters { data_seed: 7, ..trial }])
        .map(|trial| draw(&trial).fingerprint)
        .collect();
    assert_eq!(
        found,
        [
            "4bbbb06673aa2a5751c1db13d256771359ea74f399900e06596965abe7044f24",
            "09fe5ffc1b2129901e00f92b0fe55d3473f5bcc6c19edfd74798d7addf6463ed",
            "874a8f644399151bdc10f8e271bae7f6a554d553b3f3b030d79629755ce2864c",
            "891d8c8790ab8251244bb1159afd1d93a087edebc34b7ce8250c62ca21213c0d",
            "f8dbceaae21e7a0cc896e6c210ed9cafcac8998846adf2a1e95dd3da3a3a3efe",
            "66cec26f9143635448351c1a95698dcdf7b63b0d93f18e5f8e904543c811a250"
        ]
    );
    let found: Vec<String> =
        DrawnTask::ALL.iter().map(|task| load(task.name(), None).unwrap().fingerprint).collect();
    assert_eq!(
        found,
        [
            "552993b27ae4b970e1908585d71f257e42dc37e714084f238b8bc7e46eec4fea",
            "872284be213280cb2bf5a6f2c67ba4f004acdbf4c97988eb36324d5c96341986",
            "bb8b6281ebfc616d64f4ae91b9692f456a4761d261692a97a6a373387ac0a510"
        ]
    );
}

#[test]
fn sizes_are_those_asked_for() {
    for trial in small().into_iter().chain(DrawnTask::ALL.iter().map(|task| of(*task))) {
        let (dataset, size) = (draw(&trial), trial.task_size().unwrap());
        assert_eq!(dataset.name, trial.task.as_ref());
        assert_eq!(dataset.input_dimension as u64, size.inputs);
        assert_eq!(dataset.classes as u64, size.classes);
        for (split, rows) in [(&dataset.train, size.train_rows), (&dataset.test, size.test_rows)] {
            assert_eq!(split.rows() as u64, rows);
            assert_eq!(split.inputs.len(), split.rows() * dataset.input_dimension);
            assert!(split.inputs.iter().all(|number| number.is_finite()));
            assert!(split.labels.iter().all(|label| (0..dataset.classes as i64).contains(label)));
        }
    }
}

#[test]
fn data_follow_from_the_parameters_of_the_task_and_the_data_seed_alone() {
    for trial in small() {
        let first = draw(&trial);
        assert_eq!(draw(&trial), first);
        let other_training = Hyperparameters {
            seed: 9,
            width: 500,
            train_samples: 17,
            label_noise: 0.25,
            learning_rate: 3.0,
            ..trial.clone()
        };
        assert!(same_data(&trial, &other_training));
        assert_eq!(draw(&other_training), first);
        let other_draw = Hyperparameters { data_seed: 1, ..trial.clone() };
        assert!(!same_data(&trial, &other_draw));
        assert_ne!(draw(&other_draw).fingerprint, first.fingerprint);
    }
}

#[test]
fn every_parameter_of_a_task_changes_its_data() {
    for trial in small() {
        let description = TASKS.iter().find(|task| *task.name == *trial.task).unwrap();
        for id in description.parameters() {
            let mut changed = trial.clone();
            assert!(changed.set(id, &id.default_value()));
            assert!(!same_data(&trial, &changed), "{}", id.name());
            assert_ne!(draw(&changed).fingerprint, draw(&trial).fingerprint, "{}", id.name());
        }
    }
    let of_all: BTreeSet<HyperparameterId> =
        TASKS.iter().flat_map(|task| task.parameters()).collect();
    assert_eq!(of_all.len(), 7);
}

#[test]
fn data_that_are_read_are_the_same_for_every_data_seed() {
    let one = Hyperparameters::default();
    assert!(same_data(&one, &Hyperparameters { data_seed: 5, ..one.clone() }));
    assert!(!same_data(&one, &Hyperparameters { task: "mnist".into(), ..one.clone() }));
}

#[test]
fn a_worker_states_the_data_at_the_defaults() {
    let stated = available(None);
    for trial in small() {
        let (drawn, reference) =
            (draw(&trial), &stated.iter().find(|(task, _)| **task == *trial.task).unwrap().1);
        assert_eq!(task_fingerprint(&drawn), reference);
        assert_ne!(&drawn.fingerprint, reference);
    }
    let digits = load("digits", None).unwrap();
    assert_eq!(task_fingerprint(&digits), digits.fingerprint);
}

#[test]
fn gaussian_classes_are_of_equal_size() {
    let [trial, ..] = small();
    for split in [draw(&trial).train, draw(&trial).test] {
        for class in 0..4 {
            let count = split.labels.iter().filter(|label| **label == class).count();
            assert_eq!(count * 4, split.rows());
        }
    }
}

#[test]
fn a_teacher_uses_the_classes_it_was_asked_for_even_where_it_gives_none() {
    // One narrow layer: the largest of 100 outputs is one of few.
    let trial = Hyperparameters {
        task_classes: 100,
        task_teacher_depth: 1,
        task_teacher_width: 1,
        ..of(DrawnTask::TeacherStudent)
    };
    let dataset = draw(&trial);
    let used: BTreeSet<i64> = dataset.train.labels.iter().copied().collect();
    assert_eq!(dataset.classes, 100);
    assert_eq!(used.len(), 2, "one hidden unit has two signs");
}

/// Decodes a one-hot pair.
fn pair(row: &[f32]) -> (usize, usize) {
    let p = row.len() / 2;
    let hot: Vec<usize> = (0..row.len()).filter(|&index| row[index] == 1.0).collect();
    assert!(row.iter().all(|number| *number == 0.0 || *number == 1.0));
    assert_eq!(hot.len(), 2);
    assert!(hot[0] < p && hot[1] >= p);
    (hot[0], hot[1] - p)
}

#[test]
fn modular_addition_is_exact_disjoint_and_complete() {
    for (p, share) in [(2, 0.5), (7, 0.3), (97, 0.5), (10, 0.99)] {
        let trial = Hyperparameters {
            task_p: p,
            task_train_share: share,
            ..of(DrawnTask::ModularAddition)
        };
        let dataset = draw(&trial);
        let p = p as usize;
        let mut seen = BTreeSet::new();
        for split in [&dataset.train, &dataset.test] {
            for (row, label) in split.inputs.chunks_exact(2 * p).zip(&split.labels) {
                let (a, b) = pair(row);
                assert_eq!(*label as usize, (a + b) % p);
                assert!(seen.insert((a, b)), "({a}, {b}) stands twice");
            }
        }
        assert_eq!(seen.len(), p * p);
        let expected = (share * (p * p) as f64).round() as usize;
        assert_eq!(dataset.train.rows(), expected);
    }
}

#[test]
fn a_larger_share_keeps_the_training_pairs_of_a_smaller_one() {
    let pairs = |share| -> BTreeSet<(usize, usize)> {
        let trial = Hyperparameters {
            task_p: 11,
            task_train_share: share,
            ..of(DrawnTask::ModularAddition)
        };
        draw(&trial).train.inputs.chunks_exact(22).map(pair).collect()
    };
    assert!(pairs(0.3).is_subset(&pairs(0.6)));
    assert!(!pairs(0.3).is_subset(&pairs(0.2)));
}

#[test]
fn subsets_noise_and_probes_are_drawn_as_for_any_task() {
    for trial in small() {
        let dataset = draw(&trial);
        let classes = dataset.classes;
        let own = training_rows(&dataset, 30, 4).unwrap();
        assert_eq!(own.len(), 30);
        let labels: Vec<i64> = own.iter().map(|&row| dataset.train.labels[row]).collect();
        let noisy = noisy_labels(&labels, 0.2, 4, classes);
        assert_eq!(labels.iter().zip(&noisy).filter(|(one, two)| one != two).count(), 6);
        assert!(noisy.iter().all(|label| (0..classes as i64).contains(label)));
        let probe = probe_rows(&dataset.train.labels, &own, 12, 0);
        assert!(probe.len() == 12 && probe.iter().all(|row| own.contains(row)));
        let too_many = training_rows(&dataset, dataset.train.rows() as i64 + 1, 0).unwrap_err();
        assert!(too_many.to_string().contains(trial.task.as_ref()), "{too_many}");
    }
    // Class-balanced as far as the classes allow: 30 of 4 classes of 2,000.
    let [trial, ..] = small();
    let dataset = draw(&trial);
    let own = training_rows(&dataset, 30, 4).unwrap();
    for class in 0..4 {
        let count = own.iter().filter(|&&row| dataset.train.labels[row] == class).count();
        assert!((7..=8).contains(&count));
    }
}
