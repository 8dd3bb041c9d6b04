//! The tables of a store, and the types of their columns.

use arrow::datatypes::{DataType, Field, TimeUnit};
use std::sync::Arc;

/// The tables of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// One row a trial: its result.
    Trials,
    /// One row a trial and step: loss, accuracy, phase.
    History,
    /// One row a trial, measured step and hidden layer.
    Layers,
    /// One row a trial, measured step, space, scope and threshold.
    Basins,
}

impl Table {
    /// Every table.
    pub const ALL: &'static [Table] =
        &[Table::Trials, Table::History, Table::Layers, Table::Basins];

    /// Folder below the store, and name in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Table::Trials => "trials",
            Table::History => "history",
            Table::Layers => "layers",
            Table::Basins => "basins",
        }
    }

    /// The table of that name.
    pub fn from_name(name: &str) -> Option<Table> {
        Table::ALL.iter().copied().find(|table| table.name() == name)
    }

    /// What one row is.
    pub const fn description(self) -> &'static str {
        match self {
            Table::Trials => "One row a trial: its hyperparameters and its result.",
            Table::History => {
                "One row a trial and step: loss, accuracy and phase in the course of training."
            }
            Table::Layers => {
                "One row a trial, measured step and hidden layer: the metrics of that layer."
            }
            Table::Basins => {
                "One row a trial, measured step, space, scope and threshold: attraction basins."
            }
        }
    }
}

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Int64
    Integer,
    /// Float64; never NaN or infinite: null instead.
    Float,
    /// Boolean
    Boolean,
    /// Utf8
    Text,
    /// List of Float64
    Floats,
    /// Timestamp in microseconds, UTC
    Time,
}

impl ColumnKind {
    /// The Arrow type.
    pub fn data_type(self) -> DataType {
        match self {
            ColumnKind::Integer => DataType::Int64,
            ColumnKind::Float => DataType::Float64,
            ColumnKind::Boolean => DataType::Boolean,
            ColumnKind::Text => DataType::Utf8,
            ColumnKind::Floats => {
                DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)))
            }
            ColumnKind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }

    /// The type in words.
    pub const fn name(self) -> &'static str {
        match self {
            ColumnKind::Integer => "int64",
            ColumnKind::Float => "float64",
            ColumnKind::Boolean => "boolean",
            ColumnKind::Text => "string",
            ColumnKind::Floats => "list of float64",
            ColumnKind::Time => "timestamp (µs, UTC)",
        }
    }
}
