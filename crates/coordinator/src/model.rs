//! The words the scheduler and the log share: keys of units, what is written, what is read back.

use phasegrid_spec::TrialRange;

use crate::commit::StagedFile;

/// Number of a sweep in this coordinator's log; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SweepId(pub u32);

/// A unit: its sweep and its number there; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitKey {
    /// The sweep.
    pub sweep: SweepId,
    /// The unit's number in it.
    pub unit: u64,
}

/// What an operator asked of a sweep. `done` is not stored: it follows from what is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Units are leased.
    Running,
    /// No new leases; leased units finish.
    Paused,
    /// Open units are closed.
    Cancelled,
}

/// Why an attempt ended without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The trainer died by itself.
    Crash,
    /// The trainer ran out of memory.
    OutOfMemory,
    /// The worker could not read the unit's data.
    Data,
    /// The worker could not write the store.
    Store,
    /// The worker went away in good order.
    HandedBack,
    /// The trainer refused the unit.
    Refused,
    /// SIGKILL without evidence of memory pressure.
    Killed,
    /// The lease ran out, or its worker no longer lists it.
    Lost,
}

impl Cause {
    /// Every cause, in the order of [`Cause::number`].
    pub const ALL: [Cause; 8] = [
        Cause::Crash,
        Cause::OutOfMemory,
        Cause::Data,
        Cause::Store,
        Cause::HandedBack,
        Cause::Refused,
        Cause::Killed,
        Cause::Lost,
    ];

    /// Its number in the log.
    pub fn number(self) -> i64 {
        Cause::ALL.iter().position(|one| *one == self).unwrap_or(0) as i64
    }

    /// In words, for messages.
    pub fn in_words(self) -> &'static str {
        match self {
            Cause::Crash => "the trainer crashed",
            Cause::OutOfMemory => "out of memory",
            Cause::Data => "the data could not be read",
            Cause::Store => "the store could not be written",
            Cause::HandedBack => "handed back",
            Cause::Refused => "the trainer refused the unit",
            Cause::Killed => "the trainer was killed",
            Cause::Lost => "the worker was lost",
        }
    }

    /// Whether the trial itself may be to blame: only these count towards `failed`.
    pub fn blames_the_trial(self) -> bool {
        matches!(self, Cause::Crash | Cause::OutOfMemory | Cause::Refused)
    }
}

/// What must be durable before anybody is told. Records of one event are one transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A sweep exists.
    SweepCreated {
        /// Its number.
        sweep: SweepId,
        /// Its name.
        name: String,
        /// `[measure]` as JSON.
        measure: String,
        /// Who submitted it.
        owner: String,
    },
    /// A sweep runs, pauses or is cancelled.
    PhaseSet {
        /// The sweep.
        sweep: SweepId,
        /// From now on.
        phase: Phase,
    },
    /// Grids were appended.
    BlockAppended {
        /// The sweep.
        sweep: SweepId,
        /// The block as JSON.
        block: String,
        /// The client's idempotency key, if it gave one.
        key: Option<String>,
        /// Trials the block adds.
        trials: u64,
    },
    /// A sweep takes a task's data with this fingerprint only.
    DatasetPinned {
        /// The sweep.
        sweep: SweepId,
        /// The task.
        task: String,
        /// Its data's fingerprint.
        fingerprint: String,
    },
    /// A unit exists, waiting.
    UnitCut {
        /// The unit.
        unit: UnitKey,
        /// Its raw indices, all of one shape.
        range: TrialRange,
        /// Trials among them.
        trials: u32,
        /// The unit it descends from by splits; itself if none.
        root: u64,
    },
    /// A worker holds the unit.
    UnitLeased {
        /// The unit.
        unit: UnitKey,
        /// The attempt, higher than any before, or the last one revived.
        attempt: u64,
        /// The worker.
        worker: String,
    },
    /// An attempt ended without a result; the unit waits again.
    UnitFreed {
        /// The unit.
        unit: UnitKey,
    },
    /// An attempt's failure, for counting and explaining.
    AttemptFailed {
        /// The unit.
        unit: UnitKey,
        /// The attempt.
        attempt: u64,
        /// The worker.
        worker: String,
        /// Why.
        cause: Cause,
        /// The worker's words.
        message: String,
    },
    /// The unit is replaced by children cut in the same transaction.
    UnitSplit {
        /// The parent.
        unit: UnitKey,
    },
    /// The unit's one visible result is fixed.
    UnitWon {
        /// The unit.
        unit: UnitKey,
        /// The winner.
        attempt: u64,
        /// Trials that ended ok.
        ok: u32,
        /// Trials that diverged.
        diverged: u32,
        /// The winner's files.
        manifest: Vec<StagedFile>,
    },
    /// The unit's trial has failed for good; its `failed` row is to be written.
    UnitGivenUp {
        /// The unit.
        unit: UnitKey,
        /// Why.
        reason: String,
    },
    /// The unit's rows are visible.
    UnitPublished {
        /// The unit.
        unit: UnitKey,
    },
    /// Nothing of the unit is left in staging.
    UnitCleared {
        /// The unit.
        unit: UnitKey,
    },
    /// The unit waits again, with a clean record, for attempts after the last.
    UnitReopened {
        /// The unit.
        unit: UnitKey,
    },
    /// The unit is closed; its trials are pending should the sweep go on.
    UnitCancelled {
        /// The unit.
        unit: UnitKey,
    },
}

