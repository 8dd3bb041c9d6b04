//! Processor time of training and of each metric at the last step, over the shapes of workload R1
//! (MNIST, 16 trials a shape), on one thread:
//! `cargo run --release -p phasegrid-metrics --example workload -- DATA [most trials a unit]`.

use phasegrid_metrics::{Context, Probe, REGISTRY, TestSet};
use phasegrid_nn::{LabelledRows, Measured, NnError, Observer, initial_ensemble, train};
use phasegrid_spec::Hyperparameters;
use phasegrid_tasks::{Dataset, load};
use std::collections::BTreeMap;
use std::path::Path;
use tch::Device;

const STEPS: i64 = 200;
const RATES: i64 = 8;
const SEEDS: i64 = 2;
/// The four default metrics.
const MEASURED: [&str; 4] = ["order", "lmap", "sample_basin", "weight_basin"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tch::set_num_threads(1);
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let data = arguments.first().ok_or("name the folder that has mnist/")?;
    let most = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(16);
    let dataset = load("mnist", Some(Path::new(data)))?;
    let mut total = Times::default();
    for depth in 1..=4 {
        for width in [32, 64, 128] {
            for batch_size in [32, 128] {
                let trials = trials(depth, width, batch_size);
                let mut times = Times::default();
                for unit in trials.chunks(most) {
                    let mut observer =
                        Metering { dataset: &dataset, trials: unit, times: Times::default() };
                    let start = processor_ms();
                    train(unit, &dataset, &[STEPS], Device::Cpu, &mut observer)?;
                    let all = processor_ms() - start;
                    let measuring: f64 = observer.times.0.values().sum();
                    *observer.times.0.entry(" train").or_default() += all - measuring;
                    times.add(&observer.times);
                }
                println!("depth {depth} width {width:3} batch {batch_size:3}: {}", times.show(16));
                total.add(&times);
            }
        }
    }
    println!("all: {}", total.show(16 * 24));
    Ok(())
}

fn trials(depth: i64, width: i64, batch_size: i64) -> Vec<Hyperparameters> {
    let rate = |point: i64| 10f64.powf(-3.0 + 3.0 * point as f64 / (RATES - 1) as f64);
    let trial = |point: i64| Hyperparameters {
        task: "mnist".into(),
        depth,
        width,
        batch_size,
        steps: STEPS,
        learning_rate: rate(point / SEEDS),
        seed: point % SEEDS,
        ..Default::default()
    };
    (0..RATES * SEEDS).map(trial).collect()
}

/// Milliseconds of processor time by what was done.
#[derive(Default)]
struct Times(BTreeMap<&'static str, f64>);

impl Times {
    fn add(&mut self, other: &Times) {
        for (what, ms) in &other.0 {
            *self.0.entry(what).or_default() += ms;
        }
    }

    fn show(&self, trials: usize) -> String {
        let each = |(what, ms): (&&str, &f64)| format!("{} {:.1}", what.trim(), ms / trials as f64);
        let train = self.0.get(" train").copied().unwrap_or(f64::NAN);
        let metrics: f64 = MEASURED.iter().filter_map(|metric| self.0.get(metric)).sum();
        let list: Vec<String> = self.0.iter().map(each).collect();
        format!("ms a trial: {}; metrics/training {:.2}", list.join(", "), metrics / train)
    }
}

struct Metering<'a> {
    dataset: &'a Dataset,
    trials: &'a [Hyperparameters],
    times: Times,
}

impl Observer for Metering<'_> {
    fn at_step(&mut self, measured: &Measured<'_>) -> Result<(), NnError> {
        let start = processor_ms();
        let ordered: Vec<Hyperparameters> =
            measured.trials.iter().map(|&index| self.trials[index].clone()).collect();
        let probe = LabelledRows::probe(self.dataset, &ordered, 1_000, 0, Device::Cpu)?;
        let test = LabelledRows::test(self.dataset, ordered.len(), Device::Cpu);
        let (inputs, classes) = (self.dataset.input_dimension, self.dataset.classes);
        let initial = initial_ensemble(&ordered, inputs, classes, Device::Cpu)?;
        let labels = probe.trained().shallow_clone();
        let probe = Probe { rows: probe.rows, labels, classes: classes as i64, seed: 0 };
        let forward = measured.ensemble.forward(&probe.rows);
        let context = Context {
            ensemble: measured.ensemble,
            initial: &initial,
            probe: &probe,
            test: TestSet { rows: &test.rows, labels: &test.labels },
            forward: &forward,
        };
        *self.times.0.entry("(rows)").or_default() += processor_ms() - start;
        for metric in REGISTRY.iter().filter(|metric| MEASURED.contains(&metric.name())) {
            let start = processor_ms();
            metric.measure(&context).map_err(|error| NnError::Observer(error.into()))?;
            *self.times.0.entry(metric.name()).or_default() += processor_ms() - start;
        }
        Ok(())
    }
}

/// Processor time of this thread so far, which other programs do not disturb (Linux).
fn processor_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split(' ').next().and_then(|field| field.parse::<f64>().ok());
    first.map_or(f64::NAN, |nanoseconds| nanoseconds / 1e6)
}
