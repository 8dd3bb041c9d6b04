//! [`phasegrid_store::Store`] as a [`CommitStore`].

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use phasegrid_spec::TrialId;
use phasegrid_store::{
    Cell, Creation, Publication, SCHEMA_VERSION, StagedFile, Store, StoreError,
    SweepDocument as StoredDocument, Table, TableBuilder, UnitKey, Verification, encode_shard,
};

use super::contract::{CommitStore, DocumentCreation, FailedTrials, StoreFailure, SweepDocument};

impl From<StoreError> for StoreFailure {
    fn from(error: StoreError) -> Self {
        StoreFailure(error.to_string())
    }
}

impl CommitStore for Store {
    fn url(&self) -> String {
        self.root().display().to_string()
    }

    fn id(&self) -> String {
        Store::id(self).to_owned()
    }

    fn verify(
        &self,
        sweep: &str,
        unit: u64,
        attempt: u64,
        files: &[StagedFile],
    ) -> Result<Verification, StoreFailure> {
        Ok(Store::verify(self, &key(sweep, unit, attempt), files)?)
    }

    fn publish(
        &self,
        sweep: &str,
        unit: u64,
        attempt: u64,
        files: &[StagedFile],
    ) -> Result<Publication, StoreFailure> {
        Ok(Store::publish(self, &key(sweep, unit, attempt), files)?)
    }

    fn publish_failed(&self, failed: &FailedTrials) -> Result<(), StoreFailure> {
        let bytes = failed_rows(failed)?;
        let key = key(&failed.sweep, failed.unit, failed.attempt);
        Ok(self.publish_shard(&key, Table::Trials.name(), &bytes)?)
    }

    fn clear_staging(
        &self,
        sweep: &str,
        unit: u64,
        attempt: Option<u64>,
    ) -> Result<(), StoreFailure> {
        Ok(Store::clear_staging(self, sweep, unit, attempt)?)
    }

    fn create_sweep_document(
        &self,
        document: &SweepDocument<'_>,
        adopt: bool,
    ) -> Result<DocumentCreation, StoreFailure> {
        let stored = stored(document);
        let existing = match Store::create_sweep_document(self, &stored)? {
            Creation::Created => return Ok(DocumentCreation::Ours),
            Creation::Exists(existing) => existing,
        };
        let coordinator = existing.coordinator;
        if coordinator == document.coordinator {
            return Ok(DocumentCreation::Ours);
        }
        if !adopt {
            return Ok(DocumentCreation::OfAnother { coordinator });
        }
        let units = published_units(self, document.sweep.name())?;
        if units > 0 {
            return Ok(DocumentCreation::HasResults { coordinator, units });
        }
        Store::replace_sweep_document(self, &stored)?;
        Ok(DocumentCreation::Ours)
    }

    fn replace_sweep_document(&self, document: &SweepDocument<'_>) -> Result<(), StoreFailure> {
        Ok(Store::replace_sweep_document(self, &stored(document))?)
    }
}

fn key(sweep: &str, unit: u64, attempt: u64) -> UnitKey {
    UnitKey { sweep: sweep.to_owned(), unit, attempt }
}

fn stored(document: &SweepDocument<'_>) -> StoredDocument {
    StoredDocument {
        name: document.sweep.name().to_owned(),
        schema_version: SCHEMA_VERSION,
        coordinator: document.coordinator.to_owned(),
        owner: document.owner.to_owned(),
        measure: document.sweep.measure().clone(),
        grids: document.blocks.iter().flat_map(|block| block.grids.iter().cloned()).collect(),
        datasets: document.datasets.clone(),
    }
}

/// Units of a sweep whose `trials` rows are visible.
fn published_units(store: &Store, sweep: &str) -> Result<u64, StoreFailure> {
    let folder = store.root().join(Table::Trials.name()).join(format!("sweep={sweep}"));
    match fs::read_dir(&folder) {
        Ok(entries) => Ok(entries.count() as u64),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(StoreFailure(format!("cannot read {}: {error}", folder.display()))),
    }
}

/// The shard of table `trials` that says a unit's trials failed.
fn failed_rows(failed: &FailedTrials) -> Result<Vec<u8>, StoreFailure> {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX);
    let number = |value: u64| Cell::Integer(i64::try_from(value).unwrap_or(i64::MAX));
    let mut rows = TableBuilder::new(Table::Trials);
    for trial in &failed.trials {
        let cells = [
            ("status", Cell::Text("failed".to_owned())),
            ("error", Cell::Text(failed.reason.clone())),
            ("attempt", number(failed.attempt)),
            ("unit", number(failed.unit)),
            ("finished_at", Cell::Time(now)),
        ];
        rows.append(trial, &TrialId::of(trial), cells)
            .map_err(|error| StoreFailure(error.to_string()))?;
    }
    Ok(encode_shard(Table::Trials, &[rows.finish()?])?)
}
