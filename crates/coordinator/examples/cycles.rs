//! How many durable lease+complete cycles a second the scheduler and its log make, and how long a log
//! of as many trials takes to open again.
//!
//! `cargo run --release -p phasegrid-coordinator --example cycles -- [CYCLES] [TRIALS PER UNIT]`
//!
//! A cycle cuts a unit, leases it, fixes its winner, notes it published and cleared: five events, each
//! durable before the next of its unit begins, as the service does it; many units are under way at once.

use std::collections::{BTreeMap, VecDeque};
use std::error::Error;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use phasegrid_coordinator::commit::StagedFile;
use phasegrid_coordinator::log::{Log, open};
use phasegrid_coordinator::model::LeaseName;
use phasegrid_coordinator::scheduler::{
    Completion, Effects, Grant, Job, LeaseAnswer, Registration, Scheduler, SchedulerConfig,
    SweepState, Verdict, prepare,
};
use phasegrid_spec::{SweepFile, TrainRows};

/// Units under way at once.
const IN_FLIGHT: usize = 512;

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Bench {
    scheduler: Scheduler,
    log: Log,
    begun: Instant,
}

impl Bench {
    /// Runs an event; the receiver hears when it is durable.
    fn event<T>(
        &mut self,
        event: impl FnOnce(&mut Scheduler, Duration, &mut Effects) -> T,
    ) -> (T, Vec<Job>, Receiver<bool>) {
        let mut effects = Effects::default();
        let answer = event(&mut self.scheduler, self.begun.elapsed(), &mut effects);
        let (done, durable) = channel();
        self.log.write(effects.records, move |outcome| {
            // Nobody waits for the last ones.
            let _ = done.send(outcome.is_ok());
        });
        (answer, effects.jobs, durable)
    }

    fn lease(&mut self) -> Outcome<(Option<Grant>, Receiver<bool>)> {
        let (answer, _, durable) =
            self.event(|scheduler, now, effects| scheduler.lease("w", now, effects));
        match answer {
            Ok(LeaseAnswer::Unit(grant)) => Ok((Some(*grant), durable)),
            Ok(LeaseAnswer::Nothing(_)) => Ok((None, durable)),
            Err(_) => Err("the worker is unknown".into()),
        }
    }

    /// Fixes the winner; the receiver hears when that is durable.
    fn settle(&mut self, grant: &Grant, trials: u32) -> Outcome<Receiver<bool>> {
        let sweep = grant.sweep.to_string();
        let (unit, attempt) = (grant.unit.unit, grant.attempt);
        let file = StagedFile {
            table: "trials".to_owned(),
            path: format!("_staging/{sweep}/{unit}/{attempt}/trials.parquet"),
            rows: u64::from(trials),
            bytes: 4_096,
            blake3: "0".repeat(64),
        };
        let completion = Completion {
            worker: "w".to_owned(),
            lease: LeaseName { sweep, unit, attempt },
            manifest: vec![file],
            ok: trials,
            diverged: 0,
            trial_steps_per_second: 0.0,
        };
        let (verdict, _, durable) =
            self.event(|scheduler, now, effects| scheduler.settle(completion, now, effects));
        if verdict != Verdict::Won {
            return Err("a unit was not won".into());
        }
        Ok(durable)
    }
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let cycles: u64 = arguments.next().as_deref().unwrap_or("50000").parse()?;
    let per_unit: u64 = arguments.next().as_deref().unwrap_or("20").parse()?;
    let directory = std::env::temp_dir().join(format!("phasegrid-cycles-{}", std::process::id()));
    let outcome = run(&directory, cycles, per_unit);
    std::fs::remove_dir_all(&directory)?;
    outcome
}

