//! From what the log holds back to a running scheduler.

use std::sync::Arc;
use std::time::Duration;

use phasegrid_spec::{Block, Sweep, TrialRange};

use super::config::SchedulerConfig;
use super::effects::{Effects, Job};
use super::fail::note_failure;
use super::state::Scheduler;
use super::sweep_book::SweepBook;
use super::unit::{Publishing, Unit, UnitState};
use super::worker::Worker;
use crate::model::{Snapshot, Stage, SweepSnapshot, UnitKey, UnitSnapshot, failure_line};

/// The log holds something this release cannot read.
#[derive(Debug, thiserror::Error)]
#[error(
    "the log's sweep {sweep} cannot be read: {what}: {source}; it was written by another release of phasegrid, run that one"
)]
pub struct RecoveryError {
    sweep: String,
    what: &'static str,
    source: serde_json::Error,
}

impl Scheduler {
    /// Goes on where the log ends. Every open lease gets the term set for that; what was won but not seen to
    /// be published is published again, and staging that was not seen to be cleared is cleared.
    pub fn recover(
        snapshot: Snapshot,
        config: SchedulerConfig,
        now: Duration,
        effects: &mut Effects,
    ) -> Result<Self, RecoveryError> {
        let mut scheduler = Scheduler::new(config);
        for sweep in snapshot.sweeps {
            let id = sweep.id;
            let mut book = open_book(&sweep)?;
            let mut leased = Vec::new();
            let mut unfinished = Vec::new();
            for (number, row) in (0..).zip(sweep.units) {
                let unit = UnitKey { sweep: id, unit: number };
                match row.stage {
                    Stage::Leased => {
                        leased.push((unit, row.worker.clone().unwrap_or_default()));
                    }
                    Stage::Won | Stage::GivenUp => unfinished.push(unit),
                    Stage::Published | Stage::PublishedFailed if !row.cleared => {
                        effects.jobs.push(Job::ClearUnit { unit, sweep: Arc::clone(&book.name) });
                    }
                    _ => {}
                }
                book.push_unit(recover_unit(row, now));
            }
            for failure in sweep.failures {
                let line = failure_line(
                    failure.unit,
                    failure.attempt,
                    &failure.worker,
                    failure.cause,
                    &failure.message,
                );
                if let Some(unit) = book.unit_mut(failure.unit) {
                    note_failure(unit, &failure.worker, failure.cause, line);
                }
            }
            scheduler.by_name.insert(Arc::clone(&book.name), id);
            scheduler.sweeps.insert(id, book);
            for (key, worker) in leased {
                let name: Arc<str> = worker.as_str().into();
                scheduler
                    .workers
                    .entry(Arc::clone(&name))
                    .or_insert_with(|| Worker::unregistered(&worker, now));
                let term = scheduler.config.recovered_lease;
                scheduler.hold(key, &name, now, term);
            }
            for key in unfinished {
                scheduler.start_publishing(key, effects);
            }
        }
        scheduler.debug_check();
        Ok(scheduler)
    }
}

fn open_book(sweep: &SweepSnapshot) -> Result<SweepBook, RecoveryError> {
    let unreadable = |what| move |source| RecoveryError { sweep: sweep.name.clone(), what, source };
    let measure = serde_json::from_str(&sweep.measure).map_err(unreadable("[measure]"))?;
    let blocks = sweep.blocks.iter().map(|row| serde_json::from_str::<Block>(&row.block));
    let blocks: Vec<Block> = blocks.collect::<Result<_, _>>().map_err(unreadable("a block"))?;
    let plan = Arc::new(Sweep::new(sweep.name.clone(), measure, blocks));
    let mut book = SweepBook::new(Arc::clone(&plan), &sweep.measure, &sweep.owner);
    for grid in 0..plan.grid_count() {
        book.pending.insert(TrialRange { grid, start: 0, end: plan.raw_len(grid) });
    }
    book.blocks = sweep.blocks.iter().map(|row| row.block.as_str().into()).collect();
    book.phase = sweep.phase;
    book.counts.total = sweep.blocks.iter().map(|block| block.trials).sum();
    book.pins = sweep.pins.iter().cloned().collect();
    book.idempotency_keys =
        sweep.blocks.iter().filter_map(|block| Some((block.key.clone()?, block.trials))).collect();
    book.attempts_failed = sweep.attempts_failed;
    book.last_failure.clone_from(&sweep.last_failure);
    Ok(book)
}

fn recover_unit(row: UnitSnapshot, now: Duration) -> Unit {
    let UnitSnapshot { ok, diverged, .. } = row;
    let winner = row.winner.unwrap_or(row.attempt);
    let failed_row = row.reason.clone().filter(|_| row.stage != Stage::GivenUp);
    let reason = row.reason.unwrap_or_default();
    let publishing = Publishing::default();
    let state = match row.stage {
        // Leases are taken up again once the book is open.
        Stage::Waiting | Stage::Leased => UnitState::Waiting { not_before: now },
        Stage::Won => {
            UnitState::Won { winner, ok, diverged, manifest: row.manifest.into(), publishing }
        }
        Stage::GivenUp => UnitState::GivenUp { reason, publishing },
        Stage::Published => UnitState::Published { winner, ok, diverged },
        Stage::PublishedFailed => UnitState::PublishedFailed { reason },
        Stage::Split => UnitState::Split,
        Stage::Cancelled => UnitState::Cancelled,
    };
    Unit {
        range: row.range,
        trials: row.trials,
        root: row.root,
        attempt: row.attempt,
        state,
        failed_row,
        trouble: None,
    }
}
