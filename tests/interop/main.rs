//! The tables and weights as other tools see them: pandas, Polars and DuckDB read every table with
//! one call, and NumPy recomputes what is in `layers` from the weights, from the definitions alone.

mod benchmark;

use phasegrid_tests::{
    Folder, Outcome, SweepText, planned_trial_ids, run_sweep, skip, target_folder,
};
use std::path::{Path, PathBuf};
use std::process::Command;

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("interop")
}

/// `python3` with the readers, or nothing where they cannot be installed. CI must have them.
fn python(what: &str) -> Option<Command> {
    let mut setup = Command::new("bash");
    setup.arg(here().join("setup.sh")).arg(target_folder().join("interop"));
    let output = setup.output().expect("bash is there");
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        assert!(std::env::var_os("CI").is_none(), "CI cannot install the readers: {reason}");
        skip(what, &format!("the Python packages cannot be installed: {reason}"));
        return None;
    }
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", String::from_utf8_lossy(&output.stdout).trim());
    Some(python)
}

fn run(folder: &Folder, sweep: &SweepText) {
    folder.write("s.toml", sweep.text());
    Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).exits_with(0);
}

#[track_caller]
fn passes(python: &mut Command) {
    let outcome = Outcome::of(python);
    assert!(outcome.status.success(), "{}{}", outcome.stdout, outcome.stderr);
    eprintln!("{}", outcome.stdout.trim());
}

#[test]
fn pandas_polars_and_duckdb_read_each_table_with_one_call_and_see_exactly_the_grid() {
    let Some(mut python) = python("reading the tables") else { return };
    let folder = Folder::new();
    let measure = "at = [0]\nmetrics = [\"order\", \"lmap\", \"sample_basin\"]\nprobe_samples = 20\nhistory = 2\n";
    let axes = "depth = [1, 2]\nwidth = [3, 4]\nlearning_rate = { log = [0.01, 1], points = 3 }\n";
    let first = SweepText::new("first").fixed("steps = 4\n").axes(axes).measure(measure);
    let second = SweepText::new("second").axes("seed = { range = [0, 3] }\n").measure(measure);
    run(&folder, &first);
    run(&folder, &second);
    let planned = serde_json::json!({
        "first": planned_trial_ids(&[&first]),
        "second": planned_trial_ids(&[&second]),
    });
    let planned = folder.write("planned.json", planned.to_string());
    passes(python.arg(here().join("read_tables.py")).arg(folder.join("store")).arg(planned));
}

#[test]
fn numpy_recomputes_the_layers_from_the_weights() {
    let Some(mut python) = python("recomputing the layers") else { return };
    let folder = Folder::new();
    // Widths and rates at which networks learn, but not everything; and every kind of tail.
    let sweep = SweepText::new("check")
        .fixed("steps = 80\nwidth = 12\nlearning_rate = 0.3\n")
        .axes("depth = [1, 3]\nactivation = [\"relu\", \"tanh\", \"identity\"]\nbatch_norm = [false, true]\n")
        .rest("[[points]]\nlabel_noise = 0.3\ndepth = 2\n[[points]]\nwidth = 1\ndepth = 2\n[[points]]\ndepth = 2\ntrain_samples = 300\ndata_seed = 5\n")
        .measure("at = [0, 80]\nmetrics = [\"order\", \"lmap\"]\nhistory = 0\nprobe_samples = 200\nsave_weights = \"all\"\n");
    run(&folder, &sweep);
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/tasks/data/digits.bin.gz");
    passes(python.arg(here().join("recompute.py")).arg(folder.join("store")).arg(digits));
}
