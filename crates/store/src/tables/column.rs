//! What a column is, and the columns that are no measured quantity.

use super::quantity::Quantity;
use super::table::{ColumnKind, Table};

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
    /// What this table holds of it, where that is not its value at the row's step.
    pub note: &'static str,
    /// Smallest and largest possible value in words; empty where it says nothing.
    pub range: &'static str,
    /// The metrics that fill it, if one does.
    pub metric: Option<&'static str>,
    /// All that is known of a measured quantity; nothing for hyperparameters and bookkeeping.
    pub quantity: Option<Quantity>,
}

impl Column {
    pub(super) const fn new(
        name: &'static str,
        kind: ColumnKind,
        unit: &'static str,
        description: &'static str,
    ) -> Column {
        let (note, range) = ("", "");
        Column { name, kind, unit, description, note, range, metric: None, quantity: None }
    }

    /// Of a quantity with nothing left open.
    pub(super) fn of(quantity: Quantity, note: &'static str, filled_by: &'static str) -> Column {
        Column {
            name: quantity.name,
            kind: quantity.kind,
            unit: quantity.unit,
            description: quantity.definition,
            note,
            range: quantity.range,
            metric: (!filled_by.is_empty()).then_some(filled_by),
            quantity: Some(quantity),
        }
    }

    /// The description as this table needs it.
    pub fn sentence(&self) -> String {
        match self.note {
            "" => self.description.to_owned(),
            note => format!("{} Here: {note}.", self.description),
        }
    }
}

macro_rules! columns {
    ($($name:literal: $kind:ident, $unit:literal, $description:literal;)*) => {
        vec![$(Column::new($name, ColumnKind::$kind, $unit, $description)),*]
    };
}

/// Columns that say which row it is, after identity and hyperparameters.
pub(super) fn keys(table: Table) -> Vec<Column> {
    match table {
        Table::Trials => columns! {
            "status": Text, "", "ok, diverged or failed; divergence is a result.";
            "error": Text, "", "Why the trial failed; null otherwise.";
        },
        Table::History => columns! {
            "step": Integer, "steps", "Updates done before this row.";
        },
        Table::Layers => columns! {
            "step": Integer, "steps", "Updates done before this row.";
            "layer": Integer, "", "Hidden layer, 1 to depth.";
        },
        Table::Basins => columns! {
            "step": Integer, "steps", "Updates done before this row.";
            "space": Text, "", "sample or weight: where the noise is added.";
            "scope": Text, "", "all, all_abs, class:k, layer:l, sample or filter.";
        },
    }
}

/// Columns that say how the row came about.
pub(super) fn bookkeeping(table: Table) -> Vec<Column> {
    match table {
        Table::Trials => columns! {
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
        Table::History | Table::Layers | Table::Basins => Vec::new(),
    }
}
