//! Cells worked by hand: counts, statistics, censoring, layers and steps, missing cells.

use super::fixture::{Fixture, trial_ids};
use super::synthetic::Synthetic;
use phasegrid_analyze::{
    Cell, CellState, LayerPick, Level, PhaseDiagram, PhaseRequest, Stat, StepPick, phase,
};
use polars::prelude::*;

/// depth 1 and 2 at width 8, five seeds: depth 1 has two values, a null, a diverged and a
/// failed trial; depth 2 has diverged only.
fn five_seeds() -> Fixture {
    let fixture = Fixture::new();
    let statuses = ["ok", "ok", "ok", "diverged", "failed"];
    let accuracy = [Some(0.5), Some(0.7), None, Some(0.1), None];
    let frame = df!(
        "trial_id" => trial_ids(10),
        "task" => ["digits"; 10],
        "depth" => [1_i64, 1, 1, 1, 1, 2, 2, 2, 2, 2],
        "width" => [8_i64; 10],
        "seed" => [0_i64, 1, 2, 3, 4, 0, 1, 2, 3, 4],
        "status" => statuses.into_iter().chain(["diverged"; 5]).collect::<Vec<_>>(),
        "test_accuracy" => accuracy.into_iter().chain([None; 5]).collect::<Vec<_>>(),
        "phase" => [Some("II"), Some("I"), None, Some("diverged"), None, Some("diverged"), Some("diverged"), Some("diverged"), Some("diverged"), Some("diverged")],
    );
    fixture.shard("trials", "s", 0, frame.unwrap());
    fixture
}

fn cell(diagram: &PhaseDiagram, x: Level, y: Level) -> &Cell {
    let column = diagram.x.levels.iter().position(|level| *level == x).unwrap();
    let row = diagram.y.levels.iter().position(|level| *level == y).unwrap();
    diagram.cells.iter().find(|cell| (cell.x, cell.y) == (column, row)).unwrap()
}

#[test]
fn every_trial_is_counted_once_under_its_outcome() {
    let fixture = five_seeds();
    let diagram =
        phase(&fixture.open(), &PhaseRequest::new("width", "depth", "test_accuracy")).unwrap();
    let mixed = cell(&diagram, Level::Integer(8), Level::Integer(1));
    assert_eq!((mixed.n, mixed.n_ok, mixed.n_diverged, mixed.n_failed), (5, 3, 1, 1));
    assert_eq!((mixed.n_null, mixed.n_censored), (1, 0));
    assert!(mixed.is_hatched());
    // Mean of 0.5 and 0.7; sd = 0.2 / sqrt(2); t(1) = 12.7062.
    assert!((mixed.value.unwrap() - 0.6).abs() < 1e-12);
    assert!((mixed.summary.std.unwrap() - 0.141_421_356).abs() < 1e-9);
    assert!((mixed.summary.ci_high.unwrap() - (0.6 + 12.706_204_736 * 0.1)).abs() < 1e-8);
    let diverged = cell(&diagram, Level::Integer(8), Level::Integer(2));
    assert_eq!(diverged.state, CellState::Diverged);
    assert_eq!((diverged.n, diverged.n_ok, diverged.value), (5, 0, None));
}

#[test]
fn std_and_median_are_chosen_by_name() {
    let store = five_seeds();
    let with = |stat| {
        let request = PhaseRequest {
            stat: Some(stat),
            ..PhaseRequest::new("width", "depth", "test_accuracy")
        };
        cell(&phase(&store.open(), &request).unwrap(), Level::Integer(8), Level::Integer(1))
            .value
            .unwrap()
    };
    assert!((with(Stat::Std) - 0.141_421_356).abs() < 1e-9);
    assert!((with(Stat::Median) - 0.6).abs() < 1e-12);
}

#[test]
fn phases_vote_and_diverged_trials_vote_too() {
    let fixture = five_seeds();
    let diagram = phase(&fixture.open(), &PhaseRequest::new("width", "depth", "phase")).unwrap();
    let tied = cell(&diagram, Level::Integer(8), Level::Integer(1));
    let mode = tied.mode.as_ref().unwrap();
    // I, II and diverged have one vote each.
    assert_eq!((mode.category.as_str(), mode.tied), ("I", true));
    assert!((mode.share - 1.0 / 3.0).abs() < 1e-12);
    let clear = cell(&diagram, Level::Integer(8), Level::Integer(2));
    assert_eq!(clear.mode.as_ref().unwrap().category, "diverged");
}

