//! `phasegrid curve`: a measured value against the training step.

use crate::columns::ColumnInfo;
use crate::condition::{Condition, MeasuredTable};
use crate::curve_data::{AxisScale, Curve, CurveLayer, CurveLine, CurvePoint, CurveRequest};
use crate::error::{AnalyzeError, Result};
use crate::finished::{Measured, Outcomes};
use crate::level::CodedColumn;
use crate::plan::SweepPlan;
use crate::read_trials::collect_streaming;
use crate::request::{LayerPick, Stat};
use crate::selection::{Places, Selection, check_places, tasks_of};
use crate::statistics::Summary;
use crate::store::Store;
use polars::prelude::*;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// More lines than this tell a reader nothing.
const MOST_LINES: usize = 256;

const GROUP: &str = "__group";
const FACET: &str = "__facet";
const VALUE: &str = "__value";

/// What stands for the layers where a hyperparameter is expected.
const LAYER: &str = "layer";

/// Averages a measured value over seeds, step by step. Diverged trials are left out.
pub fn curve(store: &Store, request: &CurveRequest) -> Result<Curve> {
    let sweep = store.choose_sweep(request.sweep.as_deref())?;
    let plan = SweepPlan::read(store, &sweep)?;
    let mut trials = store.scan("trials", &sweep)?;
    let schema = trials.collect_schema()?;
    let places = places(request);
    check_places(&places, &schema)?;
    let of_layers = request.layer.is_some() || has_facet_layer(request);
    let measured = Measured::with_column(store, &sweep, &request.value, of_layers)?;
    check_value(&request.value, &measured.schema)?;
    let layer = layer_of(request, measured.table)?;

    let condition = match &request.condition {
        None => Condition::default(),
        Some(text) => {
            let table = MeasuredTable { name: measured.table, schema: &measured.schema };
            Condition::parse(text, &schema, Some(&table))?
        }
    };
    let selected = condition.filter_trials(trials);
    let selection = Selection {
        sweep: &sweep,
        trials: &selected,
        schema: &schema,
        condition: condition.text(),
        places: &places,
        options: match (&request.by, &request.facet) {
            (None, None) => "--by or --facet",
            (None, Some(_)) => "--by",
            (Some(_), None) => "--facet",
            (Some(_), Some(_)) => "",
        },
    };
    selection.check_nothing_else_varies()?;

    let outcomes = Outcomes::of(&selected)?;
    let by = match (&request.by, layer) {
        (Some(name), _) => Some(name.as_str()),
        (None, Some(CurveLayer::All)) if !has_facet_layer(request) => Some(LAYER),
        (None, _) => None,
    };
    let facet = request.facet.as_deref();
    let stat = request.stat.unwrap_or(Stat::Mean);
    let averaging = Averaging { value: &request.value, by, facet, layer, stat };
    let frame = averaging.collect(measured.rows_of(&condition, &selected), &measured.schema)?;
    let lines = lines_of(&frame, stat, &|one, two| {
        let [facets, levels] = [(&one.facet, &two.facet, facet), (&one.level, &two.level, by)]
            .map(|(one, two, name)| plan.compare(name.unwrap_or_default(), one, two));
        facets.then(levels)
    })?;
    check_lines(request, &lines, stat, &outcomes)?;
    Ok(Curve {
        task: tasks_of(&selected, &schema)?,
        value: ColumnInfo::of(measured.table, &request.value),
        by: by.map(|name| ColumnInfo::of("trials", name)),
        facet: facet.map(|name| ColumnInfo::of("trials", name)),
        stat,
        x_scale: request.x_scale,
        y_scale: request.y_scale,
        place: if has_facet_layer(request) { String::new() } else { place_of(layer) },
        over: request.over.clone(),
        condition: condition.text().to_owned(),
        outcomes,
        lines,
        sweep,
    })
}

fn has_facet_layer(request: &CurveRequest) -> bool {
    request.facet.as_deref() == Some(LAYER)
}

fn places(request: &CurveRequest) -> Places<'_> {
    let mut places: Places = Vec::new();
    places.extend(request.by.iter().map(|name| ("--by", name.as_str())));
    let facet = request.facet.iter().map(String::as_str).filter(|name| *name != LAYER);
    places.extend(facet.map(|name| ("--facet", name)));
    places.extend(request.over.iter().map(|name| ("--over", name.as_str())));
    places
}

