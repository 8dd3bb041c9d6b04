//! Every column of every table, defined once, and every measured quantity, described once.
//!
//! Schemas, Parquet metadata, `docs/tables.md`, `docs/metrics.md` and `phasegrid metrics` all come
//! from here. A [`Quantity`] says what a column holds; a [`Section`] has those that one metric
//! fills.

mod column;
mod metrics;
mod metrics_reference;
mod quantities;
mod quantity;
mod reference;
mod table;
mod wrap;

pub use column::Column;
pub use metrics::{METRICS, MetricDescription};
pub use metrics_reference::metrics_reference;
pub use quantity::{Mark, Place, Quantity, Section};
pub use reference::tables_reference;
pub use table::{ColumnKind, Table};
pub use wrap::wrap;

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

/// The Arrow schema of a table. The fields' metadata have `description` and `unit`, those of a
/// measured quantity `formula`, `range` and `mark` too.
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
    let measured = quantities::SECTIONS
        .iter()
        .flat_map(|section| metrics::columns_of(section))
        .filter(|(of, _)| *of == table)
        .map(|(_, column)| column);
    std::iter::once(trial_id)
        .chain(hyperparameters)
        .chain(column::keys(table))
        .chain(measured)
        .chain(column::bookkeeping(table))
        .collect()
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
            let mut metadata = HashMap::from([
                ("description".to_owned(), column.sentence()),
                ("unit".to_owned(), column.unit.to_owned()),
            ]);
            if let Some(quantity) = &column.quantity {
                metadata.insert("formula".to_owned(), quantity.formula.to_owned());
                metadata.insert("range".to_owned(), quantity.range.to_owned());
                metadata.insert("mark".to_owned(), quantity.mark.name().to_owned());
            }
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
                assert!(column.sentence().ends_with('.'), "{}.{}", table.name(), column.name);
            }
        }
    }

    /// What says which row it is or how it came about; all other columns are measured.
    const NOT_MEASURED: &[&str] = &[
        "trial_id",
        "status",
        "error",
        "step",
        "layer",
        "space",
        "scope",
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
    ];

    #[test]
    fn every_measured_column_is_documented_in_full() {
        let is_hyperparameter = |name: &str| HYPERPARAMETERS.iter().any(|one| one.name == name);
        let measured = |name: &str| !NOT_MEASURED.contains(&name) && !is_hyperparameter(name);
        for table in Table::ALL {
            for column in columns(*table).iter().filter(|column| measured(column.name)) {
                let place = format!("{}.{}", table.name(), column.name);
                let Some(quantity) = column.quantity else { panic!("{place} is no quantity") };
                // Where lo and hi come from is words, not a formula.
                let has_formula = ["lo", "hi"].contains(&column.name);
                assert!(has_formula || !quantity.formula.is_empty(), "{place}: formula");
                for (what, said) in [
                    ("definition", quantity.definition),
                    ("range", quantity.range),
                    ("error", quantity.error),
                    ("null", quantity.null_where),
                    ("cost", quantity.cost),
                ] {
                    assert!(!said.is_empty(), "{place}: {what}");
                }
                assert!(quantity.definition.ends_with('.'), "{place}");
                for part in [quantity.range, quantity.error, quantity.null_where, quantity.cost] {
                    assert!(!part.ends_with('.'), "{place}: a fragment, not a sentence: {part}");
                }
            }
        }
    }

    #[test]
    fn every_metric_is_documented_and_has_columns() {
        for metric in METRICS {
            assert!(metric.description.ends_with('.'), "{}", metric.name);
            for said in [metric.formula, metric.error(), metric.null_where(), metric.cost()] {
                assert!(!said.is_empty(), "{}", metric.name);
            }
            assert!(metric.columns().count() > 0, "{}", metric.name);
            let fills =
                |section: &&Section| section.filled_by.split(", ").any(|one| one == metric.name);
            assert!(metric.sections.iter().all(fills), "{}", metric.name);
        }
        for section in quantities::SECTIONS {
            for metric in section.filled_by.split(", ").filter(|metric| !metric.is_empty()) {
                let described = MetricDescription::from_name(metric);
                let has = |metric: &MetricDescription| {
                    metric.sections.iter().any(|own| own.name == section.name)
                };
                assert!(described.is_some_and(has), "{} of {metric}", section.name);
            }
        }
    }

    #[test]
    fn a_fields_metadata_have_unit_sentence_formula_and_mark() {
        let layers = schema(Table::Layers);
        let gradient = layers.field_with_name("rpd_gradient").map(Field::metadata);
        let gradient = gradient.expect("a column of layers");
        assert_eq!(gradient["mark"], "paper");
        assert!(gradient["formula"].starts_with("g = mean_k g_k"), "{gradient:?}");
        assert!(gradient["description"].ends_with('.') && gradient["unit"].is_empty());
        let trials = schema(Table::Trials);
        let basin = trials.field_with_name("sample_basin").map(Field::metadata);
        assert_eq!(basin.expect("a column of trials")["unit"], "rms noise");
        let width = trials.field_with_name("width").map(Field::metadata);
        assert!(!width.expect("a column of trials").contains_key("mark"));
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
            "train_fit_step",
            "test_fit_step",
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
