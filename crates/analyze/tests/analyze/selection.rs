//! What a request may leave out, and what the errors say.

use super::fixture::{Fixture, trial_ids};
use phasegrid_analyze::{AnalyzeError, PhaseRequest, open_store, phase};
use polars::prelude::*;

fn three_axes() -> Fixture {
    let fixture = Fixture::new();
    let frame = df!(
        "trial_id" => trial_ids(8),
        "activation" => ["relu", "relu", "relu", "relu", "tanh", "tanh", "tanh", "tanh"],
        "depth" => [1_i64, 1, 2, 2, 1, 1, 2, 2],
        "width" => [8_i64; 8],
        "learning_rate" => [0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.1, 0.2],
        "seed" => [0_i64, 1, 2, 3, 4, 5, 6, 7],
        "data_seed" => [0_i64, 1, 0, 1, 0, 1, 0, 1],
        "status" => ["ok"; 8],
        "test_accuracy" => [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
    );
    fixture.shard("trials", "s", 0, frame.unwrap());
    fixture
}

fn request() -> PhaseRequest {
    PhaseRequest::new("learning_rate", "depth", "test_accuracy")
}

fn error(fixture: &Fixture, request: PhaseRequest) -> AnalyzeError {
    phase(&fixture.open(), &request).unwrap_err()
}

#[test]
fn a_hyperparameter_without_a_place_is_refused_with_its_values() {
    let found = error(&three_axes(), request());
    assert_eq!(
        found.to_string(),
        "activation has 2 values in the selection (relu tanh): make it --x, --y or --facet, fix it with --where, or average over it with --over activation"
    );
    assert!(found.is_usage());
}

#[test]
fn facet_where_and_over_each_give_it_a_place() {
    let fixture = three_axes();
    let store = fixture.open();
    let facet = PhaseRequest { facet: Some("activation".into()), ..request() };
    let diagram = phase(&store, &facet).unwrap();
    assert_eq!((diagram.facet_count(), diagram.cells.len()), (2, 8));
    assert!(diagram.cells.iter().all(|cell| cell.n == 1 && cell.value.is_some()));
    let fixed =
        PhaseRequest { condition: Some("activation = 'relu' AND seed < 3".into()), ..request() };
    assert_eq!(phase(&store, &fixed).unwrap().cells.iter().map(|cell| cell.n).sum::<usize>(), 3);
    let over = PhaseRequest { over: vec!["activation".into()], ..request() };
    let diagram = phase(&store, &over).unwrap();
    assert!(diagram.cells.iter().all(|cell| cell.n == 2));
    assert!((diagram.cells[0].value.unwrap() - 0.3).abs() < 1e-12);
}

#[test]
fn a_parameter_of_another_task_is_null_and_does_not_vary() {
    let fixture = Fixture::new();
    let write = |p: [Option<i64>; 4]| {
        let frame = df!(
            "trial_id" => trial_ids(4),
            "task" => ["digits", "digits", "modular-addition", "modular-addition"],
            "task_p" => p,
            "depth" => [1_i64; 4],
            "learning_rate" => [0.1, 0.2, 0.1, 0.2],
            "status" => ["ok"; 4],
            "test_accuracy" => [0.1, 0.2, 0.3, 0.4],
        );
        fixture.shard("trials", "s", 0, frame.unwrap());
    };
    let by_task = PhaseRequest { facet: Some("task".into()), ..request() };
    write([None, None, Some(7), Some(7)]);
    let diagram = phase(&fixture.open(), &by_task).unwrap();
    assert!(diagram.cells.len() == 4 && diagram.cells.iter().all(|cell| cell.n == 1));
    write([None, None, Some(7), Some(11)]);
    let found = error(&fixture, by_task).to_string();
    assert!(found.starts_with("task_p has 3 values in the selection (null 7 11)"), "{found}");
}

#[test]
fn bad_conditions_say_what_is_wrong() {
    let fixture = three_axes();
    let with = |text: &str| {
        error(&fixture, PhaseRequest { condition: Some(text.into()), ..request() }).to_string()
    };
    assert!(with("deph = 1").contains("no column \"deph\" in trials; did you mean depth?"));
    assert!(
        with("activation = \"relu\"").contains("single quotes"),
        "{}",
        with("activation = \"relu\"")
    );
    assert!(with("depth + 1").contains("not true or false"));
    assert!(with("depth = = 1").starts_with("--where \"depth = = 1\": "));
    assert_eq!(with("depth = 9"), "no trial of sweep s satisfies --where \"depth = 9\"");
}

#[test]
fn axes_must_be_hyperparameters_named_once() {
    let fixture = three_axes();
    let found = error(&fixture, PhaseRequest { x: "lerning_rate".into(), ..request() }).to_string();
    assert!(
        found.starts_with("--x lerning_rate: is no hyperparameter (did you mean learning_rate?)"),
        "{found}"
    );
    let found =
        error(&fixture, PhaseRequest { facet: Some("depth".into()), ..request() }).to_string();
    assert_eq!(found, "--facet depth: is already --y");
    let found = error(&fixture, PhaseRequest { y: "status".into(), ..request() }).to_string();
    assert!(found.starts_with("--y status: is no hyperparameter"), "{found}");
}

#[test]
fn one_of_several_sweeps_must_be_chosen() {
    let fixture = three_axes();
    let frame = df!("trial_id" => trial_ids(1), "status" => ["ok"]).unwrap();
    fixture.shard("trials", "other", 0, frame);
    let found = error(&fixture, request()).to_string();
    assert_eq!(found, "the store holds several sweeps (other, s): choose one with --sweep");
    let found =
        error(&fixture, PhaseRequest { sweep: Some("nil".into()), ..request() }).to_string();
    assert!(found.contains("no sweep \"nil\"") && found.contains("other, s"), "{found}");
}

#[test]
fn what_is_no_store_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let found = open_store(folder.path()).unwrap_err().to_string();
    assert!(found.contains("is not a phasegrid store"), "{found}");
    std::fs::write(folder.path().join("_phasegrid.json"), r#"{"format_version": 99}"#).unwrap();
    let found = open_store(folder.path()).unwrap_err();
    assert!(found.to_string().contains("has format version 99, this program reads up to 1"));
    assert!(!found.is_usage());
    assert!(open_store("s3://bucket/store").unwrap_err().to_string().contains("not a local path"));
    let empty = Fixture::new();
    assert!(error(&empty, request()).to_string().contains("no published trials yet"));
}
