//! The peers of `make bench` read the sweep files themselves: they must find phasegrid's trials there.

use phasegrid_spec::{Hyperparameters, Sweep, SweepFile, TrainRows, TrialId};
use phasegrid_tests::{Outcome, skip};
use std::path::{Path, PathBuf};
use std::process::Command;

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sweep_files() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(checkout().join("sweeps")).expect("the checkout has sweeps");
    let paths = folder.map(|entry| entry.expect("it can be read").path());
    let is_benchmark = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("bench-"))
    };
    paths.filter(is_benchmark).collect()
}

/// The trials of a sweep file, by identity, sorted.
fn planned(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("it can be read");
    let rows = TrainRows([("digits".to_owned(), 1_500), ("mnist".to_owned(), 8_000)].into());
    let file = SweepFile::parse(&text, &path.to_string_lossy()).expect("it is valid");
    let (measure, block) = file.resolve(&rows).expect("it is valid");
    let sweep = Sweep::new(file.name.clone(), measure, vec![block]);
    let mut ids: Vec<String> =
        sweep.trials().map(|(_, trial)| TrialId::of(&trial).to_string()).collect();
    ids.sort();
    ids
}

/// The trial of a point as the peers see it: what they do not name is at its default.
fn identity(point: &serde_json::Value) -> String {
    let integer = |name: &str| point[name].as_i64().expect("an integer");
    let trial = Hyperparameters {
        task: point["task"].as_str().expect("a name").into(),
        depth: integer("depth"),
        width: integer("width"),
        batch_size: integer("batch_size"),
        learning_rate: point["learning_rate"].as_f64().expect("a number"),
        seed: integer("seed"),
        steps: integer("steps"),
        ..Default::default()
    };
    TrialId::of(&trial).to_string()
}

#[test]
fn the_peers_of_the_benchmark_see_exactly_the_trials_of_the_sweep_files() {
    let files = sweep_files();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let mut python = Command::new("python3");
        // Without it, Python leaves its bytecode in the checkout.
        python.env("PYTHONDONTWRITEBYTECODE", "1");
        let outcome =
            Outcome::of(python.arg(checkout().join("tests/bench/workload.py")).arg(&file));
        if outcome.stderr.contains("No module named 'tomli'") {
            return skip("the grids of the peers", "this python3 has no tomllib (3.11) or tomli");
        }
        assert!(outcome.status.success(), "{}", outcome.stderr);
        let points: Vec<serde_json::Value> =
            serde_json::from_str(&outcome.stdout).expect("a list of points");
        let mut seen: Vec<String> = points.iter().map(identity).collect();
        seen.sort();
        assert!(seen == planned(&file), "{}: the peers have other trials", file.display());
    }
}
