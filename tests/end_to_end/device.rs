//! A GPU measures what the processor measures: networks at step 0, the same on both, so that nothing
//! but the measuring can differ.

use phasegrid_tests::{Folder, Outcome, SweepText, query, run_sweep, skip};
use serde_json::Value;

const WIDTH: f64 = 16.0;
const CLASSES: f64 = 10.0;

/// The rows of a query over a store trained on that device.
fn measured(device: &str, sql: &str, sweep: &SweepText) -> Vec<Value> {
    let folder = Folder::new();
    folder.write("s.toml", sweep.text());
    let options = ["--device", device];
    Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &options)).exits_with(0);
    query(&folder.join("store"), sql)
}

/// How far a column may move: g_k by 1e-5, shares by two cells (unit, class), the rest by rounding.
fn tolerance(column: &str, value: f64) -> f64 {
    let cells = 2.0 / (WIDTH * CLASSES);
    match column {
        "rpd" | "auc" => 20.0 * cells,
        name if name.starts_with("rpd_gradient") => 1e-5,
        name if name.ends_with("_fraction") || name.starts_with("opt_") => cells,
        _ => 1e-4 * value.abs().max(1.0),
    }
}

fn numbers(value: &Value) -> Vec<Option<f64>> {
    match value {
        Value::Array(entries) => entries.iter().map(Value::as_f64).collect(),
        one => vec![one.as_f64()],
    }
}

#[test]
fn a_gpu_measures_what_the_processor_measures() {
    // The name of the device, to try the test itself where there is no GPU.
    let device = match std::env::var("PHASEGRID_TEST_DEVICE") {
        Ok(device) => device,
        Err(_) if std::path::Path::new("/dev/nvidia0").exists() => "cuda".to_owned(),
        Err(_) => return skip("the comparison of CPU and GPU", "there is no GPU"),
    };
    let sweep = SweepText::new("device")
        .fixed("steps = 0\nwidth = 16\n")
        .axes("depth = [1, 3]\nactivation = [\"relu\", \"tanh\"]\nbatch_norm = [false, true]\n")
        .measure("at = [0]\nmetrics = [\"order\", \"lmap\", \"sample_basin\", \"weight_basin\"]\nprobe_samples = 200\n");
    let layers = "SELECT * FROM layers ORDER BY trial_id, layer";
    let on_host = measured("cpu", layers, &sweep);
    let on_device = measured(&device, layers, &sweep);
    assert_eq!(on_host.len(), 4 * (1 + 3));
    assert_eq!(on_device.len(), on_host.len());
    for (host, other) in on_host.iter().zip(&on_device) {
        for (column, value) in host.as_object().expect("a row") {
            for (a, b) in numbers(value).into_iter().zip(numbers(&other[column])) {
                let agree = match (a, b) {
                    (Some(a), Some(b)) => (a - b).abs() <= tolerance(column, a),
                    (a, b) => a.is_none() && b.is_none(),
                };
                assert!(agree, "{column}: {value} and {}", other[column]);
            }
        }
    }
    let basins = "SELECT * FROM basins ORDER BY trial_id, space, scope, threshold";
    let on_host = measured("cpu", basins, &sweep);
    let on_device = measured(&device, basins, &sweep);
    assert_eq!(on_device.len(), on_host.len());
    for (host, other) in on_host.iter().zip(&on_device) {
        let place = format!("{host} and {other}");
        for key in ["trial_id", "space", "scope", "threshold", "censored"] {
            assert_eq!(host[key], other[key], "{place}");
        }
        if let (Some(a), Some(b)) = (host["radius"].as_f64(), other["radius"].as_f64()) {
            // Two rows of at most 2,000 that round the other way: 2/(n·|da/d ln r|), which is what
            // the error says, as se = sd/√n/|da/dr| with sd of at most 1/2.
            let error = host["radius_se"].as_f64().unwrap_or(0.0);
            assert!((a - b).abs() <= (1e-3 * a).max(error), "{place}");
        }
    }
}
