//! Prints the processor time of the metrics on one thread: `cargo run --release --example cost -- [trials]
//! [depth] [width] [probe rows] [activation]`.

use phasegrid_metrics::{Context, Probe, REGISTRY, TestSet};
use phasegrid_nn::{Ensemble, GroupedRows, Layer};
use phasegrid_spec::{Activation, Loss};
use tch::{Device, Kind, Tensor};

const INPUTS: i64 = 784;
const CLASSES: i64 = 10;
const TEST_ROWS: i64 = 2_000;
const REPEATS: usize = 4;

fn main() {
    tch::set_num_threads(1);
    tch::manual_seed(0);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: i64| {
        arguments.get(index).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (trials, depth, width, rows) =
        (number(0, 16), number(1, 4), number(2, 128), number(3, 1_000));
    let activation = match arguments.get(4).map(String::as_str) {
        Some("gelu") => Activation::Gelu,
        Some("gauss") => Activation::Gauss,
        Some("tanh") => Activation::Tanh,
        _ => Activation::Relu,
    };

    // Copies of one network, fitted to its own predictions: every probe row is correct, as the
    // basins find it after training.
    let copies = vec![0; trials as usize];
    let ensemble = network(depth, width, activation).select(&copies);
    let initial = network(depth, width, activation).select(&copies);
    let inputs = |rows: i64| Tensor::rand([rows, INPUTS], (Kind::Float, Device::Cpu));
    let shared = |rows: i64| GroupedRows::shared(trials as usize, inputs(rows));
    let labels = |rows: &GroupedRows| ensemble.logits(rows).argmax(1, false);
    let probe_rows = shared(rows);
    let probe_labels = labels(&probe_rows);
    let probe = Probe { rows: probe_rows, labels: probe_labels, classes: CLASSES, seed: 0 };
    let test_rows = shared(TEST_ROWS);
    let test_labels = labels(&test_rows);

    for _ in 0..REPEATS {
        let start = processor_ms();
        let forward = ensemble.forward(&probe.rows);
        println!("forward: {:.0} ms", processor_ms() - start);
        let context = Context {
            ensemble: &ensemble,
            initial: &initial,
            probe: &probe,
            test: TestSet { rows: &test_rows, labels: &test_labels },
            forward: &forward,
        };
        for metric in REGISTRY {
            let start = processor_ms();
            match metric.measure(&context) {
                Ok(_) => {
                    println!("{}: {:.0} ms", metric.name(), processor_ms() - start)
                }
                Err(error) => println!("{}: {error}", metric.name()),
            }
        }
    }
}

fn network(depth: i64, width: i64, activation: Activation) -> Ensemble {
    let layer = |index: i64| {
        let fan_in = if index == 0 { INPUTS } else { width };
        let units = if index == depth { CLASSES } else { width };
        let normal = |size: [i64; 3]| Tensor::randn(size, (Kind::Float, Device::Cpu));
        Layer {
            weight: normal([1, units, fan_in]) * (2.0 / fan_in as f64).sqrt(),
            bias: normal([1, units, 1]) * 0.1,
            batch_norm: None,
        }
    };
    Ensemble { layers: (0..=depth).map(layer).collect(), activation, loss: Loss::CrossEntropy }
}

/// Processor time of this thread so far, which other programs do not disturb (Linux).
fn processor_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split(' ').next().and_then(|field| field.parse::<f64>().ok());
    first.map_or(f64::NAN, |nanoseconds| nanoseconds / 1e6)
}
