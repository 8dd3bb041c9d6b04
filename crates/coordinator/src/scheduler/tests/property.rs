//! Whatever happens in whatever order, every trial ends with exactly one visible outcome.
//!
//! The reference model is a map from trials to how often their rows are visible: units' final names
//! hold one attempt's rows each, and a publication replaces what is there.

use std::collections::{BTreeMap, BTreeSet};

use phasegrid_spec::TrialIndex;
use proptest::prelude::*;

use super::rig::{Rig, key_of, name};
use crate::model::{Cause, UnitKey};
use crate::scheduler::{Grant, Job, LeaseAnswer, SweepState, Verdict};

/// Something happens. Numbers pick among what there is, modulo its count.
#[derive(Clone, Debug)]
enum Step {
    Lease(u8),
    /// Any attempt ever given out, leased or long lost.
    Complete(u8),
    Fail(u8, u8),
    /// A worker lists a part of what it was given, by bits.
    Heartbeat(u8, u16),
    Pass(u8),
    /// A job on the store succeeds, fails, or finds the winner's files lost.
    Job(u8, u8),
    Submit(u8),
    Pause,
    Resume,
    Cancel,
    Retry,
    Crash,
    /// Every lease crashes, and so does what is leased then, a few times over.
    CrashAll,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => any::<u8>().prop_map(Step::Lease),
        6 => any::<u8>().prop_map(Step::Complete),
        3 => (any::<u8>(), any::<u8>()).prop_map(|(lease, cause)| Step::Fail(lease, cause)),
        3 => any::<u8>().prop_map(|lease| Step::Fail(lease, 0)),
        1 => Just(Step::CrashAll),
        4 => (any::<u8>(), any::<u16>()).prop_map(|(worker, held)| Step::Heartbeat(worker, held)),
        4 => any::<u8>().prop_map(Step::Pass),
        8 => (any::<u8>(), any::<u8>()).prop_map(|(job, outcome)| Step::Job(job, outcome)),
        1 => any::<u8>().prop_map(Step::Submit),
        1 => Just(Step::Pause),
        1 => Just(Step::Resume),
        1 => Just(Step::Cancel),
        1 => Just(Step::Retry),
        1 => Just(Step::Crash),
    ]
}

const WORKERS: [&str; 3] = ["a", "b", "c"];

/// Sweep files that overlap, with two shapes and excluded points.
fn sweep_file(number: u8) -> String {
    let rates = ["0.1, 0.2, 0.3", "0.3, 0.4, 0.5, 0.6", "0.1, 0.6, 0.7"][usize::from(number % 3)];
    format!(
        "name = \"s\"\ntask = \"digits\"\n[axes]\ndepth = [1, 2]\nlearning_rate = [{rates}]\nseed = [0, 1]\n[where]\nconditions = [\"learning_rate < 0.6 or seed < 1\"]\n"
    )
}

struct World {
    rig: Rig,
    /// Everything ever given out, and to whom.
    given: Vec<(usize, Grant)>,
    /// Trials visible under a unit's final name.
    visible: BTreeMap<UnitKey, Vec<TrialIndex>>,
    /// Attempts told that they won, by unit, and reopened since.
    winners: BTreeMap<UnitKey, u64>,
}

impl World {
    fn new() -> Self {
        let mut rig = Rig::new();
        rig.submit(&sweep_file(0));
        for worker in WORKERS {
            rig.register(worker);
        }
        Self { rig, given: Vec::new(), visible: BTreeMap::new(), winners: BTreeMap::new() }
    }

    fn pick(&self, number: u8) -> Option<(usize, Grant)> {
        let count = self.given.len();
        (count > 0).then(|| self.given[usize::from(number) % count].clone())
    }

    fn lease(&mut self, worker: usize) -> bool {
        let Ok(LeaseAnswer::Unit(grant)) = self.rig.ask(WORKERS[worker]) else { return false };
        let earlier = self.given.iter().filter(|(_, other)| other.unit == grant.unit);
        let highest = earlier.map(|(_, other)| other.attempt).max().unwrap_or(0);
        assert!(grant.attempt > highest, "attempts only grow");
        self.given.push((worker, *grant));
        true
    }

    fn complete(&mut self, worker: usize, grant: &Grant) {
        if self.rig.complete(WORKERS[worker], grant) != Verdict::Won {
            return;
        }
        let winner = *self.winners.entry(grant.unit).or_insert(grant.attempt);
        assert_eq!(winner, grant.attempt, "one winner a unit");
    }

    fn job(&mut self, number: u8, outcome: u8) {
        if self.rig.jobs.is_empty() {
            return;
        }
        let job = self.rig.jobs.swap_remove(usize::from(number) % self.rig.jobs.len());
        match (&job, outcome % 8) {
            (Job::Publish { unit, .. } | Job::PublishFailed { unit, .. }, 0) => {
                let unit = *unit;
                self.rig.event(|scheduler, now, effects| {
                    scheduler.publish_failed(unit, "injected".to_owned(), now, effects);
                });
            }
            (Job::Publish { unit, attempt, .. }, 1) => {
                let (unit, attempt) = (*unit, *attempt);
                self.winners.remove(&unit);
                self.rig.event(|scheduler, now, effects| {
                    scheduler.publish_lost(unit, attempt, "injected", now, effects);
                });
            }
            _ => self.succeed(&job),
        }
    }

