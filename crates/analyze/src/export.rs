//! A phase diagram as a table, one row a cell, and its files by extension.

use crate::diagram::{Cell, CellState, PhaseDiagram, ValueKind};
use crate::error::{AnalyzeError, Result};
use crate::figure::{heat_map, write_pdf, write_png, write_svg};
use crate::level::column_of_levels;
use polars::prelude::*;
use std::fs::File;
use std::path::Path;

/// What `--out` may end in.
const EXTENSIONS: &str = ".svg, .png, .pdf, .csv or .parquet";

/// Writes a diagram in the form its extension names: a figure or a table of its cells.
pub fn write_diagram(diagram: &PhaseDiagram, path: &Path) -> Result<()> {
    match extension(path).as_str() {
        "svg" => write_svg(&heat_map(diagram), path),
        "png" => write_png(&heat_map(diagram), path),
        "pdf" => write_pdf(&heat_map(diagram), path),
        "csv" => write_csv(&mut cells_table(diagram)?, path),
        "parquet" => write_parquet(&mut cells_table(diagram)?, path),
        _ => Err(AnalyzeError::Extension { path: path.to_path_buf(), expected: EXTENSIONS }),
    }
}

/// Refuses an output file of no known kind, so that nothing is computed for it.
pub fn check_output(path: &Path) -> Result<()> {
    if ["svg", "png", "pdf", "csv", "parquet"].contains(&extension(path).as_str()) {
        return Ok(());
    }
    Err(AnalyzeError::Extension { path: path.to_path_buf(), expected: EXTENSIONS })
}

fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// The cells as a table: facet, x and y by name, `value`, `stat`, counts and statistics. Cells
/// outside the sweep are left out; those it has yet to run are there, with n = 0. For text,
/// `share` and `tied` follow `value`.
pub fn cells_table(diagram: &PhaseDiagram) -> Result<DataFrame> {
    let cells: Vec<&Cell> =
        diagram.cells.iter().filter(|cell| cell.state != CellState::Outside).collect();
    let mut columns = Vec::new();
    if let Some(facet) = &diagram.facet {
        let levels: Vec<_> = cells.iter().map(|cell| facet.levels[cell.facet].clone()).collect();
        columns.push(column_of_levels(&facet.column.name, &levels));
    }
    for (axis, position) in [
        (&diagram.x, (|cell: &Cell| cell.x) as fn(&Cell) -> usize),
        (&diagram.y, |cell: &Cell| cell.y),
    ] {
        let levels: Vec<_> = cells.iter().map(|cell| axis.levels[position(cell)].clone()).collect();
        columns.push(column_of_levels(&axis.column.name, &levels));
    }
    let mut stat = diagram.stat.to_string();
    if diagram.kind == ValueKind::Category {
        stat = "mode".to_owned();
        let modes = || cells.iter().map(|cell| cell.mode.as_ref());
        let names: Vec<Option<&str>> =
            modes().map(|mode| mode.map(|mode| mode.category.as_str())).collect();
        let shares: Vec<Option<f64>> = modes().map(|mode| mode.map(|mode| mode.share)).collect();
        let ties: Vec<Option<bool>> = modes().map(|mode| mode.map(|mode| mode.tied)).collect();
        columns.push(Column::new("value".into(), names));
        columns.push(Column::new("share".into(), shares));
        columns.push(Column::new("tied".into(), ties));
    } else {
        let values: Vec<Option<f64>> = cells.iter().map(|cell| cell.value).collect();
        columns.push(Column::new("value".into(), values));
    }
    columns.push(Column::new("stat".into(), vec![stat; cells.len()]));
    for (name, count) in COUNTS {
        let counts: Vec<i64> = cells.iter().map(|cell| count(cell) as i64).collect();
        columns.push(Column::new((*name).into(), counts));
    }
    for (name, statistic) in STATISTICS {
        let values: Vec<Option<f64>> = cells.iter().map(|cell| statistic(cell)).collect();
        columns.push(Column::new((*name).into(), values));
    }
    Ok(DataFrame::new(cells.len(), columns)?)
}

type Named<T> = (&'static str, fn(&Cell) -> T);

const COUNTS: &[Named<usize>] = &[
    ("n", |cell| cell.n),
    ("n_ok", |cell| cell.n_ok),
    ("n_diverged", |cell| cell.n_diverged),
    ("n_null", |cell| cell.n_null),
    ("n_censored", |cell| cell.n_censored),
];

const STATISTICS: &[Named<Option<f64>>] = &[
    ("mean", |cell| cell.summary.mean),
    ("std", |cell| cell.summary.std),
    ("median", |cell| cell.summary.median),
    ("q25", |cell| cell.summary.q25),
    ("q75", |cell| cell.summary.q75),
    ("ci_low", |cell| cell.summary.ci_low),
    ("ci_high", |cell| cell.summary.ci_high),
];

pub(crate) fn write_csv(frame: &mut DataFrame, path: &Path) -> Result<()> {
    let file = File::create(path).map_err(AnalyzeError::io(path))?;
    Ok(CsvWriter::new(file).finish(frame)?)
}

pub(crate) fn write_parquet(frame: &mut DataFrame, path: &Path) -> Result<()> {
    let file = File::create(path).map_err(AnalyzeError::io(path))?;
    ParquetWriter::new(file).finish(frame)?;
    Ok(())
}
