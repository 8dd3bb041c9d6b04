//! Shards as phasegrid-store writes them: every column, with its real type.

use super::fixture::Fixture;
use phasegrid_analyze::{
    LayerPick, PhaseRequest, RowFormat, compact, heat_map, phase, query, show, write_rows,
};
use phasegrid_spec::{Hyperparameters, TrialId};
use phasegrid_store::{Cell, Table, TableBuilder, encode_shard};

fn written() -> (Fixture, TrialId) {
    let fixture = Fixture::new();
    let mut trials = TableBuilder::new(Table::Trials);
    let mut layers = TableBuilder::new(Table::Layers);
    let mut last = None;
    for depth in [1, 2] {
        for seed in [0, 1] {
            let trial = Hyperparameters { depth, seed, ..Hyperparameters::default() };
            let id = TrialId::of(&trial);
            let cells = [
                ("status", Cell::Text("ok".into())),
                ("test_accuracy", Cell::Float(0.5 + 0.1 * depth as f64 + 0.01 * seed as f64)),
                ("finished_at", Cell::Time(1_700_000_000_000_000)),
            ];
            trials.append(&trial, &id, cells).unwrap();
            for layer in 1..=depth {
                let cells = [
                    ("step", Cell::Integer(500)),
                    ("layer", Cell::Integer(layer)),
                    ("rpd_gradient", Cell::Float(layer as f64)),
                    ("rpd", Cell::Floats(vec![Some(1.0); 20])),
                ];
                layers.append(&trial, &id, cells).unwrap();
            }
            last = Some(id);
        }
    }
    for (table, mut builder) in [(Table::Trials, trials), (Table::Layers, layers)] {
        let folder = fixture.file(table.name()).join("sweep=s");
        std::fs::create_dir_all(&folder).unwrap();
        let bytes = encode_shard(table, &[builder.finish().unwrap()]).unwrap();
        std::fs::write(folder.join("unit=0.parquet"), bytes).unwrap();
    }
    (fixture, last.unwrap())
}

#[test]
fn shards_of_the_store_crate_are_drawn_queried_and_shown() {
    let (fixture, id) = written();
    let store = fixture.open();
    let diagram = phase(&store, &PhaseRequest::new("width", "depth", "test_accuracy")).unwrap();
    assert_eq!(diagram.cells.iter().map(|cell| cell.n).collect::<Vec<_>>(), [2, 2]);
    assert!((diagram.cells[1].value.unwrap() - 0.705).abs() < 1e-12);
    assert!(heat_map(&diagram).contains("test accuracy (share)"));
    let request = PhaseRequest {
        layer: Some(LayerPick::Last),
        ..PhaseRequest::new("width", "depth", "rpd_gradient")
    };
    let diagram = phase(&store, &request).unwrap();
    assert_eq!(
        diagram.cells.iter().map(|cell| cell.value).collect::<Vec<_>>(),
        [Some(1.0), Some(2.0)]
    );
    let mut every_column = query(&store, "SELECT * FROM trials ORDER BY trial_id").unwrap();
    for format in [RowFormat::Table, RowFormat::Csv, RowFormat::Json, RowFormat::Parquet] {
        let mut bytes = Vec::new();
        write_rows(&mut every_column, format, &mut bytes).unwrap();
        assert!(!bytes.is_empty());
    }
    let mut lists = query(&store, "SELECT rpd FROM layers").unwrap();
    write_rows(&mut lists, RowFormat::Json, Vec::new()).unwrap();
    let mut csv = Vec::new();
    write_rows(&mut lists, RowFormat::Csv, &mut csv).unwrap();
    assert!(String::from_utf8(csv).unwrap().starts_with("rpd\n\"[1, 1, 1"));
    let report = show(&store, &id.to_string()).unwrap();
    assert_eq!((report.layers.height(), report.status.as_str()), (2, "ok"));
    assert!(report.to_text().unwrap().contains("2023-11-14"), "{}", report.to_text().unwrap());
}

#[test]
fn every_column_survives_compaction_and_reads_beside_new_shards() {
    let (fixture, _) = written();
    let store = fixture.open();
    let sql =
        ["SELECT * FROM trials ORDER BY trial_id", "SELECT * FROM layers ORDER BY trial_id, layer"];
    let before = sql.map(|sql| query(&store, sql).unwrap());
    let compacted = compact(&store).unwrap();
    assert_eq!(compacted.iter().map(|table| table.rows).collect::<Vec<_>>(), [4, 6]);
    for (sql, before) in sql.iter().zip(&before) {
        let after = query(&store, sql).unwrap();
        assert_eq!(after.schema(), before.schema());
        assert!(after.equals_missing(before), "{sql}");
    }
    for table in ["trials", "layers"] {
        let folder = fixture.file(table).join("sweep=s");
        std::fs::copy(folder.join("unit=0.parquet"), folder.join("unit=1.parquet")).unwrap();
    }
    for (sql, before) in sql.iter().zip(&before) {
        let both = query(&store, sql).unwrap();
        assert_eq!((both.height(), both.schema()), (2 * before.height(), before.schema()));
    }
}
