//! Rows in, record batches out: one builder a table, columns set by name.

use crate::error::StoreError;
use crate::tables::{Column, ColumnKind, Table, columns, schema};
use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, RecordBatch,
    StringBuilder, TimestampMicrosecondBuilder,
};
use phasegrid_spec::{HyperparameterId, Hyperparameters, TrialId, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number; a non-finite one becomes null.
    Float(f64),
    /// A truth value.
    Boolean(bool),
    /// A text.
    Text(String),
    /// A list of numbers, each of which may be null; non-finite ones become null.
    Floats(Vec<Option<f64>>),
    /// Microseconds since 1970, UTC.
    Time(i64),
}

impl From<Value> for Cell {
    fn from(value: Value) -> Cell {
        match value {
            Value::Boolean(flag) => Cell::Boolean(flag),
            Value::Integer(number) => Cell::Integer(number),
            Value::Float(number) => Cell::Float(number),
            Value::Text(text) => Cell::Text(text.to_string()),
        }
    }
}

/// A value was set that the table has no column for, or of another type: a bug, never data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("table {table} has no column {column} for a value of this type")]
pub struct UnknownColumn {
    /// The table.
    pub table: &'static str,
    /// The column's name.
    pub column: String,
}

/// Collects the rows of one table.
pub struct TableBuilder {
    table: Table,
    columns: Vec<ColumnBuilder>,
    positions: HashMap<&'static str, usize>,
    rows: usize,
}

impl TableBuilder {
    /// An empty builder.
    pub fn new(table: Table) -> Self {
        let definitions = columns(table);
        let positions =
            definitions.iter().enumerate().map(|(index, one)| (one.name, index)).collect();
        let columns = definitions.iter().map(ColumnBuilder::new).collect();
        TableBuilder { table, columns, positions, rows: 0 }
    }

    /// Number of rows so far.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Appends a row: identity and the hyperparameters the trial has, then these cells; the other
    /// columns are null.
    pub fn append<'a>(
        &mut self,
        trial: &Hyperparameters,
        id: &TrialId,
        cells: impl IntoIterator<Item = (&'a str, Cell)>,
    ) -> Result<(), UnknownColumn> {
        let mut row: Vec<Option<Cell>> = vec![None; self.columns.len()];
        row[self.position("trial_id")?] = Some(Cell::Text(id.to_string()));
        for hyperparameter in HyperparameterId::all().filter(|id| trial.has(*id)) {
            let position = self.position(hyperparameter.name())?;
            row[position] = Some(trial.get(hyperparameter).into());
        }
        for (name, cell) in cells {
            let position = self.position(name)?;
            if !self.columns[position].accepts(&cell) {
                return Err(self.unknown(name));
            }
            row[position] = Some(cell);
        }
        for (column, cell) in self.columns.iter_mut().zip(row) {
            column.push(cell.unwrap_or(Cell::Null));
        }
        self.rows += 1;
        Ok(())
    }

    /// The rows as a record batch of the table's schema; the builder is empty again.
    pub fn finish(&mut self) -> Result<RecordBatch, StoreError> {
        self.rows = 0;
        let arrays = self.columns.iter_mut().map(ColumnBuilder::finish).collect();
        RecordBatch::try_new(schema(self.table), arrays).map_err(|error| StoreError::Encode {
            table: self.table.name(),
            reason: error.to_string(),
        })
    }

    fn position(&self, name: &str) -> Result<usize, UnknownColumn> {
        self.positions.get(name).copied().ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> UnknownColumn {
        UnknownColumn { table: self.table.name(), column: name.to_owned() }
    }
}

enum ColumnBuilder {
    Integer(Int64Builder),
    Float(Float64Builder),
    Boolean(BooleanBuilder),
    Text(StringBuilder),
    Floats(ListBuilder<Float64Builder>),
    Time(TimestampMicrosecondBuilder),
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

impl ColumnBuilder {
    fn new(column: &Column) -> Self {
        match column.kind {
            ColumnKind::Integer => ColumnBuilder::Integer(Int64Builder::new()),
            ColumnKind::Float => ColumnBuilder::Float(Float64Builder::new()),
            ColumnKind::Boolean => ColumnBuilder::Boolean(BooleanBuilder::new()),
            ColumnKind::Text => ColumnBuilder::Text(StringBuilder::new()),
            ColumnKind::Floats => ColumnBuilder::Floats(ListBuilder::new(Float64Builder::new())),
            ColumnKind::Time => {
                ColumnBuilder::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
            }
        }
    }

