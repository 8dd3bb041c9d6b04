//! Giving units to workers.

use std::sync::Arc;
use std::time::Duration;

use phasegrid_proto::limits;
use phasegrid_spec::{Hyperparameters, Sweep, TrialRange};

use super::effects::{Effects, Job};
use super::fitness::data_mismatch;
use super::sizing::{TrialCost, trials_for_unit};
use super::state::Scheduler;
use super::unit::Unit;
use crate::model::{Phase, Record, SweepId, UnitKey};

/// Leases a worker may hold per slot: one being trained, others being fetched or uploaded.
const LEASES_PER_SLOT: usize = 4;

/// A unit for a worker. The trials are enumerated by the service, outside the scheduler.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The unit.
    pub unit: UnitKey,
    /// Its sweep's name.
    pub sweep: Arc<str>,
    /// The attempt.
    pub attempt: u64,
    /// The sweep, to enumerate the trials from.
    pub plan: Arc<Sweep>,
    /// The unit's raw indices.
    pub range: TrialRange,
    /// `[measure]` as JSON.
    pub measure: Arc<str>,
    /// Fingerprint the task's data must have.
    pub dataset: String,
    /// How long the lease lasts without a heartbeat.
    pub lease: Duration,
}

/// The answer to a worker that asks for work.
#[derive(Clone, Debug)]
pub enum LeaseAnswer {
    /// Train this.
    Unit(Box<Grant>),
    /// Nothing now, and why.
    Nothing(String),
}

/// The worker is not registered: it has to register (again), then ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownWorker;

/// The next unit's place and size, found but not yet cut.
struct Cut {
    /// All of the front that is in one shape.
    front: TrialRange,
    task: Arc<str>,
    trials: u32,
    range: TrialRange,
}

impl Scheduler {
    /// A worker asks for a unit. Sweeps take turns; within one, units that wait go before new ones.
    pub fn lease(
        &mut self,
        worker: &str,
        now: Duration,
        effects: &mut Effects,
    ) -> Result<LeaseAnswer, UnknownWorker> {
        if !self.saw(worker, now) {
            return Err(UnknownWorker);
        }
        let Some((name, known)) = self.workers.get_key_value(worker) else {
            return Err(UnknownWorker);
        };
        let name = Arc::clone(name);
        if let Some(reason) = known.refusal.as_ref().or(known.quarantine.as_ref()) {
            return Ok(LeaseAnswer::Nothing(reason.clone()));
        }
        let most = known.registration.slots.max(1) as usize * LEASES_PER_SLOT;
        if known.leases.len() >= most {
            let reason = format!("it holds {} leases, the most for its slots", known.leases.len());
            return Ok(LeaseAnswer::Nothing(reason));
        }
        if known.ends.is_some_and(|ends| ends <= now) {
            return Ok(LeaseAnswer::Nothing("its time is over".to_owned()));
        }
        for sweep in self.sweeps_in_turn() {
            let grant = match self.lease_waiting(sweep, &name, now, effects) {
                Some(grant) => Some(grant),
                None => self.lease_new(sweep, &name, now, effects),
            };
            let grant = match grant {
                Some(grant) => Some(grant),
                None => self.lease_part(sweep, &name, now, effects),
            };
            if let Some(grant) = grant {
                self.last_served = sweep;
                self.debug_check();
                return Ok(LeaseAnswer::Unit(Box::new(grant)));
            }
        }
        Ok(LeaseAnswer::Nothing(self.why_nothing(&name, now)))
    }

    /// Running sweeps, beginning after the one served last.
    fn sweeps_in_turn(&self) -> Vec<SweepId> {
        let after = self.sweeps.range(SweepId(self.last_served.0.saturating_add(1))..);
        let up_to = self.sweeps.range(..=self.last_served);
        let running = after.chain(up_to).filter(|(_, book)| {
            book.phase == Phase::Running && (!book.waiting.is_empty() || !book.pending.is_empty())
        });
        running.map(|(sweep, _)| *sweep).collect()
    }

    fn lease_waiting(
        &mut self,
        sweep: SweepId,
        worker: &Arc<str>,
        now: Duration,
        effects: &mut Effects,
    ) -> Option<Grant> {
        let book = self.sweeps.get(&sweep)?;
        let number = book.waiting.iter().copied().find(|number| {
            book.is_ready(*number, now)
                && book.unit(*number).is_some_and(|unit| self.suits(book, unit, worker, now))
        })?;
        let unit = UnitKey { sweep, unit: number };
        let task = book.first_trial(book.unit(number)?.range)?.task;
        self.grant(unit, &task, worker, now, effects)
    }

    /// A part of a waiting unit that no working worker has the time for as a whole: it is halved
    /// until a part fits.
    fn lease_part(
        &mut self,
        sweep: SweepId,
        worker: &Arc<str>,
        now: Duration,
        effects: &mut Effects,
    ) -> Option<Grant> {
        while let Some(unit) = self.too_long_for_all(sweep, worker, now) {
            self.split(unit, effects);
            if let Some(grant) = self.lease_waiting(sweep, worker, now, effects) {
                return Some(grant);
            }
        }
        None
    }

