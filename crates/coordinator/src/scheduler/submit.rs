//! Submitting: a new sweep, or more grids for one that exists.

use std::sync::Arc;

use phasegrid_spec::{Block, Measure, SpecError, Sweep, TrialRange};

use super::effects::{Effects, Job};
use super::state::Scheduler;
use super::sweep_book::SweepBook;
use crate::model::{Phase, Record, SweepId};

/// A block ready to be appended: counting its trials, which takes time, is done.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The sweep with the block appended.
    pub plan: Arc<Sweep>,
    /// Grids the sweep had before: the block's come after them.
    pub grids_before: u32,
    /// The block as JSON.
    pub block: String,
    /// `[measure]` as JSON.
    pub measure: String,
    /// Trials the block adds.
    pub trials_added: u64,
}

/// Why a block cannot be appended.
#[derive(Debug, thiserror::Error)]
pub enum SubmitRefusal {
    /// The sweep measures something else.
    #[error(
        "sweep {sweep} exists with another [measure]: {difference}; give the file another name, or set [measure] back"
    )]
    MeasureChanged {
        /// The sweep.
        sweep: String,
        /// The setting and both values.
        difference: String,
    },
    /// The sweep would grow too large.
    #[error("{0}")]
    TooLarge(SpecError),
    /// The block cannot be written as JSON.
    #[error("the resolved sweep cannot be written as JSON: {0}")]
    Unwritable(#[from] serde_json::Error),
}

/// Prepares a block for a sweep that exists, or for a new one. Pure, but takes about a second for
/// 10^6 grid points: not for the core task.
pub fn prepare(
    existing: Option<&Sweep>,
    name: &str,
    measure: Measure,
    block: Block,
) -> Result<Prepared, SubmitRefusal> {
    if let Some(difference) = existing.and_then(|sweep| sweep.measure().difference(&measure)) {
        return Err(SubmitRefusal::MeasureChanged { sweep: name.to_owned(), difference });
    }
    let measure_json = serde_json::to_string(&measure)?;
    let block_json = serde_json::to_string(&block)?;
    let mut plan = match existing {
        Some(sweep) => sweep.clone(),
        None => Sweep::new(name, measure, Vec::new()),
    };
    plan.check_limits(&block).map_err(SubmitRefusal::TooLarge)?;
    let grids_before = plan.grid_count();
    let trials_added = plan.append(block);
    Ok(Prepared {
        plan: Arc::new(plan),
        grids_before,
        block: block_json,
        measure: measure_json,
        trials_added,
    })
}

impl Scheduler {
    /// Appends a prepared block, creating the sweep if it is new. A block without new trials leaves
    /// no trace, and a repeated idempotency key adds nothing. Submitting reopens a cancelled sweep.
    /// Answers the trials added, or none if the sweep has changed since the block was prepared.
    pub fn submit(
        &mut self,
        prepared: Prepared,
        owner: &str,
        idempotency_key: Option<&str>,
        effects: &mut Effects,
    ) -> Option<u64> {
        let name = prepared.plan.name();
        let known = self.sweep_id(name);
        let grids = known.map_or(0, |sweep| self.sweeps[&sweep].plan.grid_count());
        if grids != prepared.grids_before {
            return None;
        }
        let sweep = known.unwrap_or_else(|| self.create(&prepared, owner, effects));
        if self.is_cancelled(sweep) {
            self.set_phase(sweep, Phase::Running, effects);
        }
        let book = self.sweeps.get_mut(&sweep)?;
        if let Some(added) = idempotency_key.and_then(|key| book.idempotency_keys.get(key)) {
            return Some(*added);
        }
        let added = prepared.trials_added;
        if added == 0 && idempotency_key.is_none() && known.is_some() {
            return Some(0);
        }
        book.append(&prepared, idempotency_key);
        effects.record(Record::BlockAppended {
            sweep,
            block: prepared.block,
            key: idempotency_key.map(str::to_owned),
            trials: added,
        });
        effects.jobs.push(Job::ReplaceDocument { sweep });
        effects.work_appeared = true;
        self.debug_check();
        Some(added)
    }

    /// Trials that a block with this idempotency key added, if there was one.
    pub fn earlier_extension(&self, sweep: SweepId, key: &str) -> Option<u64> {
        self.sweeps.get(&sweep)?.idempotency_keys.get(key).copied()
    }

    fn create(&mut self, prepared: &Prepared, owner: &str, effects: &mut Effects) -> SweepId {
        let last = self.sweeps.last_key_value().map_or(0, |(sweep, _)| sweep.0);
        let sweep = SweepId(last + 1);
        // The first block is appended next; until then the plan has grids nobody knows of.
        let book = SweepBook::new(Arc::clone(&prepared.plan), &prepared.measure, owner);
        self.by_name.insert(Arc::clone(&book.name), sweep);
        effects.record(Record::SweepCreated {
            sweep,
            name: book.name.to_string(),
            measure: prepared.measure.clone(),
            owner: owner.to_owned(),
        });
        self.sweeps.insert(sweep, book);
        sweep
    }
}

impl SweepBook {
    fn append(&mut self, prepared: &Prepared, idempotency_key: Option<&str>) {
        self.plan = Arc::clone(&prepared.plan);
        self.blocks.push(prepared.block.as_str().into());
        self.counts.total += prepared.trials_added;
        for grid in prepared.grids_before..self.plan.grid_count() {
            self.pending.insert(TrialRange { grid, start: 0, end: self.plan.raw_len(grid) });
        }
        if let Some(key) = idempotency_key {
            self.idempotency_keys.insert(key.to_owned(), prepared.trials_added);
        }
    }
}
