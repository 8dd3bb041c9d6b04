//! Workers whose life is limited, and what they have no time for.

use std::time::Duration;

use super::fitness::data_mismatch;
use super::sizing::TrialCost;
use super::state::Scheduler;
use super::sweep_book::SweepBook;
use crate::model::{SweepId, UnitKey};

impl Scheduler {
    /// A waiting unit of several trials that no working worker has the time for, though this one has
    /// it for a single trial of them.
    pub(super) fn too_long_for_all(
        &self,
        sweep: SweepId,
        worker: &str,
        now: Duration,
    ) -> Option<UnitKey> {
        let book = self.sweeps.get(&sweep)?;
        let capacity = self.workers.get(worker)?.capacity(now);
        capacity.time_left?;
        let number = book.waiting.iter().copied().find(|number| {
            let Some(unit) = book.unit(*number).filter(|unit| unit.trials > 1) else {
                return false;
            };
            let Some(trial) = book.first_trial(unit.range) else { return false };
            let cost = TrialCost::estimate(&trial, book.plan.measure());
            let able = |known| data_mismatch(book, &trial.task, known).is_none();
            book.is_ready(*number, now)
                && self.workers.get(worker).is_some_and(able)
                && capacity.has_time_for(&cost, 1)
                && !self.working(now).any(|(_, other)| {
                    able(other) && other.capacity(now).has_time_for(&cost, unit.trials.into())
                })
        })?;
        Some(UnitKey { sweep, unit: number })
    }

    /// Why a worker has no time for the first of a sweep's trials that wait, if it has not.
    pub(super) fn too_short_of_time(
        &self,
        book: &SweepBook,
        worker: &str,
        now: Duration,
    ) -> Option<String> {
        let capacity = self.workers.get(worker)?.capacity(now);
        let left = capacity.time_left?;
        let waiting = book.waiting.iter().find_map(|number| book.unit(*number));
        let range = waiting.map(|unit| unit.range).or_else(|| book.pending.iter().next())?;
        let trial = book.first_trial(range)?;
        let cost = TrialCost::estimate(&trial, book.plan.measure());
        (!capacity.has_time_for(&cost, 1)).then(|| {
            format!(
                "worker {worker} has {} s left to live, one trial is estimated to take {} s: start one with a longer --time-limit",
                left.as_secs(),
                capacity.time_for(&cost, 1).as_secs()
            )
        })
    }
}
