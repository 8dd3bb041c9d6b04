//! A scheduler with a log in memory and a clock that is moved by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use phasegrid_spec::{SweepFile, TrainRows, TrialIndex};

use crate::commit::StagedFile;
use crate::log::apply_to_snapshot;
use crate::model::{Cause, LeaseName, Snapshot, UnitKey};
use crate::scheduler::{
    Claim, Completion, Effects, Grant, HeartbeatAnswer, Job, LeaseAnswer, ListedLease, Prepared,
    Registration, Scheduler, SchedulerConfig, SweepState, SweepStatus, UnknownWorker, Verdict,
    invariants, prepare,
};

pub(super) struct Rig {
    pub(super) scheduler: Scheduler,
    /// What the log would hold.
    pub(super) durable: Snapshot,
    pub(super) now: Duration,
    /// Records written so far: what the log's disk has to bear.
    pub(super) written: usize,
    pub(super) jobs: Vec<Job>,
    pub(super) work_appeared: bool,
}

/// A sweep file of `trials` trials of one shape, by learning rates 1, 2, 3…
pub(super) fn one_shape(trials: u32) -> String {
    let rates: Vec<String> = (1..=trials).map(|rate| format!("{rate}.0")).collect();
    format!("name = \"s\"\ntask = \"digits\"\n[axes]\nlearning_rate = [{}]\n", rates.join(", "))
}

impl Rig {
    pub(super) fn new() -> Self {
        Self::with_config(SchedulerConfig::default())
    }

    pub(super) fn with_config(config: SchedulerConfig) -> Self {
        Self {
            scheduler: Scheduler::new(config),
            durable: Snapshot::default(),
            now: Duration::from_secs(1_000),
            written: 0,
            jobs: Vec::new(),
            work_appeared: false,
        }
    }

    /// Runs one event; its records become durable, its jobs are kept.
    pub(super) fn event<T>(
        &mut self,
        event: impl FnOnce(&mut Scheduler, Duration, &mut Effects) -> T,
    ) -> T {
        let mut effects = Effects::default();
        let answer = event(&mut self.scheduler, self.now, &mut effects);
        self.written += effects.records.len();
        for record in &effects.records {
            apply_to_snapshot(&mut self.durable, record);
        }
        self.jobs.append(&mut effects.jobs);
        self.work_appeared |= effects.work_appeared;
        invariants::check(&self.scheduler).unwrap();
        answer
    }

    pub(super) fn prepare(&self, sweep_file: &str) -> Prepared {
        let file = SweepFile::parse(sweep_file, "test.toml").unwrap();
        let (measure, block) = file.resolve(&TrainRows::default()).unwrap();
        let existing = self.scheduler.plan(&file.name);
        prepare(existing.as_deref(), &file.name, measure, block).unwrap()
    }

    pub(super) fn submit(&mut self, sweep_file: &str) -> u64 {
        let prepared = self.prepare(sweep_file);
        self.event(|scheduler, _, effects| scheduler.submit(prepared, "me", None, effects)).unwrap()
    }

    pub(super) fn register(&mut self, worker: &str) {
        self.register_as(worker, 1, 1 << 40);
    }

    pub(super) fn register_as(&mut self, worker: &str, slots: u32, memory: u64) {
        let registration = Registration {
            worker: worker.to_owned(),
            device: "cpu".to_owned(),
            slots,
            slot_memory_bytes: memory,
            datasets: BTreeMap::from([("digits".to_owned(), "fingerprint".to_owned())]),
            ..Registration::default()
        };
        self.register_exactly(registration);
    }

    pub(super) fn register_exactly(&mut self, registration: Registration) -> Option<String> {
        self.event(|scheduler, now, effects| scheduler.register(registration, now, effects))
    }

    pub(super) fn ask(&mut self, worker: &str) -> Result<LeaseAnswer, UnknownWorker> {
        self.event(|scheduler, now, effects| scheduler.lease(worker, now, effects))
    }

    pub(super) fn lease(&mut self, worker: &str) -> Grant {
        match self.ask(worker) {
            Ok(LeaseAnswer::Unit(grant)) => *grant,
            other => panic!("no lease for {worker}: {other:?}"),
        }
    }

    pub(super) fn refused(&mut self, worker: &str) -> String {
        match self.ask(worker) {
            Ok(LeaseAnswer::Nothing(reason)) => reason,
            other => panic!("{worker} was not refused: {other:?}"),
        }
    }

