//! The log on a real disk: what is acknowledged is there after any crash.

use std::collections::BTreeMap;
use std::time::Duration;

use phasegrid_spec::{SweepFile, TrainRows};

use super::{LOG_FILE, LogError, apply_to_snapshot, open};
use crate::commit::{CommitStore, MemoryStore, Publication, StagedFile};
use crate::model::{Cause, LeaseName, Phase, Record, Snapshot, Stage, SweepId, UnitKey};
use crate::scheduler::{
    Completion, Effects, Job, LeaseAnswer, Registration, Scheduler, SchedulerConfig, SweepState,
    Verdict, prepare,
};

const SWEEP: &str =
    "name = \"s\"\ntask = \"digits\"\n[axes]\ndepth = [1, 2]\nseed = { range = [0, 4] }\n";

/// A coordinator without its service: one event after the other, each durable before the next.
struct Machine {
    scheduler: Scheduler,
    log: super::Log,
    store: MemoryStore,
    jobs: Vec<Job>,
}

impl Machine {
    fn start(directory: &std::path::Path, store: &MemoryStore) -> Self {
        let opened = open(directory).unwrap();
        let mut effects = Effects::default();
        let scheduler = Scheduler::recover(
            opened.snapshot,
            SchedulerConfig::default(),
            Duration::ZERO,
            &mut effects,
        );
        let (scheduler, log) = (scheduler.unwrap(), opened.log);
        let mut machine = Self { scheduler, log, store: store.clone(), jobs: effects.jobs };
        machine.event(|scheduler, effects| {
            let datasets = BTreeMap::from([("digits".to_owned(), "f".to_owned())]);
            let worker = "w".to_owned();
            let registration = Registration { worker, slots: 1, datasets, ..Default::default() };
            scheduler.register(registration, Duration::ZERO, effects)
        });
        machine
    }

    fn event<T>(&mut self, event: impl FnOnce(&mut Scheduler, &mut Effects) -> T) -> T {
        let mut effects = Effects::default();
        let answer = event(&mut self.scheduler, &mut effects);
        self.log.write_and_wait(effects.records).unwrap();
        self.jobs.append(&mut effects.jobs);
        answer
    }

    fn submit(&mut self) -> u64 {
        let file = SweepFile::parse(SWEEP, "s.toml").unwrap();
        let (measure, block) = file.resolve(&TrainRows::default()).unwrap();
        let existing = self.scheduler.plan("s");
        let prepared = prepare(existing.as_deref(), "s", measure, block).unwrap();
        self.event(|scheduler, effects| scheduler.submit(prepared, "", None, effects)).unwrap()
    }

    /// Leases a unit and stages its files.
    fn stage(&mut self) -> Option<(LeaseName, StagedFile)> {
        let answer = self.event(|scheduler, effects| scheduler.lease("w", Duration::ZERO, effects));
        let Ok(LeaseAnswer::Unit(grant)) = answer else { return None };
        let (sweep, unit, attempt) = (grant.sweep.to_string(), grant.unit.unit, grant.attempt);
        let rows = grant.plan.trials_in(grant.range).count() as u64;
        let path = format!("_staging/{sweep}/{unit}/{attempt}/trials.parquet");
        let (table, blake3) = ("trials".to_owned(), "0".repeat(64));
        let file = StagedFile { table, path, rows, bytes: 1, blake3 };
        self.store.stage(&file);
        Some((LeaseName { sweep, unit, attempt }, file))
    }

    fn settle(&mut self, lease: &LeaseName, file: &StagedFile) -> Verdict {
        let completion = Completion {
            worker: "w".to_owned(),
            lease: lease.clone(),
            manifest: vec![file.clone()],
            ok: file.rows as u32,
            diverged: 0,
            trial_steps_per_second: 0.0,
        };
        self.event(|scheduler, effects| scheduler.settle(completion, Duration::ZERO, effects))
    }

    fn do_jobs(&mut self) {
        while let Some(job) = self.jobs.pop() {
            self.do_job(&job);
        }
    }

    fn do_job(&mut self, job: &Job) {
        match job {
            Job::Publish { unit, sweep, attempt, manifest } => {
                let outcome = self.store.publish(sweep, unit.unit, *attempt, manifest).unwrap();
                match outcome {
                    Publication::Visible => {
                        self.event(|one, effects| one.published(*unit, effects));
                    }
                    Publication::Lost(how) => self.event(|one, effects| {
                        one.publish_lost(*unit, *attempt, &how, Duration::ZERO, effects);
                    }),
                }
            }
            Job::ClearUnit { unit, sweep } => {
                self.store.clear_staging(sweep, unit.unit, None).unwrap();
                self.event(|one, effects| one.cleared(*unit, effects));
            }
            _ => {}
        }
    }

    /// Does what is left and checks the end.
    fn finish(mut self) {
        self.do_jobs();
        while let Some((lease, file)) = self.stage() {
            assert_eq!(self.settle(&lease, &file), Verdict::Won);
            self.do_jobs();
        }
        let status = self.scheduler.statuses().remove(0);
        assert_eq!((status.state, status.trials_ok), (SweepState::Done, 8), "{status:?}");
        assert_eq!(self.store.staged_paths(), Vec::<String>::new(), "staging is cleared");
        let visible = self.store.visible_units("s").len() as u64;
        assert_eq!(visible, status.units_published);
    }
}

