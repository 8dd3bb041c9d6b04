//! Exactly the grid: every point once, whatever was run before.

use phasegrid_tests::{
    Folder, Outcome, SweepText, planned_trial_ids, query, run_sweep, shards, trials,
};
use std::collections::BTreeSet;
use std::path::Path;

fn run(folder: &Folder, sweep: &SweepText) -> Outcome {
    folder.write("s.toml", sweep.text());
    Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).exits_with(0)
}

/// Asserts that `trials` has exactly these sweep files' points, once each, by both readers.
#[track_caller]
fn has_exactly(store: &Path, files: &[&SweepText]) {
    let planned = planned_trial_ids(files);
    let mut read: Vec<String> = trials(store, "grid").into_iter().map(|row| row.trial_id).collect();
    read.sort();
    assert_eq!(read, planned, "read with the parquet crate");
    let asked = query(store, "SELECT trial_id FROM trials ORDER BY trial_id");
    let asked: Vec<&str> = asked.iter().filter_map(|row| row["trial_id"].as_str()).collect();
    assert_eq!(asked, planned, "asked with phasegrid query");
}

fn sweep(learning_rates: &str) -> SweepText {
    SweepText::new("grid").fixed("steps = 5\n").axes(&format!(
        "depth = [1, 2]\nwidth = {{ log2 = [2, 8] }}\nlearning_rate = {learning_rates}\nseed = {{ range = [0, 2] }}\n"
    ))
}

#[test]
fn a_sweep_publishes_exactly_its_grid_and_a_second_run_changes_nothing() {
    let (folder, sweep) = (Folder::new(), sweep("{ log = [0.001, 1.0], points = 4 }"));
    let store = folder.join("store");
    let first = run(&folder, &sweep);
    assert!(first.stdout.contains("grid: 48 trials done (48 ok)"), "{}", first.stdout);
    has_exactly(&store, &[&sweep]);
    let rows = trials(&store, "grid");
    assert!(rows.iter().all(|row| row.status == "ok" && row.steps_done == 5 && row.attempt == 1));
    let axes = query(&store, "SELECT DISTINCT depth, width, learning_rate, seed FROM trials");
    assert_eq!(axes.len(), 48);
    let rates = query(&store, "SELECT DISTINCT learning_rate FROM trials ORDER BY learning_rate");
    let rates: Vec<f64> = rates.iter().filter_map(|row| row["learning_rate"].as_f64()).collect();
    assert_eq!(rates, [0.001, 0.01, 0.1, 1.0]);

    let before = (shards(&store, "trials"), shards(&store, "history"));
    let second = run(&folder, &sweep);
    assert!(second.stderr.contains("0 of them new, 48 done already"), "{}", second.stderr);
    assert_eq!((shards(&store, "trials"), shards(&store, "history")), before);
}

#[test]
fn an_edited_file_runs_only_the_new_points() {
    let folder = Folder::new();
    let store = folder.join("store");
    let (coarse, fine) =
        (sweep("{ log = [0.001, 1.0], points = 4 }"), sweep("{ log = [0.001, 1.0], points = 7 }"));
    run(&folder, &coarse);
    let before = shards(&store, "trials");
    let old_units: BTreeSet<i64> = trials(&store, "grid").iter().map(|row| row.unit).collect();
    let second = run(&folder, &fine);
    assert!(second.stderr.contains("84 trials, 36 of them new"), "{}", second.stderr);
    has_exactly(&store, &[&coarse, &fine]);
    let after = shards(&store, "trials");
    for (name, bytes) in &before {
        assert_eq!(after.get(name), Some(bytes), "{name} was written again");
    }
    let rows = trials(&store, "grid");
    let last_old = old_units.last().expect("the first run had units");
    let new_units = rows.iter().map(|row| row.unit).filter(|unit| !old_units.contains(unit));
    let new_units: BTreeSet<i64> = new_units.collect();
    assert!(!new_units.is_empty() && new_units.iter().all(|unit| unit > last_old));

    // Removing values removes nothing.
    let third = run(&folder, &coarse);
    assert!(third.stderr.contains("84 trials, 0 of them new"), "{}", third.stderr);
    assert_eq!(shards(&store, "trials"), after);
}

#[test]
fn points_of_several_grids_count_once() {
    let (folder, first) = (Folder::new(), sweep("[0.1, 1.0]"));
    // The grid has 2 x 2 x 2 x 2 points, of which depth 1 is in the first; so is one of the points.
    let overlapping = first.clone().rest(
        "[[grid]]\nfixed = { activation = \"relu\" }\naxes = { depth = [1, 3], width = [2, 4], learning_rate = [0.1, 1], seed = [0, 1] }\n\
         [[points]]\ndepth = 2\nwidth = 8\nlearning_rate = 0.1\nseed = 1\n\
         [[points]]\ndepth = 2\nwidth = 9\nlearning_rate = 0.1\nseed = 1\n",
    );
    run(&folder, &overlapping);
    has_exactly(&folder.join("store"), &[&overlapping]);
    assert_eq!(trials(&folder.join("store"), "grid").len(), 24 + 8 + 1);
}

#[test]
fn two_sweeps_share_a_store_and_a_trial_keeps_its_id() {
    let folder = Folder::new();
    for name in ["one", "two"] {
        folder.write("s.toml", SweepText::new(name).text());
        Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).exits_with(0);
    }
    let store = folder.join("store");
    let ids = |sweep| trials(&store, sweep).into_iter().map(|row| row.trial_id);
    assert_eq!(ids("one").collect::<Vec<_>>(), ids("two").collect::<Vec<_>>());
    let losses = query(&store, "SELECT DISTINCT trial_id, train_loss FROM trials");
    assert_eq!(losses.len(), 1, "the same trial has the same result in both");
}
