//! Opening a log: whose it is, and what it holds.

use std::path::Path;

use rusqlite::Connection;

use super::error::LogError;
use super::filesystem::network_filesystem;
use super::load::{LoadError, load};
use super::lock::StateLock;
use super::schema::{CURRENT_FORMAT, format_of, migrate};
use super::writer::Log;
use crate::model::Snapshot;

/// The SQLite file's name in the state directory.
pub const LOG_FILE: &str = "coordinator.sqlite";

/// A log, open for writing, and what it held.
#[derive(Debug)]
pub struct Opened {
    /// The log.
    pub log: Log,
    /// What it held.
    pub snapshot: Snapshot,
    /// The coordinator's id: that of its state directory, 32 hexadecimal digits.
    pub coordinator: String,
}

/// Opens the log of a state directory, and makes both where they do not exist.
pub fn open(directory: &Path) -> Result<Opened, LogError> {
    let unusable = |source| LogError::Directory { path: directory.to_owned(), source };
    let sqlite = |source| LogError::Sqlite { path: directory.to_owned(), source };
    std::fs::create_dir_all(directory).map_err(unusable)?;
    if let Some(filesystem) = network_filesystem(directory).map_err(unusable)? {
        return Err(LogError::NetworkFileSystem { path: directory.to_owned(), filesystem });
    }
    let lock = StateLock::take(directory)?;
    let mut connection = Connection::open(directory.join(LOG_FILE)).map_err(sqlite)?;
    let found = format_of(&connection).map_err(sqlite)?;
    if found > CURRENT_FORMAT {
        let path = directory.to_owned();
        return Err(LogError::Newer { path, found, supported: CURRENT_FORMAT });
    }
    make_durable(&connection).map_err(sqlite)?;
    migrate(&mut connection).map_err(sqlite)?;
    let coordinator = connection
        .query_row("SELECT value FROM meta WHERE key = 'coordinator'", [], |row| row.get(0))
        .map_err(sqlite)?;
    let snapshot = load(&connection).map_err(|error| match error {
        LoadError::Sqlite(source) => sqlite(source),
        LoadError::Damaged(what) => LogError::Damaged { path: directory.to_owned(), what },
    })?;
    let log = Log::start(connection, lock).map_err(unusable)?;
    Ok(Opened { log, snapshot, coordinator })
}

fn make_durable(connection: &Connection) -> rusqlite::Result<()> {
    // Answers with the mode, hence a query.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}
