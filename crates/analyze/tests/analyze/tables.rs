//! Hive folders, the union of schemas, SQL, reports and summaries.

use super::fixture::{Fixture, trial_ids};
use phasegrid_analyze::{AnalyzeError, RowFormat, query, show, summary, write_rows};
use polars::prelude::*;

/// Two sweeps of different age: the newer has one column more, and its depth is wider in type.
fn two_sweeps() -> Fixture {
    let fixture = Fixture::new();
    let ids = trial_ids(4);
    let old = |range: std::ops::Range<usize>| {
        df!(
            "trial_id" => &ids[range.clone()],
            "depth" => vec![1_i32; range.len()],
            "status" => vec!["ok"; range.len()],
        )
    };
    fixture.shard("trials", "old", 0, old(0..1).unwrap());
    fixture.shard("trials", "old", 1, old(1..2).unwrap());
    let new = df!(
        "trial_id" => &ids[2..], "depth" => [2_i64, 3], "momentum" => [0.5, 0.9],
        "status" => ["diverged", "failed"], "error" => [None, Some("out of memory")],
    );
    fixture.shard("trials", "new", 7, new.unwrap());
    let layers = df!(
        "trial_id" => [ids[2].as_str(); 3], "depth" => [2_i64, 2, 2], "step" => [0_i64, 9, 9],
        "layer" => [1_i64, 2, 1], "rpd_gradient" => [0.0, 0.25, 0.5],
    );
    fixture.shard("layers", "new", 7, layers.unwrap());
    // What is ours, hidden or no Parquet is no data.
    std::fs::create_dir_all(fixture.file("trials/_staging")).unwrap();
    std::fs::write(fixture.file("trials/sweep=old/_half.parquet"), "PAR").unwrap();
    std::fs::write(fixture.file("trials/sweep=old/.unit=3.parquet.tmp"), "PAR").unwrap();
    fixture
}

#[test]
fn queries_see_the_union_of_all_sweeps() {
    let fixture = two_sweeps();
    let sql = "SELECT sweep, depth, momentum FROM trials ORDER BY trial_id";
    let mut found = query(&fixture.open(), sql).unwrap();
    let expected = df!(
        "sweep" => ["old", "old", "new", "new"],
        "depth" => [1_i64, 1, 2, 3],
        "momentum" => [None, None, Some(0.5), Some(0.9)],
    );
    assert!(found.equals_missing(&expected.unwrap()), "{found}");
    let mut bytes = Vec::new();
    write_rows(&mut found, RowFormat::Csv, &mut bytes).unwrap();
    assert!(String::from_utf8(bytes).unwrap().starts_with("sweep,depth,momentum\nold,1,\n"));
}

#[test]
fn queries_filter_aggregate_and_join() {
    let store = two_sweeps();
    let sql = "SELECT sweep, COUNT(*) AS n FROM trials WHERE sweep = 'new' GROUP BY sweep";
    let found = query(&store.open(), sql).unwrap();
    assert_eq!(
        found.column("n").unwrap().cast(&DataType::Int64).unwrap().i64().unwrap().get(0),
        Some(2)
    );
    let sql = "SELECT t.depth, l.rpd_gradient FROM trials t JOIN layers l ON t.trial_id = l.trial_id WHERE l.step = 9 ORDER BY l.layer";
    let found = query(&store.open(), sql).unwrap();
    assert_eq!(
        found.column("rpd_gradient").unwrap().f64().unwrap().iter().flatten().collect::<Vec<_>>(),
        [0.5, 0.25]
    );
}

#[test]
fn bad_queries_say_what_is_wrong() {
    let fixture = two_sweeps();
    let fails = |sql: &str| query(&fixture.open(), sql).unwrap_err();
    let unknown = fails("SELECT * FROM trails").to_string();
    assert_eq!(unknown, "SQL: no table \"trails\"; the store has trials, layers");
    assert!(fails("SELECT FROM WHERE").to_string().starts_with("SQL: "));
    assert!(fails("DROP TABLE trials").to_string().contains("only queries that read"));
    assert!(fails("SELECT nothing FROM trials").to_string().contains("nothing"));
    assert!(fails("SELECT nothing FROM trials").is_usage());
}

#[test]
fn a_trial_is_shown_by_a_unique_prefix() {
    let fixture = two_sweeps();
    let store = fixture.open();
    let id = format!("{:032x}", 2);
    let report = show(&store, &id).unwrap();
    assert_eq!((report.sweep.as_str(), report.status.as_str()), ("new", "diverged"));
    assert_eq!(report.layers.height(), 3);
    let text = report.to_text().unwrap();
    assert!(text.contains("momentum  0.5") && text.contains("rpd_gradient"), "{text}");
    assert_eq!(
        show(&store, &format!("{:032x}", 3)).unwrap().error.as_deref(),
        Some("out of memory")
    );
    assert!(matches!(show(&store, "0000").unwrap_err(), AnalyzeError::AmbiguousTrial { .. }));
    assert!(matches!(show(&store, "ff").unwrap_err(), AnalyzeError::UnknownTrial { .. }));
    assert!(matches!(show(&store, "../x").unwrap_err(), AnalyzeError::UnknownTrial { .. }));
}

#[test]
fn summaries_count_rows_by_outcome() {
    let fixture = two_sweeps();
    let found = summary(&fixture.open(), "new").unwrap();
    assert_eq!((found.trials, found.ok, found.diverged, found.failed), (2, 0, 1, 1));
    assert_eq!(found.rows, [("trials", 2), ("layers", 3)]);
    assert_eq!(summary(&fixture.open(), "old").unwrap().ok, 2);
}
