//! Errors of a store: what failed, on which path, and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Why a store could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder is not there, or is no store.
    #[error("{path} is not a phasegrid store: {reason}")]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// The folder has something else in it.
    #[error(
        "{path} is not empty and not a phasegrid store (it holds \"{found}\"): choose an empty or new folder"
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// One of the entries found there.
        found: String,
    },
    /// The store was written by a newer phasegrid.
    #[error("{path} has format version {found}; this phasegrid reads up to {known}: update it")]
    NewerFormat {
        /// The document.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// A document of the store cannot be read.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The document.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A URL scheme no backend takes.
    #[error("the store {url} is not supported: give a local folder")]
    UnsupportedUrl {
        /// The URL.
        url: String,
    },
    /// A name that must not become part of a path.
    #[error("\"{name}\" cannot be part of a path in the store")]
    BadName {
        /// The name.
        name: String,
    },
    /// Reading or writing failed.
    #[error("cannot {action} {path}: {source}{}", hint(source))]
    Io {
        /// What was being done, such as "write".
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Parquet or Arrow refused the data: a bug.
    #[error("cannot encode the table {table}: {reason}")]
    Encode {
        /// The table.
        table: &'static str,
        /// The encoder's error.
        reason: String,
    },
}

impl StoreError {
    /// Whether the store takes no more: full, over its quota or read-only. Trying again does not
    /// help until somebody makes room.
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        matches!(
            self,
            StoreError::Io { source, .. }
                if matches!(source.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem)
        )
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.to_path_buf();
        move |source| StoreError::Io { action, path, source }
    }
}

fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull => " (free space there; what is published stays intact)",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            " (choose a folder you may write to)"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            " (a file stands in the way: choose another folder)"
        }
        _ => "",
    }
}
