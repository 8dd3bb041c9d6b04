//! The default metrics on a small fused unit: `cargo bench -p phasegrid-metrics`.
//!
//! `order` is dominated by the ranks, `sample_basin` and `weight_basin` by noisy evaluations.

use criterion::{Criterion, criterion_group, criterion_main};
use phasegrid_metrics::{Context, Metric, Probe, REGISTRY, TestSet};
use phasegrid_nn::{Ensemble, GroupedRows, Layer};
use phasegrid_spec::{Activation, Loss};
use phasegrid_tasks::stream::Stream;
use std::time::Duration;
use tch::{Device, Kind, Tensor};

const TRIALS: usize = 4;
const INPUTS: i64 = 64;
const WIDTH: i64 = 32;
const DEPTH: i64 = 2;
const CLASSES: i64 = 10;
const PROBE_ROWS: i64 = 300;
const MEASURED: [&str; 4] = ["order", "lmap", "sample_basin", "weight_basin"];

/// Standard normals, the same in every run.
fn normal(key: u64, shape: &[i64]) -> Tensor {
    let mut stream = Stream::new(key, "bench/normal", &[]);
    let values: Vec<f64> = (0..shape.iter().product::<i64>()).map(|_| stream.normal()).collect();
    Tensor::from_slice(&values).view(shape).to_kind(Kind::Float).to_device(Device::Cpu)
}

fn networks(key: u64) -> Ensemble {
    let layer = |index: i64| {
        let fan_in = if index == 0 { INPUTS } else { WIDTH };
        let units = if index == DEPTH { CLASSES } else { WIDTH };
        let weight = normal(key + index as u64, &[TRIALS as i64, units, fan_in]);
        Layer {
            weight: weight * (2.0 / fan_in as f64).sqrt(),
            bias: normal(key + 100 + index as u64, &[TRIALS as i64, units, 1]) * 0.1,
            batch_norm: None,
        }
    };
    let layers = (0..=DEPTH).map(layer).collect();
    Ensemble { layers, activation: Activation::Relu, loss: Loss::CrossEntropy }
}

fn metrics(criterion: &mut Criterion) {
    tch::set_num_threads(1);
    let _no_grad = tch::no_grad_guard();
    let (ensemble, initial) = (networks(1), networks(1_000));
    let rows = |key: u64, rows: i64| GroupedRows::shared(TRIALS, normal(key, &[rows, INPUTS]));
    // Labelled by the networks themselves: every row is correct, as basins find it after training.
    let labels = |rows: &GroupedRows| ensemble.logits(rows).argmax(1, false);
    let (probe_rows, test_rows) = (rows(7, PROBE_ROWS), rows(8, PROBE_ROWS));
    let (probe_labels, test_labels) = (labels(&probe_rows), labels(&test_rows));
    let probe = Probe { rows: probe_rows, labels: probe_labels, classes: CLASSES, seed: 0 };
    let forward = ensemble.forward(&probe.rows);
    let context = Context {
        ensemble: &ensemble,
        initial: &initial,
        probe: &probe,
        test: TestSet { rows: &test_rows, labels: &test_labels },
        forward: &forward,
    };
    let mut group = criterion.benchmark_group("4 trials, depth 2, width 32, 300 probe rows");
    let is_measured = |metric: &&&dyn Metric| MEASURED.contains(&metric.name());
    for metric in REGISTRY.iter().filter(is_measured) {
        group.bench_function(metric.name(), |bencher| {
            bencher.iter(|| metric.measure(&context).expect("these shapes belong together"));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1_500));
    targets = metrics
}
criterion_main!(benches);
