//! What each record does to the tables.

use rusqlite::{Connection, Params, Result, params};

use crate::model::{Phase, Record, Stage, UnitKey};

pub(super) fn phase_number(phase: Phase) -> i64 {
    match phase {
        Phase::Running => 0,
        Phase::Paused => 1,
        Phase::Cancelled => 2,
    }
}

pub(super) fn apply(connection: &Connection, record: &Record) -> Result<()> {
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| execute(connection, sql, values);
    match record {
        Record::SweepCreated { sweep, name, measure, owner } => run(
            "INSERT INTO sweeps (sweep, name, measure, owner, phase) VALUES (?1, ?2, ?3, ?4, ?5)",
            &[&sweep.0, name, measure, owner, &phase_number(Phase::Running)],
        ),
        Record::PhaseSet { sweep, phase } => {
            run("UPDATE sweeps SET phase = ?2 WHERE sweep = ?1", &[&sweep.0, &phase_number(*phase)])
        }
        Record::BlockAppended { sweep, block, key, trials } => run(
            "INSERT INTO blocks (sweep, position, idempotency_key, trials, block)
             SELECT ?1, count(*), ?2, ?3, ?4 FROM blocks WHERE sweep = ?1",
            &[&sweep.0, key, &signed(*trials), block],
        ),
        Record::DatasetPinned { sweep, task, fingerprint } => run(
            "INSERT INTO pins (sweep, task, fingerprint) VALUES (?1, ?2, ?3)",
            &[&sweep.0, task, fingerprint],
        ),
        Record::UnitCut { unit, range, trials, root } => run(
            "INSERT INTO units (sweep, unit, grid, first, past, trials, root, stage)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            &[
                &unit.sweep.0,
                &signed(unit.unit),
                &range.grid,
                &signed(range.start),
                &signed(range.end),
                trials,
                &signed(*root),
                &Stage::Waiting.number(),
            ],
        ),
        Record::UnitLeased { unit, attempt, worker } => change(
            connection,
            "UPDATE units SET stage = ?3, attempt = ?4, worker = ?5 WHERE sweep = ?1 AND unit = ?2",
            params![
                unit.sweep.0,
                signed(unit.unit),
                Stage::Leased.number(),
                signed(*attempt),
                worker
            ],
        ),
        Record::UnitFreed { unit } => set_stage(connection, *unit, Stage::Waiting),
        Record::AttemptFailed { unit, attempt, worker, cause, message } => {
            run(
                "INSERT INTO failures (sweep, unit, attempt, worker, cause, message)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                &[
                    &unit.sweep.0,
                    &signed(unit.unit),
                    &signed(*attempt),
                    worker,
                    &cause.number(),
                    message,
                ],
            )?;
            run(
                "UPDATE sweeps SET attempts_failed = attempts_failed + 1 WHERE sweep = ?1",
                &[&unit.sweep.0],
            )
        }
        Record::UnitSplit { unit } => set_stage(connection, *unit, Stage::Split),
        Record::UnitWon { unit, attempt, ok, diverged, manifest } => {
            let manifest = serde_json::to_string(manifest)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            change(
                connection,
                "UPDATE units SET stage = ?3, worker = NULL, winner = ?4, ok = ?5, diverged = ?6,
                 manifest = ?7, cleared = 0 WHERE sweep = ?1 AND unit = ?2",
                params![
                    unit.sweep.0,
                    signed(unit.unit),
                    Stage::Won.number(),
                    signed(*attempt),
                    ok,
                    diverged,
                    manifest
                ],
            )
        }
        Record::UnitGivenUp { unit, reason } => change(
            connection,
            "UPDATE units SET stage = ?3, worker = NULL, reason = ?4, cleared = 0
             WHERE sweep = ?1 AND unit = ?2",
            params![unit.sweep.0, signed(unit.unit), Stage::GivenUp.number(), reason],
        ),
        Record::UnitPublished { unit } => change(
            connection,
            "UPDATE units SET stage = CASE stage WHEN ?3 THEN ?4 ELSE ?5 END,
             reason = CASE stage WHEN ?3 THEN reason ELSE NULL END, manifest = NULL
             WHERE sweep = ?1 AND unit = ?2",
            params![
                unit.sweep.0,
                signed(unit.unit),
                Stage::GivenUp.number(),
                Stage::PublishedFailed.number(),
                Stage::Published.number()
            ],
        ),
        Record::UnitCleared { unit } => change(
            connection,
            "UPDATE units SET cleared = 1 WHERE sweep = ?1 AND unit = ?2",
            params![unit.sweep.0, signed(unit.unit)],
        ),
        Record::UnitReopened { unit } => change(
            connection,
            "UPDATE units SET stage = ?3, amnesty = attempt, winner = NULL, ok = 0, diverged = 0,
             manifest = NULL, cleared = 0 WHERE sweep = ?1 AND unit = ?2",
            params![unit.sweep.0, signed(unit.unit), Stage::Waiting.number()],
        ),
        Record::UnitCancelled { unit } => set_stage(connection, *unit, Stage::Cancelled),
    }
}

/// SQLite's integers are signed; counts and indices stay far below the limit.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn set_stage(connection: &Connection, unit: UnitKey, stage: Stage) -> Result<()> {
    change(
        connection,
        "UPDATE units SET stage = ?3, worker = NULL WHERE sweep = ?1 AND unit = ?2",
        params![unit.sweep.0, signed(unit.unit), stage.number()],
    )
}

fn execute(connection: &Connection, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<()> {
    connection.prepare_cached(sql)?.execute(values).map(|_| ())
}

/// An update that must find its row: else memory and log have parted.
fn change(connection: &Connection, sql: &str, values: impl Params) -> Result<()> {
    match connection.prepare_cached(sql)?.execute(values)? {
        1 => Ok(()),
        rows => Err(rusqlite::Error::StatementChangedRows(rows)),
    }
}
