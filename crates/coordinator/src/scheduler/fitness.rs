//! Which worker may take which unit.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::sizing::TrialCost;
use super::state::Scheduler;
use super::sweep_book::SweepBook;
use super::unit::{Trouble, Unit};
use super::worker::Worker;

/// Why a worker cannot take a task of a sweep.
pub(super) fn data_mismatch(book: &SweepBook, task: &str, worker: &Worker) -> Option<String> {
    let Some(fingerprint) = worker.registration.datasets.get(task) else {
        return Some(format!("it does not have the data of task {task}"));
    };
    match book.pins.get(task) {
        Some(pinned) if pinned != fingerprint => Some(format!(
            "its data of task {task} has fingerprint {fingerprint}, the sweep is pinned to {pinned}"
        )),
        _ => None,
    }
}

impl Scheduler {
    /// Whether a waiting unit goes to this worker. A unit without trouble goes to any that has its
    /// data and memory for it; else it goes to workers not tried before, as long as there are such,
    /// and after out-of-memory to the largest of these.
    pub(super) fn suits(
        &self,
        book: &SweepBook,
        unit: &Unit,
        worker_name: &str,
        now: Duration,
    ) -> bool {
        let Some(worker) = self.workers.get(worker_name) else { return false };
        let Some(trial) = book.first_trial(unit.range) else { return false };
        if data_mismatch(book, &trial.task, worker).is_some() {
            return false;
        }
        let capacity = worker.capacity(now);
        let cost = TrialCost::estimate(&trial, book.plan.measure());
        if !capacity.has_time_for(&cost, u64::from(unit.trials)) {
            return false;
        }
        let candidates = || {
            self.working(now).filter(|(_, other)| {
                data_mismatch(book, &trial.task, other).is_none()
                    && other.capacity(now).has_time_for(&cost, u64::from(unit.trials))
            })
        };
        let memory = worker.registration.slot_memory_bytes;
        let fits = capacity.trials_in_memory(&cost);
        if u64::from(unit.trials) > fits
            && candidates().any(|(_, other)| other.registration.slot_memory_bytes > memory)
        {
            return false;
        }
        let Some(trouble) = &unit.trouble else { return true };
        is_next_to_try(trouble, worker_name, memory, candidates())
    }

    /// Working workers that have a task's data as the sweep wants it.
    pub(super) fn able(&self, book: &SweepBook, task: &str, now: Duration) -> BTreeSet<Arc<str>> {
        self.working(now)
            .filter(|(_, worker)| data_mismatch(book, task, worker).is_none())
            .map(|(name, _)| Arc::clone(name))
            .collect()
    }
}

fn is_next_to_try<'a>(
    trouble: &Trouble,
    name: &str,
    memory: u64,
    candidates: impl Iterator<Item = (&'a Arc<str>, &'a Worker)>,
) -> bool {
    let untried: Vec<(&Arc<str>, u64)> = candidates
        .filter(|(other, _)| !trouble.tried.contains(*other))
        .map(|(other, worker)| (other, worker.registration.slot_memory_bytes))
        .collect();
    if untried.is_empty() {
        return true;
    }
    let is_untried = untried.iter().any(|(other, _)| other.as_ref() == name);
    let largest = untried.iter().map(|(_, memory)| *memory).max().unwrap_or(0);
    is_untried && (!trouble.out_of_memory || memory >= largest)
}
