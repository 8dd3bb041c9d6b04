//! The same records applied to a [`Snapshot`] in memory: what the SQLite tables are tested against.

use crate::model::{
    BlockSnapshot, FailureSnapshot, Phase, Record, Snapshot, Stage, SweepId, SweepSnapshot,
    UnitKey, UnitSnapshot, failure_line,
};

pub(crate) fn apply_to_snapshot(snapshot: &mut Snapshot, record: &Record) {
    match record.clone() {
        Record::SweepCreated { sweep, name, measure, owner } => {
            snapshot.sweeps.push(SweepSnapshot {
                id: sweep,
                name,
                measure,
                owner,
                phase: Phase::Running,
                blocks: Vec::new(),
                pins: Vec::new(),
                units: Vec::new(),
                failures: Vec::new(),
                attempts_failed: 0,
                last_failure: None,
            });
        }
        Record::PhaseSet { sweep, phase } => book(snapshot, sweep).phase = phase,
        Record::BlockAppended { sweep, block, key, trials } => {
            book(snapshot, sweep).blocks.push(BlockSnapshot { block, key, trials });
        }
        Record::DatasetPinned { sweep, task, fingerprint } => {
            let pins = &mut book(snapshot, sweep).pins;
            pins.push((task, fingerprint));
            pins.sort();
        }
        Record::UnitCut { unit, range, trials, root } => {
            let units = &mut book(snapshot, unit.sweep).units;
            assert_eq!(units.len() as u64, unit.unit, "unit numbers go up by one");
            units.push(UnitSnapshot {
                range,
                trials,
                root,
                stage: Stage::Waiting,
                attempt: 0,
                amnesty: 0,
                worker: None,
                winner: None,
                ok: 0,
                diverged: 0,
                manifest: Vec::new(),
                reason: None,
                cleared: false,
            });
        }
        Record::UnitLeased { unit, attempt, worker } => {
            let row = row(snapshot, unit);
            assert!(attempt >= row.attempt, "attempts only grow");
            row.stage = Stage::Leased;
            row.attempt = attempt;
            row.worker = Some(worker);
        }
        Record::UnitFreed { unit } => set_stage(snapshot, unit, Stage::Waiting),
        Record::AttemptFailed { unit, attempt, worker, cause, message } => {
            let book = book(snapshot, unit.sweep);
            book.attempts_failed += 1;
            book.last_failure = Some(failure_line(unit.unit, attempt, &worker, cause, &message));
            book.failures.push(FailureSnapshot {
                unit: unit.unit,
                attempt,
                worker,
                cause,
                message,
            });
        }
        Record::UnitSplit { unit } => set_stage(snapshot, unit, Stage::Split),
        Record::UnitWon { unit, attempt, ok, diverged, manifest } => {
            let row = row(snapshot, unit);
            row.stage = Stage::Won;
            row.worker = None;
            row.winner = Some(attempt);
            (row.ok, row.diverged, row.manifest) = (ok, diverged, manifest);
            row.cleared = false;
        }
        Record::UnitGivenUp { unit, reason } => {
            set_stage(snapshot, unit, Stage::GivenUp);
            let row = row(snapshot, unit);
            row.reason = Some(reason);
            row.cleared = false;
        }
        Record::UnitPublished { unit } => {
            let row = row(snapshot, unit);
            let failed = row.stage == Stage::GivenUp;
            row.stage = if failed { Stage::PublishedFailed } else { Stage::Published };
            row.reason = row.reason.take().filter(|_| failed);
            row.manifest.clear();
        }
        Record::UnitCleared { unit } => row(snapshot, unit).cleared = true,
        Record::UnitReopened { unit } => {
            let row = row(snapshot, unit);
            row.stage = Stage::Waiting;
            row.amnesty = row.attempt;
            row.winner = None;
            (row.ok, row.diverged) = (0, 0);
            row.manifest.clear();
            row.cleared = false;
        }
        Record::UnitCancelled { unit } => set_stage(snapshot, unit, Stage::Cancelled),
    }
    forget_settled_failures(snapshot);
}

fn forget_settled_failures(snapshot: &mut Snapshot) {
    for sweep in &mut snapshot.sweeps {
        let units = &sweep.units;
        sweep.failures.retain(|failure| {
            let unit = &units[failure.unit as usize];
            let settled = !matches!(unit.stage, Stage::Waiting | Stage::Leased);
            !settled && failure.attempt > unit.amnesty
        });
    }
}

fn book(snapshot: &mut Snapshot, sweep: SweepId) -> &mut SweepSnapshot {
    snapshot.sweeps.iter_mut().find(|one| one.id == sweep).unwrap()
}

fn row(snapshot: &mut Snapshot, unit: UnitKey) -> &mut UnitSnapshot {
    &mut book(snapshot, unit.sweep).units[unit.unit as usize]
}

fn set_stage(snapshot: &mut Snapshot, unit: UnitKey, stage: Stage) {
    let row = row(snapshot, unit);
    row.stage = stage;
    row.worker = None;
}