#[test]
fn radii_are_medians_with_censored_values_at_the_ends() {
    let fixture = Fixture::new();
    let ids = trial_ids(6);
    let trials = df!(
        "trial_id" => &ids,
        "depth" => [1_i64; 6], "width" => [4_i64, 4, 4, 8, 8, 8], "seed" => [0_i64, 1, 2, 0, 1, 2],
        "status" => ["ok"; 6],
        "phase" => [Some("I"), None, Some("flat"), Some("I"), Some("I"), Some("untrained")],
        "sample_basin" => [Some(0.4), None, None, None, Some(0.2), None],
    );
    fixture.shard("trials", "s", 0, trials.unwrap());
    // Rows at other thresholds, steps, scopes and spaces must not count; nor the untrained one.
    let basins = df!(
        "trial_id" => [1, 2, 3, 5, 0, 0, 0, 0, 0].map(|number: usize| ids[number].as_str()),
        "step" => [500_i64, 500, 500, 500, 500, 0, 500, 500, 500],
        "space" => ["sample", "sample", "sample", "sample", "sample", "sample", "weight", "sample", "sample"],
        "scope" => ["all", "all", "all", "all", "all", "all", "all", "class:1", "all"],
        "threshold" => [0.5, 0.5, 0.5, 0.5, 0.9, 0.5, 0.5, 0.5, 0.5],
        "censored" => [Some("right"), Some("right"), Some("left"), Some("right"), Some("left"), Some("left"), Some("left"), Some("left"), None],
    );
    fixture.shard("basins", "s", 0, basins.unwrap());
    let diagram =
        phase(&fixture.open(), &PhaseRequest::new("width", "depth", "sample_basin")).unwrap();
    assert_eq!(diagram.stat, Stat::Median);
    let upper = cell(&diagram, Level::Integer(4), Level::Integer(1));
    assert_eq!((upper.n_censored, upper.n_null, upper.value), (2, 0, Some(f64::INFINITY)));
    assert_eq!(upper.summary.mean, None);
    let lower = cell(&diagram, Level::Integer(8), Level::Integer(1));
    assert_eq!((lower.n_censored, lower.n_null), (1, 1));
    assert!((lower.value.unwrap() - 0.1).abs() < 1e-12);
}

/// Two trials, depth 1 and 3, measured at steps 0 and 10 (and the shallow one at 20).
fn layered() -> Fixture {
    let fixture = Fixture::new();
    let ids = trial_ids(2);
    let trials = df!(
        "trial_id" => &ids, "depth" => [1_i64, 3], "width" => [8_i64, 8], "seed" => [0_i64, 0],
        "status" => ["ok", "ok"], "rpd_gradient" => [9.0, 9.0],
    );
    fixture.shard("trials", "s", 0, trials.unwrap());
    let rows: Vec<(usize, i64, i64, Option<f64>)> = vec![
        (0, 0, 1, Some(0.0)),
        (0, 10, 1, Some(1.0)),
        (0, 20, 1, Some(5.0)),
        (1, 0, 1, Some(0.0)),
        (1, 10, 1, Some(1.0)),
        (1, 10, 2, None),
        (1, 10, 3, Some(4.0)),
    ];
    let layers = df!(
        "trial_id" => rows.iter().map(|row| ids[row.0].as_str()).collect::<Vec<_>>(),
        "depth" => rows.iter().map(|row| if row.0 == 0 { 1_i64 } else { 3 }).collect::<Vec<_>>(),
        "width" => vec![8_i64; rows.len()],
        "step" => rows.iter().map(|row| row.1).collect::<Vec<_>>(),
        "layer" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
        "rpd_gradient" => rows.iter().map(|row| row.3).collect::<Vec<_>>(),
        "dead_fraction" => vec![0.0; rows.len()],
        "rpd" => vec![Series::new("".into(), [1.0, 1.0]); rows.len()],
    );
    fixture.shard("layers", "s", 0, layers.unwrap());
    fixture
}

