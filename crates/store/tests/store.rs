//! A store's promises: nothing half-visible, nothing lost, no foreign folder touched.

use phasegrid_spec::{Hyperparameters, Measure, TrialId};
use phasegrid_store::{
    Cell, Creation, Publication, StagedFile, Store, StoreError, SweepDocument, Table, TableBuilder,
    UnitKey, Verification, decode_ipc, encode_ipc, encode_shard,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn store_in(folder: &Path) -> Store {
    Store::open_or_create(&folder.join("out").to_string_lossy(), &["_state"]).expect("a new store")
}

fn key(attempt: u64) -> UnitKey {
    UnitKey { sweep: "demo".into(), unit: 7, attempt }
}

fn shard(width: i64) -> Vec<u8> {
    let mut builder = TableBuilder::new(Table::Trials);
    let trial = Hyperparameters { width, ..Default::default() };
    let cells = [("status", Cell::Text("ok".into()))];
    builder.append(&trial, &TrialId::of(&trial), cells).expect("a row");
    encode_shard(Table::Trials, &[builder.finish().expect("a batch")]).expect("a shard")
}

fn stage(store: &Store, attempt: u64) -> Vec<StagedFile> {
    let weights = format!("{}-5.safetensors", "a".repeat(32));
    vec![
        store.stage(&key(attempt), "trials", "", 1, &shard(attempt as i64)).expect("staged"),
        store.stage(&key(attempt), "weights", &weights, 1, b"weights").expect("staged"),
    ]
}

/// Every file below the store that a reader of a table folder would meet.
fn visible(store: &Store) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![store.root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            let relative =
                path.strip_prefix(store.root()).expect("inside").to_string_lossy().into_owned();
            if relative.starts_with('_') {
                continue;
            }
            if path.is_dir() { folders.push(path) } else { found.push(relative) }
        }
    }
    found.sort();
    found
}

#[test]
fn staged_files_are_invisible_until_published_and_then_all_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store_in(folder.path());
    let files = stage(&store, 1);
    assert!(visible(&store).is_empty());
    assert_eq!(store.verify(&key(1), &files).expect("readable"), Verification::Intact);
    assert_eq!(store.publish(&key(1), &files).expect("published"), Publication::Visible);
    let weights = format!("weights/sweep=demo/{}-5.safetensors", "a".repeat(32));
    assert_eq!(visible(&store), ["trials/sweep=demo/unit=7.parquet".to_owned(), weights]);
    store.clear_staging("demo", 7, None).expect("cleared");
    assert!(!store.root().join("_staging/demo/7").exists());
}

#[test]
fn publishing_again_is_harmless_even_after_staging_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store_in(folder.path());
    let files = stage(&store, 1);
    for _ in 0..2 {
        assert_eq!(store.publish(&key(1), &files).expect("published"), Publication::Visible);
    }
    store.clear_staging("demo", 7, Some(1)).expect("cleared");
    store.clear_staging("demo", 7, Some(1)).expect("nothing left to clear");
    assert_eq!(store.publish(&key(1), &files).expect("published"), Publication::Visible);
}

#[test]
fn a_later_attempt_overwrites_and_a_lost_winner_is_said_to_be_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store_in(folder.path());
    let (first, second) = (stage(&store, 1), stage(&store, 2));
    store.publish(&key(1), &first).expect("published");
    store.publish(&key(2), &second).expect("published");
    let target = store.root().join("trials/sweep=demo/unit=7.parquet");
    assert_eq!(fs::read(&target).expect("readable"), shard(2));
    store.clear_staging("demo", 7, None).expect("cleared");
    fs::remove_file(&target).expect("removed");
    let outcome = store.publish(&key(2), &second).expect("readable");
    assert!(matches!(outcome, Publication::Lost(reason) if reason.contains("is not there")));
}

#[test]
fn a_unit_that_lost_one_file_makes_none_of_the_others_visible() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store_in(folder.path());
    let files = stage(&store, 1);
    fs::remove_file(store.root().join(&files[0].path)).expect("removed");
    assert!(matches!(store.publish(&key(1), &files), Ok(Publication::Lost(_))));
    assert!(visible(&store).is_empty());
}

