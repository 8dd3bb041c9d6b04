//! Trials a second of processor time on one thread for the workloads R1 and R2 of the design, and the share of
//! that time the matrix products alone would take.
//!
//! `cargo run --release -p phasegrid-nn --example throughput [r1|r2] [data folder] [largest unit]`

use phasegrid_nn::{LabelledRows, Measured, NnError, Observer, evaluate, train};
use phasegrid_spec::Hyperparameters;
use phasegrid_tasks::{Dataset, load};
use std::path::Path;
use tch::{Device, Kind, Tensor};

/// Seconds this thread has spent on a processor: other programs on the machine do not count
/// (their use of caches and memory still does).
fn processor_seconds() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics.split(' ').next().and_then(|number| number.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) * 1e-9
}

struct FinalAccuracy<'a> {
    dataset: &'a Dataset,
    trials: &'a [Hyperparameters],
    time: f64,
    best: f64,
}

impl Observer for FinalAccuracy<'_> {
    fn at_step(&mut self, measured: &Measured<'_>) -> Result<(), NnError> {
        let start = processor_seconds();
        let ordered: Vec<Hyperparameters> =
            measured.trials.iter().map(|&index| self.trials[index].clone()).collect();
        let probe = LabelledRows::probe(self.dataset, &ordered, 1_000, 0, Device::Cpu)?;
        evaluate(measured.ensemble, &probe.rows, probe.trained());
        let test = LabelledRows::test(self.dataset, ordered.len(), Device::Cpu);
        let (_, accuracy) = evaluate(measured.ensemble, &test.rows, &test.labels);
        self.best = accuracy.into_iter().fold(self.best, f64::max);
        self.time += processor_seconds() - start;
        Ok(())
    }
}

/// The shapes of a workload, each with its trials.
fn units(workload: &str, largest_unit: usize) -> Vec<Vec<Hyperparameters>> {
    let (task, depths, widths, batch_sizes, rates, seeds, steps) = match workload {
        "r1" => ("mnist", 1..=4, [32, 64, 128], vec![32, 128], 8, 2, 200),
        _ => ("digits", 1..=3, [8, 16, 32], vec![32], 16, 8, 500),
    };
    let mut units = Vec::new();
    for depth in depths {
        for width in widths {
            for &batch_size in &batch_sizes {
                let points = (0..rates * seeds).map(|point| Hyperparameters {
                    task: task.into(),
                    depth,
                    width,
                    batch_size,
                    steps,
                    learning_rate: 10f64
                        .powf(-3.0 + 3.0 * (point / seeds) as f64 / (rates - 1) as f64),
                    seed: point % seeds,
                    ..Default::default()
                });
                let mut points: Vec<Hyperparameters> = points.collect();
                points.sort_by_key(|trial| trial.seed);
                units.extend(points.chunks(largest_unit).map(<[_]>::to_vec));
            }
        }
    }
    units
}

/// Seconds that the products of one step of a unit take by themselves, each as one batched
/// call in fresh cache order: forward, derivative and weight gradient.
fn products_a_step(dataset: &Dataset, trials: &[Hyperparameters]) -> f64 {
    let shape = &trials[0];
    let groups = trials.iter().map(|trial| trial.seed).max().unwrap_or(0) + 1;
    let options = (Kind::Float, Device::Cpu);
    let (all, width, batch) = (trials.len() as i64, shape.width, shape.batch_size);
    let random = |size: [i64; 3]| Tensor::rand(size, options);
    let first = random([groups, all / groups * width, dataset.input_dimension as i64]);
    let rows = random([groups, batch, dataset.input_dimension as i64]);
    let hidden = random([all, width, width]);
    let last = random([all, dataset.classes as i64, width]);
    let (values, logits) =
        (random([all, width, batch]), random([all, dataset.classes as i64, batch]));
    let stacked = values.view([groups, -1, batch]);
    const REPEATS: u32 = 20;
    let start = processor_seconds();
    for _ in 0..REPEATS {
        drop(first.bmm(&rows.transpose(1, 2)));
        drop(stacked.bmm(&rows));
        for (weight, below) in
            (1..shape.depth).map(|_| (&hidden, &values)).chain([(&last, &logits)])
        {
            drop(weight.bmm(&values));
            drop(weight.transpose(1, 2).bmm(below));
            drop(below.bmm(&values.transpose(1, 2)));
        }
    }
    (processor_seconds() - start) / f64::from(REPEATS)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tch::set_num_threads(1);
    let arguments: Vec<String> = std::env::args().collect();
    let workload = arguments.get(1).map_or("r2", String::as_str);
    let data = arguments.get(2).map(Path::new);
    let largest_unit =
        arguments.get(3).and_then(|number| number.parse().ok()).unwrap_or(usize::MAX);
    let units = units(workload, largest_unit);
    let dataset = load(&units[0][0].task, data)?;
    let (mut total, mut products, mut evaluation, mut trials) = (0.0, 0.0, 0.0, 0);
    for unit in &units {
        let shape = &unit[0];
        let mut observer = FinalAccuracy { dataset: &dataset, trials: unit, time: 0.0, best: 0.0 };
        let start = processor_seconds();
        train(unit, &dataset, &[shape.steps], Device::Cpu, &mut observer)?;
        let seconds = processor_seconds() - start;
        let gemm = tch::no_grad(|| products_a_step(&dataset, unit)) * shape.steps as f64;
        println!(
            "depth {} width {:3} batch {:3}: {:4} trials in {:.3} s ({:.3} s evaluation), products alone {:.3} s, best accuracy {:.3}",
            shape.depth,
            shape.width,
            shape.batch_size,
            unit.len(),
            seconds,
            observer.time,
            gemm,
            observer.best
        );
        total += seconds;
        products += gemm;
        evaluation += observer.time;
        trials += unit.len();
    }
    println!(
        "{workload}: {trials} trials in {total:.2} s: {:.1} trials/s on one thread; evaluation {evaluation:.2} s; products alone {products:.2} s ({:.1} trials/s)",
        trials as f64 / total,
        trials as f64 / products
    );
    Ok(())
}
