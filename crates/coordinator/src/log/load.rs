//! Reading everything back.

use std::collections::HashMap;

use rusqlite::{Connection, Row};

use phasegrid_spec::TrialRange;

use crate::model::{
    BlockSnapshot, Cause, FailureSnapshot, Phase, Snapshot, Stage, SweepId, SweepSnapshot,
    UnitSnapshot, failure_line,
};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    Damaged(String),
}

pub(super) fn load(connection: &Connection) -> Result<Snapshot, LoadError> {
    let mut sweeps = load_sweeps(connection)?;
    let positions: HashMap<u32, usize> =
        sweeps.iter().enumerate().map(|(position, sweep)| (sweep.id.0, position)).collect();
    load_blocks(connection, &positions, &mut sweeps)?;
    load_pins(connection, &positions, &mut sweeps)?;
    load_units(connection, &positions, &mut sweeps)?;
    load_failures(connection, &positions, &mut sweeps)?;
    for sweep in &mut sweeps {
        sweep.last_failure = load_last_failure(connection, sweep.id)?;
    }
    Ok(Snapshot { sweeps })
}

fn load_sweeps(connection: &Connection) -> Result<Vec<SweepSnapshot>, LoadError> {
    let mut statement = connection.prepare(
        "SELECT sweep, name, measure, owner, phase, attempts_failed FROM sweeps ORDER BY sweep",
    )?;
    let mut rows = statement.query([])?;
    let mut sweeps = Vec::new();
    while let Some(row) = rows.next()? {
        let phase = match row.get::<_, i64>(4)? {
            0 => Phase::Running,
            1 => Phase::Paused,
            2 => Phase::Cancelled,
            other => return Err(LoadError::Damaged(format!("a sweep in phase {other}"))),
        };
        sweeps.push(SweepSnapshot {
            id: SweepId(row.get(0)?),
            name: row.get(1)?,
            measure: row.get(2)?,
            owner: row.get(3)?,
            phase,
            blocks: Vec::new(),
            pins: Vec::new(),
            units: Vec::new(),
            failures: Vec::new(),
            attempts_failed: unsigned(row, 5)?,
            last_failure: None,
        });
    }
    Ok(sweeps)
}

fn load_blocks(
    connection: &Connection,
    positions: &HashMap<u32, usize>,
    sweeps: &mut [SweepSnapshot],
) -> Result<(), LoadError> {
    let mut statement = connection.prepare(
        "SELECT sweep, block, idempotency_key, trials FROM blocks ORDER BY sweep, position",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let block =
            BlockSnapshot { block: row.get(1)?, key: row.get(2)?, trials: unsigned(row, 3)? };
        sweep_of(row, positions, sweeps)?.blocks.push(block);
    }
    Ok(())
}

fn load_pins(
    connection: &Connection,
    positions: &HashMap<u32, usize>,
    sweeps: &mut [SweepSnapshot],
) -> Result<(), LoadError> {
    let mut statement =
        connection.prepare("SELECT sweep, task, fingerprint FROM pins ORDER BY sweep, task")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let pin = (row.get(1)?, row.get(2)?);
        sweep_of(row, positions, sweeps)?.pins.push(pin);
    }
    Ok(())
}

fn load_units(
    connection: &Connection,
    positions: &HashMap<u32, usize>,
    sweeps: &mut [SweepSnapshot],
) -> Result<(), LoadError> {
    let mut statement = connection.prepare(
        "SELECT sweep, unit, grid, first, past, trials, root, stage, attempt, amnesty, worker,
         winner, ok, diverged, manifest, reason, cleared FROM units ORDER BY sweep, unit",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let unit = read_unit(row)?;
        let sweep = sweep_of(row, positions, sweeps)?;
        if unsigned(row, 1)? != sweep.units.len() as u64 {
            let missing = sweep.units.len();
            return Err(LoadError::Damaged(format!("unit {missing} of {} is missing", sweep.name)));
        }
        sweep.units.push(unit);
    }
    Ok(())
}