/// Where the coordinator dies.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Death {
    Submitted,
    Leased,
    Won,
    VisibleButUnknown,
    Published,
    Cleared,
}

#[test]
fn a_coordinator_that_dies_anywhere_goes_on_where_it_was() {
    use Death::{Cleared, Leased, Published, Submitted, VisibleButUnknown, Won};
    for death in [Submitted, Leased, Won, VisibleButUnknown, Published, Cleared] {
        let directory = tempfile::tempdir().unwrap();
        let store = MemoryStore::new();
        let mut machine = Machine::start(directory.path(), &store);
        assert_eq!(machine.submit(), 8);
        let mut staged = None;
        if death >= Leased {
            staged = machine.stage();
        }
        if let (true, Some((lease, file))) = (death >= Won, &staged) {
            machine.jobs.clear();
            assert_eq!(machine.settle(lease, file), Verdict::Won);
        }
        if death >= VisibleButUnknown {
            let Some(Job::Publish { unit, sweep, attempt, manifest }) = machine.jobs.pop() else {
                panic!("nothing to publish");
            };
            store.publish(&sweep, unit.unit, attempt, &manifest).unwrap();
            if death >= Published {
                machine.event(|one, effects| one.published(unit, effects));
            }
            if death >= Cleared {
                machine.do_jobs();
            }
        }
        drop(machine);

        let mut machine = Machine::start(directory.path(), &store);
        let publishes = machine.jobs.iter().any(|job| matches!(job, Job::Publish { .. }));
        let clears = machine.jobs.iter().any(|job| matches!(job, Job::ClearUnit { .. }));
        assert_eq!(publishes, matches!(death, Won | VisibleButUnknown), "{death:?}");
        assert_eq!(clears, death == Published, "{death:?}");
        assert_eq!(machine.submit(), 0, "the sweep is known");
        if let Some((lease, file)) = staged {
            // The worker never heard of its success, or has yet to report it.
            assert_eq!(machine.settle(&lease, &file), Verdict::Won, "{death:?}");
        }
        machine.finish();
    }
}

#[test]
fn a_winner_whose_files_vanish_while_the_coordinator_is_down_is_trained_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = MemoryStore::new();
    let mut machine = Machine::start(directory.path(), &store);
    machine.submit();
    let (lease, file) = machine.stage().unwrap();
    machine.settle(&lease, &file);
    drop(machine);
    store.lose(&file.path);
    let mut machine = Machine::start(directory.path(), &store);
    machine.do_jobs();
    let (again, _) = machine.stage().unwrap();
    assert_eq!((again.unit, again.attempt), (lease.unit, 2), "the fault fired");
    drop(machine);
    let mut machine = Machine::start(directory.path(), &store);
    // The new attempt's lease is still open; it completes.
    let file = StagedFile { path: file.path.replace("/1/", "/2/"), ..file };
    store.stage(&file);
    assert_eq!(machine.settle(&again, &file), Verdict::Won);
    machine.finish();
}

#[test]
fn the_tables_hold_exactly_what_the_records_say() {
    let directory = tempfile::tempdir().unwrap();
    let opened = open(directory.path()).unwrap();
    let sweep = SweepId(1);
    let unit = |unit| UnitKey { sweep, unit };
    let range = |start, end| phasegrid_spec::TrialRange { grid: 0, start, end };
    let text = str::to_owned;
    let file =
        StagedFile { table: text("trials"), path: text("p"), rows: 2, bytes: 3, blake3: text("b") };
    let failed = |number, attempt, cause| Record::AttemptFailed {
        unit: unit(number),
        attempt,
        worker: text("w"),
        cause,
        message: text("boom"),
    };
    let cut = |number, start, end, root| Record::UnitCut {
        unit: unit(number),
        range: range(start, end),
        trials: (end - start) as u32,
        root,
    };
    let leased =
        |number, attempt| Record::UnitLeased { unit: unit(number), attempt, worker: text("w") };
    let records = vec![
        Record::SweepCreated { sweep, name: text("s"), measure: text("{}"), owner: text("me") },
        Record::BlockAppended { sweep, block: text("b0"), key: None, trials: 8 },
        Record::BlockAppended { sweep, block: text("b1"), key: Some(text("k")), trials: 2 },
        Record::DatasetPinned { sweep, task: text("digits"), fingerprint: text("f") },
        cut(0, 0, 4, 0),
        leased(0, 1),
        failed(0, 1, Cause::Crash),
        Record::UnitSplit { unit: unit(0) },
        cut(1, 0, 2, 0),
        cut(2, 2, 4, 0),
        leased(1, 1),
        Record::UnitWon { unit: unit(1), attempt: 1, ok: 1, diverged: 1, manifest: vec![file] },
        leased(2, 1),
        failed(2, 1, Cause::Killed),
        Record::UnitFreed { unit: unit(2) },
        leased(2, 2),
        cut(3, 4, 5, 3),
        leased(3, 1),
        failed(3, 1, Cause::OutOfMemory),
        Record::UnitGivenUp { unit: unit(3), reason: text("why") },
        Record::UnitPublished { unit: unit(3) },
        Record::UnitCleared { unit: unit(3) },
        cut(4, 5, 6, 4),
        leased(4, 1),
        failed(4, 1, Cause::Refused),
        Record::UnitGivenUp { unit: unit(4), reason: text("why") },
        Record::UnitPublished { unit: unit(4) },
        Record::UnitReopened { unit: unit(4) },
        leased(4, 2),
        Record::UnitWon { unit: unit(4), attempt: 2, ok: 1, diverged: 0, manifest: vec![] },
        Record::UnitPublished { unit: unit(4) },
        cut(5, 7, 8, 5),
        leased(5, 1),
        Record::UnitGivenUp { unit: unit(5), reason: text("why") },
        Record::UnitPublished { unit: unit(5) },
        Record::UnitReopened { unit: unit(5) },
        cut(6, 6, 7, 6),
        Record::UnitCancelled { unit: unit(6) },
        Record::PhaseSet { sweep, phase: Phase::Paused },
    ];
    let mut expected = Snapshot::default();
    for record in &records {
        apply_to_snapshot(&mut expected, record);
        opened.log.write_and_wait(vec![record.clone()]).unwrap();
    }
    drop(opened);
    assert_eq!(open(directory.path()).unwrap().snapshot, expected);
}