    fn succeed(&mut self, job: &Job) {
        match job {
            Job::Publish { unit, .. } | Job::PublishFailed { unit, .. } => {
                let unit = *unit;
                let row = &self.rig.durable.sweeps[0].units[unit.unit as usize];
                let plan = self.rig.scheduler.plan("s").unwrap();
                let trials = plan.trials_in(row.range).map(|(position, _)| position).collect();
                self.visible.insert(unit, trials);
                self.rig.event(|scheduler, _, effects| scheduler.published(unit, effects));
            }
            Job::ClearUnit { unit, .. } => {
                let unit = *unit;
                self.rig.event(|scheduler, _, effects| scheduler.cleared(unit, effects));
            }
            Job::ClearAttempt { .. } | Job::ReplaceDocument { .. } => {}
        }
    }

    fn crash(&mut self) {
        self.rig.crash();
        for worker in WORKERS {
            self.rig.register(worker);
        }
    }

    fn crash_all(&mut self) {
        for _ in 0..12 {
            for worker in 0..WORKERS.len() {
                self.lease(worker);
            }
            let latest: Vec<_> = self.given.iter().rev().take(6).cloned().collect();
            for (worker, grant) in latest {
                self.rig.fail(WORKERS[worker], &grant, Cause::Crash);
            }
        }
    }

    fn run(&mut self, step: &Step) {
        let sweep = self.rig.scheduler.sweep_id("s").unwrap();
        match *step {
            Step::Lease(worker) => {
                self.lease(usize::from(worker) % WORKERS.len());
            }
            Step::Complete(number) => {
                if let Some((worker, grant)) = self.pick(number) {
                    self.complete(worker, &grant);
                }
            }
            Step::Fail(number, cause) => {
                if let Some((worker, grant)) = self.pick(number) {
                    let cause = Cause::ALL[usize::from(cause) % Cause::ALL.len()];
                    self.rig.fail(WORKERS[worker], &grant, cause);
                }
            }
            Step::Heartbeat(worker, held) => {
                let worker = usize::from(worker) % WORKERS.len();
                let own = self.given.iter().filter(|(holder, _)| *holder == worker);
                let listed: Vec<Grant> = (0..16)
                    .zip(own)
                    .filter(|(bit, _)| held & (1 << bit) != 0)
                    .map(|(_, (_, grant))| grant.clone())
                    .collect();
                self.rig.heartbeat(WORKERS[worker], &listed.iter().collect::<Vec<_>>());
            }
            Step::Pass(seconds) => self.rig.pass(u64::from(seconds)),
            Step::Job(number, outcome) => self.job(number, outcome),
            Step::Submit(number) => {
                self.rig.submit(&sweep_file(number));
            }
            Step::Pause => self.rig.event(|one, _, effects| one.pause(sweep, effects)),
            Step::Resume => self.rig.event(|one, _, effects| one.resume(sweep, effects)),
            Step::Cancel => self.rig.event(|one, _, effects| one.cancel(sweep, effects)),
            Step::Retry => {
                self.rig.event(|one, now, effects| one.retry(sweep, now, effects));
            }
            Step::Crash => self.crash(),
            Step::CrashAll => self.crash_all(),
        }
    }

    /// From here on everything works: the sweep must come to its end.
    fn finish(&mut self) {
        self.crash();
        self.rig.submit(&sweep_file(0));
        let sweep = self.rig.scheduler.sweep_id("s").unwrap();
        self.rig.event(|one, _, effects| one.resume(sweep, effects));
        for _ in 0..200 {
            while let Some(job) = self.rig.jobs.pop() {
                self.succeed(&job);
            }
            if self.rig.status().state == SweepState::Done {
                return;
            }
            for (worker, name) in WORKERS.iter().enumerate() {
                self.rig.register(name);
                while self.lease(worker) {
                    let (_, grant) = self.given.last().cloned().unwrap();
                    self.complete(worker, &grant);
                }
            }
            self.rig.pass(30);
        }
        panic!("the sweep never ends: {:?}", self.rig.status());
    }
}

proptest! {
    #[test]
    fn every_trial_ends_with_exactly_one_visible_outcome(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut world = World::new();
        for step in &steps {
            world.run(step);
        }
        world.finish();
        let plan = world.rig.scheduler.plan("s").unwrap();
        let all: BTreeSet<TrialIndex> = plan.trials().map(|(position, _)| position).collect();
        let visible: Vec<TrialIndex> = world.visible.values().flatten().copied().collect();
        prop_assert_eq!(visible.len(), all.len(), "no trial is visible twice");
        prop_assert_eq!(visible.into_iter().collect::<BTreeSet<_>>(), all);
        let status = world.rig.status();
        let outcomes = status.trials_ok + status.trials_diverged + status.trials_failed;
        prop_assert_eq!(outcomes, status.trials_total);
        // Nothing that was recorded contradicts what is visible.
        for (worker, grant) in world.given.clone() {
            if world.rig.complete(WORKERS[worker], &grant) == Verdict::Won {
                prop_assert!(world.visible.contains_key(&key_of(&grant)), "{:?}", name(&grant));
            }
        }
    }
}
