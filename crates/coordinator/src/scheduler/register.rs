//! Workers come, are heard of, and go.

use std::sync::Arc;
use std::time::Duration;

use super::effects::Effects;
use super::state::Scheduler;
use super::worker::{Registration, Worker};

impl Scheduler {
    /// A worker introduces itself, for the first time or again; it keeps its leases. Answers why it
    /// will get none, if so.
    pub fn register(
        &mut self,
        registration: Registration,
        now: Duration,
        effects: &mut Effects,
    ) -> Option<String> {
        let expected = &self.config.registry_hash;
        let mismatch = !expected.is_empty() && registration.registry_hash != *expected;
        let refusal = mismatch.then(|| {
            format!(
                "this worker's build ({}) defines hyperparameters or columns differently from the coordinator's: its registry hash is {}, expected {expected}; run the same release on both",
                registration.build, registration.registry_hash
            )
        });
        let name: Arc<str> = registration.worker.as_str().into();
        let worker = self.workers.entry(name).or_insert_with(|| Worker::unregistered("", now));
        worker.ends = registration.time_limit.map(|limit| now + limit);
        worker.registration = registration;
        worker.registered = true;
        worker.last_seen = now;
        worker.refusal.clone_from(&refusal);
        self.slots = None;
        effects.work_appeared = true;
        effects.status_changed = true;
        refusal
    }

    /// Notes that a worker was heard of; false if it has to register (again).
    pub(super) fn saw(&mut self, worker: &str, now: Duration) -> bool {
        match self.workers.get_mut(worker) {
            Some(known) => {
                known.last_seen = now;
                known.registered
            }
            None => false,
        }
    }

    /// Whether a worker was heard of within a lease's term.
    pub(super) fn is_live(&self, worker: &Worker, now: Duration) -> bool {
        worker.last_seen + self.config.lease >= now
    }

    /// Workers that may get leases, are there and whose time is not over.
    pub(super) fn working(&self, now: Duration) -> impl Iterator<Item = (&Arc<str>, &Worker)> {
        self.workers.iter().filter(move |(_, one)| {
            one.may_work() && self.is_live(one, now) && one.ends.is_none_or(|ends| ends > now)
        })
    }

    /// Slots of all working workers, counted at most once a second.
    pub(super) fn count_slots(&mut self, now: Duration) -> u64 {
        match self.slots {
            Some((counted, slots)) if counted + Duration::from_secs(1) > now => slots,
            _ => {
                let slots =
                    self.working(now).map(|(_, one)| u64::from(one.registration.slots)).sum();
                self.slots = Some((now, slots));
                slots
            }
        }
    }

    /// Forgets workers that have been gone for long and hold nothing.
    pub(super) fn forget_gone_workers(&mut self, now: Duration) {
        let kept_for = self.config.lease * 20;
        self.workers.retain(|_, one| !one.leases.is_empty() || one.last_seen + kept_for >= now);
    }
}
