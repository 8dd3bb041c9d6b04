//! One unit and where it stands.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use phasegrid_spec::TrialRange;

use crate::commit::StagedFile;

/// A unit: trials of one shape, leased, trained and committed together.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    /// Its raw indices; some may stand for no trial.
    pub(super) range: TrialRange,
    /// Trials among them, at least one.
    pub(super) trials: u32,
    /// The unit it descends from by splits; itself if none.
    pub(super) root: u64,
    /// The highest attempt given out; 0 = none.
    pub(super) attempt: u64,
    pub(super) state: UnitState,
    /// Why it was recorded as failed, as long as that row is the one visible: also while it is tried
    /// again.
    pub(super) failed_row: Option<String>,
    /// What went wrong so far, if anything did.
    pub(super) trouble: Option<Box<Trouble>>,
}

#[derive(Clone, Debug)]
pub(super) enum UnitState {
    Waiting { not_before: Duration },
    Leased(Lease),
    Won { winner: u64, ok: u32, diverged: u32, manifest: Arc<[StagedFile]>, publishing: Publishing },
    GivenUp { reason: String, publishing: Publishing },
    Published { winner: u64, ok: u32, diverged: u32 },
    PublishedFailed { reason: String },
    Split,
    Cancelled,
}

/// How far making a unit's rows visible has come. Never two jobs at once: of two, one might find lost
/// what the other made visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Publishing {
    /// Jobs that failed.
    pub(super) failures: u32,
    /// When to try again; none while a job is under way.
    pub(super) again_at: Option<Duration>,
}

#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) worker: Arc<str>,
    pub(super) granted: Duration,
    pub(super) expires: Duration,
    /// Share of the unit's steps done, 0 to 1.
    pub(super) progress: f64,
}

/// The unit's record of failures.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    /// Crashes with one trial in the unit.
    pub(super) crashes_alone: u32,
    /// Workers to try only when every other has been: they crashed on it, or lack its data.
    pub(super) tried: BTreeSet<Arc<str>>,
    /// Workers on which its single trial crashed.
    pub(super) crashed_on: BTreeSet<Arc<str>>,
    /// Ran out of memory: the largest worker first.
    pub(super) out_of_memory: bool,
    /// Set-backs that blame nobody.
    pub(super) setbacks: u32,
    /// The latest failure in words.
    pub(super) last: String,
}

impl Unit {
    pub(super) fn waiting(range: TrialRange, trials: u32, root: u64) -> Self {
        let state = UnitState::Waiting { not_before: Duration::ZERO };
        Self { range, trials, root, attempt: 0, state, failed_row: None, trouble: None }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, UnitState::Waiting { .. } | UnitState::Leased(_))
    }

    /// Whether it accounts for its trials; those of a split or cancelled unit are elsewhere.
    pub(super) fn covers_its_trials(&self) -> bool {
        !matches!(self.state, UnitState::Split | UnitState::Cancelled)
    }

    pub(super) fn lease(&self) -> Option<&Lease> {
        match &self.state {
            UnitState::Leased(lease) => Some(lease),
            _ => None,
        }
    }

    pub(super) fn trouble_mut(&mut self) -> &mut Trouble {
        self.trouble.get_or_insert_default()
    }
}
