//! Every column of every table, defined once.
//!
//! Schemas, Parquet metadata, `docs/tables.md`, `phasegrid metrics` and the labels of figures
//! all come from here. A metric's columns name the metric that fills them.

mod column;
mod metric_columns;
mod metrics;
mod reference;

pub use column::{Column, ColumnKind, Mark, Table};
pub use metrics::{METRICS, MetricDescription};
pub use reference::tables_reference;

use arrow::datatypes::{Field, Schema, SchemaRef};
use phasegrid_spec::{HYPERPARAMETERS, Kind};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Columns of a table, in order: identity, hyperparameters, then what is its own.
pub fn columns(table: Table) -> &'static [Column] {
    static COLUMNS: OnceLock<HashMap<Table, Vec<Column>>> = OnceLock::new();
    let all =
        COLUMNS.get_or_init(|| Table::ALL.iter().map(|table| (*table, assemble(*table))).collect());
    &all[&table]
}

/// The Arrow schema of a table, with units and sentences in the field metadata.
pub fn schema(table: Table) -> SchemaRef {
    static SCHEMAS: OnceLock<HashMap<Table, SchemaRef>> = OnceLock::new();
    let all = SCHEMAS
        .get_or_init(|| Table::ALL.iter().map(|table| (*table, build_schema(*table))).collect());
    Arc::clone(&all[&table])
}

/// The first table that has a column of that name, and the column.
pub fn find_column(name: &str) -> Option<(Table, &'static Column)> {
    Table::ALL.iter().find_map(|table| {
        columns(*table).iter().find(|column| column.name == name).map(|column| (*table, column))
    })
}

/// Hash of all hyperparameters and columns: a worker and a coordinator that differ in it must
/// not work together.
pub fn registry_hash() -> String {
    let mut hasher = blake3::Hasher::new();
    for hyperparameter in HYPERPARAMETERS {
        hasher.update(format!("{hyperparameter:?}\n").as_bytes());
    }
    for table in Table::ALL {
        for column in columns(*table) {
            let line =
                format!("{} {} {:?} {}\n", table.name(), column.name, column.kind, column.unit);
            hasher.update(line.as_bytes());
        }
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

fn assemble(table: Table) -> Vec<Column> {
    let trial_id = Column::new(
        "trial_id",
        ColumnKind::Text,
        "",
        "First 32 hex digits of BLAKE3 over the canonical JSON of the trial's hyperparameters.",
    );
    let hyperparameters = HYPERPARAMETERS
        .iter()
        .map(|one| Column::new(one.name, kind_of(one.kind), one.unit, one.description));
    let own = column::own_columns(table);
    let measured = metrics::METRICS.iter().flat_map(|metric| metric.columns_in(table));
    std::iter::once(trial_id).chain(hyperparameters).chain(own).chain(measured).collect()
}

fn kind_of(kind: Kind) -> ColumnKind {
    match kind {
        Kind::Integer { .. } => ColumnKind::Integer,
        Kind::Float { .. } => ColumnKind::Float,
        Kind::Boolean => ColumnKind::Boolean,
        Kind::Choice(_) | Kind::Task => ColumnKind::Text,
    }
}

fn build_schema(table: Table) -> SchemaRef {
    let fields: Vec<Field> = columns(table)
        .iter()
        .map(|column| {
            let metadata = HashMap::from([
                ("description".to_owned(), column.description.to_owned()),
                ("unit".to_owned(), column.unit.to_owned()),
            ]);
            Field::new(column.name, column.kind.data_type(), true).with_metadata(metadata)
        })
        .collect();
    let metadata = HashMap::from([
        ("phasegrid.table".to_owned(), table.name().to_owned()),
        ("phasegrid.schema_version".to_owned(), crate::SCHEMA_VERSION.to_string()),
    ]);
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_table_has_a_column_twice_and_sweep_is_never_one() {
        for table in Table::ALL {
            let names: Vec<&str> = columns(*table).iter().map(|column| column.name).collect();
            let distinct: HashSet<&str> = names.iter().copied().collect();
            assert_eq!(distinct.len(), names.len(), "{}", table.name());
            assert!(!distinct.contains("sweep"), "sweep is the folder's name");
        }
    }

    #[test]
    fn every_column_has_a_sentence() {
        for table in Table::ALL {
            for column in columns(*table) {
                assert!(column.description.ends_with('.'), "{}.{}", table.name(), column.name);
            }
        }
    }

    #[test]
    fn the_trials_table_has_the_columns_of_the_design() {
        let names: HashSet<&str> =
            columns(Table::Trials).iter().map(|column| column.name).collect();
        for name in [
            "trial_id",
            "status",
            "error",
            "train_loss",
            "train_accuracy",
            "test_loss",
            "test_accuracy",
            "sample_basin",
            "weight_basin",
            "rpd_gradient",
            "opt_fraction",
            "phase",
            "grokking_delay",
            "onset_mixed_step",
            "diverged_step",
            "steps_done",
            "samples_seen",
            "train_seconds",
            "measure_seconds",
            "dataset",
            "device",
            "worker",
            "attempt",
            "unit",
            "finished_at",
        ] {
            assert!(names.contains(name), "{name}");
        }
    }
}
