//! Cells of the tables from what the metrics gave back.

use phasegrid_metrics::phase::LayerTrend;
use phasegrid_metrics::{
    BasinRow, Cell as MetricCell, Censored, MetricOutput, ResampledGradients, Scope, Space,
    headline_threshold,
};
use phasegrid_spec::{Hyperparameters, Optimizer};
use phasegrid_store::Cell;

/// The cells of every layer of one trial, from all metrics; no rows where none was measured.
pub(crate) fn layer_rows(
    outputs: &[MetricOutput],
    position: usize,
    depth: usize,
) -> Vec<Vec<(&'static str, Cell)>> {
    if outputs.iter().all(|output| output.layers.columns.is_empty()) {
        return Vec::new();
    }
    let row = |layer: usize| {
        let columns = outputs.iter().flat_map(|output| &output.layers.columns);
        columns.map(|(name, values)| (*name, table_cell(&values[position][layer]))).collect()
    };
    (0..depth).map(row).collect()
}

fn table_cell(cell: &MetricCell) -> Cell {
    match cell {
        MetricCell::Null => Cell::Null,
        MetricCell::Number(value) => Cell::Float(*value),
        MetricCell::List(values) => Cell::Floats(values.clone()),
    }
}

/// The cells of one trial beside its layers, from all metrics, and what follows from them and the
/// trial's own hyperparameters.
pub(crate) fn trial_cells(
    outputs: &[MetricOutput],
    position: usize,
    trial: &Hyperparameters,
) -> Vec<(&'static str, Cell)> {
    let columns = outputs.iter().flat_map(|output| &output.trials.columns);
    let mut cells: Vec<(&'static str, Cell)> =
        columns.map(|(name, values)| (*name, table_cell(&values[position]))).collect();
    if cells.iter().any(|(name, _)| *name == "sharpness") {
        let at_edge = match trial.optimizer {
            Optimizer::Sgd => number(&cells, "sharpness")
                .map(|sharpness| trial.learning_rate * sharpness / (2.0 * (1.0 + trial.momentum))),
            Optimizer::Adam | Optimizer::AdamW => None,
        };
        cells.push(("lr_sharpness", at_edge.map_or(Cell::Null, Cell::Float)));
    }
    cells
}

/// Slope and spread of the gradients over the layers, where they were measured.
pub(crate) fn trend(outputs: &[MetricOutput], position: usize) -> Option<LayerTrend> {
    let output = outputs.iter().find(|output| output.resampled_gradients.is_some())?;
    let ResampledGradients { by_trial, .. } = output.resampled_gradients.as_ref()?;
    let gradients = output.layers.get("rpd_gradient")?;
    let by_layer: Vec<Option<f64>> = gradients[position].iter().map(MetricCell::number).collect();
    Some(LayerTrend::new(&by_layer, &by_trial[position]))
}

/// A finite number of a row.
pub(crate) fn number(row: &[(&'static str, Cell)], name: &str) -> Option<f64> {
    row.iter().find(|(known, _)| *known == name).and_then(|(_, cell)| match cell {
        Cell::Float(value) if value.is_finite() => Some(*value),
        _ => None,
    })
}

/// Mean over layers; null where a layer has none, or nothing was measured.
pub(crate) fn mean_of(name: &str, rows: &[Vec<(&'static str, Cell)>]) -> Cell {
    let values: Option<Vec<f64>> = rows.iter().map(|row| number(row, name)).collect();
    match values {
        Some(values) if !values.is_empty() => {
            Cell::Float(values.iter().sum::<f64>() / values.len() as f64)
        }
        _ => Cell::Null,
    }
}

/// The rows of the table `basins` of one trial.
pub(crate) fn basin_rows(outputs: &[MetricOutput], position: usize) -> Vec<&BasinRow> {
    outputs.iter().flat_map(|output| &output.basins).filter(|row| row.trial == position).collect()
}

/// One row of the table `basins`.
pub(crate) fn basin_cells(row: &BasinRow) -> Vec<(&'static str, Cell)> {
    let optional = |value: Option<f64>| value.map_or(Cell::Null, Cell::Float);
    let censored = row.censored.map(|side| match side {
        Censored::Left => "left",
        Censored::Right => "right",
    });
    vec![
        ("space", Cell::Text(space_name(row.space).into())),
        ("scope", Cell::Text(row.scope.name())),
        ("threshold", Cell::Float(row.threshold)),
        ("radius", optional(row.radius)),
        ("radius_se", optional(row.radius_se)),
        ("lo", optional(row.lo)),
        ("hi", optional(row.hi)),
        ("censored", censored.map_or(Cell::Null, |side| Cell::Text(side.into()))),
    ]
}

/// The headline radius of a space: scope `all` at theta0.
pub(crate) fn headline_radius(rows: &[&BasinRow], space: Space, classes: i64) -> Cell {
    let headline = |row: &&&BasinRow| {
        row.space == space
            && row.scope == Scope::All
            && row.threshold == headline_threshold(classes)
    };
    rows.iter().find(headline).and_then(|row| row.radius).map_or(Cell::Null, Cell::Float)
}

fn space_name(space: Space) -> &'static str {
    match space {
        Space::Sample => "sample",
        Space::Weight => "weight",
    }
}
