//! A store in memory, for tests: it can be told to fail, and counts how often it did.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use phasegrid_spec::TrialId;
use phasegrid_store::{Publication, StagedFile, Verification};

use super::contract::{CommitStore, DocumentCreation, FailedTrials, StoreFailure, SweepDocument};

/// What a [`MemoryStore`] can be told to do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreFault {
    /// `verify` fails.
    Verify,
    /// `publish` and `publish_failed` fail.
    Publish,
    /// `publish` finds the winner's files lost.
    LosePublished,
    /// `clear_staging` fails.
    Clear,
    /// Documents cannot be written.
    Document,
}

/// One visible unit of a [`MemoryStore`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisibleUnit {
    /// The attempt whose rows are visible.
    pub attempt: u64,
    /// Its `trials` file, or empty for failed rows.
    pub files: Vec<StagedFile>,
    /// Trial ids of `failed` rows.
    pub failed: Vec<String>,
}

#[derive(Debug, Default)]
struct Contents {
    staged: BTreeMap<String, StagedFile>,
    visible: BTreeMap<(String, u64), VisibleUnit>,
    documents: BTreeMap<String, String>,
    /// How many more times each fault strikes.
    armed: HashMap<StoreFault, u32>,
    fired: HashMap<StoreFault, u32>,
    publications: u64,
}

/// A [`CommitStore`] in memory. Clones share their contents, as two coordinators share a disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    contents: Arc<Mutex<Contents>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a staged file there, as a worker would.
    pub fn stage(&self, file: &StagedFile) {
        self.lock().staged.insert(file.path.clone(), file.clone());
    }

    /// Takes a staged file away.
    pub fn lose(&self, path: &str) {
        self.lock().staged.remove(path);
    }

    /// Paths of all staged files.
    pub fn staged_paths(&self) -> Vec<String> {
        self.lock().staged.keys().cloned().collect()
    }

    /// What is visible of a unit.
    pub fn visible(&self, sweep: &str, unit: u64) -> Option<VisibleUnit> {
        self.lock().visible.get(&(sweep.to_owned(), unit)).cloned()
    }

    /// Numbers of the visible units of a sweep.
    pub fn visible_units(&self, sweep: &str) -> Vec<u64> {
        let contents = self.lock();
        let units = contents.visible.keys().filter(|(name, _)| name == sweep);
        units.map(|(_, unit)| *unit).collect()
    }

    /// The coordinator named in a sweep's document.
    pub fn document_coordinator(&self, sweep: &str) -> Option<String> {
        self.lock().documents.get(sweep).cloned()
    }

    /// How many publications succeeded.
    pub fn publications(&self) -> u64 {
        self.lock().publications
    }

    /// Lets a fault strike the next `times` calls.
    pub fn arm(&self, fault: StoreFault, times: u32) {
        self.lock().armed.insert(fault, times);
    }

    /// How often a fault struck.
    pub fn fired(&self, fault: StoreFault) -> u32 {
        self.lock().fired.get(&fault).copied().unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn strike(contents: &mut Contents, fault: StoreFault) -> Result<(), StoreFailure> {
        match contents.armed.get_mut(&fault) {
            Some(left) if *left > 0 => {
                *left -= 1;
                *contents.fired.entry(fault).or_default() += 1;
                Err(StoreFailure(format!("injected fault {fault:?}")))
            }
            _ => Ok(()),
        }
    }
}

impl CommitStore for MemoryStore {
    fn url(&self) -> String {
        "memory:".to_owned()
    }

    fn id(&self) -> String {
        "memory-store".to_owned()
    }

    fn verify(
        &self,
        sweep: &str,
        unit: u64,
        attempt: u64,
        files: &[StagedFile],
    ) -> Result<Verification, StoreFailure> {
        let mut contents = self.lock();
        Self::strike(&mut contents, StoreFault::Verify)?;
        let prefix = format!("_staging/{sweep}/{unit}/{attempt}/");
        let broken = files.iter().find(|file| {
            contents.staged.get(&file.path) != Some(file) || !file.path.starts_with(&prefix)
        });
        Ok(match broken {
            Some(file) => Verification::Broken(format!("{} is missing or differs", file.path)),
            None => Verification::Intact,
        })
    }

    fn publish(
        &self,
        sweep: &str,
        unit: u64,
        attempt: u64,
        files: &[StagedFile],
    ) -> Result<Publication, StoreFailure> {
        let mut contents = self.lock();
        Self::strike(&mut contents, StoreFault::Publish)?;
        let key = (sweep.to_owned(), unit);
        if Self::strike(&mut contents, StoreFault::LosePublished).is_err() {
            contents.visible.remove(&key);
            return Ok(Publication::Lost("injected loss".to_owned()));
        }
        let already_visible =
            contents.visible.get(&key).is_some_and(|visible| visible.attempt == attempt);
        let lost = files.iter().find(|file| !contents.staged.contains_key(&file.path));
        if let (false, Some(file)) = (already_visible, lost) {
            return Ok(Publication::Lost(file.path.clone()));
        }
        let visible = VisibleUnit { attempt, files: files.to_vec(), failed: Vec::new() };
        contents.visible.insert(key, visible);
        contents.publications += 1;
        Ok(Publication::Visible)
    }

    fn publish_failed(&self, failed: &FailedTrials) -> Result<(), StoreFailure> {
        let mut contents = self.lock();
        Self::strike(&mut contents, StoreFault::Publish)?;
        let ids = failed.trials.iter().map(|trial| TrialId::of(trial).to_string());
        let visible =
            VisibleUnit { attempt: failed.attempt, files: Vec::new(), failed: ids.collect() };
        contents.visible.insert((failed.sweep.clone(), failed.unit), visible);
        contents.publications += 1;
        Ok(())
    }

    fn clear_staging(
        &self,
        sweep: &str,
        unit: u64,
        attempt: Option<u64>,
    ) -> Result<(), StoreFailure> {
        let mut contents = self.lock();
        Self::strike(&mut contents, StoreFault::Clear)?;
        let prefix = match attempt {
            Some(attempt) => format!("_staging/{sweep}/{unit}/{attempt}/"),
            None => format!("_staging/{sweep}/{unit}/"),
        };
        contents.staged.retain(|path, _| !path.starts_with(&prefix));
        Ok(())
    }

    fn create_sweep_document(
        &self,
        document: &SweepDocument<'_>,
        adopt: bool,
    ) -> Result<DocumentCreation, StoreFailure> {
        let mut contents = self.lock();
        Self::strike(&mut contents, StoreFault::Document)?;
        let name = document.sweep.name().to_owned();
        match contents.documents.get(&name) {
            Some(other) if other != document.coordinator && !adopt => {
                Ok(DocumentCreation::OfAnother { coordinator: other.clone() })
            }
            Some(other) if other != document.coordinator => {
                let units = contents.visible.keys().filter(|(sweep, _)| *sweep == name).count();
                if units > 0 {
                    let coordinator = other.clone();
                    return Ok(DocumentCreation::HasResults { coordinator, units: units as u64 });
                }
                contents.documents.insert(name, document.coordinator.to_owned());
                Ok(DocumentCreation::Ours)
            }
            _ => {
                contents.documents.insert(name, document.coordinator.to_owned());
                Ok(DocumentCreation::Ours)
            }
        }
    }

    fn replace_sweep_document(&self, document: &SweepDocument<'_>) -> Result<(), StoreFailure> {
        let mut contents = self.lock();
        Self::strike(&mut contents, StoreFault::Document)?;
        let name = document.sweep.name().to_owned();
        contents.documents.insert(name, document.coordinator.to_owned());
        Ok(())
    }
}
