//! A store: staged, verified, published. Calls block; none of them leaves half a file visible.

use crate::document::{FORMAT_VERSION, StoreDocument, SweepDocument};
use crate::error::StoreError;
use crate::layout::{
    UnitKey, attempt_folder, published_path, staging_path, sweep_document_path, unit_folder,
};
use crate::local::{LocalFolder, random_bits};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

const STORE_DOCUMENT: &str = "_phasegrid.json";

/// One staged file of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedFile {
    /// Its table, or `weights`.
    pub table: String,
    /// Path in the store.
    pub path: String,
    /// Rows in it.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// BLAKE3 of it, hexadecimal.
    pub blake3: String,
}

/// What checking a staged file found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verification {
    /// It is there as stated.
    Intact,
    /// It is missing or differs, and how.
    Broken(String),
}

/// What publishing came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Publication {
    /// Every row is visible under its final name.
    Visible,
    /// A file is neither staged nor published as stated, and how that was seen.
    Lost(String),
}

/// What creating a sweep's document came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Creation {
    /// It is new.
    Created,
    /// There was one: this.
    Exists(Box<SweepDocument>),
}

/// A store in a folder on this machine.
#[derive(Clone, Debug)]
pub struct Store {
    folder: LocalFolder,
    id: String,
}

impl Store {
    /// Opens a store, or makes one of a folder that is new or empty. Entries named in `ours`
    /// (such as `_state`) count as empty.
    pub fn open_or_create(url: &str, ours: &[&str]) -> Result<Store, StoreError> {
        let root = local_root(url)?;
        fs::create_dir_all(&root).map_err(StoreError::io("create", &root))?;
        let root = root.canonicalize().map_err(StoreError::io("open", &root))?;
        let folder = LocalFolder::new(root.clone());
        if folder.size(STORE_DOCUMENT)?.is_none() {
            refuse_foreign(&root, ours)?;
            let document = StoreDocument {
                format_version: FORMAT_VERSION,
                store_id: format!("{:016x}{:016x}", random_bits(), random_bits()),
            };
            folder.create(STORE_DOCUMENT, &to_json(&document))?;
        }
        Self::open_folder(folder)
    }

    /// Opens a store that exists.
    pub fn open(url: &str) -> Result<Store, StoreError> {
        let root = local_root(url)?;
        if !root.is_dir() {
            let reason = "there is no such folder".to_owned();
            return Err(StoreError::NotAStore { path: root, reason });
        }
        let root = root.canonicalize().map_err(StoreError::io("open", &root))?;
        Self::open_folder(LocalFolder::new(root))
    }

    fn open_folder(folder: LocalFolder) -> Result<Store, StoreError> {
        let Some(bytes) = folder.read(STORE_DOCUMENT)? else {
            let reason = format!("it has no {STORE_DOCUMENT}");
            return Err(StoreError::NotAStore { path: folder.root().to_path_buf(), reason });
        };
        let path = folder.path(STORE_DOCUMENT);
        let document: StoreDocument = from_json(&path, &bytes)?;
        if document.format_version > FORMAT_VERSION {
            let (found, known) = (document.format_version, FORMAT_VERSION);
            return Err(StoreError::NewerFormat { path, found, known });
        }
        Ok(Store { folder, id: document.store_id })
    }

    /// The store's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The store's folder.
    pub fn root(&self) -> &Path {
        self.folder.root()
    }

    /// Writes one file of an attempt durably and describes it for the manifest. `file` is the
    /// name of a weights file; shards have the name of their table.
    pub fn stage(
        &self,
        key: &UnitKey,
        table: &str,
        file: &str,
        rows: u64,
        bytes: &[u8],
    ) -> Result<StagedFile, StoreError> {
        let path = staging_path(key, table, file)?;
        self.folder.write(&path, bytes)?;
        let blake3 = blake3::hash(bytes).to_hex().to_string();
        Ok(StagedFile { table: table.to_owned(), path, rows, bytes: bytes.len() as u64, blake3 })
    }

    /// Checks that every file is there with the stated size and hash, and staged by this key.
    pub fn verify(&self, key: &UnitKey, files: &[StagedFile]) -> Result<Verification, StoreError> {
        for file in files {
            if let Err(error) = published_path(key, &file.table, &file.path) {
                return Ok(Verification::Broken(error.to_string()));
            }
            if let Some(difference) = self.difference(&file.path, file)? {
                return Ok(Verification::Broken(difference));
            }
        }
        Ok(Verification::Intact)
    }