fn read_unit(row: &Row<'_>) -> Result<UnitSnapshot, LoadError> {
    let stage_number: i64 = row.get(7)?;
    let stage = Stage::ALL.into_iter().find(|stage| stage.number() == stage_number);
    let stage =
        stage.ok_or_else(|| LoadError::Damaged(format!("a unit in stage {stage_number}")))?;
    let manifest: Option<String> = row.get(14)?;
    let manifest = match manifest {
        Some(json) => serde_json::from_str(&json)
            .map_err(|error| LoadError::Damaged(format!("a manifest: {error}")))?,
        None => Vec::new(),
    };
    let range = TrialRange { grid: row.get(2)?, start: unsigned(row, 3)?, end: unsigned(row, 4)? };
    let winner: Option<i64> = row.get(11)?;
    Ok(UnitSnapshot {
        range,
        trials: row.get(5)?,
        root: unsigned(row, 6)?,
        stage,
        attempt: unsigned(row, 8)?,
        amnesty: unsigned(row, 9)?,
        worker: row.get(10)?,
        winner: winner.and_then(|winner| u64::try_from(winner).ok()),
        ok: row.get(12)?,
        diverged: row.get(13)?,
        manifest,
        reason: row.get(15)?,
        cleared: row.get(16)?,
    })
}

/// Failures that still count: of units waiting or leased, after their last amnesty.
fn load_failures(
    connection: &Connection,
    positions: &HashMap<u32, usize>,
    sweeps: &mut [SweepSnapshot],
) -> Result<(), LoadError> {
    let mut statement = connection.prepare(
        "SELECT f.sweep, f.unit, f.attempt, f.worker, f.cause, f.message
         FROM failures f JOIN units u ON u.sweep = f.sweep AND u.unit = f.unit
         WHERE u.stage IN (?1, ?2) AND f.attempt > u.amnesty ORDER BY f.id",
    )?;
    let mut rows = statement.query([Stage::Waiting.number(), Stage::Leased.number()])?;
    while let Some(row) = rows.next()? {
        let failure = read_failure(row)?;
        sweep_of(row, positions, sweeps)?.failures.push(failure);
    }
    Ok(())
}

fn load_last_failure(connection: &Connection, sweep: SweepId) -> Result<Option<String>, LoadError> {
    let mut statement = connection.prepare(
        "SELECT sweep, unit, attempt, worker, cause, message FROM failures
         WHERE sweep = ?1 ORDER BY id DESC LIMIT 1",
    )?;
    let mut rows = statement.query([sweep.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let last = read_failure(row)?;
    Ok(Some(failure_line(last.unit, last.attempt, &last.worker, last.cause, &last.message)))
}

fn read_failure(row: &Row<'_>) -> Result<FailureSnapshot, LoadError> {
    let number: i64 = row.get(4)?;
    let cause = Cause::ALL.into_iter().find(|cause| cause.number() == number);
    let cause = cause.ok_or_else(|| LoadError::Damaged(format!("a failure of cause {number}")))?;
    Ok(FailureSnapshot {
        unit: unsigned(row, 1)?,
        attempt: unsigned(row, 2)?,
        worker: row.get(3)?,
        cause,
        message: row.get(5)?,
    })
}

fn sweep_of<'a>(
    row: &Row<'_>,
    positions: &HashMap<u32, usize>,
    sweeps: &'a mut [SweepSnapshot],
) -> Result<&'a mut SweepSnapshot, LoadError> {
    let id: u32 = row.get(0)?;
    positions
        .get(&id)
        .and_then(|position| sweeps.get_mut(*position))
        .ok_or_else(|| LoadError::Damaged(format!("a row of sweep {id}, which does not exist")))
}

fn unsigned(row: &Row<'_>, column: usize) -> Result<u64, LoadError> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| LoadError::Damaged(format!("a negative number, {number}")))
}
