//! How a sweep stands, in numbers.

use std::collections::BTreeSet;
use std::time::Duration;

use super::state::Scheduler;
use super::sweep_book::SweepBook;
use super::unit::Unit;
use crate::model::{Phase, SweepId};

/// A sweep's state as users see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepState {
    /// Units are leased, or will be.
    Running,
    /// No new leases.
    Paused,
    /// Every trial has its published row.
    Done,
    /// Open units are closed.
    Cancelled,
}

/// A sweep in numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepStatus {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: SweepState,
    /// Trials of all its blocks.
    pub trials_total: u64,
    /// Published with status ok.
    pub trials_ok: u64,
    /// Published with status diverged.
    pub trials_diverged: u64,
    /// Published with status failed.
    pub trials_failed: u64,
    /// In units leased now.
    pub trials_running: u64,
    /// Share of the steps of these that is done.
    pub running_progress: f64,
    /// Units waiting or leased.
    pub units_open: u64,
    /// Units whose winner is fixed and whose rows are not visible yet.
    pub units_publishing: u64,
    /// Units whose rows are visible.
    pub units_published: u64,
    /// Workers that hold a lease of the sweep.
    pub workers: u32,
    /// The latest failure in words, or empty.
    pub last_failure: String,
    /// Attempts that ended without a result.
    pub attempts_failed: u64,
    /// Failures of data or store, of attempts or of publishing, since the last success.
    pub setbacks_in_a_row: u32,
    /// Why publishing does not get on, or empty.
    pub store_trouble: String,
}

impl Scheduler {
    /// Every sweep, oldest first.
    pub fn statuses(&self) -> Vec<SweepStatus> {
        self.sweeps.values().map(status_of).collect()
    }

    /// One sweep.
    pub fn status(&self, sweep: SweepId) -> Option<SweepStatus> {
        self.sweeps.get(&sweep).map(status_of)
    }

    /// Workers heard of within a lease's term.
    pub fn live_workers(&self, now: Duration) -> usize {
        self.workers.values().filter(|one| self.is_live(one, now)).count()
    }
}

fn status_of(book: &SweepBook) -> SweepStatus {
    let leased: Vec<&Unit> = book.leased.iter().filter_map(|unit| book.unit(*unit)).collect();
    let trials_running: u64 = leased.iter().map(|unit| u64::from(unit.trials)).sum();
    let done: f64 = leased
        .iter()
        .map(|unit| f64::from(unit.trials) * unit.lease().map_or(0.0, |lease| lease.progress))
        .sum();
    let holders: BTreeSet<&str> =
        leased.iter().filter_map(|unit| unit.lease()).map(|lease| lease.worker.as_ref()).collect();
    let state = if book.is_done() {
        SweepState::Done
    } else {
        match book.phase {
            Phase::Running => SweepState::Running,
            Phase::Paused => SweepState::Paused,
            Phase::Cancelled => SweepState::Cancelled,
        }
    };
    SweepStatus {
        name: book.name.to_string(),
        state,
        trials_total: book.counts.total,
        trials_ok: book.counts.ok,
        trials_diverged: book.counts.diverged,
        trials_failed: book.counts.failed,
        trials_running,
        running_progress: if trials_running == 0 { 0.0 } else { done / trials_running as f64 },
        units_open: (book.waiting.len() + book.leased.len()) as u64,
        units_publishing: book.publishing.len() as u64,
        units_published: book.counts.units_published,
        workers: holders.len() as u32,
        last_failure: book.last_failure.clone().unwrap_or_default(),
        attempts_failed: book.attempts_failed,
        setbacks_in_a_row: book.setbacks_in_a_row,
        store_trouble: book.store_trouble.clone().unwrap_or_default(),
    }
}