    /// Makes the files visible under their final names, table `trials` last. Idempotent: a file
    /// that is already there as stated is left alone, so that a repeat needs no staged file.
    pub fn publish(&self, key: &UnitKey, files: &[StagedFile]) -> Result<Publication, StoreError> {
        let mut ordered: Vec<&StagedFile> = files.iter().collect();
        ordered.sort_by_key(|file| file.table == "trials");
        // Every file is looked at before the first is copied: a unit that has lost one of its
        // files must not leave the others visible.
        let mut to_copy = Vec::new();
        for file in ordered {
            let target = published_path(key, &file.table, &file.path)?;
            match self.difference(&file.path, file)? {
                None => to_copy.push((file, target)),
                Some(difference) => {
                    if self.difference(&target, file)?.is_some() {
                        return Ok(Publication::Lost(difference));
                    }
                }
            }
        }
        for (file, target) in to_copy {
            self.folder.publish(&file.path, &target)?;
        }
        Ok(Publication::Visible)
    }

    /// Writes a shard straight under its final name (rows that no worker can stage).
    pub fn publish_shard(
        &self,
        key: &UnitKey,
        table: &str,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let staged = staging_path(key, table, "")?;
        self.folder.write(&published_path(key, table, &staged)?, bytes)
    }

    /// Removes what one attempt staged, or every attempt at the unit.
    pub fn clear_staging(
        &self,
        sweep: &str,
        unit: u64,
        attempt: Option<u64>,
    ) -> Result<(), StoreError> {
        let folder = match attempt {
            Some(attempt) => attempt_folder(&UnitKey { sweep: sweep.to_owned(), unit, attempt })?,
            None => unit_folder(sweep, unit)?,
        };
        self.folder.remove_folder(&folder)
    }

    /// Creates `_sweeps/<name>.json` unless there is one.
    pub fn create_sweep_document(&self, document: &SweepDocument) -> Result<Creation, StoreError> {
        let path = sweep_document_path(&document.name)?;
        if self.folder.create(&path, &to_json(document))? {
            return Ok(Creation::Created);
        }
        let existing = self.sweep_document(&document.name)?;
        existing.map(|found| Creation::Exists(Box::new(found))).ok_or_else(|| StoreError::Damaged {
            path: self.folder.path(&path),
            reason: "it vanished while it was read".into(),
        })
    }

    /// Replaces `_sweeps/<name>.json`.
    pub fn replace_sweep_document(&self, document: &SweepDocument) -> Result<(), StoreError> {
        self.folder.write(&sweep_document_path(&document.name)?, &to_json(document))
    }

    /// Reads `_sweeps/<name>.json`, `None` if there is none.
    pub fn sweep_document(&self, name: &str) -> Result<Option<SweepDocument>, StoreError> {
        let path = sweep_document_path(name)?;
        let Some(bytes) = self.folder.read(&path)? else { return Ok(None) };
        from_json(&self.folder.path(&path), &bytes).map(Some)
    }

    /// Names of the sweeps that have a document, sorted.
    pub fn sweep_names(&self) -> Result<Vec<String>, StoreError> {
        let folder = self.folder.path("_sweeps");
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(StoreError::io("read", &folder))? {
            let entry = entry.map_err(StoreError::io("read", &folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            names.extend(name.strip_suffix(".json").map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// How a file differs from what is stated of it; `None` if it does not.
    fn difference(&self, path: &str, stated: &StagedFile) -> Result<Option<String>, StoreError> {
        match self.folder.size(path)? {
            None => return Ok(Some(format!("{path} is not there"))),
            Some(bytes) if bytes != stated.bytes => {
                return Ok(Some(format!("{path} has {bytes} bytes, not {}", stated.bytes)));
            }
            Some(_) => {}
        }
        let Some(bytes) = self.folder.read(path)? else {
            return Ok(Some(format!("{path} is not there")));
        };
        let differs = blake3::hash(&bytes).to_hex().as_str() != stated.blake3;
        Ok(differs.then(|| format!("{path} has another content than stated")))
    }
}

fn local_root(url: &str) -> Result<PathBuf, StoreError> {
    if let Some(path) = url.strip_prefix("file://") {
        return Ok(PathBuf::from(path));
    }
    if url.contains("://") {
        return Err(StoreError::UnsupportedUrl { url: url.to_owned() });
    }
    Ok(PathBuf::from(url))
}

fn refuse_foreign(root: &Path, ours: &[&str]) -> Result<(), StoreError> {
    for entry in fs::read_dir(root).map_err(StoreError::io("read", root))? {
        let entry = entry.map_err(StoreError::io("read", root))?;
        let found = entry.file_name().to_string_lossy().into_owned();
        if !ours.contains(&found.as_str()) && found != "_staging" {
            return Err(StoreError::Foreign { path: root.to_path_buf(), found });
        }
    }
    Ok(())
}

fn to_json<T: Serialize>(document: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn from_json<T: for<'de> Deserialize<'de>>(path: &Path, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::Damaged {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}