/// Refuses what would be no figure: no lines, too many, or values a logarithm cannot show.
fn check_lines(
    request: &CurveRequest,
    lines: &[CurveLine],
    stat: Stat,
    outcomes: &Outcomes,
) -> Result<()> {
    if lines.len() > MOST_LINES {
        let (option, name) = match (&request.by, &request.facet) {
            (Some(by), _) => ("--by", by.as_str()),
            (None, Some(facet)) => ("--facet", facet.as_str()),
            (None, None) => ("--layer", "all"),
        };
        return Err(AnalyzeError::BadAxis {
            option,
            name: name.to_owned(),
            reason: format!("{} lines are too many: select with --where", lines.len()),
        });
    }
    let points = || lines.iter().flat_map(|line| &line.points);
    if points().all(|point| point.value(stat).is_none()) {
        let reason = match (lines.is_empty(), stat) {
            (false, Stat::Std) => "has one trial a line: a deviation needs two".to_owned(),
            _ => format!("is null throughout the selection ({})", outcomes.in_words()),
        };
        return Err(AnalyzeError::NotDrawable { name: request.value.clone(), reason });
    }
    let lowest = points().filter_map(|point| Some((point.value(stat)?, point.step)));
    let lowest = lowest.min_by(|one, two| one.0.total_cmp(&two.0));
    match lowest {
        Some((value, step)) if request.y_scale == AxisScale::Log && value <= 0.0 => {
            Err(AnalyzeError::BadPick {
                option: "--y-scale",
                given: "log".to_owned(),
                reason: format!(
                    "the {stat} of {} is {value} at step {step}, which has no logarithm",
                    request.value
                ),
            })
        }
        _ => Ok(()),
    }
}

fn check_value(name: &str, schema: &Schema) -> Result<()> {
    let data_type = schema.try_get(name)?;
    if data_type.is_primitive_numeric() || *data_type == DataType::Boolean {
        return Ok(());
    }
    Err(AnalyzeError::NotDrawable {
        name: name.to_owned(),
        reason: format!(
            "the column holds {data_type}, which has no mean; read it with `phasegrid query`"
        ),
    })
}

/// The layers a request means; none for columns without layers.
fn layer_of(request: &CurveRequest, table: &str) -> Result<Option<CurveLayer>> {
    if table != "layers" {
        return Ok(None);
    }
    let refuse = |given: &str, reason: String| {
        Err(AnalyzeError::BadPick { option: "--layer", given: given.to_owned(), reason })
    };
    match (request.layer, &request.by) {
        (Some(CurveLayer::One(_)), _) if has_facet_layer(request) => {
            refuse("one", "--facet layer draws a panel for each; leave --layer out".to_owned())
        }
        (None, _) if has_facet_layer(request) => Ok(Some(CurveLayer::All)),
        (Some(CurveLayer::All), Some(by)) if !has_facet_layer(request) => refuse(
            "all",
            format!(
                "a line a layer and a line a value of {by} are too much for one panel; choose a layer, leave --by out, or draw a panel a layer with --facet layer"
            ),
        ),
        (Some(layer), _) => Ok(Some(layer)),
        (None, Some(_)) => Ok(Some(CurveLayer::One(LayerPick::Mean))),
        (None, None) => Ok(Some(CurveLayer::All)),
    }
}

fn place_of(layer: Option<CurveLayer>) -> String {
    match layer {
        None | Some(CurveLayer::All) => String::new(),
        Some(CurveLayer::One(LayerPick::First)) => "layer 1".to_owned(),
        Some(CurveLayer::One(LayerPick::Last)) => "last layer".to_owned(),
        Some(CurveLayer::One(LayerPick::Mean)) => "mean over layers".to_owned(),
        Some(CurveLayer::One(LayerPick::Number(number))) => format!("layer {number}"),
    }
}

/// What is averaged, and apart by what.
struct Averaging<'a> {
    value: &'a str,
    by: Option<&'a str>,
    facet: Option<&'a str>,
    layer: Option<CurveLayer>,
    stat: Stat,
}

