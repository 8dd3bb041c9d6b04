//! What the coordinator asks of the store. Blocking: called on threads that may wait.

use std::collections::BTreeMap;

use phasegrid_spec::{Block, Hyperparameters, Sweep};

use phasegrid_store::{Publication, StagedFile, Verification};

/// What `_sweeps/<name>.json` says of a sweep.
#[derive(Clone, Debug)]
pub struct SweepDocument<'a> {
    /// The sweep: its name and `[measure]`.
    pub sweep: &'a Sweep,
    /// Its blocks in order.
    pub blocks: &'a [Block],
    /// The coordinator that runs it.
    pub coordinator: &'a str,
    /// Who submitted it.
    pub owner: &'a str,
    /// Fingerprints of its tasks' data, as far as pinned.
    pub datasets: &'a BTreeMap<String, String>,
}

/// What creating a sweep's document came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentCreation {
    /// It is new, or was this coordinator's already.
    Ours,
    /// Another coordinator created it.
    OfAnother {
        /// That coordinator's id.
        coordinator: String,
    },
    /// Another coordinator created it and published rows, which cannot be taken over.
    HasResults {
        /// That coordinator's id.
        coordinator: String,
        /// Units published.
        units: u64,
    },
}

/// The store could not be read or written; the same call may succeed later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct StoreFailure(pub String);

/// A trial to be recorded as failed.
#[derive(Clone, Debug)]
pub struct FailedTrials {
    /// The sweep's name.
    pub sweep: String,
    /// The unit, whose final names the rows get.
    pub unit: u64,
    /// The last attempt.
    pub attempt: u64,
    /// The trials.
    pub trials: Vec<Hyperparameters>,
    /// Why they failed.
    pub reason: String,
}

/// The store as the coordinator needs it. Every call is idempotent.
pub trait CommitStore: Send + Sync + 'static {
    /// Where workers stage: a URL, or a path on this machine.
    fn url(&self) -> String;

    /// The id in the store's `_phasegrid.json`.
    fn id(&self) -> String;

    /// Checks that the files were staged by this attempt and are there with the stated size and hash.
    fn verify(
        &self,
        sweep: &str,
        unit: u64,
        attempt: u64,
        files: &[StagedFile],
    ) -> Result<Verification, StoreFailure>;

    /// Makes the files visible under the unit's final names, `trials` last, replacing what is there.
    fn publish(
        &self,
        sweep: &str,
        unit: u64,
        attempt: u64,
        files: &[StagedFile],
    ) -> Result<Publication, StoreFailure>;

    /// Makes `failed` rows visible under the unit's final names, replacing what is there.
    fn publish_failed(&self, failed: &FailedTrials) -> Result<(), StoreFailure>;

    /// Removes what one attempt staged, or every attempt of the unit.
    fn clear_staging(
        &self,
        sweep: &str,
        unit: u64,
        attempt: Option<u64>,
    ) -> Result<(), StoreFailure>;

    /// Creates `_sweeps/<name>.json` if it is not there; takes another's over if `adopt` and nothing
    /// of it is published: unit numbers start again at 0 here.
    fn create_sweep_document(
        &self,
        document: &SweepDocument<'_>,
        adopt: bool,
    ) -> Result<DocumentCreation, StoreFailure>;

    /// Replaces `_sweeps/<name>.json` of one's own sweep.
    fn replace_sweep_document(&self, document: &SweepDocument<'_>) -> Result<(), StoreFailure>;
}