#[test]
fn truncated_and_altered_files_are_found_before_they_win() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store_in(folder.path());
    let files = stage(&store, 1);
    let path = store.root().join(&files[0].path);
    let whole = fs::read(&path).expect("readable");
    let broken = |content: &[u8]| {
        fs::write(&path, content).expect("written");
        matches!(store.verify(&key(1), &files).expect("readable"), Verification::Broken(_))
    };
    assert!(broken(&whole[..whole.len() - 1]));
    let mut altered = whole.clone();
    altered[10] ^= 1;
    assert!(broken(&altered));
    assert!(!broken(&whole));
    assert!(
        matches!(store.verify(&key(2), &files), Ok(Verification::Broken(_))),
        "another attempt's path"
    );
}

#[test]
fn a_foreign_folder_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("thesis.tex"), "precious").expect("written");
    let error =
        Store::open_or_create(&folder.path().to_string_lossy(), &["_state"]).expect_err("foreign");
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
}

#[test]
fn a_store_keeps_its_id_and_says_when_it_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store_in(folder.path());
    assert_eq!(store_in(folder.path()).id(), store.id());
    let error = Store::open(&folder.path().to_string_lossy()).expect_err("no store");
    assert!(error.to_string().contains("it has no _phasegrid.json"), "{error}");
    fs::write(store.root().join("_phasegrid.json"), r#"{"format_version":99,"store_id":"x"}"#)
        .expect("written");
    let error = Store::open(&store.root().to_string_lossy()).expect_err("too new");
    assert!(matches!(error, StoreError::NewerFormat { found: 99, .. }), "{error}");
    assert!(matches!(Store::open("s3://bucket"), Err(StoreError::UnsupportedUrl { .. })));
}

#[test]
fn a_path_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    let error =
        Store::open_or_create(&file.join("out").to_string_lossy(), &[]).expect_err("below a file");
    assert!(error.to_string().starts_with("cannot create "), "{error}");
}

#[test]
fn a_sweep_document_is_created_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = store_in(folder.path());
    let document = SweepDocument {
        name: "demo".into(),
        schema_version: 1,
        coordinator: "a".into(),
        owner: String::new(),
        measure: Measure::default(),
        grids: Vec::new(),
        datasets: BTreeMap::new(),
    };
    assert_eq!(store.create_sweep_document(&document).expect("created"), Creation::Created);
    let again = SweepDocument { coordinator: "b".into(), ..document.clone() };
    let outcome = store.create_sweep_document(&again).expect("readable");
    assert_eq!(outcome, Creation::Exists(Box::new(document)));
    assert_eq!(store.sweep_names().expect("readable"), ["demo"]);
    let bad = SweepDocument { name: "../x".into(), ..again };
    assert!(matches!(store.create_sweep_document(&bad), Err(StoreError::BadName { .. })));
}

#[test]
fn batches_survive_the_trainers_pipe() {
    let mut builder = TableBuilder::new(Table::Layers);
    let trial = Hyperparameters::default();
    let cells =
        [("layer", Cell::Integer(1)), ("rpd", Cell::Floats(vec![Some(1.0), None, Some(f64::NAN)]))];
    builder.append(&trial, &TrialId::of(&trial), cells).expect("a row");
    let batch = builder.finish().expect("a batch");
    let bytes = encode_ipc(Table::Layers, &batch).expect("encoded");
    assert_eq!(decode_ipc(Table::Layers, &bytes).expect("decoded"), [batch]);
    assert!(decode_ipc(Table::Trials, &bytes).is_err(), "another table's batch");
    assert!(decode_ipc(Table::Layers, &bytes[..bytes.len() / 2]).is_err(), "a cut stream");
}

/// `UPDATE_DOCS=1 cargo test -p phasegrid-store` rewrites the files.
#[test]
fn the_docs_are_what_the_definitions_say() {
    use phasegrid_store::tables::{metrics_reference, tables_reference};
    for (name, expected) in [("tables.md", tables_reference()), ("metrics.md", metrics_reference())]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &expected).expect("written");
        }
        let found = fs::read_to_string(&path).expect(name);
        assert!(
            found == expected,
            "docs/{name} is stale: run UPDATE_DOCS=1 cargo test -p phasegrid-store"
        );
    }
}
