//! Failed attempts: who is to blame, and what becomes of the unit.

use std::sync::Arc;
use std::time::Duration;

use phasegrid_spec::TrialRange;

use super::effects::Effects;
use super::state::Scheduler;
use super::unit::{Publishing, Unit, UnitState};
use crate::model::{Cause, LeaseName, Record, UnitKey, failure_line};

impl Scheduler {
    /// A worker says its attempt ended without a result. Only the current lease's word counts.
    pub fn fail(
        &mut self,
        worker: &str,
        lease: &LeaseName,
        cause: Cause,
        message: &str,
        now: Duration,
        effects: &mut Effects,
    ) {
        self.saw(worker, now);
        let Some(sweep) = self.sweep_id(&lease.sweep) else { return };
        let key = UnitKey { sweep, unit: lease.unit };
        let is_current = self.unit(key).is_some_and(|unit| {
            unit.attempt == lease.attempt
                && unit.lease().is_some_and(|held| held.worker.as_ref() == worker)
        });
        if is_current {
            self.attempt_ended(key, lease.attempt, worker, cause, message, now, effects);
            self.debug_check();
        }
    }

    /// Books a failed attempt of a leased unit and decides what becomes of the unit.
    #[allow(clippy::too_many_arguments)] // one event's facts; a struct would be built and taken apart once
    pub(super) fn attempt_ended(
        &mut self,
        key: UnitKey,
        attempt: u64,
        worker: &str,
        cause: Cause,
        message: &str,
        now: Duration,
        effects: &mut Effects,
    ) {
        let line = failure_line(key.unit, attempt, worker, cause, message);
        effects.record(Record::AttemptFailed {
            unit: key,
            attempt,
            worker: worker.to_owned(),
            cause,
            message: message.to_owned(),
        });
        if let Some(book) = self.sweeps.get_mut(&key.sweep) {
            book.attempts_failed += 1;
            if matches!(cause, Cause::Data | Cause::Store) {
                book.setbacks_in_a_row = book.setbacks_in_a_row.saturating_add(1);
            }
            book.last_failure = Some(line.clone());
        }
        if let Some(unit) = self.unit_mut(key) {
            note_failure(unit, worker, cause, line);
        }
        self.note_crash_of(worker, key, cause, now);
        self.decide(key, cause, now, effects);
    }

    /// What becomes of a unit whose attempt just failed.
    fn decide(&mut self, key: UnitKey, cause: Cause, now: Duration, effects: &mut Effects) {
        let Some(unit) = self.unit(key) else { return };
        let trouble = unit.trouble.as_deref().cloned().unwrap_or_default();
        let is_group = unit.trials > 1;
        if cause.blames_the_trial() {
            if is_group {
                return self.split(key, effects);
            }
            if self.is_hopeless(key, now) {
                let reason = format!(
                    "failed {} times with no other trial in its unit; the last time: {}",
                    trouble.crashes_alone, trouble.last
                );
                return self.give_up(key, reason, effects);
            }
            return self.put_back(key, now, effects);
        }
        if is_group && trouble.setbacks > self.config.setbacks_to_split {
            return self.split(key, effects);
        }
        // A worker that goes in good order says nothing about when to try again.
        let wait = match cause {
            Cause::HandedBack => Duration::ZERO,
            _ => self.config.backoff_after(trouble.setbacks),
        };
        self.put_back(key, now + wait, effects);
    }

    /// Crashed often enough alone, and on two workers if there are two that can take it.
    fn is_hopeless(&self, key: UnitKey, now: Duration) -> bool {
        let Some(book) = self.book(key) else { return false };
        let Some(unit) = book.unit(key.unit) else { return false };
        let Some(trouble) = &unit.trouble else { return false };
        if trouble.crashes_alone < self.config.crashes_to_fail {
            return false;
        }
        let Some(trial) = book.first_trial(unit.range) else { return true };
        let able = self.able(book, &trial.task, now);
        trouble.crashed_on.len() >= 2 || able.difference(&trouble.crashed_on).next().is_none()
    }

    /// Closes the unit and cuts two in its place, in one transaction.
    pub(super) fn split(&mut self, key: UnitKey, effects: &mut Effects) {
        let Some(book) = self.book(key) else { return };
        let Some(unit) = book.unit(key.unit) else { return };
        let (range, trials, root) = (unit.range, unit.trials, unit.root);
        let first_half = trials / 2;
        let middle = book.plan.trials_in(range).nth(first_half as usize);
        let Some((middle, _)) = middle else { return };
        self.set_state(key, UnitState::Split);
        effects.record(Record::UnitSplit { unit: key });
        self.clear_attempts(key, effects);
        let halves = [
            (TrialRange { end: middle.index, ..range }, first_half),
            (TrialRange { start: middle.index, ..range }, trials - first_half),
        ];
        for (range, trials) in halves {
            let Some(book) = self.sweeps.get_mut(&key.sweep) else { return };
            let unit = UnitKey { sweep: key.sweep, unit: book.next_unit() };
            book.push_unit(Unit::waiting(range, trials, root));
            effects.record(Record::UnitCut { unit, range, trials, root });
        }
        effects.work_appeared = true;
    }

    fn give_up(&mut self, key: UnitKey, reason: String, effects: &mut Effects) {
        effects.record(Record::UnitGivenUp { unit: key, reason: reason.clone() });
        self.set_state(key, UnitState::GivenUp { reason, publishing: Publishing::default() });
        self.start_publishing(key, effects);
    }

    /// A worker that crashes on unit after unit is not to be trusted. The last one that works is kept:
    /// without it nothing would ever end, and trials that crash alone are failed anyway.
    fn note_crash_of(&mut self, name: &str, key: UnitKey, cause: Cause, now: Duration) {
        // Out of memory is known to be about size.
        if !matches!(cause, Cause::Crash | Cause::Refused) {
            return;
        }
        let root = self.unit(key).map_or(key.unit, |unit| unit.root);
        let others = self.working(now).any(|(other, _)| other.as_ref() != name);
        let limit = self.config.crashes_to_quarantine;
        let Some(worker) = self.workers.get_mut(name) else { return };
        worker.crashed_roots.insert((key.sweep, root));
        if worker.crashed_roots.len() >= limit && others && worker.quarantine.is_none() {
            worker.quarantine = Some(format!(
                "this worker is quarantined: its trainer crashed on {limit} different units in a row; restart it when the cause is found"
            ));
        }
    }
}

/// Adds a failure to the unit's record; on recovery, from the log.
pub(super) fn note_failure(unit: &mut Unit, worker: &str, cause: Cause, line: String) {
    let is_alone = unit.trials == 1;
    let name: Arc<str> = worker.into();
    let trouble = unit.trouble_mut();
    trouble.last = line;
    if cause.blames_the_trial() {
        if is_alone {
            trouble.crashes_alone += 1;
            trouble.crashed_on.insert(Arc::clone(&name));
            trouble.tried.insert(name);
        }
        trouble.out_of_memory |= cause == Cause::OutOfMemory;
        return;
    }
    if cause == Cause::Data {
        trouble.tried.insert(name);
    }
    trouble.setbacks += 1;
}
