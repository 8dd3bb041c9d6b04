//! What a column is, and the columns that no metric fills.

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

/// Where a definition comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The paper's.
    Paper,
    /// Ours, where the paper leaves it open.
    Ours,
}

impl Mark {
    /// `[paper]` or `[ours]`.
    pub const fn text(self) -> &'static str {
        match self {
            Mark::Paper => "[paper]",
            Mark::Ours => "[ours]",
        }
    }
}

/// One column: what every table, document and figure needs to know of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Name in the tables.
    pub name: &'static str,
    /// Type.
    pub kind: ColumnKind,
    /// Unit; empty where it has none.
    pub unit: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// Smallest and largest possible value in words; empty where it says nothing.
    pub range: &'static str,
    /// The metric that fills it, if one does.
    pub metric: Option<&'static str>,
    /// Whose definition it is.
    pub mark: Mark,
}

impl Column {
    pub(super) const fn new(
        name: &'static str,
        kind: ColumnKind,
        unit: &'static str,
        description: &'static str,
    ) -> Column {
        Column { name, kind, unit, description, range: "", metric: None, mark: Mark::Ours }
    }
}

macro_rules! columns {
    ($($name:literal: $kind:ident, $unit:literal, $description:literal;)*) => {
        vec![$(Column::new($name, ColumnKind::$kind, $unit, $description)),*]
    };
}

/// Columns that training itself fills.
pub(super) fn own_columns(table: Table) -> Vec<Column> {
    match table {
        Table::Trials => columns! {
            "status": Text, "", "ok, diverged or failed; divergence is a result.";
            "error": Text, "", "Why the trial failed; null otherwise.";
            "train_loss": Float, "nats", "Training loss at the end, on the rows of train_rows, labels as trained on; null if diverged (squared error with mse).";
            "train_accuracy": Float, "share", "Training accuracy at the end, on the rows of train_rows, labels as trained on; null if diverged.";
            "train_accuracy_clean": Float, "share", "Training accuracy against the true labels; equals train_accuracy without label noise.";
            "test_loss": Float, "nats", "Test loss at the end; null if diverged (squared error with mse).";
            "test_accuracy": Float, "share", "Test accuracy at the end; null if diverged.";
            "train_accuracy_batch": Float, "share", "Training accuracy with the statistics of the evaluated rows; null without batch norm.";
            "test_accuracy_batch": Float, "share", "Test accuracy with the statistics of the evaluated rows; null without batch norm.";
            "grokking_delay": Integer, "steps", "Step at which test accuracy first reaches 0.95 of its final value minus the step at which train accuracy first reaches 0.99, over the steps of history; may be negative, null where one of them is not reached.";
            "diverged_step": Integer, "steps", "Update at which the first non-finite loss or parameter appeared; null if none did.";
            "steps_done": Integer, "steps", "Updates done: all of them, or those up to divergence.";
            "samples_seen": Integer, "rows", "Training rows seen: steps_done times batch_size.";
            "train_seconds": Float, "s", "The trial's share of the unit's training time.";
            "measure_seconds": Float, "s", "The trial's share of the unit's measuring time.";
            "dataset": Text, "", "BLAKE3 fingerprint of the arrays of the trial's data set.";
            "device": Text, "", "Device the trial was trained on.";
            "worker": Text, "", "Worker that committed the trial.";
            "attempt": Integer, "", "Attempt of the unit that won.";
            "unit": Integer, "", "Unit the trial was trained in.";
            "finished_at": Time, "", "When the unit's training and measuring ended.";
        },
        Table::History => columns! {
            "step": Integer, "steps", "Updates done before this row.";
            "train_loss": Float, "nats", "Training loss on the rows of train_rows, labels as trained on (squared error with mse).";
            "train_accuracy": Float, "share", "Training accuracy on the rows of train_rows, labels as trained on.";
            "train_accuracy_clean": Float, "share", "Training accuracy against the true labels.";
            "test_loss": Float, "nats", "Test loss (squared error with mse).";
            "test_accuracy": Float, "share", "Test accuracy.";
            "train_accuracy_batch": Float, "share", "Training accuracy with the statistics of the evaluated rows; null without batch norm.";
            "test_accuracy_batch": Float, "share", "Test accuracy with the statistics of the evaluated rows; null without batch norm.";
            "weight_norm": Float, "", "Euclidean norm of all weights and biases.";
        },
        Table::Layers => columns! {
            "step": Integer, "steps", "Updates done before this row.";
            "layer": Integer, "", "Hidden layer, 1 to depth.";
        },
        Table::Basins => columns! {
            "step": Integer, "steps", "Updates done before this row.";
            "space": Text, "", "sample or weight: where the noise is added.";
            "scope": Text, "", "all, all_abs, class:k, layer:l, sample or filter.";
            "threshold": Float, "share", "Accuracy that marks the edge of the basin.";
            "radius": Float, "rms noise", "Noise amplitude at which accuracy falls to the threshold; null if censored on the right.";
            "radius_se": Float, "rms noise", "Standard error of the radius.";
            "lo": Float, "rms noise", "Lower end of the bracket, or the lower quartile with scope sample.";
            "hi": Float, "rms noise", "Upper end of the bracket, or the upper quartile with scope sample; null beyond the grid.";
            "censored": Text, "", "left or right where the radius lies outside the grid of noise amplitudes; null where it was found.";
        },
    }
}
