//! Compacted files: read where they stand for the shards exactly, and nowhere else.

use super::fixture::{Fixture, trial_ids};
use phasegrid_analyze::{CompactLimits, compact, compact_with, query};
use polars::prelude::*;
use std::fs;
use std::path::PathBuf;

fn unit(first: usize, value: f64) -> DataFrame {
    let ids = trial_ids(first + 3);
    df!(
        "trial_id" => &ids[first..],
        "depth" => [2_i64, 1, 1],
        "learning_rate" => [0.1, 1.0, 0.01],
        "seed" => [0_i64, 1, 2],
        "status" => ["ok"; 3],
        "test_accuracy" => [value, value + 0.1, value + 0.2],
    )
    .unwrap()
}

/// Three units of three trials.
fn store() -> Fixture {
    let fixture = Fixture::new();
    for number in 0..3 {
        fixture.shard("trials", "s", number, unit(3 * number as usize, f64::from(number)));
    }
    fixture
}

fn folder(fixture: &Fixture) -> PathBuf {
    fixture.file("_compact/trials/sweep=s")
}

fn parts(fixture: &Fixture) -> Vec<PathBuf> {
    let mut parts: Vec<PathBuf> = fs::read_dir(folder(fixture))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "parquet"))
        .collect();
    parts.sort();
    parts
}

/// All rows by identity, and their sweep.
fn rows(fixture: &Fixture) -> DataFrame {
    query(&fixture.open(), "SELECT * FROM trials ORDER BY trial_id").unwrap()
}

/// Rows in the order they are read, to tell compacted files from shards.
fn depths(fixture: &Fixture) -> Vec<i64> {
    let found = query(&fixture.open(), "SELECT depth FROM trials").unwrap();
    found.column("depth").unwrap().i64().unwrap().iter().flatten().collect()
}

const SORTED: [i64; 9] = [1, 1, 1, 1, 1, 1, 2, 2, 2];
const AS_WRITTEN: [i64; 9] = [2, 1, 1, 2, 1, 1, 2, 1, 1];

#[test]
fn compacted_files_are_read_where_they_match() {
    let fixture = store();
    let before = rows(&fixture);
    assert_eq!(depths(&fixture), AS_WRITTEN);
    let found = compact(&fixture.open()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].shards, found[0].files, found[0].rows, found[0].written), (3, 1, 9, true));
    assert_eq!(depths(&fixture), SORTED);
    assert!(rows(&fixture).equals_missing(&before));
    // No copy, no move: the shards are where they were.
    assert_eq!(fs::read_dir(fixture.file("trials/sweep=s")).unwrap().count(), 3);
}

#[test]
fn compacting_again_changes_nothing() {
    let fixture = store();
    compact(&fixture.open()).unwrap();
    let times = |fixture: &Fixture| -> Vec<_> {
        parts(fixture).iter().map(|part| part.metadata().unwrap().modified().unwrap()).collect()
    };
    let before = (parts(&fixture), times(&fixture));
    let found = compact(&fixture.open()).unwrap();
    assert!(!found[0].written);
    assert_eq!((parts(&fixture), times(&fixture)), before);
}

#[test]
fn units_published_since_are_read_beside_the_compacted_files() {
    let fixture = store();
    compact(&fixture.open()).unwrap();
    fixture.shard("trials", "s", 3, unit(9, 3.0));
    let mut expected = SORTED.to_vec();
    expected.extend([2, 1, 1]);
    assert_eq!(depths(&fixture), expected);
    assert_eq!(rows(&fixture).height(), 12);
    let found = compact(&fixture.open()).unwrap();
    assert_eq!((found[0].shards, found[0].files, found[0].rows), (4, 1, 12));
    assert_eq!(rows(&fixture).height(), 12);
    // The file of the manifest before stays for readers still at it, and goes with the next.
    assert_eq!(parts(&fixture).len(), 2);
    fixture.shard("trials", "s", 4, unit(12, 4.0));
    compact(&fixture.open()).unwrap();
    assert_eq!(parts(&fixture).len(), 2);
}

#[test]
fn a_replaced_or_lost_shard_makes_its_part_stale() {
    let fixture = store();
    compact(&fixture.open()).unwrap();
    // A later attempt of the unit: same size of file or not, other values.
    fixture.shard("trials", "s", 1, unit(3, 7.0));
    assert_eq!(depths(&fixture), AS_WRITTEN);
    let sql = "SELECT MAX(test_accuracy) AS best FROM trials";
    let found = query(&fixture.open(), sql).unwrap();
    assert_eq!(found.column("best").unwrap().f64().unwrap().get(0), Some(7.2));
    compact(&fixture.open()).unwrap();
    assert_eq!(depths(&fixture), SORTED);
    fs::remove_file(fixture.file("trials/sweep=s/unit=1.parquet")).unwrap();
    assert_eq!(depths(&fixture), [2, 1, 1, 2, 1, 1]);
}

