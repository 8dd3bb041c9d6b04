//! Why a log cannot be opened.

use std::path::PathBuf;

/// The state directory, or the log in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The directory cannot be made or read.
    #[error("the state directory {} cannot be used: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A coordinator that is alive has it.
    #[error(
        "another coordinator is running with the state directory {}: stop it, or give this one a directory of its own",
        path.display()
    )]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// Its file system does not keep what SQLite relies on.
    #[error(
        "the state directory {} is on {filesystem}, where SQLite may lose data: choose a directory on a local disk",
        path.display()
    )]
    NetworkFileSystem {
        /// The directory.
        path: PathBuf,
        /// The file system's name.
        filesystem: &'static str,
    },
    /// A newer release wrote it.
    #[error(
        "the log in {} has format {found}, this release reads up to {supported}: run the newer release of phasegrid",
        path.display()
    )]
    Newer {
        /// The directory.
        path: PathBuf,
        /// The log's format.
        found: i64,
        /// The newest this release reads.
        supported: i64,
    },
    /// A row that no release writes.
    #[error("the log in {} is damaged: {what}", path.display())]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// The row.
        what: String,
    },
    /// SQLite.
    #[error("the log in {} cannot be used: {source}", path.display())]
    Sqlite {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// Records could not be written; the coordinator stops, as its memory is ahead of its log.
    #[error("the log could not be written: {0}; free space or repair the disk, then start again")]
    Write(String),
}