fn of_layers(
    fixture: &Fixture,
    layer: Option<LayerPick>,
    step: Option<StepPick>,
) -> [Option<f64>; 2] {
    let request =
        PhaseRequest { layer, step, ..PhaseRequest::new("width", "depth", "rpd_gradient") };
    let diagram = phase(&fixture.open(), &request).unwrap();
    [1, 3].map(|depth| cell(&diagram, Level::Integer(8), Level::Integer(depth)).value)
}

#[test]
fn layers_and_steps_are_picked_per_trial() {
    let fixture = layered();
    assert_eq!(of_layers(&fixture, None, None), [Some(9.0), Some(9.0)]);
    assert_eq!(of_layers(&fixture, Some(LayerPick::First), None), [Some(5.0), Some(1.0)]);
    assert_eq!(of_layers(&fixture, Some(LayerPick::Last), None), [Some(5.0), Some(4.0)]);
    assert_eq!(of_layers(&fixture, Some(LayerPick::Mean), None), [Some(5.0), Some(2.5)]);
    assert_eq!(of_layers(&fixture, None, Some(StepPick::Number(10))), [Some(1.0), Some(2.5)]);
    assert_eq!(of_layers(&fixture, Some(LayerPick::Number(3)), None), [None, Some(4.0)]);
}

#[test]
fn layers_steps_and_columns_that_do_not_exist_are_named() {
    let fixture = layered();
    let fails = |request: PhaseRequest| phase(&fixture.open(), &request).unwrap_err();
    let base = PhaseRequest::new("width", "depth", "rpd_gradient");
    let error = fails(PhaseRequest { layer: Some(LayerPick::Number(7)), ..base.clone() });
    assert_eq!(
        error.to_string(),
        "--layer 7: the deepest network of the selection has 3 hidden layers"
    );
    let error = fails(PhaseRequest { step: Some(StepPick::Number(15)), ..base.clone() });
    assert_eq!(error.to_string(), "--step 15: rpd_gradient was measured at steps 0 10 20");
    let error = fails(PhaseRequest { value: "dead_fractoin".into(), ..base.clone() });
    assert!(error.to_string().contains("did you mean dead_fraction?"), "{error}");
    assert!(error.to_string().contains("phasegrid metrics") && error.is_usage());
    let error = fails(PhaseRequest { value: "rpd".into(), ..base.clone() });
    assert!(error.to_string().contains("not one number"), "{error}");
    let error =
        fails(PhaseRequest { value: "status".into(), layer: Some(LayerPick::First), ..base });
    assert!(error.to_string().contains("leave --layer out"), "{error}");
}

#[test]
fn cells_to_come_differ_from_cells_that_never_will() {
    let fixture = Fixture::new();
    let frame = df!(
        "trial_id" => trial_ids(2), "depth" => [1_i64, 2], "width" => [8_i64, 8], "seed" => [0_i64, 0],
        "status" => ["ok", "ok"], "test_accuracy" => [0.5, 0.6],
    );
    fixture.shard("trials", "s", 0, frame.unwrap());
    let grid = r#"[{"fixed": {"task": "digits"}, "axes": [
        {"name": "depth", "kind": "list", "values": [1, 2]},
        {"name": "width", "kind": "log2", "values": [8, 16]}],
        "conditions": ["depth * width <= 16"]}]"#;
    fixture.document("s", grid);
    let request = PhaseRequest::new("width", "depth", "test_accuracy");
    let diagram = phase(&fixture.open(), &request).unwrap();
    let state = |width, depth| cell(&diagram, Level::Integer(width), Level::Integer(depth)).state;
    assert_eq!(state(8, 1), CellState::Value);
    assert_eq!(state(8, 2), CellState::Value);
    assert_eq!(state(16, 1), CellState::Missing);
    assert_eq!(state(16, 2), CellState::Outside);
    // A condition takes cells out of the figure, those to come too.
    let narrow = PhaseRequest { condition: Some("width < 10".into()), ..request };
    assert_eq!(phase(&fixture.open(), &narrow).unwrap().x.levels, [Level::Integer(8)]);
}

