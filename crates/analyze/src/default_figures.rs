//! The figures `phasegrid run` draws when a sweep is done.

use crate::columns::{is_hyperparameter, is_task_parameter, readable};
use crate::derived::Derived;
use crate::error::Result;
use crate::level::{CodedColumn, Level};
use crate::plan::SweepPlan;
use crate::read_trials::collect_streaming;
use crate::request::{LayerPick, PhaseRequest};
use crate::store::Store;
use polars::prelude::*;

/// A figure to draw: a title for the log, the request, and a file name without extension.
#[derive(Clone, Debug, PartialEq)]
pub struct DefaultFigure {
    /// Title.
    pub title: String,
    /// What to draw.
    pub request: PhaseRequest,
    /// File name without extension.
    pub stem: String,
}

/// Values worth a figure, and the layer where it matters which.
const VALUES: [(&str, Option<LayerPick>); 12] = [
    ("test_accuracy", None),
    ("phase", None),
    ("opt_excess", None),
    ("opt_fraction", None),
    ("rpd_gradient", Some(LayerPick::First)),
    ("lmap_accuracy", Some(LayerPick::First)),
    ("sample_basin", None),
    ("weight_basin", None),
    ("weight_basin_scaled", None),
    ("sharpness", None),
    ("onset_mixed_step", None),
    ("grokking_delay", None),
];

/// Hyperparameters in the order they become the horizontal axis.
const X: [&str; 4] = ["learning_rate", "train_samples", "batch_size", "width"];
/// And the vertical one.
const Y: [&str; 5] = ["width", "depth", "batch_size", "weight_decay", "init_scale"];
/// A facet has at most this many panels; with more values it is averaged over, and said so.
const MOST_PANELS: usize = 12;

/// Figures for a sweep: every measured value over the hyperparameters that vary. Learning rate
/// goes across, width or depth up, the next becomes the facet; what is left is averaged over
/// by name. Nothing where only seeds vary.
pub fn default_figures(store: &Store, sweep: &str) -> Result<Vec<DefaultFigure>> {
    let sweep = store.choose_sweep(Some(sweep))?;
    let plan = SweepPlan::read(store, &sweep)?;
    // What varies only along with something else (steps, where epochs are fixed) is no axis.
    let (varying, incidental): (Vec<_>, Vec<_>) =
        varying(store, &sweep)?.into_iter().partition(|(name, _)| plan.is_axis(name));
    let Some(mut axes) = Axes::choose(&varying) else { return Ok(Vec::new()) };
    axes.over.extend(incidental.into_iter().map(|(name, _)| name).filter(|name| *name != axes.y));
    let mut figures = Vec::new();
    for (value, layer) in VALUES {
        let tables: &[&str] = if layer.is_some() { &["layers"] } else { &["trials", "layers"] };
        let mut measured = false;
        for table in tables {
            measured = measured || is_measured(store, table, &sweep, value)?;
        }
        if !measured {
            continue;
        }
        let request = PhaseRequest {
            facet: axes.facet.clone(),
            layer,
            sweep: Some(sweep.clone()),
            over: axes.over.clone(),
            ..PhaseRequest::new(&axes.x, &axes.y, value)
        };
        let place = if layer.is_some() { ", first layer" } else { "" };
        let suffix = if layer.is_some() { "-layer-1" } else { "" };
        figures.push(DefaultFigure {
            title: format!("{}{place}", readable(value)),
            request,
            stem: format!("{}{suffix}", value.replace('_', "-")),
        });
    }
    Ok(figures)
}

/// Hyperparameters with more than one value, seeds apart, and how many they have.
fn varying(store: &Store, sweep: &str) -> Result<Vec<(String, usize)>> {
    let mut trials = store.scan("trials", sweep)?;
    let schema = trials.collect_schema()?;
    let names: Vec<&str> = schema
        .iter_names()
        .map(|name| name.as_str())
        .filter(|name| is_hyperparameter(name) && !["seed", "data_seed"].contains(name))
        .collect();
    let values = |name: &str| match is_task_parameter(name) {
        true => col(name).drop_nulls(),
        false => col(name),
    };
    let counts: Vec<Expr> =
        names.iter().map(|name| values(name).n_unique().cast(DataType::Int64)).collect();
    let frame = collect_streaming(trials.select(counts))?;
    let mut varying = Vec::new();
    for name in names {
        let count = frame.column(name)?.i64()?.get(0).unwrap_or(0);
        if count > 1 {
            varying.push((name.to_owned(), count as usize));
        }
    }
    Ok(varying)
}

fn is_measured(store: &Store, table: &str, sweep: &str, value: &str) -> Result<bool> {
    let Some(mut scan) = store.try_scan(table, sweep)? else { return Ok(false) };
    let schema = scan.collect_schema()?;
    let value = Derived::from_name(value, &schema).map_or(value, |derived| derived.of);
    if !schema.contains(value) {
        return Ok(false);
    }
    let frame = collect_streaming(scan.select([col(value).count().gt(lit(0)).alias("any")]))?;
    let any = CodedColumn::new(frame.column("any")?)?.levels;
    Ok(any == [Level::Boolean(true)])
}

/// Where each varying hyperparameter goes.
#[derive(Debug, PartialEq)]
struct Axes {
    x: String,
    y: String,
    facet: Option<String>,
    over: Vec<String>,
}

impl Axes {
    fn choose(varying: &[(String, usize)]) -> Option<Axes> {
        let mut left: Vec<(String, usize)> = varying.to_vec();
        let mut take = |preferred: &[&str]| {
            let named =
                preferred.iter().find_map(|name| left.iter().position(|(one, _)| one == name));
            let position = named.or((!left.is_empty()).then_some(0))?;
            Some(left.remove(position).0)
        };
        let x = take(&X)?;
        // One varying hyperparameter: a diagram of one row, over a constant one.
        let other = if x == "depth" { "width" } else { "depth" };
        let y = take(&Y).unwrap_or_else(|| other.to_owned());
        let facet = left.iter().position(|(_, count)| *count <= MOST_PANELS);
        let facet = facet.map(|position| left.remove(position).0);
        Some(Axes { x, y, facet, over: left.into_iter().map(|(name, _)| name).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(names: &[&str]) -> Option<Axes> {
        let varying: Vec<_> = names.iter().map(|name| ((*name).to_owned(), 4)).collect();
        Axes::choose(&varying)
    }

    #[test]
    fn the_usual_axes_go_where_readers_expect_them() {
        let axes = choose(&["depth", "width", "learning_rate", "batch_size"]).unwrap();
        assert_eq!((axes.x.as_str(), axes.y.as_str()), ("learning_rate", "width"));
        assert_eq!(axes.facet.as_deref(), Some("depth"));
        assert_eq!(axes.over, ["batch_size"]);
    }

    #[test]
    fn one_axis_makes_one_row_and_none_makes_nothing() {
        let axes = choose(&["learning_rate"]).unwrap();
        assert_eq!(
            (axes.x.as_str(), axes.y.as_str(), axes.facet),
            ("learning_rate", "depth", None)
        );
        assert_eq!(choose(&[]), None);
    }
}
