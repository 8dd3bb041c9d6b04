//! Compaction at the end of a sweep: there where it helps, never instead of the shards.

use phasegrid_tests::{
    Folder, Outcome, SweepText, planned_trial_ids, query, run_sweep, shards, trials,
};
use std::path::Path;

/// One shape, so one unit at least, a batch size.
fn sweep(batch_sizes: usize) -> SweepText {
    let axes = format!("batch_size = {{ range = [1, {}] }}\nseed = [0, 1]\n", batch_sizes + 1);
    SweepText::new("many").axes(&axes)
}

fn run(folder: &Folder, sweep: &SweepText) {
    folder.write("s.toml", sweep.text());
    Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).exits_with(0);
}

fn manifest(store: &Path) -> std::path::PathBuf {
    store.join("_compact/trials/sweep=many/manifest.json")
}

#[test]
fn a_finished_sweep_of_many_shards_is_compacted_and_reads_the_same_without() {
    let folder = Folder::new();
    let store = folder.join("store");
    run(&folder, &sweep(3));
    assert!(!manifest(&store).exists(), "three shards are not worth it");
    let first = shards(&store, "trials");

    // The sweep grows: what was published stays as it was, beside the compacted files.
    run(&folder, &sweep(12));
    assert!(manifest(&store).is_file());
    let after = shards(&store, "trials");
    assert!(after.len() >= 12 && first.iter().all(|(name, bytes)| after[name] == *bytes));
    let sql = "SELECT trial_id, batch_size, seed, test_loss FROM trials ORDER BY trial_id";
    let compacted = query(&store, sql);
    std::fs::remove_dir_all(store.join("_compact")).expect("it is there");
    assert_eq!(query(&store, sql), compacted);

    let mut ids: Vec<String> = trials(&store, "many").into_iter().map(|one| one.trial_id).collect();
    ids.sort();
    assert_eq!(ids, planned_trial_ids(&[&sweep(12)]));
}

#[test]
fn a_sweep_ends_well_where_it_cannot_be_compacted() {
    let folder = Folder::new();
    run(&folder, &sweep(1));
    // A file where the folder has to be.
    folder.write("store/_compact", "in the way");
    folder.write("s.toml", sweep(12).text());
    let outcome = Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).exits_with(0);
    assert!(outcome.stderr.contains("note: the tables of many are not compacted"), "{outcome:?}");
    assert_eq!(query(&folder.join("store"), "SELECT trial_id FROM trials").len(), 24);
}
