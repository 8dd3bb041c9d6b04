//! Heartbeats: leases live by them. And what happens when time passes without one.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::effects::Effects;
use super::state::Scheduler;
use super::unit::UnitState;
use crate::model::{Cause, LeaseName, Phase, Record, UnitKey};

/// A lease a worker says it holds.
#[derive(Clone, Debug)]
pub struct ListedLease {
    /// The lease.
    pub lease: LeaseName,
    /// Share of the unit's steps done, 0 to 1.
    pub progress: f64,
}

/// The answer to a heartbeat.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeartbeatAnswer {
    /// Leases to drop.
    pub cancelled: Vec<LeaseName>,
    /// The worker has to register (again); it keeps its leases.
    pub register_again: bool,
}

impl Scheduler {
    /// A worker lists the leases it holds. They get a full term; those it holds here but does not
    /// list are freed, unless so young that the list may be older; those it must drop are named.
    pub fn heartbeat(
        &mut self,
        worker: &str,
        listed: &[ListedLease],
        now: Duration,
        effects: &mut Effects,
    ) -> HeartbeatAnswer {
        let register_again = !self.saw(worker, now);
        let mut answer = HeartbeatAnswer { cancelled: Vec::new(), register_again };
        let mut kept = BTreeSet::new();
        for one in listed {
            match self.keep(worker, one, now, effects) {
                Some(key) => {
                    kept.insert(key);
                }
                // Before it has registered (again), a worker is told only what is decided.
                None if register_again && self.may_win(&one.lease) => {}
                None => answer.cancelled.push(one.lease.clone()),
            }
        }
        for (key, attempt) in self.unlisted(worker, &kept, now) {
            let message = "its worker no longer lists it";
            self.attempt_ended(key, attempt, worker, Cause::Lost, message, now, effects);
        }
        self.debug_check();
        answer
    }

    /// Keeps a listed lease alive; none if it is to be dropped.
    fn keep(
        &mut self,
        worker: &str,
        listed: &ListedLease,
        now: Duration,
        effects: &mut Effects,
    ) -> Option<UnitKey> {
        let lease = &listed.lease;
        let key = UnitKey { sweep: self.sweep_id(&lease.sweep)?, unit: lease.unit };
        let unit = self.unit(key)?;
        let is_latest = unit.attempt == lease.attempt;
        match &unit.state {
            UnitState::Leased(held) if is_latest && held.worker.as_ref() == worker => {
                self.extend(key, now, Some(listed.progress.clamp(0.0, 1.0)));
                Some(key)
            }
            // Freed too early, and not given out again: the worker goes on with it.
            UnitState::Waiting { .. } if is_latest => {
                self.revive(key, lease.attempt, worker, now, effects)
            }
            // Its worker is about to learn that it won.
            UnitState::Won { winner, .. } | UnitState::Published { winner, .. }
                if *winner == lease.attempt =>
            {
                Some(key)
            }
            _ => None,
        }
    }

    fn revive(
        &mut self,
        key: UnitKey,
        attempt: u64,
        worker: &str,
        now: Duration,
        effects: &mut Effects,
    ) -> Option<UnitKey> {
        let (name, known) = self.workers.get_key_value(worker)?;
        let runs = self.book(key)?.phase != Phase::Cancelled;
        if !runs || !known.may_work() || attempt == 0 {
            return None;
        }
        let name = Arc::clone(name);
        self.hold(key, &name, now, self.config.lease);
        effects.record(Record::UnitLeased { unit: key, attempt, worker: worker.to_owned() });
        Some(key)
    }

    fn unlisted(
        &self,
        worker: &str,
        kept: &BTreeSet<UnitKey>,
        now: Duration,
    ) -> Vec<(UnitKey, u64)> {
        let Some(known) = self.workers.get(worker) else { return Vec::new() };
        let unlisted = known.leases.difference(kept).filter_map(|key| {
            let unit = self.unit(*key)?;
            let is_old = unit.lease()?.granted + self.config.heartbeat <= now;
            is_old.then_some((*key, unit.attempt))
        });
        unlisted.collect()
    }

    /// Time has passed: leases run out, back-offs end, publishing is tried again.
    pub fn tick(&mut self, now: Duration, effects: &mut Effects) {
        while let Some((expires, key)) = self.expiries.first().copied() {
            if expires > now {
                break;
            }
            let Some((attempt, worker)) = self.unit(key).and_then(|unit| {
                unit.lease().map(|lease| (unit.attempt, Arc::clone(&lease.worker)))
            }) else {
                self.expiries.remove(&(expires, key));
                continue;
            };
            let message = "no heartbeat for a lease's term";
            self.attempt_ended(key, attempt, &worker, Cause::Lost, message, now, effects);
        }
        while let Some((at, key)) = self.alarms.first().copied() {
            if at > now {
                break;
            }
            self.alarms.remove(&(at, key));
            match self.unit(key).map(|unit| &unit.state) {
                Some(UnitState::Waiting { .. }) => effects.work_appeared = true,
                Some(_) => self.retry_publishing(key, now, effects),
                None => {}
            }
        }
        self.forget_gone_workers(now);
        self.debug_check();
    }
}
