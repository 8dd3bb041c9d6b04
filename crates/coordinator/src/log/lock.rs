//! One coordinator a state directory.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::error::LogError;

/// Held as long as the coordinator lives; the system lets go of it even if it is killed.
#[derive(Debug)]
pub(super) struct StateLock {
    _file: File,
}

impl StateLock {
    pub(super) fn take(directory: &Path) -> Result<Self, LogError> {
        let unusable = |source| LogError::Directory { path: directory.to_owned(), source };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(directory.join("lock"))
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LogError::Locked { path: directory.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}
