//! Results as tables, one row a cell or a point, and their files by extension.

use crate::curve_data::{Curve, CurveLine, CurvePoint};
use crate::diagram::{Cell, CellState, PhaseDiagram, ValueKind};
use crate::error::{AnalyzeError, Result};
use crate::figure::{curve_figure, heat_map, rpd_figure, write_pdf, write_png, write_svg};
use crate::level::{Level, column_of_levels};
use crate::request::Stat;
use crate::rpd::{RankDistribution, RpdLayer};
use crate::statistics::Summary;
use polars::prelude::*;
use std::fs::File;
use std::path::Path;

/// What `--out` may end in.
const EXTENSIONS: &str = ".svg, .png, .pdf, .csv or .parquet";

/// Writes a diagram in the form its extension names: a figure or a table of its cells.
pub fn write_diagram(diagram: &PhaseDiagram, path: &Path) -> Result<()> {
    write(path, || heat_map(diagram), || cells_table(diagram))
}

/// Writes curves in the form the extension names: a figure or a table of its points.
pub fn write_curve(curve: &Curve, path: &Path) -> Result<()> {
    write(path, || curve_figure(curve), || curve_table(curve))
}

/// Writes rank distributions in the form the extension names: a figure or a table of their bins.
pub fn write_rpd(distribution: &RankDistribution, path: &Path) -> Result<()> {
    write(path, || rpd_figure(distribution), || rpd_table(distribution))
}

fn write(
    path: &Path,
    figure: impl FnOnce() -> String,
    table: impl FnOnce() -> Result<DataFrame>,
) -> Result<()> {
    match extension(path).as_str() {
        "svg" => write_svg(&figure(), path),
        "png" => write_png(&figure(), path),
        "pdf" => write_pdf(&figure(), path),
        "csv" => write_csv(&mut table()?, path),
        "parquet" => write_parquet(&mut table()?, path),
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
    let summaries: Vec<&Summary> = cells.iter().map(|cell| &cell.summary).collect();
    let (center, interval) = MOMENTS.split_at(2);
    for wanted in [center, QUARTILES, interval] {
        columns.extend(statistics(&summaries, wanted));
    }
    Ok(DataFrame::new(cells.len(), columns)?)
}

/// Curves as a table, one row a point: panel and line by their names, `step`, counts, mean,
/// deviation and interval; median and quartiles where the median was asked for.
pub fn curve_table(curve: &Curve) -> Result<DataFrame> {
    let points: Vec<(&CurveLine, &CurvePoint)> = curve
        .lines
        .iter()
        .flat_map(|line| line.points.iter().map(move |point| (line, point)))
        .collect();
    let mut columns = Vec::new();
    let names = [&curve.facet, &curve.by];
    let levels: [fn(&CurveLine) -> &Level; 2] = [|line| &line.facet, |line| &line.level];
    for (name, level) in names.into_iter().zip(levels) {
        if let Some(name) = name {
            let levels: Vec<Level> = points.iter().map(|(line, _)| level(line).clone()).collect();
            columns.push(column_of_levels(&name.name, &levels));
        }
    }
    let whole = |value: fn(&CurvePoint) -> i64| {
        points.iter().map(|(_, point)| value(point)).collect::<Vec<i64>>()
    };
    columns.push(Column::new("step".into(), whole(|point| point.step)));
    columns.push(Column::new("n".into(), whole(|point| point.n as i64)));
    columns.push(Column::new("n_null".into(), whole(|point| point.n_null as i64)));
    let summaries: Vec<&Summary> = points.iter().map(|(_, point)| &point.summary).collect();
    columns.extend(statistics(&summaries, MOMENTS));
    if curve.stat == Stat::Median {
        columns.extend(statistics(&summaries, QUARTILES));
    }
    Ok(DataFrame::new(points.len(), columns)?)
}

/// Rank distributions as a table, one row a bin: whether it is of the linear `control`, `layer`,
/// the line by its name, ends of the bin, `n`, mean, deviation and interval.
pub fn rpd_table(distribution: &RankDistribution) -> Result<DataFrame> {
    let selected = distribution.layers.iter().map(|layer| (false, layer));
    let control = distribution.control.iter().map(|layer| (true, layer));
    let bins: Vec<(bool, &RpdLayer, usize)> = selected
        .chain(control)
        .flat_map(|(control, layer)| (0..layer.density.len()).map(move |bin| (control, layer, bin)))
        .collect();
    let edge = |layer: &RpdLayer, bin: usize| bin as f64 / layer.density.len() as f64;
    let column = |value: &dyn Fn(&RpdLayer, usize) -> f64| {
        bins.iter().map(|(_, layer, bin)| value(layer, *bin)).collect::<Vec<f64>>()
    };
    let mut columns = vec![
        Column::new("control".into(), bins.iter().map(|bin| bin.0).collect::<Vec<_>>()),
        Column::new("layer".into(), bins.iter().map(|bin| bin.1.layer).collect::<Vec<_>>()),
    ];
    if let Some(by) = &distribution.by {
        let levels: Vec<Level> = bins.iter().map(|bin| bin.1.level.clone()).collect();
        columns.push(column_of_levels(&by.name, &levels));
    }
    columns.extend([
        Column::new("bin_low".into(), column(&edge)),
        Column::new("bin_high".into(), column(&|layer, bin| edge(layer, bin + 1))),
        Column::new("n".into(), bins.iter().map(|bin| bin.1.n as i64).collect::<Vec<_>>()),
    ]);
    let summaries: Vec<&Summary> =
        bins.iter().map(|(_, layer, bin)| &layer.density[*bin]).collect();
    columns.extend(statistics(&summaries, MOMENTS));
    Ok(DataFrame::new(bins.len(), columns)?)
}

type Statistic = (&'static str, fn(&Summary) -> Option<f64>);

const MOMENTS: &[Statistic] = &[
    ("mean", |summary| summary.mean),
    ("std", |summary| summary.std),
    ("ci_low", |summary| summary.ci_low),
    ("ci_high", |summary| summary.ci_high),
];

const QUARTILES: &[Statistic] = &[
    ("median", |summary| summary.median),
    ("q25", |summary| summary.q25),
    ("q75", |summary| summary.q75),
];

fn statistics(summaries: &[&Summary], wanted: &[Statistic]) -> Vec<Column> {
    let column = |(name, statistic): &Statistic| {
        let values: Vec<Option<f64>> = summaries.iter().map(|summary| statistic(summary)).collect();
        Column::new((*name).into(), values)
    };
    wanted.iter().map(column).collect()
}

type Named<T> = (&'static str, fn(&Cell) -> T);

const COUNTS: &[Named<usize>] = &[
    ("n", |cell| cell.n),
    ("n_ok", |cell| cell.n_ok),
    ("n_diverged", |cell| cell.n_diverged),
    ("n_null", |cell| cell.n_null),
    ("n_censored", |cell| cell.n_censored),
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