impl Averaging<'_> {
    /// Count and statistics of every panel, group and step.
    fn collect(&self, mut rows: LazyFrame, schema: &Schema) -> Result<DataFrame> {
        match self.layer {
            Some(CurveLayer::One(LayerPick::First)) => rows = rows.filter(col(LAYER).eq(lit(1))),
            Some(CurveLayer::One(LayerPick::Number(number))) => {
                rows = rows.filter(col(LAYER).eq(lit(number)));
            }
            Some(CurveLayer::One(LayerPick::Last)) if schema.contains("depth") => {
                rows = rows.filter(col(LAYER).eq(col("depth")));
            }
            _ => {}
        }
        let value = col(self.value).cast(DataType::Float64);
        let value = when(value.clone().is_finite()).then(value).otherwise(lit(NULL));
        let group = self.by.map_or(lit(0), col).alias(GROUP);
        let facet = self.facet.map_or(lit(0), col).alias(FACET);
        let step = col("step").cast(DataType::Int64).alias("step");
        rows = rows.select([col("trial_id"), facet, group, step, value.alias(VALUE)]);
        if self.layer == Some(CurveLayer::One(LayerPick::Mean)) {
            // Nulls are left out, so that a trial counts with the layers it has.
            rows = rows.group_by([col("trial_id"), col("step")]).agg([
                col(FACET).first(),
                col(GROUP).first(),
                col(VALUE).mean(),
            ]);
        }
        let mut statistics = vec![
            col(VALUE).count().cast(DataType::Int64).alias("n"),
            col(VALUE).null_count().cast(DataType::Int64).alias("n_null"),
            col(VALUE).mean().alias("mean"),
            col(VALUE).std(1).alias("std"),
        ];
        // Quantiles hold every value in memory, so that only who asks for them pays.
        if self.stat == Stat::Median {
            let quantile = |share: f64| col(VALUE).quantile(lit(share), QuantileMethod::Linear);
            statistics.extend(QUARTILES.map(|(name, share)| quantile(share).alias(name)));
        }
        let grouped = rows.group_by([col(FACET), col(GROUP), col("step")]).agg(statistics);
        Ok(collect_streaming(grouped.sort(["step"], Default::default()))?)
    }
}

const QUARTILES: [(&str, f64); 3] = [("q25", 0.25), ("median", 0.5), ("q75", 0.75)];

/// Lines with their points by step, sorted.
fn lines_of(
    frame: &DataFrame,
    stat: Stat,
    order: &dyn Fn(&CurveLine, &CurveLine) -> Ordering,
) -> Result<Vec<CurveLine>> {
    let groups = CodedColumn::new(frame.column(GROUP)?)?;
    let facets = CodedColumn::new(frame.column(FACET)?)?;
    let (steps, counts) = (frame.column("step")?.i64()?, frame.column("n")?.i64()?);
    let (nulls, means) = (frame.column("n_null")?.i64()?, frame.column("mean")?.f64()?);
    let deviations = frame.column("std")?.f64()?;
    let mut quartiles = Vec::new();
    for (name, _) in QUARTILES.iter().filter(|_| stat == Stat::Median) {
        quartiles.push(frame.column(name)?.f64()?);
    }
    let mut lines: BTreeMap<(u32, u32), Vec<CurvePoint>> = BTreeMap::new();
    for row in 0..frame.height() {
        let (Some(step), Some(mean)) = (steps.get(row), means.get(row)) else { continue };
        let n = counts.get(row).unwrap_or(0) as usize;
        let n_null = nulls.get(row).unwrap_or(0) as usize;
        let mut summary = Summary::of_moments(n, mean, deviations.get(row));
        if let [q25, median, q75] = quartiles.as_slice() {
            (summary.q25, summary.median, summary.q75) =
                (q25.get(row), median.get(row), q75.get(row));
        }
        let line = lines.entry((facets.codes[row], groups.codes[row])).or_default();
        line.push(CurvePoint { step, n, n_null, summary });
    }
    let line = |((facet, group), points): ((u32, u32), Vec<CurvePoint>)| CurveLine {
        facet: facets.levels[facet as usize].clone(),
        level: groups.levels[group as usize].clone(),
        points,
    };
    let mut lines: Vec<CurveLine> = lines.into_iter().map(line).collect();
    lines.sort_by(order);
    Ok(lines)
}
