//! The scheduler alone, without log, network or store: `cargo bench -p phasegrid-coordinator`.
//! Durable cycles, with the log: `cargo run --release -p phasegrid-coordinator --example cycles`.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use phasegrid_coordinator::commit::StagedFile;
use phasegrid_coordinator::model::LeaseName;
use phasegrid_coordinator::scheduler::{
    Completion, Effects, LeaseAnswer, Registration, Scheduler, SchedulerConfig, Verdict, prepare,
};
use phasegrid_spec::{SweepFile, TrainRows};
use std::collections::BTreeMap;
use std::time::Duration;

/// Each of one shape, so that each is a unit.
const UNITS: u64 = 512;
const TRIALS_PER_UNIT: u64 = 20;
const NOW: Duration = Duration::from_secs(1);

/// A scheduler with one sweep and one worker.
fn scheduler() -> Scheduler {
    let text = format!(
        "name = \"s\"\ntask = \"digits\"\n[fixed]\nsteps = 1\n[axes]\nbatch_size = {{ range = [1, {}] }}\nseed = {{ range = [0, {TRIALS_PER_UNIT}] }}\n[measure]\nmetrics = []\nhistory = 0\n",
        UNITS + 1
    );
    let file = SweepFile::parse(&text, "bench.toml").expect("a valid sweep file");
    let (measure, block) = file.resolve(&TrainRows::default()).expect("a valid sweep file");
    let prepared = prepare(None, "s", measure, block).expect("a small sweep");
    let mut scheduler = Scheduler::new(SchedulerConfig::default());
    let mut effects = Effects::default();
    scheduler.submit(prepared, "", None, &mut effects).expect("a new sweep");
    let registration = Registration {
        worker: "w".to_owned(),
        slots: 1,
        datasets: BTreeMap::from([("digits".to_owned(), "f".to_owned())]),
        ..Registration::default()
    };
    scheduler.register(registration, NOW, &mut effects);
    scheduler
}

/// Cuts, leases, wins, publishes and clears every unit.
fn run_to_the_end(scheduler: &mut Scheduler) -> u64 {
    let mut units = 0;
    loop {
        let mut effects = Effects::default();
        let Ok(LeaseAnswer::Unit(grant)) = scheduler.lease("w", NOW, &mut effects) else { break };
        let sweep = grant.sweep.to_string();
        let (unit, attempt) = (grant.unit.unit, grant.attempt);
        let file = StagedFile {
            table: "trials".to_owned(),
            path: format!("_staging/{sweep}/{unit}/{attempt}/trials.parquet"),
            rows: TRIALS_PER_UNIT,
            bytes: 4_096,
            blake3: "0".repeat(64),
        };
        let completion = Completion {
            worker: "w".to_owned(),
            lease: LeaseName { sweep, unit, attempt },
            manifest: vec![file],
            ok: TRIALS_PER_UNIT as u32,
            diverged: 0,
            trial_steps_per_second: 0.0,
        };
        assert_eq!(scheduler.settle(completion, NOW, &mut effects), Verdict::Won);
        scheduler.published(grant.unit, &mut effects);
        scheduler.cleared(grant.unit, &mut effects);
        units += 1;
    }
    assert_eq!(units, UNITS, "every unit was leased");
    units
}

fn cycles(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scheduler");
    group.throughput(Throughput::Elements(UNITS));
    group.bench_function("lease, win, publish, clear", |bencher| {
        bencher.iter_batched_ref(scheduler, run_to_the_end, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = cycles
}
criterion_main!(benches);