    fn accepts(&self, cell: &Cell) -> bool {
        matches!(
            (self, cell),
            (_, Cell::Null)
                | (ColumnBuilder::Integer(_), Cell::Integer(_))
                | (ColumnBuilder::Float(_), Cell::Float(_))
                | (ColumnBuilder::Boolean(_), Cell::Boolean(_))
                | (ColumnBuilder::Text(_), Cell::Text(_))
                | (ColumnBuilder::Floats(_), Cell::Floats(_))
                | (ColumnBuilder::Time(_), Cell::Time(_))
        )
    }

    /// Appends a cell that [`Self::accepts`]; any other becomes null.
    fn push(&mut self, cell: Cell) {
        match (self, cell) {
            (ColumnBuilder::Integer(builder), Cell::Integer(value)) => builder.append_value(value),
            (ColumnBuilder::Integer(builder), _) => builder.append_null(),
            (ColumnBuilder::Float(builder), Cell::Float(value)) => {
                builder.append_option(finite(value))
            }
            (ColumnBuilder::Float(builder), _) => builder.append_null(),
            (ColumnBuilder::Boolean(builder), Cell::Boolean(value)) => builder.append_value(value),
            (ColumnBuilder::Boolean(builder), _) => builder.append_null(),
            (ColumnBuilder::Text(builder), Cell::Text(value)) => builder.append_value(value),
            (ColumnBuilder::Text(builder), _) => builder.append_null(),
            (ColumnBuilder::Floats(builder), Cell::Floats(values)) => {
                for value in values {
                    builder.values().append_option(value.and_then(finite));
                }
                builder.append(true);
            }
            (ColumnBuilder::Floats(builder), _) => builder.append(false),
            (ColumnBuilder::Time(builder), Cell::Time(value)) => builder.append_value(value),
            (ColumnBuilder::Time(builder), _) => builder.append_null(),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            ColumnBuilder::Integer(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Float(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Boolean(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Text(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Floats(builder) => Arc::new(builder.finish()),
            ColumnBuilder::Time(builder) => Arc::new(builder.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Float64Type;

    #[test]
    fn a_row_has_its_hyperparameters_and_nulls_elsewhere() {
        let mut builder = TableBuilder::new(Table::Trials);
        let trial = Hyperparameters { width: 7, ..Default::default() };
        let cells = [("status", Cell::Text("ok".into())), ("test_loss", Cell::Float(f64::NAN))];
        builder.append(&trial, &TrialId::of(&trial), cells).expect("known columns");
        let batch = builder.finish().expect("the table's schema");
        let column = |name: &str| batch.column_by_name(name).expect("a column");
        assert_eq!(column("width").as_primitive::<arrow::datatypes::Int64Type>().value(0), 7);
        assert_eq!(column("learning_rate").as_primitive::<Float64Type>().value(0), 0.1);
        assert!(column("test_loss").is_null(0), "a NaN becomes null");
        assert!(column("phase").is_null(0));
        assert_eq!(batch.schema(), schema(Table::Trials));
    }

    #[test]
    fn parameters_of_another_task_are_null() {
        let mut builder = TableBuilder::new(Table::Trials);
        let digits = Hyperparameters::default();
        let modular = Hyperparameters { task: "modular-addition".into(), ..Default::default() };
        for trial in [&digits, &modular] {
            builder.append(trial, &TrialId::of(trial), []).expect("known columns");
        }
        let batch = builder.finish().expect("the table's schema");
        let column = |name: &str| batch.column_by_name(name).expect("a column");
        assert!(column("task_p").is_null(0) && column("task_classes").is_null(1));
        assert_eq!(column("task_p").as_primitive::<arrow::datatypes::Int64Type>().value(1), 97);
        assert_eq!(column("data_seed").null_count(), 0);
    }

    #[test]
    fn unknown_columns_and_wrong_types_are_refused() {
        let mut builder = TableBuilder::new(Table::Layers);
        let trial = Hyperparameters::default();
        let id = TrialId::of(&trial);
        assert!(builder.append(&trial, &id, [("no_such", Cell::Null)]).is_err());
        assert!(builder.append(&trial, &id, [("layer", Cell::Float(1.0))]).is_err());
        assert_eq!(builder.rows(), 0);
    }
}
