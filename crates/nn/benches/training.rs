//! Training steps of a fused unit: `cargo bench -p phasegrid-nn`.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use phasegrid_nn::{Measured, NnError, Observer, train};
use phasegrid_spec::{Hyperparameters, Optimizer};
use phasegrid_tasks::load;
use std::time::Duration;
use tch::Device;

/// Steps of one sample: enough that setting the unit up (data, initial weights) does not show.
const STEPS: i64 = 200;
const TRIALS: i64 = 16;

struct Nothing;

impl Observer for Nothing {
    fn at_step(&mut self, _: &Measured<'_>) -> Result<(), NnError> {
        Ok(())
    }
}

/// 4 learning rates x 4 seeds of one shape.
fn unit(optimizer: Optimizer) -> Vec<Hyperparameters> {
    let trial = |index: i64| Hyperparameters {
        task: "digits".into(),
        depth: 2,
        width: 32,
        batch_size: 32,
        steps: STEPS,
        learning_rate: 0.1 / (1 + index % 4) as f64,
        seed: index / 4,
        optimizer,
        ..Hyperparameters::default()
    };
    (0..TRIALS).map(trial).collect()
}

fn training(criterion: &mut Criterion) {
    tch::set_num_threads(1);
    let dataset = load("digits", None).expect("the bundled data");
    let mut group = criterion.benchmark_group("training step, 16 trials");
    group.throughput(Throughput::Elements((STEPS * TRIALS) as u64));
    for optimizer in [Optimizer::Sgd, Optimizer::Adam] {
        group.bench_function(optimizer.name(), |bencher| {
            bencher.iter_batched(
                || unit(optimizer),
                |trials| train(&trials, &dataset, &[], Device::Cpu, &mut Nothing),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = training
}
criterion_main!(benches);
