//! A folder on this machine. Every write is durable before it is reported: file and folder are
//! synchronised, and nothing shows under its final name before it is whole.

use crate::error::StoreError;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder of a store.
#[derive(Clone, Debug)]
pub(crate) struct LocalFolder {
    root: PathBuf,
}

impl LocalFolder {
    pub(crate) fn new(root: PathBuf) -> Self {
        LocalFolder { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The bytes of a file, `None` if it is not there.
    pub(crate) fn read(&self, relative: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(relative);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("read", &path)(error)),
        }
    }

    /// Size of a file, `None` if it is not there.
    pub(crate) fn size(&self, relative: &str) -> Result<Option<u64>, StoreError> {
        let path = self.path(relative);
        match fs::metadata(&path) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("read", &path)(error)),
        }
    }

    /// Writes a file durably; whatever had the name is replaced in one step.
    pub(crate) fn write(&self, relative: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let temporary = self.write_temporary(relative, bytes)?;
        self.rename(&temporary, &self.path(relative))
    }

    /// Writes a file durably unless the name is taken; whether it was free.
    pub(crate) fn create(&self, relative: &str, bytes: &[u8]) -> Result<bool, StoreError> {
        let temporary = self.write_temporary(relative, bytes)?;
        let target = self.path(relative);
        let folder = self.folder_of(&target)?;
        let linked = fs::hard_link(&temporary, &target);
        let _ = fs::remove_file(&temporary);
        match linked {
            Ok(()) => sync_folder(&folder).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(StoreError::io("create", &target)(error)),
        }
    }

    /// Gives a staged file its final name, durably and in one step. The staged name stays; a second
    /// link to the same bytes needs no space, so that a disk filled by staging can still publish.
    pub(crate) fn publish(&self, staged: &str, target: &str) -> Result<(), StoreError> {
        let source = self.path(staged);
        let linked = self.temporary_path(target)?;
        if fs::hard_link(&source, &linked).is_ok() {
            let renamed = self.rename(&linked, &self.path(target));
            // Renaming one link of a file over another does nothing and leaves both.
            let _ = fs::remove_file(&linked);
            return renamed;
        }
        // A file system without links.
        let bytes = fs::read(&source).map_err(StoreError::io("read", &source))?;
        self.write(target, &bytes)
    }

    /// Removes a folder and all in it; no folder is fine.
    pub(crate) fn remove_folder(&self, relative: &str) -> Result<(), StoreError> {
        let path = self.path(relative);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// A temporary lies below `_staging`, never beside its target, where a reader of the whole
    /// folder would meet it.
    fn temporary_path(&self, relative: &str) -> Result<PathBuf, StoreError> {
        let folder = self.path("_staging/_temporary");
        fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        let unique = format!("{}-{:016x}", std::process::id(), random_bits());
        Ok(folder.join(format!("{}.{unique}", relative.replace('/', "_"))))
    }

    fn write_temporary(&self, relative: &str, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let path = self.temporary_path(relative)?;
        let result = File::create(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        result.map_err(|error| {
            let _ = fs::remove_file(&path);
            StoreError::io("write", &self.path(relative))(error)
        })?;
        Ok(path)
    }

    fn rename(&self, temporary: &Path, target: &Path) -> Result<(), StoreError> {
        let folder = self.folder_of(target)?;
        fs::rename(temporary, target).map_err(|error| {
            let _ = fs::remove_file(temporary);
            StoreError::io("write", target)(error)
        })?;
        sync_folder(&folder)
    }

    /// The folder of a file, created with its parents made durable.
    fn folder_of(&self, target: &Path) -> Result<PathBuf, StoreError> {
        let folder = target.parent().unwrap_or(&self.root).to_path_buf();
        if folder.is_dir() {
            return Ok(folder);
        }
        fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        for ancestor in folder.ancestors().skip(1) {
            sync_folder(ancestor)?;
            if ancestor == self.root {
                break;
            }
        }
        Ok(folder)
    }
}

fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder)
        .and_then(|handle| handle.sync_all())
        .map_err(StoreError::io("synchronise", folder))
}

/// 64 random bits from the system, for names that must not collide.
pub(crate) fn random_bits() -> u64 {
    getrandom::u64().unwrap_or_else(|_| {
        // Without a random source the process id and the time still tell names apart.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(0, |elapsed| elapsed.as_nanos() as u64)
    })
}