#[test]
fn parts_that_still_match_are_read_beside_those_that_do_not() {
    let fixture = store();
    let one_each = CompactLimits { part_bytes: 1, ..CompactLimits::default() };
    assert_eq!(compact_with(&fixture.open(), one_each).unwrap()[0].files, 3);
    fixture.shard("trials", "s", 1, unit(3, 7.0));
    // Parts of units 0 and 2, sorted, then the shard of unit 1.
    assert_eq!(depths(&fixture), [1, 1, 2, 1, 1, 2, 2, 1, 1]);
    let kept = parts(&fixture);
    let found = compact_with(&fixture.open(), one_each).unwrap();
    assert_eq!((found[0].files, found[0].rows), (3, 9));
    assert_eq!(parts(&fixture).iter().filter(|part| kept.contains(part)).count(), 3);
}

#[test]
fn an_interrupted_compaction_changes_nothing() {
    let fixture = store();
    // Stopped before the manifest: a whole part and half a temporary that nobody names.
    fs::create_dir_all(folder(&fixture)).unwrap();
    let orphan = folder(&fixture).join("part-0000000000000000-0.parquet");
    fs::copy(fixture.file("trials/sweep=s/unit=0.parquet"), &orphan).unwrap();
    fs::write(folder(&fixture).join(".part-1-0.parquet.tmp"), "PAR1").unwrap();
    assert_eq!(depths(&fixture), AS_WRITTEN);
    compact(&fixture.open()).unwrap();
    assert_eq!(depths(&fixture), SORTED);
    assert!(!orphan.exists());
    assert_eq!(fs::read_dir(folder(&fixture)).unwrap().count(), 2);
}

#[test]
fn a_damaged_compaction_is_not_read_and_made_anew() {
    let fixture = store();
    let manifest = folder(&fixture).join("manifest.json");
    for damage in ["half manifest", "newer manifest", "lost part", "half part"] {
        compact(&fixture.open()).unwrap();
        assert_eq!(depths(&fixture), SORTED, "before {damage}");
        let text = fs::read_to_string(&manifest).unwrap();
        let part = &parts(&fixture)[0];
        match damage {
            "half manifest" => fs::write(&manifest, &text[..text.len() / 2]).unwrap(),
            "newer manifest" => {
                fs::write(&manifest, text.replace("\"version\": 1", "\"version\": 2")).unwrap();
            }
            "lost part" => fs::remove_file(part).unwrap(),
            _ => fs::write(part, "PAR1").unwrap(),
        }
        assert_eq!(depths(&fixture), AS_WRITTEN, "{damage}");
    }
    compact(&fixture.open()).unwrap();
    assert_eq!(depths(&fixture), SORTED);
}

#[test]
fn no_file_is_larger_than_the_limit() {
    const ROWS: usize = 4_000;
    const LIMIT: u64 = 20_000;
    let fixture = Fixture::new();
    // Numbers that do not compress: 32,000 bytes of them beside the rest.
    let noise = |row: usize| ((row as f64 + 1.0) * 12.9898).sin() * 43_758.545_3 % 1.0;
    let frame = df!(
        "trial_id" => trial_ids(ROWS),
        "depth" => (0..ROWS).map(|row| (ROWS - row) as i64).collect::<Vec<_>>(),
        "status" => vec!["ok"; ROWS],
        "test_accuracy" => (0..ROWS).map(noise).collect::<Vec<_>>(),
    );
    fixture.shard("trials", "s", 0, frame.unwrap());
    let before = rows(&fixture);
    let small = CompactLimits { file_bytes: LIMIT, ..CompactLimits::default() };
    let found = compact_with(&fixture.open(), small).unwrap();
    assert!(found[0].files > 1 && found[0].rows == ROWS as u64, "{found:?}");
    assert!(parts(&fixture).iter().all(|part| part.metadata().unwrap().len() <= LIMIT));
    assert!(depths(&fixture).is_sorted());
    assert!(rows(&fixture).equals_missing(&before));
}

#[test]
fn two_compactions_do_not_work_at_once() {
    let fixture = store();
    fs::create_dir_all(fixture.file("_compact")).unwrap();
    let lock = fs::File::create(fixture.file("_compact/lock")).unwrap();
    lock.lock().unwrap();
    let found = compact(&fixture.open()).unwrap_err();
    assert!(found.to_string().contains("another `phasegrid compact`"), "{found}");
    assert!(!found.is_usage());
    drop(lock);
    compact(&fixture.open()).unwrap();
}

#[test]
fn publishing_compacting_and_reading_at_once_loses_and_doubles_nothing() {
    const UNITS: usize = 12;
    let fixture = store();
    let root = fixture.path().to_path_buf();
    let publisher = std::thread::spawn(move || {
        for number in 3..UNITS {
            // As the store publishes: whole under another name, then renamed.
            let temporary = root.join(format!("_unit-{number}"));
            let file = fs::File::create(&temporary).unwrap();
            ParquetWriter::new(file).finish(&mut unit(3 * number, 0.0)).unwrap();
            let target = root.join(format!("trials/sweep=s/unit={number}.parquet"));
            fs::rename(temporary, target).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(15));
        }
    });
    let mut last = 0;
    while last < 3 * UNITS {
        compact(&fixture.open()).unwrap();
        let found = rows(&fixture);
        let distinct = found.column("trial_id").unwrap().n_unique().unwrap();
        assert_eq!(distinct, found.height());
        assert!(found.height() >= last && found.height().is_multiple_of(3));
        last = found.height();
    }
    publisher.join().unwrap();
    assert_eq!(last, 3 * UNITS);
}
