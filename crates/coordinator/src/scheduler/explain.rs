//! Why is it not done? One sentence a reason, the most important first.

use std::time::Duration;

use phasegrid_spec::TrialIndex;

use super::fitness::data_mismatch;
use super::state::Scheduler;
use super::sweep_book::SweepBook;
use super::unit::{Unit, UnitState};
use crate::model::{Phase, SweepId};

impl Scheduler {
    /// Why a sweep is not done.
    pub fn explain_sweep(&self, sweep: SweepId, now: Duration) -> Vec<String> {
        let Some(book) = self.sweeps.get(&sweep) else { return Vec::new() };
        if book.is_done() {
            return vec![format!(
                "the sweep is done: every one of its {} trials has its published row",
                book.counts.total
            )];
        }
        let mut reasons = self.obstacles(book, now);
        reasons.extend(progress(book, now));
        if let Some(failure) = &book.last_failure {
            reasons.push(format!("the latest failure: {failure}"));
        }
        reasons
    }

    /// Why a trial is not done.
    pub fn explain_trial(&self, sweep: SweepId, trial: TrialIndex, now: Duration) -> Vec<String> {
        let Some(book) = self.sweeps.get(&sweep) else { return Vec::new() };
        let unit = (0_u64..)
            .zip(&book.units)
            .find(|(_, unit)| unit.covers_its_trials() && unit.range.contains(trial));
        let mut reasons = match unit {
            Some((number, unit)) => vec![stands(number, unit, now)],
            None => vec!["the trial is pending: it is in no unit yet".to_owned()],
        };
        let is_open = unit.is_none_or(|(_, unit)| unit.is_open());
        if let Some(trouble) = unit.and_then(|(_, unit)| unit.trouble.as_ref()) {
            reasons.push(format!("the latest failure of its unit: {}", trouble.last));
        }
        if is_open {
            reasons.extend(self.obstacles(book, now));
        }
        reasons
    }

    /// What keeps units from being leased or published.
    fn obstacles(&self, book: &SweepBook, now: Duration) -> Vec<String> {
        let mut reasons = Vec::new();
        match book.phase {
            Phase::Paused => reasons.push("the sweep is paused: resume it".to_owned()),
            Phase::Cancelled => {
                reasons.push("the sweep is cancelled: submit it again to go on".to_owned());
            }
            Phase::Running => {}
        }
        if let Some(trouble) = &book.store_trouble {
            reasons.push(format!(
                "{} units cannot be published, which is tried again: {trouble}",
                book.publishing.len()
            ));
        }
        for (name, worker) in &self.workers {
            let why_not = worker.refusal.as_ref().or(worker.quarantine.as_ref());
            if let Some(why_not) = why_not {
                reasons.push(format!("worker {name} gets no leases: {why_not}"));
            }
        }
        for task in book.plan.tasks() {
            let able = self.able(book, &task, now);
            if !able.is_empty() {
                let too_short: Vec<String> = able
                    .iter()
                    .filter_map(|name| self.too_short_of_time(book, name, now))
                    .collect();
                if too_short.len() == able.len() {
                    reasons.push(format!("no worker has the time: {}", too_short.join("; ")));
                }
                continue;
            }
            let mismatches: Vec<String> = self
                .working(now)
                .filter_map(|(name, worker)| {
                    let why_not = data_mismatch(book, &task, worker)?;
                    Some(format!("worker {name}: {why_not}"))
                })
                .collect();
            reasons.push(if mismatches.is_empty() {
                format!("no worker is there for task {task}: start one")
            } else {
                format!("no worker can take task {task}: {}", mismatches.join("; "))
            });
        }
        reasons
    }
}

/// How many trials stand where.
fn progress(book: &SweepBook, now: Duration) -> Vec<String> {
    let trials = |numbers: &mut dyn Iterator<Item = &u64>| -> u64 {
        numbers.filter_map(|unit| book.unit(*unit)).map(|unit| u64::from(unit.trials)).sum()
    };
    let (ready, backing_off): (Vec<u64>, Vec<u64>) =
        book.waiting.iter().partition(|unit| book.is_ready(**unit, now));
    let stands = [
        (book.counts.pending(), "pending, in no unit yet"),
        (trials(&mut ready.iter()), "in units that wait for a worker"),
        (trials(&mut backing_off.iter()), "in units that wait after a failure"),
        (trials(&mut book.leased.iter()), "being trained"),
        (trials(&mut book.publishing.iter()), "trained and being published"),
    ];
    stands
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, where_to)| format!("{count} trials are {where_to}"))
        .collect()
}

fn stands(number: u64, unit: &Unit, now: Duration) -> String {
    match &unit.state {
        UnitState::Waiting { not_before } if *not_before > now => format!(
            "its unit {number} waits {} s more after a failure",
            (*not_before - now).as_secs() + 1
        ),
        UnitState::Waiting { .. } => format!("its unit {number} waits for a worker"),
        UnitState::Leased(lease) => format!(
            "its unit {number} is being trained by worker {}, attempt {}, {:.0} % done",
            lease.worker,
            unit.attempt,
            lease.progress * 100.0
        ),
        UnitState::Won { winner, .. } => {
            format!("its unit {number} was trained by attempt {winner} and is being published")
        }
        UnitState::GivenUp { reason, .. } => {
            format!("its unit {number} failed for good and is being recorded: {reason}")
        }
        UnitState::Published { winner, .. } => {
            format!("it is done: its unit {number} is published, from attempt {winner}")
        }
        UnitState::PublishedFailed { reason } => {
            format!("it is recorded as failed in unit {number}: {reason}; `retry` tries it again")
        }
        UnitState::Split | UnitState::Cancelled => format!("its unit {number} is closed"),
    }
}
