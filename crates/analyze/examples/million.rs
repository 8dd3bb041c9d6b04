//! Times a phase diagram over many synthetic trials: `million [trials]`.
#![allow(dead_code, clippy::unwrap_used)]

#[path = "../tests/analyze/fixture.rs"]
mod fixture;
#[path = "../tests/analyze/synthetic.rs"]
mod synthetic;

use fixture::Fixture;
use phasegrid_analyze::{LayerPick, PhaseRequest, compact, heat_map, phase, query};
use std::time::Instant;
use synthetic::Synthetic;

fn main() {
    let trials: i64 = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().unwrap());
    let fixture = Fixture::new();
    let sweep = Synthetic {
        depths: vec![1, 2, 3, 4],
        widths: vec![8, 16, 32, 64, 128],
        rates: 50,
        seeds: trials / 1_000,
    };
    sweep.write(&fixture, "million", 0);
    let store = fixture.open();
    let timed = |name: &str, run: &dyn Fn()| {
        let start = Instant::now();
        run();
        println!("{name}: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    };
    let base = |value: &str| PhaseRequest {
        facet: Some("depth".into()),
        ..PhaseRequest::new("learning_rate", "width", value)
    };
    let draw = |request: PhaseRequest| drop(heat_map(&phase(&store, &request).unwrap()));
    timed("phase, trials", &|| draw(base("test_accuracy")));
    timed("phase, category", &|| draw(base("phase")));
    timed("phase, where", &|| {
        let condition = Some("learning_rate < 0.1 AND seed < 100".to_owned());
        draw(PhaseRequest { condition, ..base("test_accuracy") });
    });
    timed("phase, layers first", &|| {
        draw(PhaseRequest { layer: Some(LayerPick::First), ..base("rpd_gradient") });
    });
    timed("phase, layers mean", &|| {
        draw(PhaseRequest { layer: Some(LayerPick::Mean), ..base("rpd_gradient") });
    });
    timed("phase, layers first, joined", &|| {
        let condition = Some("status <> 'none'".to_owned());
        let layer = Some(LayerPick::First);
        draw(PhaseRequest { condition, layer, ..base("rpd_gradient") });
    });
    timed("query, group by", &|| {
        drop(query(&store, "SELECT depth, AVG(test_accuracy) FROM trials GROUP BY depth").unwrap());
    });
    timed("compact", &|| drop(compact(&store).unwrap()));
    timed("phase, trials, compacted", &|| draw(base("test_accuracy")));
    timed("phase, layers first, compacted", &|| {
        draw(PhaseRequest { layer: Some(LayerPick::First), ..base("rpd_gradient") });
    });
}
