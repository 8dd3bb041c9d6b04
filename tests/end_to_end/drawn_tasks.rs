//! The tasks whose data are drawn, from a sweep file to the tables.

use phasegrid_tests::{Folder, Outcome, SweepText, phasegrid, query, run_sweep};
use serde_json::Value;
use std::path::PathBuf;

fn run(folder: &Folder, sweep: &SweepText, store: &str) -> PathBuf {
    folder.write("s.toml", sweep.text());
    Outcome::of(&mut run_sweep(folder.path(), "s.toml", store, &[])).exits_with(0);
    folder.join(store)
}

/// Trains a few steps with the default metrics and checks what every task must have.
#[track_caller]
fn runs_with_the_default_metrics(task: &str, parameters: &str) -> Vec<Value> {
    let folder = Folder::new();
    let sweep = SweepText::new("small")
        .task(task)
        .fixed(&format!("steps = 60\nwidth = 8\nbatch_size = 8\n{parameters}"))
        .axes("depth = [1, 2]\ndata_seed = [0, 1]\n")
        .measure("at = \"last\"\nhistory = 2\nprobe_samples = 40\n");
    let store = run(&folder, &sweep, "store");
    let trials = query(&store, "SELECT * FROM trials ORDER BY depth, data_seed");
    assert_eq!(trials.len(), 4);
    for trial in &trials {
        assert_eq!(trial["status"], "ok");
        for column in ["test_accuracy", "train_loss", "rpd_gradient", "nearest_train_rms"] {
            assert!(trial[column].is_f64(), "{task}: {column} is {}", trial[column]);
        }
    }
    // The data are one set a data_seed, whatever the rest.
    assert_eq!(trials[0]["dataset"], trials[2]["dataset"]);
    assert_eq!(trials[1]["dataset"], trials[3]["dataset"]);
    assert_ne!(trials[0]["dataset"], trials[1]["dataset"]);
    let layers = query(
        &store,
        "SELECT trial_id FROM layers WHERE rpd_gradient IS NOT NULL AND lmap_accuracy IS NOT NULL",
    );
    assert_eq!(layers.len(), 1 + 1 + 2 + 2);
    let spaces = query(&store, "SELECT DISTINCT space FROM basins ORDER BY space");
    assert_eq!(spaces.len(), 2);
    trials
}

#[test]
fn gaussian_mixture_runs_with_the_default_metrics() {
    let parameters = "task_classes = 3\ntask_dimension = 6\ntask_separation = 8\n";
    for trial in runs_with_the_default_metrics("gaussian-mixture", parameters) {
        assert_eq!(
            (&trial["task_classes"], &trial["task_dimension"], &trial["task_separation"]),
            (&3.into(), &6.into(), &8.0.into())
        );
        assert!(trial["task_p"].is_null() && trial["task_teacher_depth"].is_null());
    }
}

#[test]
fn teacher_student_runs_with_the_default_metrics() {
    let parameters = "task_classes = 2\ntask_dimension = 6\ntask_teacher_depth = 1\ntask_teacher_width = 3\ntrain_samples = 100\nlabel_noise = 0.1\n";
    for trial in runs_with_the_default_metrics("teacher-student", parameters) {
        assert_eq!(trial["task_teacher_width"], 3);
        assert!(trial["task_separation"].is_null());
    }
}

#[test]
fn modular_addition_runs_with_the_default_metrics() {
    let parameters = "task_p = 7\ntask_train_share = 0.6\nlabel_noise = 0.1\n";
    for trial in runs_with_the_default_metrics("modular-addition", parameters) {
        assert_eq!((&trial["task_p"], &trial["task_train_share"]), (&7.into(), &0.6.into()));
        assert!(trial["task_classes"].is_null());
    }
}