#[test]
fn names_keep_the_order_of_the_sweep_file() {
    let fixture = Fixture::new();
    let frame = df!(
        "trial_id" => trial_ids(3), "activation" => ["gelu", "relu", "tanh"], "depth" => [1_i64; 3],
        "status" => ["ok"; 3], "test_accuracy" => [0.1, 0.2, 0.3],
    );
    fixture.shard("trials", "s", 0, frame.unwrap());
    let grid = r#"[{"fixed": {"depth": 1}, "axes": [{"name": "activation", "kind": "list", "values": ["tanh", "relu", "gelu"]}]}]"#;
    fixture.document("s", grid);
    let diagram =
        phase(&fixture.open(), &PhaseRequest::new("activation", "depth", "test_accuracy")).unwrap();
    let names: Vec<String> = diagram.x.levels.iter().map(Level::to_string).collect();
    assert_eq!(names, ["tanh", "relu", "gelu"]);
    assert_eq!(
        diagram.cells.iter().map(|cell| cell.value.unwrap()).collect::<Vec<_>>(),
        [0.3, 0.2, 0.1]
    );
}

#[test]
fn history_is_read_at_the_step_asked_for() {
    let fixture = layered();
    let ids = trial_ids(2);
    let history = df!(
        "trial_id" => [0, 0, 1, 1].map(|number: usize| ids[number].as_str()),
        "depth" => [1_i64, 1, 3, 3], "width" => [8_i64; 4], "step" => [0_i64, 10, 0, 12],
        "train_loss" => [2.0, 1.0, 2.5, 0.5], "phase" => [Some("untrained"), Some("I"), None, Some("II")],
    );
    fixture.shard("history", "s", 0, history.unwrap());
    let at = |value: &str, step| {
        let request = PhaseRequest { step, ..PhaseRequest::new("width", "depth", value) };
        phase(&fixture.open(), &request).unwrap()
    };
    let values =
        |diagram: &PhaseDiagram| diagram.cells.iter().map(|cell| cell.value).collect::<Vec<_>>();
    assert_eq!(values(&at("train_loss", None)), [Some(1.0), Some(0.5)]);
    assert_eq!(values(&at("train_loss", Some(StepPick::Number(0)))), [Some(2.0), Some(2.5)]);
    assert_eq!(values(&at("train_loss", Some(StepPick::Number(10)))), [Some(1.0), None]);
    let phases = at("phase", None);
    let modes: Vec<&str> =
        phases.cells.iter().map(|cell| cell.mode.as_ref().unwrap().category.as_str()).collect();
    assert_eq!(modes, ["I", "II"]);
}

#[test]
fn conditions_may_ask_trials_and_measured_rows() {
    let fixture = layered();
    let with = |text: &str| {
        let request = PhaseRequest {
            layer: Some(LayerPick::Mean),
            condition: Some(text.into()),
            ..PhaseRequest::new("width", "depth", "rpd_gradient")
        };
        phase(&fixture.open(), &request)
    };
    // Of the deep trial the first layer alone is left, of the shallow one step 10.
    let rows = with("layer = 1 AND step <= 10 AND status = 'ok'").unwrap();
    assert_eq!(
        rows.cells.iter().map(|cell| cell.value).collect::<Vec<_>>(),
        [Some(1.0), Some(1.0)]
    );
    let trials = with("depth > 1").unwrap();
    assert_eq!(trials.cells.iter().map(|cell| cell.value).collect::<Vec<_>>(), [Some(2.5)]);
    let mixed = with("layer = 1 OR status = 'ok'").unwrap_err().to_string();
    assert!(mixed.contains("mixes columns of trials and of layers"), "{mixed}");
}

