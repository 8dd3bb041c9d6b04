//! From rows to shards: `cargo bench -p phasegrid-store`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use phasegrid_spec::{Hyperparameters, TrialId};
use phasegrid_store::tables::columns;
use phasegrid_store::{
    Cell, ColumnKind, Table, TableBuilder, decode_ipc, encode_ipc, encode_shard,
};
use std::time::Duration;

const ROWS: u64 = 1_024;

/// Rows with a number in every column that a metric fills.
fn table(table: Table) -> TableBuilder {
    let mut builder = TableBuilder::new(table);
    for row in 0..ROWS {
        let trial = Hyperparameters {
            seed: row as i64 / 8,
            learning_rate: 1e-3 * (1 + row % 8) as f64,
            ..Hyperparameters::default()
        };
        // Digits of the golden ratio's multiples compress as little as measured numbers do.
        let number =
            |place: usize| ((row * 31 + place as u64) as f64 * 0.618_033_988_749_895).fract();
        let cells = columns(table).iter().enumerate().filter(|(_, one)| one.metric.is_some());
        let cells = cells.map(|(place, column)| {
            let cell = match column.kind {
                ColumnKind::Float => Cell::Float(number(place)),
                ColumnKind::Integer => Cell::Integer(row as i64),
                ColumnKind::Floats => {
                    Cell::Floats((0..20).map(|bin| Some(number(place + bin))).collect())
                }
                _ => Cell::Null,
            };
            (column.name, cell)
        });
        let id = TrialId::of(&trial);
        builder.append(&trial, &id, cells).expect("the table's own columns");
    }
    builder
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("1,024 rows");
    group.throughput(Throughput::Elements(ROWS));
    for kind in [Table::Trials, Table::Layers] {
        let name = |what: &str| format!("{what} {}", kind.name());
        group.bench_function(name("build"), |bencher| bencher.iter(|| table(kind).finish()));
        let batch = table(kind).finish().expect("the table's own columns");
        group.bench_function(name("pass on"), |bencher| {
            bencher.iter(|| encode_ipc(kind, &batch).and_then(|bytes| decode_ipc(kind, &bytes)));
        });
        let batches = [batch.clone()];
        group.bench_function(name("encode"), |bencher| {
            bencher.iter(|| encode_shard(kind, &batches));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800));
    targets = encode
}
criterion_main!(benches);