/// Where a unit stands, as the log keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// To be leased.
    Waiting,
    /// Held by a worker.
    Leased,
    /// Winner fixed, not published.
    Won,
    /// Failed for good, row not published.
    GivenUp,
    /// The winner's rows are visible.
    Published,
    /// The `failed` row is visible.
    PublishedFailed,
    /// Replaced by children.
    Split,
    /// Closed by a cancel.
    Cancelled,
}

impl Stage {
    /// Every stage, in the order of [`Stage::number`].
    pub const ALL: [Stage; 8] = [
        Stage::Waiting,
        Stage::Leased,
        Stage::Won,
        Stage::GivenUp,
        Stage::Published,
        Stage::PublishedFailed,
        Stage::Split,
        Stage::Cancelled,
    ];

    /// Its number in the log.
    pub fn number(self) -> i64 {
        Stage::ALL.iter().position(|one| *one == self).unwrap_or(0) as i64
    }

    /// Whether the unit accounts for its trials; those of the others are in children or pending.
    pub fn covers_its_trials(self) -> bool {
        !matches!(self, Stage::Split | Stage::Cancelled)
    }
}

/// All that survives a crash.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Sweeps by number.
    pub sweeps: Vec<SweepSnapshot>,
}

/// One sweep of a [`Snapshot`].
#[derive(Clone, Debug, PartialEq)]
pub struct SweepSnapshot {
    /// Its number.
    pub id: SweepId,
    /// Its name.
    pub name: String,
    /// `[measure]` as JSON.
    pub measure: String,
    /// Who submitted it.
    pub owner: String,
    /// Running, paused or cancelled.
    pub phase: Phase,
    /// Its blocks in order.
    pub blocks: Vec<BlockSnapshot>,
    /// Pinned fingerprints by task, in order of task.
    pub pins: Vec<(String, String)>,
    /// Its units, by number, none missing.
    pub units: Vec<UnitSnapshot>,
    /// Failures of units that are not settled, oldest first.
    pub failures: Vec<FailureSnapshot>,
    /// Failures of all units, ever.
    pub attempts_failed: u64,
    /// The latest failure in words.
    pub last_failure: Option<String>,
}

/// One block of a [`SweepSnapshot`].
#[derive(Clone, Debug, PartialEq)]
pub struct BlockSnapshot {
    /// The block as JSON.
    pub block: String,
    /// The client's idempotency key, if it gave one.
    pub key: Option<String>,
    /// Trials the block added.
    pub trials: u64,
}

/// One unit of a [`SweepSnapshot`].
#[derive(Clone, Debug, PartialEq)]
pub struct UnitSnapshot {
    /// Its raw indices.
    pub range: TrialRange,
    /// Trials among them.
    pub trials: u32,
    /// The unit it descends from.
    pub root: u64,
    /// Where it stands.
    pub stage: Stage,
    /// The highest attempt given out; 0 = none.
    pub attempt: u64,
    /// Failures up to this attempt no longer count.
    pub amnesty: u64,
    /// Its holder, if leased.
    pub worker: Option<String>,
    /// The winner, if one is fixed.
    pub winner: Option<u64>,
    /// Trials of the winner that ended ok.
    pub ok: u32,
    /// Trials of the winner that diverged.
    pub diverged: u32,
    /// The winner's files, until published.
    pub manifest: Vec<StagedFile>,
    /// Why it failed for good, as long as that is or will be its visible outcome; kept while it is
    /// tried again.
    pub reason: Option<String>,
    /// Published, and its staging cleared.
    pub cleared: bool,
}

/// One failure of a [`SweepSnapshot`].
#[derive(Clone, Debug, PartialEq)]
pub struct FailureSnapshot {
    /// The unit's number.
    pub unit: u64,
    /// The attempt.
    pub attempt: u64,
    /// The worker.
    pub worker: String,
    /// Why.
    pub cause: Cause,
    /// The worker's words.
    pub message: String,
}

/// A failure as one line for status and explain.
pub fn failure_line(unit: u64, attempt: u64, worker: &str, cause: Cause, message: &str) -> String {
    let words = cause.in_words();
    let detail = if message.is_empty() { String::new() } else { format!(": {message}") };
    format!("unit {unit}, attempt {attempt}, worker {worker}: {words}{detail}")
}

/// A lease as it stands on the wire: the sweep by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LeaseName {
    /// The sweep's name.
    pub sweep: String,
    /// The unit.
    pub unit: u64,
    /// The attempt.
    pub attempt: u64,
}