#[test]
fn a_failed_transaction_leaves_nothing_and_stops_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let opened = open(directory.path()).unwrap();
    let name = "s".to_owned();
    let created = Record::SweepCreated {
        sweep: SweepId(1),
        name,
        measure: "{}".to_owned(),
        owner: String::new(),
    };
    let impossible = Record::UnitFreed { unit: UnitKey { sweep: SweepId(1), unit: 7 } };
    assert!(opened.log.write_and_wait(vec![created.clone(), impossible]).is_err(), "it fired");
    assert!(opened.log.write_and_wait(vec![created]).is_err(), "nothing after it either");
    drop(opened);
    assert!(open(directory.path()).unwrap().snapshot.sweeps.is_empty());
}

#[test]
fn one_coordinator_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path()).unwrap();
    let refused = open(directory.path()).unwrap_err();
    assert!(matches!(refused, LogError::Locked { .. }), "{refused}");
    assert!(refused.to_string().starts_with("another coordinator is running with"));
    let id = first.coordinator.clone();
    drop(first);
    let second = open(directory.path()).unwrap();
    assert_eq!(second.coordinator, id, "the id is the directory's");
    assert_eq!(id.len(), 32);
}

#[test]
fn a_log_of_a_newer_release_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    let connection = rusqlite::Connection::open(directory.path().join(LOG_FILE)).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let refused = open(directory.path()).unwrap_err();
    assert!(matches!(refused, LogError::Newer { found: 99, .. }), "{refused}");
    assert!(refused.to_string().ends_with("run the newer release of phasegrid"));
}

/// A log of format 1, in every stage a unit can be left in.
const FORMAT_1: &str = include_str!("../../tests/golden/log-1.sql");

#[test]
fn a_log_of_the_first_format_is_still_read() {
    let directory = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(directory.path().join(LOG_FILE)).unwrap();
    connection.execute_batch(FORMAT_1).unwrap();
    drop(connection);
    let opened = open(directory.path()).unwrap();
    assert_eq!(opened.coordinator, "0123456789abcdef0123456789abcdef");
    let [sweep] = &opened.snapshot.sweeps[..] else { panic!("one sweep") };
    assert_eq!((sweep.phase, sweep.blocks.len(), sweep.attempts_failed), (Phase::Paused, 2, 3));
    let stages: Vec<Stage> = sweep.units.iter().map(|unit| unit.stage).collect();
    use Stage::{Leased, Published, PublishedFailed, Split, Won};
    assert_eq!(stages, [Split, Won, Leased, PublishedFailed, Published]);
    assert_eq!(sweep.units[1].manifest[0].path, "p");
    assert_eq!(sweep.failures.len(), 1, "that of the open unit alone");
    assert_eq!(sweep.failures[0].cause, Cause::Killed);
    let last = "unit 2, attempt 1, worker w: the trainer was killed: gone";
    assert_eq!(sweep.last_failure.as_deref(), Some(last));
}

#[test]
fn the_first_format_is_written_as_it_was_released() {
    let schema = |connection: &rusqlite::Connection| -> Vec<String> {
        let sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let squeezed = |sql: String| sql.split_whitespace().collect::<Vec<_>>().join(" ");
        rows.map(|sql| squeezed(sql.unwrap())).collect()
    };
    let golden = rusqlite::Connection::open_in_memory().unwrap();
    golden.execute_batch(FORMAT_1).unwrap();
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()).unwrap());
    let written = rusqlite::Connection::open(directory.path().join(LOG_FILE)).unwrap();
    assert_eq!(schema(&written), schema(&golden));
}
