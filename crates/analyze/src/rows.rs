//! Results as files or text: CSV, JSON, Parquet, or a table to read.

use crate::error::{AnalyzeError, Result};
use polars::prelude::*;
use std::fmt::Write as _;
use std::io::Write;
use std::str::FromStr;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFormat {
    /// Aligned columns, none of them abridged.
    Table,
    /// Comma-separated, with a header.
    Csv,
    /// An array of objects, one a row.
    Json,
    /// Parquet.
    Parquet,
}

impl FromStr for RowFormat {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "table" => Ok(RowFormat::Table),
            "csv" => Ok(RowFormat::Csv),
            "json" => Ok(RowFormat::Json),
            "parquet" => Ok(RowFormat::Parquet),
            _ => Err(format!("\"{text}\" is not table, csv, json or parquet")),
        }
    }
}

/// Writes rows in a format.
pub fn write_rows(frame: &mut DataFrame, format: RowFormat, mut out: impl Write) -> Result<()> {
    match format {
        RowFormat::Table => {
            let text = table_text(frame)?;
            out.write_all(text.as_bytes()).map_err(AnalyzeError::io("output"))?;
        }
        RowFormat::Csv => CsvWriter::new(out).finish(&mut without_lists(frame)?)?,
        RowFormat::Json => {
            JsonWriter::new(&mut out).with_json_format(JsonFormat::Json).finish(frame)?;
            out.write_all(b"\n").map_err(AnalyzeError::io("output"))?;
        }
        RowFormat::Parquet => {
            // The Parquet writer wants the bytes in one piece.
            let mut bytes = Vec::new();
            ParquetWriter::new(&mut bytes).finish(frame)?;
            out.write_all(&bytes).map_err(AnalyzeError::io("output"))?;
        }
    }
    Ok(())
}

/// Lists as text in brackets: CSV has no other way to hold them.
fn without_lists(frame: &DataFrame) -> Result<DataFrame> {
    let mut columns = Vec::new();
    for column in frame.columns() {
        if !column.dtype().is_list() {
            columns.push(column.clone());
            continue;
        }
        let mut texts = Vec::new();
        for row in 0..frame.height() {
            let value = column.get(row)?;
            texts.push((value != AnyValue::Null).then(|| cell_text(&value)));
        }
        columns.push(Column::new(column.name().clone(), texts));
    }
    Ok(DataFrame::new(frame.height(), columns)?)
}

/// Rows as aligned text: a header, a rule, one line a row; numbers to the right.
pub fn table_text(frame: &DataFrame) -> Result<String> {
    let mut columns: Vec<Vec<String>> = Vec::new();
    let mut is_number = Vec::new();
    for column in frame.columns() {
        let mut cells = vec![column.name().to_string()];
        for row in 0..frame.height() {
            cells.push(cell_text(&column.get(row)?));
        }
        columns.push(cells);
        is_number.push(column.dtype().is_primitive_numeric());
    }
    let widths: Vec<usize> = columns
        .iter()
        .map(|cells| cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in 0..=frame.height() {
        let mut line = String::new();
        for (position, cells) in columns.iter().enumerate() {
            let (cell, width) = (&cells[row], widths[position]);
            // Writing to a String cannot fail.
            let _ = if is_number[position] {
                write!(line, "{cell:>width$}  ")
            } else {
                write!(line, "{cell:<width$}  ")
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
        if row == 0 {
            let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
            text.push_str(&rules.join("  "));
            text.push('\n');
        }
    }
    Ok(text)
}

/// A value as text: floats to 6 significant digits, text without quotes, lists in brackets.
pub(crate) fn cell_text(value: &AnyValue) -> String {
    match value {
        AnyValue::Null => String::new(),
        AnyValue::String(text) => (*text).to_owned(),
        AnyValue::StringOwned(text) => text.to_string(),
        AnyValue::Float64(number) => float_text(*number),
        AnyValue::Float32(number) => float_text(f64::from(*number)),
        AnyValue::List(series) => {
            let cells: Vec<String> = series.iter().map(|value| cell_text(&value)).collect();
            format!("[{}]", cells.join(", "))
        }
        other => other.to_string(),
    }
}

fn float_text(number: f64) -> String {
    let rounded: f64 = format!("{number:.5e}").parse().unwrap_or(number);
    let magnitude = rounded.abs();
    if magnitude == 0.0 || (1e-4..1e15).contains(&magnitude) || !rounded.is_finite() {
        return format!("{rounded}");
    }
    format!("{rounded:e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_complete() {
        let frame = df!("name" => ["a", "long name"], "value" => [Some(0.1 + 0.2), None]).unwrap();
        let text = table_text(&frame).unwrap();
        let expected = "name       value\n─────────  ─────\na            0.3\nlong name\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn json_is_an_array_of_rows() {
        let mut frame = df!("depth" => [1_i64, 2], "phase" => [Some("I"), None]).unwrap();
        let mut bytes = Vec::new();
        write_rows(&mut frame, RowFormat::Json, &mut bytes).unwrap();
        let rows: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            rows,
            serde_json::json!([{"depth": 1, "phase": "I"}, {"depth": 2, "phase": null}])
        );
    }
}