#[test]
fn a_trial_is_the_same_whatever_data_seeds_are_beside_it() {
    let folder = Folder::new();
    let small = |name: &str| {
        SweepText::new(name)
            .task("gaussian-mixture")
            .fixed("steps = 40\nwidth = 5\ndepth = 1\ntask_classes = 3\ntask_dimension = 4\ntrain_samples = 200\n")
    };
    let axes = "data_seed = [0, 1, 2]\nseed = [0, 1]\nlabel_noise = [0.0, 0.2]\n";
    let fused = run(&folder, &small("fused").axes(axes), "store");
    let by_unit =
        query(&fused, "SELECT unit, COUNT(DISTINCT data_seed) AS seeds FROM trials GROUP BY unit");
    assert!(by_unit.len() >= 3 && by_unit.iter().all(|unit| unit["seeds"] == 1), "{by_unit:?}");
    let alone = small("alone").axes("data_seed = [1]\nseed = [1]\nlabel_noise = [0.2]\n");
    let alone = &query(&run(&folder, &alone, "other"), "SELECT * FROM trials")[0];
    let id = alone["trial_id"].as_str().expect("a text");
    let fused = query(&fused, &format!("SELECT * FROM trials WHERE trial_id = '{id}'"));
    assert_eq!((fused.len(), &fused[0]["dataset"]), (1, &alone["dataset"]));
    for column in ["train_loss", "test_loss"] {
        let (one, other) = (fused[0][column].as_f64(), alone[column].as_f64());
        let (one, other) = (one.expect("a number"), other.expect("a number"));
        assert!((one - other).abs() < 1e-5 * other.abs(), "{column}: {one} {other}");
    }
}

#[test]
fn tasks_with_and_without_parameters_share_a_sweep_and_a_diagram() {
    let folder = Folder::new();
    let sweep = SweepText::new("mixed").fixed("steps = 5\ndepth = 1\n").axes("learning_rate = [0.1, 0.2]\nwidth = [2, 4]\n").rest(
        "[[grid]]\nfixed = { task = \"modular-addition\", task_p = 7, batch_size = 4 }\naxes = { learning_rate = [0.1, 0.2], width = [2, 4] }\n",
    );
    run(&folder, &sweep, "store");
    let mut command = phasegrid();
    command.current_dir(folder.path()).args(["phase", "store", "--x", "learning_rate"]);
    command.args(["--y", "width", "--facet", "task", "--over", "batch_size"]);
    command.args(["--value", "test_accuracy", "--out", "f.csv"]);
    Outcome::of(&mut command).exits_with(0);
    let rows = std::fs::read_to_string(folder.join("f.csv")).expect("the export");
    assert!(rows.contains("digits") && rows.contains("modular-addition"), "{rows}");
}

#[test]
fn the_list_of_tasks_has_their_parameters() {
    let listed = Outcome::of(phasegrid().arg("tasks")).exits_with(0).stdout;
    for line in [
        "    task_p: an integer from 2 to 200, default 97",
        "    task_separation: a number at least 0 and at most 1000, default 4",
        "    task_teacher_depth: an integer from 0 to 8, default 2",
    ] {
        assert!(listed.lines().any(|one| one == line), "{line} is not in {listed}");
    }
    let listed = Outcome::of(phasegrid().args(["tasks", "--output", "json"])).exits_with(0).stdout;
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let tasks = listed["tasks"].as_array().expect("a list");
    let modular = tasks.iter().find(|task| task["name"] == "modular-addition").expect("listed");
    let names: Vec<&Value> =
        modular["parameters"].as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["task_p", "task_train_share"]);
}

#[test]
fn a_parameter_of_another_task_is_an_error_at_its_line() {
    let folder = Folder::new();
    folder.write("s.toml", "name = \"a\"\ntask = \"digits\"\n[fixed]\ntask_p = 97\n");
    let message = Outcome::of(&mut run_sweep(folder.path(), "s.toml", "new", &[])).fails_with(2);
    assert_eq!(
        message,
        "phasegrid: s.toml:4: fixed.task_p: a parameter of modular-addition, but the task here is digits: remove it, or move it into a [[grid]] or [[points]] of that task"
    );
}
