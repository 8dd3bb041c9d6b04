//! The scheduler's state, and the few changes every handler is made of.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use phasegrid_spec::Sweep;

use super::config::SchedulerConfig;
use super::effects::{Effects, Job};
use super::sweep_book::SweepBook;
use super::unit::{Lease, Unit, UnitState};
use super::worker::Worker;
use crate::model::{Phase, Record, SweepId, UnitKey};

/// Sweeps, workers and leases. See the module's docs.
#[derive(Debug)]
pub struct Scheduler {
    pub(super) config: SchedulerConfig,
    pub(super) sweeps: BTreeMap<SweepId, SweepBook>,
    pub(super) by_name: HashMap<Arc<str>, SweepId>,
    pub(super) workers: HashMap<Arc<str>, Worker>,
    /// When each lease runs out.
    pub(super) expiries: BTreeSet<(Duration, UnitKey)>,
    /// When to look at a unit again: its back-off ends, or its publishing is tried again. An alarm
    /// may be out of date; the unit's state decides.
    pub(super) alarms: BTreeSet<(Duration, UnitKey)>,
    /// The sweep that got the last lease.
    pub(super) last_served: SweepId,
    /// Slots of all working workers, and when they were counted.
    pub(super) slots: Option<(Duration, u64)>,
}

/// What a sweep's document says.
#[derive(Clone, Debug)]
pub struct DocumentParts {
    /// Its name and `[measure]`.
    pub plan: Arc<Sweep>,
    /// Its blocks as JSON, in order.
    pub blocks: Vec<Arc<str>>,
    /// Who submitted it.
    pub owner: String,
    /// Pinned fingerprints by task.
    pub datasets: BTreeMap<String, String>,
}

impl Scheduler {
    /// A scheduler that knows nothing.
    pub fn new(config: SchedulerConfig) -> Self {
        Self {
            config,
            sweeps: BTreeMap::new(),
            by_name: HashMap::new(),
            workers: HashMap::new(),
            expiries: BTreeSet::new(),
            alarms: BTreeSet::new(),
            last_served: SweepId(0),
            slots: None,
        }
    }

    /// Its settings.
    pub fn config(&self) -> &SchedulerConfig {
        &self.config
    }

    /// The number of a sweep.
    pub fn sweep_id(&self, name: &str) -> Option<SweepId> {
        self.by_name.get(name).copied()
    }

    /// What a sweep's document says.
    pub fn document_parts(&self, sweep: SweepId) -> Option<DocumentParts> {
        let book = self.sweeps.get(&sweep)?;
        Some(DocumentParts {
            plan: Arc::clone(&book.plan),
            blocks: book.blocks.clone(),
            owner: book.owner.clone(),
            datasets: book.pins.clone(),
        })
    }

    /// A sweep's plan.
    pub fn plan(&self, name: &str) -> Option<Arc<Sweep>> {
        let book = self.sweeps.get(self.by_name.get(name)?)?;
        Some(Arc::clone(&book.plan))
    }

    pub(super) fn book(&self, key: UnitKey) -> Option<&SweepBook> {
        self.sweeps.get(&key.sweep)
    }

    pub(super) fn unit(&self, key: UnitKey) -> Option<&Unit> {
        self.book(key)?.unit(key.unit)
    }

    pub(super) fn unit_mut(&mut self, key: UnitKey) -> Option<&mut Unit> {
        self.sweeps.get_mut(&key.sweep)?.unit_mut(key.unit)
    }

    /// Changes a unit's state; a lease that ends here leaves no trace elsewhere.
    pub(super) fn set_state(&mut self, key: UnitKey, state: UnitState) {
        if let Some(lease) = self.unit(key).and_then(Unit::lease).cloned() {
            self.expiries.remove(&(lease.expires, key));
            if let Some(worker) = self.workers.get_mut(&lease.worker) {
                worker.leases.remove(&key);
            }
        }
        if let UnitState::Leased(lease) = &state {
            self.expiries.insert((lease.expires, key));
            if let Some(worker) = self.workers.get_mut(&lease.worker) {
                worker.leases.insert(key);
            }
        }
        if let Some(book) = self.sweeps.get_mut(&key.sweep) {
            book.set_state(key.unit, state);
        }
    }

    /// Gives the unit to a worker from `now` on; the attempt is the caller's business.
    pub(super) fn hold(&mut self, key: UnitKey, worker: &Arc<str>, now: Duration, term: Duration) {
        let lease =
            Lease { worker: Arc::clone(worker), granted: now, expires: now + term, progress: 0.0 };
        self.set_state(key, UnitState::Leased(lease));
    }

    /// A full term more for a lease.
    pub(super) fn extend(&mut self, key: UnitKey, now: Duration, progress: Option<f64>) {
        let expires = now + self.config.lease;
        let Some(unit) = self.unit_mut(key) else { return };
        let UnitState::Leased(lease) = &mut unit.state else { return };
        let before = std::mem::replace(&mut lease.expires, expires);
        if let Some(progress) = progress {
            lease.progress = progress;
        }
        self.expiries.remove(&(before, key));
        self.expiries.insert((expires, key));
    }

    /// Puts an open unit back, to be leased not before the given time.
    pub(super) fn put_back(&mut self, key: UnitKey, not_before: Duration, effects: &mut Effects) {
        self.set_state(key, UnitState::Waiting { not_before });
        self.alarms.insert((not_before, key));
        effects.record(Record::UnitFreed { unit: key });
        effects.work_appeared = true;
    }

    /// Closes an open unit whose sweep is cancelled. One whose failed trial was being tried again goes
    /// back to failed: its row is visible, and another unit would add a second one.
    pub(super) fn close(&mut self, key: UnitKey, effects: &mut Effects) {
        if let Some(reason) = self.unit(key).and_then(|unit| unit.failed_row.clone()) {
            effects.record(Record::UnitGivenUp { unit: key, reason: reason.clone() });
            effects.record(Record::UnitPublished { unit: key });
            self.set_state(key, UnitState::PublishedFailed { reason });
            self.clear_attempts(key, effects);
            return;
        }
        self.set_state(key, UnitState::Cancelled);
        effects.record(Record::UnitCancelled { unit: key });
        self.clear_attempts(key, effects);
    }

    /// Asks for everything a unit staged to be removed.
    pub(super) fn clear_attempts(&self, key: UnitKey, effects: &mut Effects) {
        if let Some(book) = self.book(key) {
            let sweep = Arc::clone(&book.name);
            effects.jobs.push(Job::ClearAttempt { sweep, unit: key.unit, attempt: None });
        }
    }

    pub(super) fn is_cancelled(&self, sweep: SweepId) -> bool {
        self.sweeps.get(&sweep).is_some_and(|book| book.phase == Phase::Cancelled)
    }
}
