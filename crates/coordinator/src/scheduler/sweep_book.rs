//! All the scheduler knows of one sweep.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use phasegrid_spec::{Hyperparameters, Sweep, TrialRange};

use super::pending::PendingRanges;
use super::unit::{Unit, UnitState};
use crate::model::Phase;

/// One sweep's book: its plan, its pending ranges and its units.
#[derive(Clone, Debug)]
pub(super) struct SweepBook {
    pub(super) plan: Arc<Sweep>,
    /// Its blocks as JSON, in order.
    pub(super) blocks: Vec<Arc<str>>,
    pub(super) name: Arc<str>,
    /// `[measure]` as JSON, as units carry it.
    pub(super) measure: Arc<str>,
    pub(super) owner: String,
    pub(super) phase: Phase,
    /// Raw indices in no unit.
    pub(super) pending: PendingRanges,
    /// By number, none missing.
    pub(super) units: Vec<Unit>,
    /// Units by state, those only that something may still happen to.
    pub(super) waiting: BTreeSet<u64>,
    pub(super) leased: BTreeSet<u64>,
    pub(super) publishing: BTreeSet<u64>,
    /// Fingerprints by task.
    pub(super) pins: BTreeMap<String, String>,
    pub(super) idempotency_keys: BTreeMap<String, u64>,
    pub(super) counts: Counts,
    pub(super) last_failure: Option<String>,
    /// The latest trouble with publishing, until something is published.
    pub(super) store_trouble: Option<String>,
    /// Failures of data or store since the last success.
    pub(super) setbacks_in_a_row: u32,
    pub(super) attempts_failed: u64,
}

/// Trials of a sweep by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) total: u64,
    /// In units that account for them.
    pub(super) in_units: u64,
    /// Published.
    pub(super) ok: u64,
    pub(super) diverged: u64,
    pub(super) failed: u64,
    /// Units whose rows are visible.
    pub(super) units_published: u64,
}

impl Counts {
    pub(super) fn pending(&self) -> u64 {
        self.total.saturating_sub(self.in_units)
    }

    pub(super) fn published(&self) -> u64 {
        self.ok + self.diverged + self.failed
    }
}

impl SweepBook {
    pub(super) fn new(plan: Arc<Sweep>, measure: &str, owner: &str) -> Self {
        Self {
            name: plan.name().into(),
            plan,
            blocks: Vec::new(),
            measure: measure.into(),
            owner: owner.to_owned(),
            phase: Phase::Running,
            pending: PendingRanges::default(),
            units: Vec::new(),
            waiting: BTreeSet::new(),
            leased: BTreeSet::new(),
            publishing: BTreeSet::new(),
            pins: BTreeMap::new(),
            idempotency_keys: BTreeMap::new(),
            counts: Counts::default(),
            last_failure: None,
            store_trouble: None,
            setbacks_in_a_row: 0,
            attempts_failed: 0,
        }
    }

    pub(super) fn unit(&self, number: u64) -> Option<&Unit> {
        self.units.get(usize::try_from(number).ok()?)
    }

    pub(super) fn unit_mut(&mut self, number: u64) -> Option<&mut Unit> {
        self.units.get_mut(usize::try_from(number).ok()?)
    }

    pub(super) fn next_unit(&self) -> u64 {
        self.units.len() as u64
    }

    /// Adds a unit that covers `range`, which must be in no other that covers its trials.
    pub(super) fn push_unit(&mut self, unit: Unit) {
        if unit.covers_its_trials() {
            self.counts.in_units += u64::from(unit.trials);
            self.pending.remove(unit.range);
        }
        let number = self.next_unit();
        self.index(number, &unit.state);
        self.count(&unit, true);
        self.units.push(unit);
    }

    /// Changes a unit's state and every index and count that follows from it.
    pub(super) fn set_state(&mut self, number: u64, state: UnitState) {
        let Some(unit) = self.unit(number).cloned() else { return };
        let changed = Unit { state, ..unit.clone() };
        self.waiting.remove(&number);
        self.leased.remove(&number);
        self.publishing.remove(&number);
        self.index(number, &changed.state);
        self.count(&unit, false);
        self.count(&changed, true);
        if unit.covers_its_trials() && !changed.covers_its_trials() {
            self.counts.in_units -= u64::from(unit.trials);
            // A split unit's children take the range away again.
            self.pending.insert(unit.range);
        }
        if let Some(slot) = self.unit_mut(number) {
            *slot = changed;
        }
    }

    fn index(&mut self, number: u64, state: &UnitState) {
        match state {
            UnitState::Waiting { .. } => self.waiting.insert(number),
            UnitState::Leased(_) => self.leased.insert(number),
            UnitState::Won { .. } | UnitState::GivenUp { .. } => self.publishing.insert(number),
            UnitState::Published { .. }
            | UnitState::PublishedFailed { .. }
            | UnitState::Split
            | UnitState::Cancelled => false,
        };
    }

    fn count(&mut self, unit: &Unit, add: bool) {
        let (ok, diverged, failed) = match &unit.state {
            UnitState::Published { ok, diverged, .. } => (*ok, *diverged, 0),
            UnitState::PublishedFailed { .. } => (0, 0, unit.trials),
            _ => return,
        };
        let counts = &mut self.counts;
        let change = |count: &mut u64, by: u64| {
            *count = if add { *count + by } else { count.saturating_sub(by) };
        };
        change(&mut counts.ok, u64::from(ok));
        change(&mut counts.diverged, u64::from(diverged));
        change(&mut counts.failed, u64::from(failed));
        change(&mut counts.units_published, 1);
    }

    /// The first trial of a range, by which its shape, task and cost are known.
    pub(super) fn first_trial(&self, range: TrialRange) -> Option<Hyperparameters> {
        self.plan.trials_in(range).next().map(|(_, trial)| trial)
    }

    pub(super) fn is_done(&self) -> bool {
        self.counts.published() == self.counts.total
    }

    /// The earliest end of a back-off among waiting units that are not ready at `now`.
    pub(super) fn is_ready(&self, number: u64, now: Duration) -> bool {
        match self.unit(number).map(|unit| &unit.state) {
            Some(UnitState::Waiting { not_before }) => *not_before <= now,
            _ => false,
        }
    }
}