#[test]
fn conditions_on_other_axes_leave_cells_to_come() {
    let fixture = Fixture::new();
    let frame = df!(
        "trial_id" => trial_ids(1), "depth" => [1_i64], "width" => [8_i64], "seed" => [0_i64],
        "status" => ["ok"], "test_accuracy" => [0.5],
    );
    fixture.shard("trials", "s", 0, frame.unwrap());
    let grid = r#"[{"fixed": {}, "axes": [
        {"name": "depth", "kind": "list", "values": [1, 2]},
        {"name": "width", "kind": "log2", "values": [8, 16, 32]},
        {"name": "seed", "kind": "range", "values": [0, 1, 2]}]}]"#;
    fixture.document("s", grid);
    let cells = |text: &str| {
        let request = PhaseRequest {
            condition: Some(text.into()),
            ..PhaseRequest::new("width", "depth", "test_accuracy")
        };
        phase(&fixture.open(), &request).unwrap().cells.len()
    };
    assert_eq!(cells("seed < 2"), 6);
    assert_eq!(cells("seed < 2 AND width < 20"), 4);
    // Tied to a coordinate through another part: seed 0 leaves width 8 alone.
    assert_eq!(cells("seed < 1 AND width <= 8 + 100 * seed"), 2);
}

#[test]
fn documents_of_real_sweep_files_give_scales_and_cells() {
    let text = r#"
        name = "s"
        task = "digits"
        [axes]
        depth = [1, 2]
        learning_rate = { log = [1e-3, 1.0], points = 4 }
        seed = { range = [0, 2] }
        [where]
        conditions = ["depth == 1 or learning_rate < 0.5"]
    "#;
    let rows = phasegrid_spec::TrainRows([("digits".to_owned(), 1_500)].into());
    let file = phasegrid_spec::SweepFile::parse(text, "s.toml").unwrap();
    let (_, block) = file.resolve(&rows).unwrap();
    let fixture = Fixture::new();
    fixture.document("s", &serde_json::to_string(&block.grids).unwrap());
    let frame = df!(
        "trial_id" => trial_ids(1), "depth" => [1_i64], "learning_rate" => [0.1], "seed" => [0_i64],
        "status" => ["ok"], "test_accuracy" => [0.5],
    );
    fixture.shard("trials", "s", 0, frame.unwrap());
    let request = PhaseRequest::new("learning_rate", "depth", "test_accuracy");
    let diagram = phase(&fixture.open(), &request).unwrap();
    assert_eq!(diagram.x.kind, Some(phasegrid_spec::AxisKind::Log));
    let states: Vec<CellState> = diagram.cells.iter().map(|cell| cell.state).collect();
    use CellState::{Missing, Outside, Value};
    assert_eq!(states, [Missing, Missing, Value, Missing, Missing, Missing, Missing, Outside]);
}

#[test]
fn reading_without_a_join_gives_what_the_join_gives() {
    let fixture = Fixture::new();
    let sweep = Synthetic { depths: vec![1, 3], widths: vec![8, 16], rates: 6, seeds: 4 };
    sweep.write(&fixture, "s", 1);
    let store = fixture.open();
    for layer in [LayerPick::First, LayerPick::Last, LayerPick::Mean, LayerPick::Number(2)] {
        for step in [StepPick::Last, StepPick::Number(500), StepPick::Number(0)] {
            let over_depths = PhaseRequest {
                layer: Some(layer),
                step: Some(step),
                facet: Some("depth".into()),
                stat: Some(Stat::Median),
                ..PhaseRequest::new("learning_rate", "width", "rpd_gradient")
            };
            let direct = phase(&store, &over_depths).unwrap();
            // A condition on results can only be asked of `trials`, and so forces the join.
            let condition = Some("status <> 'none'".to_owned());
            let joined = phase(&store, &PhaseRequest { condition, ..over_depths }).unwrap();
            // Means over layers differ in the last digit with the order of the sum.
            let close = |one: Option<f64>, two: Option<f64>| match (one, two) {
                (Some(one), Some(two)) => (one - two).abs() < 1e-12,
                (one, two) => one == two,
            };
            for (one, two) in direct.cells.iter().zip(&joined.cells) {
                let what = format!("{layer} {step}: {one:?} {two:?}");
                let counts = |cell: &Cell| (cell.n, cell.n_ok, cell.n_diverged, cell.n_null);
                assert_eq!((counts(one), one.state), (counts(two), two.state), "{what}");
                assert!(close(one.value, two.value), "{what}");
                assert!(close(one.summary.ci_low, two.summary.ci_low), "{what}");
            }
            assert!(direct.cells.iter().any(|cell| cell.n_diverged > 0));
        }
    }
}
