//! What a handler leaves behind besides its answer.

use std::sync::Arc;

use phasegrid_spec::{Sweep, TrialRange};

use crate::commit::StagedFile;
use crate::model::{Record, SweepId, UnitKey};

/// What must be durable before the answer is given, and what must be done after.
#[derive(Debug, Default)]
pub struct Effects {
    /// One transaction.
    pub records: Vec<Record>,
    /// To be started once the records are durable.
    pub jobs: Vec<Job>,
    /// There may be work now for a worker that was told there is none.
    pub work_appeared: bool,
    /// Some sweep's status changed.
    pub status_changed: bool,
}

impl Effects {
    pub(super) fn record(&mut self, record: Record) {
        self.records.push(record);
        self.status_changed = true;
    }
}

/// Work on the store, to be done outside the scheduler and reported back.
#[derive(Clone, Debug)]
pub enum Job {
    /// Make a winner's files visible; report `published`, `publish_lost` or `publish_failed`.
    Publish {
        /// The unit.
        unit: UnitKey,
        /// Its sweep's name.
        sweep: Arc<str>,
        /// The winner.
        attempt: u64,
        /// The winner's files.
        manifest: Arc<[StagedFile]>,
    },
    /// Write the `failed` rows of a unit; report `published` or `publish_failed`.
    PublishFailed {
        /// The unit.
        unit: UnitKey,
        /// The sweep, to enumerate the trials from.
        plan: Arc<Sweep>,
        /// The unit's raw indices.
        range: TrialRange,
        /// The last attempt.
        attempt: u64,
        /// Why they failed.
        reason: String,
    },
    /// Remove what a published unit left in staging; report `cleared`.
    ClearUnit {
        /// The unit.
        unit: UnitKey,
        /// Its sweep's name.
        sweep: Arc<str>,
    },
    /// Remove what one attempt left in staging, or all of a split unit's; nothing to report.
    ClearAttempt {
        /// The sweep's name.
        sweep: Arc<str>,
        /// The unit.
        unit: u64,
        /// The attempt, or all of them.
        attempt: Option<u64>,
    },
    /// The sweep's document is out of date.
    ReplaceDocument {
        /// The sweep.
        sweep: SweepId,
    },
}
