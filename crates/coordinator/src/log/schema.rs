//! The tables, and how an older file becomes a current one.

use rusqlite::Connection;

/// Every step from an empty file to the current format; the format's number is how many there are.
/// A step is never changed once released: a new one is appended.
const MIGRATIONS: [&str; 1] = ["CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID;
    INSERT INTO meta (key, value) VALUES ('coordinator', lower(hex(randomblob(16))));
    CREATE TABLE sweeps (
        sweep INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        measure TEXT NOT NULL,
        owner TEXT NOT NULL,
        phase INTEGER NOT NULL,
        attempts_failed INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE blocks (
        sweep INTEGER NOT NULL,
        position INTEGER NOT NULL,
        idempotency_key TEXT,
        trials INTEGER NOT NULL,
        block TEXT NOT NULL,
        PRIMARY KEY (sweep, position)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX blocks_by_key ON blocks (sweep, idempotency_key)
        WHERE idempotency_key IS NOT NULL;
    CREATE TABLE pins (
        sweep INTEGER NOT NULL,
        task TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        PRIMARY KEY (sweep, task)
    ) WITHOUT ROWID;
    CREATE TABLE units (
        sweep INTEGER NOT NULL,
        unit INTEGER NOT NULL,
        grid INTEGER NOT NULL,
        first INTEGER NOT NULL,
        past INTEGER NOT NULL,
        trials INTEGER NOT NULL,
        root INTEGER NOT NULL,
        stage INTEGER NOT NULL,
        attempt INTEGER NOT NULL DEFAULT 0,
        amnesty INTEGER NOT NULL DEFAULT 0,
        worker TEXT,
        winner INTEGER,
        ok INTEGER NOT NULL DEFAULT 0,
        diverged INTEGER NOT NULL DEFAULT 0,
        manifest TEXT,
        reason TEXT,
        cleared INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (sweep, unit)
    ) WITHOUT ROWID;
    CREATE TABLE failures (
        id INTEGER PRIMARY KEY,
        sweep INTEGER NOT NULL,
        unit INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        worker TEXT NOT NULL,
        cause INTEGER NOT NULL,
        message TEXT NOT NULL,
        failed_at INTEGER NOT NULL DEFAULT (unixepoch())
    );
    CREATE INDEX failures_by_sweep ON failures (sweep);"];

/// The format this release writes.
pub(super) const CURRENT_FORMAT: i64 = MIGRATIONS.len() as i64;

/// The format of a file; 0 = empty.
pub(super) fn format_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings a file of an older format up to date, each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let format = usize::try_from(format_of(connection)?).unwrap_or(0);
    for (number, step) in (1_i64..).zip(MIGRATIONS).skip(format) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}