fn run(directory: &std::path::Path, cycles: u64, per_unit: u64) -> Outcome<()> {
    let opened = open(directory)?;
    let scheduler = Scheduler::new(SchedulerConfig::default());
    let mut bench = Bench { scheduler, log: opened.log, begun: Instant::now() };
    let (trials, added) = submit(&mut bench, cycles, per_unit)?;
    println!("{trials} trials counted in {added:.2?}");
    let registration = Registration {
        worker: "w".to_owned(),
        slots: 4_096,
        datasets: BTreeMap::from([("digits".to_owned(), "f".to_owned())]),
        ..Registration::default()
    };
    bench.event(|scheduler, now, effects| scheduler.register(registration, now, effects));

    let begun = Instant::now();
    let mut under_way = VecDeque::new();
    let mut completed = 0_u64;
    let mut trials_done = 0_u64;
    loop {
        let (grant, durable) = bench.lease()?;
        let is_over = grant.is_none();
        under_way.extend(grant.map(|grant| (grant, durable)));
        if under_way.len() < IN_FLIGHT && !is_over {
            continue;
        }
        // As many workers report at once, the log commits for many at once.
        let batch: Vec<(Grant, Receiver<bool>)> = under_way.drain(..).collect();
        if batch.is_empty() {
            break;
        }
        completed += batch.len() as u64;
        trials_done += complete_all(&mut bench, batch)?;
    }
    let elapsed = begun.elapsed();
    let rate = completed as f64 / elapsed.as_secs_f64();
    println!("{completed} units, {trials_done} trials: {rate:.0} cycles/s ({elapsed:.2?})");

    drop(bench);
    let begun = Instant::now();
    let opened = open(directory)?;
    let mut effects = Effects::default();
    let config = SchedulerConfig::default();
    let again = Scheduler::recover(opened.snapshot, config, Duration::ZERO, &mut effects)?;
    println!("opened again in {:.2?}", begun.elapsed());
    let status = again.statuses().into_iter().next().ok_or("the sweep is gone")?;
    if status.state != SweepState::Done || status.trials_ok != trials {
        return Err(format!("not done after opening again: {status:?}").into());
    }
    Ok(())
}

/// Waits for every lease, completes every unit, then waits for every winner.
fn complete_all(bench: &mut Bench, batch: Vec<(Grant, Receiver<bool>)>) -> Outcome<u64> {
    let mut trials_done = 0;
    let mut won = Vec::with_capacity(batch.len());
    for (grant, durable) in &batch {
        if !durable.recv()? {
            return Err("a lease was not written".into());
        }
        let trials = grant.plan.trials_in(grant.range).count() as u32;
        trials_done += u64::from(trials);
        won.push((grant.unit, bench.settle(grant, trials)?));
    }
    for (unit, durable) in won {
        if !durable.recv()? {
            return Err("a winner was not written".into());
        }
        bench.event(|scheduler, _, effects| scheduler.published(unit, effects));
        bench.event(|scheduler, _, effects| scheduler.cleared(unit, effects));
    }
    Ok(trials_done)
}

/// Submits a sweep of one shape a unit.
fn submit(bench: &mut Bench, units: u64, per_unit: u64) -> Outcome<(u64, Duration)> {
    let batch_sizes = units.min(1_000);
    let steps = units.div_ceil(batch_sizes);
    let text = format!(
        "name = \"s\"\ntask = \"digits\"\n[axes]\nbatch_size = {{ range = [1, {}] }}\nsteps = {{ range = [1, {}] }}\nseed = {{ range = [0, {per_unit}] }}\n[measure]\nmetrics = []\nhistory = 0\n",
        batch_sizes + 1,
        steps + 1
    );
    let file = SweepFile::parse(&text, "cycles.toml")?;
    let begun = Instant::now();
    let (measure, block) = file.resolve(&TrainRows::default())?;
    let prepared = prepare(None, "s", measure, block)?;
    let elapsed = begun.elapsed();
    let (added, _, durable) =
        bench.event(|scheduler, _, effects| scheduler.submit(prepared, "", None, effects));
    durable.recv()?;
    Ok((added.ok_or("the sweep was not taken")?, elapsed))
}