    fn lease_new(
        &mut self,
        sweep: SweepId,
        worker: &Arc<str>,
        now: Duration,
        effects: &mut Effects,
    ) -> Option<Grant> {
        let slots = self.count_slots(now);
        let (cut, empty) = self.find_cut(sweep, worker, slots, now);
        let book = self.sweeps.get_mut(&sweep)?;
        for range in empty {
            // No trial in them: after a restart they are found empty again.
            book.pending.remove(range);
        }
        let cut = cut?;
        debug_assert!(cut.range.start >= cut.front.start && cut.range.end <= cut.front.end);
        let unit = UnitKey { sweep, unit: book.next_unit() };
        book.push_unit(Unit::waiting(cut.range, cut.trials, unit.unit));
        effects.record(Record::UnitCut {
            unit,
            range: cut.range,
            trials: cut.trials,
            root: unit.unit,
        });
        self.grant(unit, &cut.task, worker, now, effects)
    }

    /// The first pending trials this worker can take, and ranges before them that hold no trial.
    fn find_cut(
        &self,
        sweep: SweepId,
        worker: &Arc<str>,
        slots: u64,
        now: Duration,
    ) -> (Option<Cut>, Vec<TrialRange>) {
        let mut empty = Vec::new();
        let (Some(book), Some(known)) = (self.sweeps.get(&sweep), self.workers.get(worker)) else {
            return (None, empty);
        };
        for range in book.pending.iter() {
            let TrialRange { grid, mut start, end } = range;
            while start < end {
                let shape_end = book.plan.shape_end(grid, start).clamp(start + 1, end);
                let front = TrialRange { grid, start, end: shape_end };
                start = shape_end;
                let Some(first) = book.first_trial(front) else {
                    empty.push(front);
                    continue;
                };
                if data_mismatch(book, &first.task, known).is_some() {
                    continue;
                }
                let cost = TrialCost::estimate(&first, book.plan.measure());
                if !known.capacity(now).has_time_for(&cost, 1) {
                    continue;
                }
                let most = trials_for_unit(
                    &cost,
                    &known.capacity(now),
                    book.counts.pending(),
                    slots,
                    most_trials(&book.plan, &first),
                );
                return (Some(cut_front(&book.plan, front, &first, most)), empty);
            }
        }
        (None, empty)
    }

    /// Leases a waiting unit, with a higher attempt, and pins its task's data.
    fn grant(
        &mut self,
        key: UnitKey,
        task: &str,
        worker: &Arc<str>,
        now: Duration,
        effects: &mut Effects,
    ) -> Option<Grant> {
        let dataset = self.workers.get(worker)?.registration.datasets.get(task)?.clone();
        let book = self.sweeps.get_mut(&key.sweep)?;
        if !book.pins.contains_key(task) {
            book.pins.insert(task.to_owned(), dataset.clone());
            effects.record(Record::DatasetPinned {
                sweep: key.sweep,
                task: task.to_owned(),
                fingerprint: dataset.clone(),
            });
            effects.jobs.push(Job::ReplaceDocument { sweep: key.sweep });
        }
        let unit = book.unit_mut(key.unit)?;
        unit.attempt += 1;
        let grant = Grant {
            unit: key,
            attempt: unit.attempt,
            range: unit.range,
            sweep: Arc::clone(&book.name),
            plan: Arc::clone(&book.plan),
            measure: Arc::clone(&book.measure),
            dataset,
            lease: self.config.lease,
        };
        self.hold(key, worker, now, self.config.lease);
        effects.record(Record::UnitLeased {
            unit: key,
            attempt: grant.attempt,
            worker: worker.to_string(),
        });
        Some(grant)
    }

    fn why_nothing(&self, worker: &str, now: Duration) -> String {
        if self.sweeps.is_empty() {
            return "no sweep was submitted yet".to_owned();
        }
        let running = self.sweeps.values().filter(|book| book.phase == Phase::Running);
        let unfinished: Vec<_> = running.filter(|book| !book.is_done()).collect();
        if unfinished.is_empty() {
            return "no sweep is running".to_owned();
        }
        let Some(known) = self.workers.get(worker) else { return String::new() };
        for book in &unfinished {
            let tasks = book.plan.tasks();
            let reasons: Vec<String> =
                tasks.iter().filter_map(|task| data_mismatch(book, task, known)).collect();
            if reasons.len() == tasks.len() {
                return format!("sweep {}: {}", book.name, reasons.join("; "));
            }
            if let Some(too_short) = self.too_short_of_time(book, worker, now) {
                return format!("sweep {}: {too_short}", book.name);
            }
        }
        if unfinished.iter().any(|book| book.waiting.iter().any(|unit| !book.is_ready(*unit, now)))
        {
            return "the units left are in back-off after a failure".to_owned();
        }
        "every unit left is leased".to_owned()
    }
}

/// Most trials whose manifest may still be told: every table, and every trial's weights.
fn most_trials(plan: &Sweep, trial: &Hyperparameters) -> u64 {
    let files = plan.measure().weight_files(trial.steps).max(1);
    let tellable = (limits::MAX_STAGED_FILES - limits::MAX_TABLES) as u64 / files;
    (limits::MAX_TRIALS_PER_UNIT as u64).min(tellable).max(1)
}

/// The first `most` trials of a front: a range that ends after the last of them, or with the front.
fn cut_front(plan: &Sweep, front: TrialRange, first: &Hyperparameters, most: u64) -> Cut {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut last = front.start;
    let mut trials = 0;
    for (position, _) in plan.trials_in(front).take(most) {
        last = position.index;
        trials += 1;
    }
    let end = if (trials as usize) < most { front.end } else { last + 1 };
    let range = TrialRange { end, ..front };
    Cut { front, task: Arc::clone(&first.task), trials, range }
}
