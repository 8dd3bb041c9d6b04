//! The tables and weights as other tools see them: pandas, Polars and DuckDB read every table with
//! one call, and NumPy recomputes every measured column from the weights, from the definitions alone.

mod benchmark;

use phasegrid_tests::{
    Folder, Outcome, SweepText, data_folder, planned_trial_ids, run_sweep, skip, target_folder,
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
    // The products are small: threads would only wait for each other.
    python.envs([("OMP_NUM_THREADS", "1"), ("OPENBLAS_NUM_THREADS", "1")]);
    Some(python)
}

fn run(folder: &Folder, sweep: &SweepText) {
    run_with(folder, sweep, &[]);
}

fn run_with(folder: &Folder, sweep: &SweepText, options: &[&str]) {
    folder.write("s.toml", sweep.text());
    Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", options)).exits_with(0);
}

#[track_caller]
fn passes(python: &mut Command) {
    let output = python.output().expect("python3 is there");
    let (stdout, stderr) = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
        .into();
    assert!(output.status.success(), "{stdout}{stderr}");
    eprintln!("{stdout}");
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

/// Recomputes every measured column of the store of the sweep `check`.
fn numpy_agrees(mut python: Command, folder: &Folder, task: &str, source: &Path) {
    python.arg(here().join("recompute.py")).arg(folder.join("store")).args(["check", task]);
    passes(python.arg(source));
}

fn digits() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/tasks/data/digits.bin.gz")
}

#[test]
fn numpy_recomputes_the_layers_from_the_weights() {
    let Some(python) = python("recomputing the layers") else { return };
    let folder = Folder::new();
    // Widths and rates at which networks learn, but not everything; and every kind of tail.
    let sweep = SweepText::new("check")
        .fixed("steps = 80\nwidth = 12\nlearning_rate = 0.3\n")
        .axes("depth = [1, 3]\nactivation = [\"relu\", \"tanh\", \"identity\"]\nbatch_norm = [false, true]\n")
        .rest("[[points]]\nlabel_noise = 0.3\ndepth = 2\n[[points]]\nwidth = 1\ndepth = 2\n[[points]]\ndepth = 2\ntrain_samples = 300\ndata_seed = 5\n[[points]]\ndepth = 6\n[[points]]\ndepth = 2\ntrain_samples = 120\nbatch_size = 60\n")
        .measure("at = [0, 20, 80]\nmetrics = [\"order\", \"lmap\"]\nhistory = 5\nprobe_samples = 200\nsave_weights = \"all\"\n");
    run(&folder, &sweep);
    numpy_agrees(python, &folder, "digits", &digits());
}

/// Every metric, on a probe so small that all of it is in every subset a definition draws.
const EVERY_METRIC: &str = "at = [0, 20, 60]\nmetrics = [\"order\", \"lmap\", \"sample_basin\", \"weight_basin\", \"curvature\", \"kernel\"]\nhistory = 5\nprobe_samples = 50\nsave_weights = \"all\"\n";

#[test]
fn numpy_recomputes_every_metric_from_the_weights() {
    let Some(python) = python("recomputing every metric") else { return };
    let folder = Folder::new();
    let sweep = SweepText::new("check")
        .fixed("steps = 60\nwidth = 10\nlearning_rate = 0.3\n")
        .axes("depth = [1, 3]\nactivation = [\"relu\", \"tanh\"]\n")
        .rest("[[points]]\ndepth = 2\nbatch_norm = true\nmomentum = 0.5\n[[points]]\ndepth = 1\nloss = \"mse\"\n[[points]]\ndepth = 2\nlearning_rate = 1e-4\n[[points]]\ndepth = 2\noptimizer = \"adam\"\nlearning_rate = 0.01\n")
        .measure(EVERY_METRIC);
    run(&folder, &sweep);
    numpy_agrees(python, &folder, "digits", &digits());
}

#[test]
fn numpy_recomputes_every_metric_on_mnist() {
    let what = "recomputing every metric on MNIST";
    let Some(data) = data_folder() else {
        return skip(what, "set PHASEGRID_DATA to a folder with mnist/ in it");
    };
    let data = data.canonicalize().expect("it is there");
    let Some(python) = python(what) else { return };
    let folder = Folder::new();
    let sweep = SweepText::new("check")
        .task("mnist")
        .fixed("steps = 60\nwidth = 8\nlearning_rate = 0.2\n")
        .axes("depth = [1, 2]\n")
        .measure(EVERY_METRIC);
    run_with(&folder, &sweep, &["--data", &data.to_string_lossy()]);
    numpy_agrees(python, &folder, "mnist", &data.join("mnist"));
}
