//! Trial identity is the same everywhere, always: golden values.

use phasegrid_spec::{Activation, Hyperparameters, Optimizer, TrialId};

#[test]
fn the_default_trial_has_its_golden_json_and_id() {
    let trial = Hyperparameters::default();
    assert_eq!(
        trial.identity_json(),
        r#"{"activation":"relu","batch_norm":false,"batch_norm_momentum":0.1,"batch_size":32,"data_seed":0,"depth":2,"init":"fan_in_uniform","init_scale":1,"label_noise":0,"learning_rate":0.1,"loss":"cross_entropy","momentum":0,"optimizer":"sgd","seed":0,"steps":500,"task":"digits","train_samples":0,"weight_decay":0,"width":32}"#
    );
    assert_eq!(TrialId::of(&trial).as_str(), "edbf6edec1274484223294383a8e9c83");
}

#[test]
fn a_trial_away_from_every_default_has_its_golden_id() {
    let trial = Hyperparameters {
        task: "idx:fashion".into(),
        train_samples: 1_000,
        label_noise: 0.05,
        depth: 6,
        width: 128,
        activation: Activation::Tanh,
        optimizer: Optimizer::AdamW,
        learning_rate: 1e-7,
        weight_decay: 0.01,
        seed: 3,
        ..Hyperparameters::default()
    };
    assert!(trial.identity_json().contains("\"learning_rate\":1e-7"));
    assert_eq!(TrialId::of(&trial).as_str(), "e010fa527c234b3e263b6d769b8fb795");
}

#[test]
fn every_hyperparameter_enters_the_identity() {
    use phasegrid_spec::{HyperparameterId, Kind, Value};
    let default = TrialId::of(&Hyperparameters::default());
    for id in HyperparameterId::all() {
        let changed = match (id.definition().kind, id.default_value()) {
            (Kind::Choice(names), _) => Value::Text(names[1].into()),
            (_, Value::Boolean(flag)) => Value::Boolean(!flag),
            (_, Value::Integer(number)) => Value::Integer(number + 1),
            (_, Value::Float(number)) => Value::Float(number / 2.0 + 0.2),
            (_, Value::Text(_)) => Value::Text("mnist".into()),
        };
        let mut trial = Hyperparameters::default();
        assert!(trial.set(id, &changed));
        assert_ne!(TrialId::of(&trial), default, "{}", id.name());
    }
}

#[test]
fn canonical_json_reads_back() {
    let trial =
        Hyperparameters { learning_rate: 0.333333333333, batch_norm: true, ..Default::default() };
    let copy = Hyperparameters::from_canonical_json(&trial.canonical_json()).expect("reads back");
    assert_eq!(copy, trial);
    let error = Hyperparameters::from_canonical_json(r#"{"width":0}"#).expect_err("refused");
    assert_eq!(error, "width: 0 is out of range: expected an integer from 1 to 65536");
}

fn modular(p: i64) -> Hyperparameters {
    Hyperparameters { task: "modular-addition".into(), task_p: p, ..Default::default() }
}

#[test]
fn parameters_of_a_task_count_only_away_from_their_defaults() {
    let trial = modular(97);
    assert_eq!(
        trial.identity_json(),
        Hyperparameters::default().identity_json().replace("digits", "modular-addition")
    );
    assert!(!trial.identity_json().contains("task_"));
    assert_eq!(TrialId::of(&trial).as_str(), "104e4eb1c3d2cbffda96f935314bd0f7");
}

#[test]
fn trials_with_parameters_of_a_task_have_their_golden_ids() {
    let json = modular(13).identity_json();
    assert!(json.ends_with(r#""task":"modular-addition","task_p":13,"train_samples":0,"weight_decay":0,"width":32}"#), "{json}");
    let mixture = Hyperparameters {
        task: "gaussian-mixture".into(),
        task_classes: 2,
        task_dimension: 100,
        task_separation: 1.5,
        data_seed: 4,
        ..Default::default()
    };
    let teacher = Hyperparameters {
        task: "teacher-student".into(),
        task_classes: 3,
        task_dimension: 20,
        task_teacher_depth: 0,
        task_teacher_width: 64,
        ..Default::default()
    };
    let share = Hyperparameters { task_train_share: 0.3, ..modular(13) };
    let ids: Vec<TrialId> =
        [modular(13), share, mixture, teacher].iter().map(TrialId::of).collect();
    let ids: Vec<&str> = ids.iter().map(TrialId::as_str).collect();
    assert_eq!(
        ids,
        [
            "392d405b7af3a9d8333234e55fb65379",
            "d5dd0308d1a7eb42a9fa7e97fd1d8fbc",
            "254a4f06310b981c3066c5d7ab6fed01",
            "1d25f3a9c9e8fe4a069d383694211a99"
        ]
    );
}

#[test]
fn a_parameter_of_a_task_reads_back_and_has_its_range() {
    let trial = Hyperparameters { task_train_share: 0.25, ..modular(5) };
    let copy = Hyperparameters::from_canonical_json(&trial.canonical_json()).expect("reads back");
    assert_eq!(copy, trial);
    let error = Hyperparameters::from_canonical_json(r#"{"task_p":201}"#).expect_err("refused");
    assert_eq!(error, "task_p: 201 is out of range: expected an integer from 2 to 200");
}
