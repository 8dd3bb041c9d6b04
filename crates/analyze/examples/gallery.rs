//! Draws every kind of phase diagram from synthetic sweeps into a folder, for looking at.
#![allow(dead_code, clippy::unwrap_used)]

#[path = "../tests/analyze/fixture.rs"]
mod fixture;
#[path = "../tests/analyze/synthetic.rs"]
mod synthetic;

use fixture::Fixture;
use phasegrid_analyze::{LayerPick, PhaseRequest, Stat, Store, phase, write_diagram};
use polars::prelude::*;
use std::path::PathBuf;
use synthetic::Synthetic;

fn main() {
    let out = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "gallery".to_owned()));
    std::fs::create_dir_all(&out).unwrap();
    let draw = |store: &Store, name: &str, request: PhaseRequest| {
        let diagram = phase(store, &request).unwrap();
        for extension in ["svg", "png", "pdf"] {
            write_diagram(&diagram, &out.join(format!("{name}.{extension}"))).unwrap();
        }
        println!("{name}");
    };
    let standard = Fixture::new();
    let sweep = Synthetic {
        depths: vec![1, 2, 4, 8],
        widths: vec![8, 16, 32, 64, 128],
        rates: 16,
        seeds: 3,
    };
    sweep.write(&standard, "width-lr", 7);
    let store = standard.open();
    let base = |value: &str| PhaseRequest {
        facet: Some("depth".into()),
        ..PhaseRequest::new("learning_rate", "width", value)
    };
    draw(&store, "accuracy", base("test_accuracy"));
    draw(
        &store,
        "gradient-layer-1",
        PhaseRequest { layer: Some(LayerPick::First), ..base("rpd_gradient") },
    );
    draw(&store, "phase", base("phase"));
    draw(&store, "basin", base("sample_basin"));
    draw(&store, "sd", PhaseRequest { stat: Some(Stat::Std), ..base("test_accuracy") });
    let single = |value: &str| PhaseRequest {
        condition: Some("depth = 4".into()),
        ..PhaseRequest::new("learning_rate", "width", value)
    };
    draw(&store, "single", single("test_accuracy"));
    draw(&store, "single-phase", single("phase"));
    let one = PhaseRequest {
        condition: Some("width = 8 AND depth = 4".into()),
        ..PhaseRequest::new("learning_rate", "width", "test_accuracy")
    };
    draw(&store, "one-row", one);
    let column = PhaseRequest {
        condition: Some("learning_rate > 0.9".into()),
        ..PhaseRequest::new("learning_rate", "depth", "test_accuracy")
    };
    draw(&store, "one-column", PhaseRequest { over: vec!["width".into()], ..column });
    draw(
        &store,
        "depth-width",
        PhaseRequest {
            over: vec!["learning_rate".into()],
            ..PhaseRequest::new("width", "depth", "rpd_gradient")
        },
    );

    let odd = odd_store();
    let store = odd.open();
    let facets = |value: &str| PhaseRequest {
        facet: Some("optimizer".into()),
        ..PhaseRequest::new("activation", "batch_norm", value)
    };
    draw(&store, "odd-basin", facets("sample_basin"));
    draw(&store, "odd-null", facets("grokking_delay"));
    let flat = PhaseRequest {
        over: vec!["optimizer".into()],
        ..PhaseRequest::new("batch_norm", "activation", "test_accuracy")
    };
    draw(&store, "odd-constant", flat);

    let large = Fixture::new();
    let sweep = Synthetic {
        depths: (1..=12).collect(),
        widths: (1..=64).map(|width| 4 * width).collect(),
        rates: 64,
        seeds: 1,
    };
    sweep.write(&large, "large", 300);
    let store = large.open();
    draw(&store, "large", base("test_accuracy"));
    draw(
        &store,
        "large-phase",
        PhaseRequest { condition: Some("depth = 6".into()), facet: None, ..base("phase") },
    );
}

/// Names and flags as axes, every state a cell can be in, censored radii, constants and nulls.
fn odd_store() -> Fixture {
    let fixture = Fixture::new();
    let activations = ["relu", "tanh", "identity", "gelu", "gauss"];
    let mut cells = Vec::new();
    for optimizer in ["sgd", "adam", "adamw"] {
        for activation in activations {
            for batch_norm in [false, true] {
                cells.push((optimizer, activation, batch_norm));
            }
        }
    }
    let count = cells.len() - 2;
    cells.truncate(count);
    let status = |i: usize| match i {
        6 => "failed",
        8 => "diverged",
        _ => "ok",
    };
    let basin =
        |i: usize| (i % 7 != 3 && i % 7 != 5 && i != 12).then(|| 0.01 * 1.3_f64.powi(i as i32));
    let ids = fixture::trial_ids(count);
    let frame = df!(
        "trial_id" => &ids,
        "task" => vec!["mnist"; count],
        "optimizer" => cells.iter().map(|cell| cell.0).collect::<Vec<_>>(),
        "activation" => cells.iter().map(|cell| cell.1).collect::<Vec<_>>(),
        "batch_norm" => cells.iter().map(|cell| cell.2).collect::<Vec<_>>(),
        "seed" => vec![0_i64; count],
        "status" => (0..count).map(status).collect::<Vec<_>>(),
        "phase" => vec!["I"; count],
        "sample_basin" => (0..count).map(basin).collect::<Vec<_>>(),
        "test_accuracy" => vec![0.875; count],
        "grokking_delay" => vec![None::<i64>; count],
    );
    fixture.shard("trials", "odd-axes", 0, frame.unwrap());
    let side = |i: usize| match i % 7 {
        3 => Some("right"),
        5 => Some("left"),
        _ => None,
    };
    let basins = df!(
        "trial_id" => &ids,
        "step" => vec![500_i64; count],
        "space" => vec!["sample"; count],
        "scope" => vec!["all"; count],
        "threshold" => vec![0.5; count],
        "censored" => (0..count).map(side).collect::<Vec<_>>(),
    );
    fixture.shard("basins", "odd-axes", 0, basins.unwrap());
    let list = |values: &[&str]| format!("[{}]", values.join(", "));
    let axes = [
        ("optimizer", list(&["\"sgd\"", "\"adam\"", "\"adamw\""])),
        ("activation", list(&["\"relu\"", "\"tanh\"", "\"identity\"", "\"gelu\"", "\"gauss\""])),
        ("batch_norm", list(&["false", "true"])),
    ];
    let axes: Vec<String> = axes
        .iter()
        .map(|(name, values)| {
            format!("{{\"name\": \"{name}\", \"kind\": \"list\", \"values\": {values}}}")
        })
        .collect();
    fixture
        .document("odd-axes", &format!("[{{\"fixed\": {{}}, \"axes\": [{}]}}]", axes.join(", ")));
    fixture
}
