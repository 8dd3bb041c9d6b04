//! Interrupted and killed runs: every fault is shown to have hit in the middle.

use phasegrid_tests::{
    Folder, Running, SweepText, children_of, planned_trial_ids, run_sweep, send, shards, trials,
};
use std::path::Path;

/// Units of one shape each, so that there is a middle to hit.
const UNITS: usize = 8;

fn sweep() -> SweepText {
    SweepText::new("long")
        .fixed("steps = 3000\ndepth = 1\n")
        .axes("width = [2, 3, 4, 5, 6, 7, 8, 9]\nseed = { range = [0, 3] }\n")
}

fn start(folder: &Folder) -> Running {
    folder.write("s.toml", sweep().text());
    Running::start(&mut run_sweep(folder.path(), "s.toml", "store", &[]))
}

fn published_units(store: &Path) -> usize {
    shards(store, "trials").len()
}

/// Asserts that some but not all of the sweep is published.
#[track_caller]
fn is_half_done(store: &Path) {
    let units = published_units(store);
    assert!((1..UNITS).contains(&units), "{units} of {UNITS} units: not in the middle");
}

#[track_caller]
fn goes_on_to_the_whole_grid(folder: &Folder) {
    let store = folder.join("store");
    let before = shards(&store, "trials");
    let outcome = start(folder).wait().exits_with(0);
    assert!(outcome.stderr.contains("done already"), "{}", outcome.stderr);
    has_the_grid(&store);
    let after = shards(&store, "trials");
    for (name, bytes) in before {
        assert_eq!(after.get(&name), Some(&bytes), "{name} was trained again");
    }
}

#[track_caller]
fn has_the_grid(store: &Path) {
    let mut ids: Vec<String> = trials(store, "long").into_iter().map(|row| row.trial_id).collect();
    ids.sort();
    assert_eq!(ids, planned_trial_ids(&[&sweep()]));
    let staged = phasegrid_tests::tree(&store.join("_staging"));
    assert!(staged.is_empty(), "left in staging: {:?}", staged.keys());
}

#[test]
fn an_interrupted_run_ends_cleanly_and_goes_on() {
    let folder = Folder::new();
    let store = folder.join("store");
    let mut run = start(&folder);
    assert!(run.runs_until(|| published_units(&store) >= 1), "it ended before the interrupt");
    run.signal(libc::SIGINT);
    let outcome = run.wait().exits_with(1);
    assert!(outcome.stderr.contains("phasegrid: interrupted with "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("the same command goes on from there"), "{}", outcome.stderr);
    is_half_done(&store);
    goes_on_to_the_whole_grid(&folder);
}

#[test]
fn a_killed_run_loses_nothing_it_published_and_goes_on() {
    let folder = Folder::new();
    let store = folder.join("store");
    let mut run = start(&folder);
    assert!(run.runs_until(|| published_units(&store) >= 2), "it ended before the kill");
    let trainers = children_of(run.id());
    assert_eq!(trainers.len(), 1, "one worker has one trainer");
    run.kill();
    is_half_done(&store);
    let is_alive = |id: u32| {
        let program = std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        program.starts_with("phasegrid-train")
    };
    let gone = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        !is_alive(trainers[0])
    });
    assert!(gone, "a trainer outlived its worker");
    goes_on_to_the_whole_grid(&folder);
}

#[test]
fn a_killed_trainer_costs_an_attempt_and_nothing_else() {
    let folder = Folder::new();
    let store = folder.join("store");
    let mut run = start(&folder);
    assert!(run.runs_until(|| published_units(&store) >= 1), "it ended before the kill");
    let trainers = children_of(run.id());
    assert_eq!(trainers.len(), 1, "one worker has one trainer");
    send(trainers[0], libc::SIGKILL);
    is_half_done(&store);
    run.wait().exits_with(0);
    has_the_grid(&store);
    let rows = trials(&store, "long");
    assert!(rows.iter().all(|row| row.status == "ok"));
    assert!(rows.iter().any(|row| row.attempt == 2), "the kill hit no unit in training");
}