    pub(super) fn heartbeat(&mut self, worker: &str, held: &[&Grant]) -> HeartbeatAnswer {
        let listed: Vec<ListedLease> =
            held.iter().map(|grant| ListedLease { lease: name(grant), progress: 0.5 }).collect();
        self.event(|scheduler, now, effects| scheduler.heartbeat(worker, &listed, now, effects))
    }

    pub(super) fn fail(&mut self, worker: &str, grant: &Grant, cause: Cause) {
        let lease = name(grant);
        self.event(|scheduler, now, effects| {
            scheduler.fail(worker, &lease, cause, "boom", now, effects);
        });
    }

    /// Completes with intact files; all trials ok.
    pub(super) fn complete(&mut self, worker: &str, grant: &Grant) -> Verdict {
        let lease = name(grant);
        let claimed = lease.clone();
        let claim = self.event(|scheduler, now, effects| scheduler.claim(&claimed, now, effects));
        let trials = match claim {
            Claim::MayWin { trials } => trials,
            Claim::Decided(verdict) => return verdict,
        };
        self.settle(worker, lease, trials)
    }

    pub(super) fn settle(&mut self, worker: &str, lease: LeaseName, trials: u32) -> Verdict {
        let completion = Completion {
            worker: worker.to_owned(),
            manifest: vec![file_of(&lease, trials)],
            lease,
            ok: trials,
            diverged: 0,
            trial_steps_per_second: 0.0,
        };
        self.event(|scheduler, now, effects| scheduler.settle(completion, now, effects))
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.event(|scheduler, now, effects| scheduler.tick(now, effects));
    }

    /// Does every job on a store that never fails.
    pub(super) fn do_jobs(&mut self) {
        while let Some(job) = self.jobs.pop() {
            match job {
                Job::Publish { unit, .. } | Job::PublishFailed { unit, .. } => {
                    self.event(|scheduler, _, effects| scheduler.published(unit, effects));
                }
                Job::ClearUnit { unit, .. } => {
                    self.event(|scheduler, _, effects| scheduler.cleared(unit, effects));
                }
                Job::ClearAttempt { .. } | Job::ReplaceDocument { .. } => {}
            }
        }
    }

    /// The coordinator dies and comes back; the clock starts anew.
    pub(super) fn crash(&mut self) {
        let mut effects = Effects::default();
        let config = self.scheduler.config().clone();
        self.now = Duration::ZERO;
        self.jobs.clear();
        self.scheduler =
            Scheduler::recover(self.durable.clone(), config, self.now, &mut effects).unwrap();
        assert!(effects.records.is_empty(), "recovery writes nothing");
        self.jobs = effects.jobs;
        invariants::check(&self.scheduler).unwrap();
    }

    pub(super) fn status(&self) -> SweepStatus {
        self.scheduler.status(self.scheduler.sweep_id("s").unwrap()).unwrap()
    }

    pub(super) fn assert_done(&self, ok: u64, failed: u64) {
        let status = self.status();
        assert_eq!(status.state, SweepState::Done, "{status:?}");
        assert_eq!((status.trials_ok, status.trials_failed), (ok, failed));
        assert_eq!(status.trials_total, ok + failed);
    }

    /// Lets a worker do everything that is left, publishing as it goes.
    pub(super) fn drain(&mut self, worker: &str) {
        while let Ok(LeaseAnswer::Unit(grant)) = self.ask(worker) {
            assert_eq!(self.complete(worker, &grant), Verdict::Won);
            self.do_jobs();
        }
    }
}

pub(super) fn name(grant: &Grant) -> LeaseName {
    LeaseName { sweep: grant.sweep.to_string(), unit: grant.unit.unit, attempt: grant.attempt }
}

pub(super) fn positions(grant: &Grant) -> Vec<TrialIndex> {
    grant.plan.trials_in(grant.range).map(|(position, _)| position).collect()
}

pub(super) fn size(grant: &Grant) -> usize {
    positions(grant).len()
}

pub(super) fn key_of(grant: &Grant) -> UnitKey {
    grant.unit
}

pub(super) fn file_of(lease: &LeaseName, rows: u32) -> StagedFile {
    let LeaseName { sweep, unit, attempt } = lease;
    StagedFile {
        table: "trials".to_owned(),
        path: format!("_staging/{sweep}/{unit}/{attempt}/trials.parquet"),
        rows: u64::from(rows),
        bytes: 1,
        blake3: "0".repeat(64),
    }
}
