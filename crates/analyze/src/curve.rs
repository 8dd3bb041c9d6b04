//! `phasegrid curve`: a measured value against the training step.

use crate::columns::ColumnInfo;
use crate::condition::{Condition, MeasuredTable};
use crate::error::{AnalyzeError, Result};
use crate::finished::{Measured, Outcomes};
use crate::level::{CodedColumn, Level};
use crate::plan::SweepPlan;
use crate::read_trials::collect_streaming;
use crate::request::LayerPick;
use crate::selection::{Places, Selection, check_places, tasks_of};
use crate::statistics::Summary;
use crate::store::Store;
use polars::prelude::*;
use std::collections::BTreeMap;
use std::str::FromStr;

/// More lines than this tell a reader nothing.
const MOST_LINES: usize = 256;

const GROUP: &str = "__group";
const VALUE: &str = "__value";

/// Which layers a curve shows, for columns of `layers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurveLayer {
    /// One line a layer.
    All,
    /// This one, or the mean over a trial's layers.
    One(LayerPick),
}

impl FromStr for CurveLayer {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if text == "all" {
            return Ok(CurveLayer::All);
        }
        let pick = LayerPick::from_str(text);
        pick.map(CurveLayer::One)
            .map_err(|_| format!("\"{text}\" is not all, first, last, mean or a layer from 1"))
    }
}

/// One figure of curves: the options of `phasegrid curve`, one field each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CurveRequest {
    /// Column of `layers` or `history`.
    pub value: String,
    /// Hyperparameter with one line a value.
    pub by: Option<String>,
    /// Which layers; if absent all of them, or their mean beside `by`.
    pub layer: Option<CurveLayer>,
    /// The sweep; may be absent where the store holds one.
    pub sweep: Option<String>,
    /// SQL condition that trials, or the measured rows, must satisfy.
    pub condition: Option<String>,
    /// Further hyperparameters the mean runs over, beside `seed` and `data_seed`.
    pub over: Vec<String>,
}

/// One step of one line. Statistics are over trials that finished and have a value.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvePoint {
    /// Updates done.
    pub step: i64,
    /// Trials with a value.
    pub n: usize,
    /// Finished trials measured at this step whose value is null.
    pub n_null: usize,
    /// Mean, deviation and interval; there are no quartiles.
    pub summary: Summary,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct CurveLine {
    /// The layer, or the value of the hyperparameter; null where there is one line only.
    pub level: Level,
    /// Its points, by step; only steps at which there is a value.
    pub points: Vec<CurvePoint>,
}

/// Lines of a value against the step.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The sweep.
    pub sweep: String,
    /// Tasks of the selection.
    pub task: String,
    /// The value.
    pub value: ColumnInfo,
    /// What tells the lines apart: `layer` or a hyperparameter.
    pub by: Option<ColumnInfo>,
    /// Which layer, where the lines are not the layers.
    pub place: String,
    /// What the mean runs over, beside seeds.
    pub over: Vec<String>,
    /// The condition; empty if there is none.
    pub condition: String,
    /// How the selected trials ended.
    pub outcomes: Outcomes,
    /// The lines, in order.
    pub lines: Vec<CurveLine>,
}

/// Averages a measured value over seeds, step by step. Diverged trials are left out.
pub fn curve(store: &Store, request: &CurveRequest) -> Result<Curve> {
    let sweep = store.choose_sweep(request.sweep.as_deref())?;
    let plan = SweepPlan::read(store, &sweep)?;
    let mut trials = store.scan("trials", &sweep)?;
    let schema = trials.collect_schema()?;
    let mut places: Places = Vec::new();
    places.extend(request.by.iter().map(|name| ("--by", name.as_str())));
    places.extend(request.over.iter().map(|name| ("--over", name.as_str())));
    check_places(&places, &schema)?;
    let measured = Measured::with_column(store, &sweep, &request.value, request.layer.is_some())?;
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
        options: if request.by.is_none() { "--by" } else { "" },
    };
    selection.check_nothing_else_varies()?;

    let outcomes = Outcomes::of(&selected)?;
    let by = match (&request.by, layer) {
        (Some(name), _) => Some(name.as_str()),
        (None, Some(CurveLayer::All)) => Some("layer"),
        (None, _) => None,
    };
    let rows = measured.rows_of(&condition, &selected);
    let frame = averages(rows, &request.value, by, layer, &measured.schema)?;
    let mut lines = lines_of(&frame)?;
    let mut levels: Vec<Level> = lines.keys().cloned().collect();
    plan.sort(by.unwrap_or_default(), &mut levels);
    if levels.len() > MOST_LINES {
        return Err(AnalyzeError::BadAxis {
            option: "--by",
            name: by.unwrap_or_default().to_owned(),
            reason: format!("{} lines are too many: select with --where", levels.len()),
        });
    }
    let lines: Vec<CurveLine> = levels
        .into_iter()
        .filter_map(|level| lines.remove(&level).map(|points| CurveLine { level, points }))
        .collect();
    if lines.is_empty() {
        return Err(AnalyzeError::NotDrawable {
            name: request.value.clone(),
            reason: format!("is null throughout the selection ({})", outcomes.in_words()),
        });
    }
    Ok(Curve {
        task: tasks_of(&selected, &schema)?,
        value: ColumnInfo::of(measured.table, &request.value),
        by: by.map(|name| ColumnInfo::of("trials", name)),
        place: place_of(layer),
        over: request.over.clone(),
        condition: condition.text().to_owned(),
        outcomes,
        lines,
        sweep,
    })
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
    match (request.layer, &request.by) {
        (Some(CurveLayer::All), Some(by)) => Err(AnalyzeError::BadPick {
            option: "--layer",
            given: "all".to_owned(),
            reason: format!(
                "a line a layer and a line a value of {by} are too much for one figure; choose a layer or leave --by out"
            ),
        }),
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

/// Count, mean and deviation of every group and step.
fn averages(
    mut rows: LazyFrame,
    value: &str,
    by: Option<&str>,
    layer: Option<CurveLayer>,
    schema: &Schema,
) -> Result<DataFrame> {
    match layer {
        Some(CurveLayer::One(LayerPick::First)) => rows = rows.filter(col("layer").eq(lit(1))),
        Some(CurveLayer::One(LayerPick::Number(number))) => {
            rows = rows.filter(col("layer").eq(lit(number)));
        }
        Some(CurveLayer::One(LayerPick::Last)) if schema.contains("depth") => {
            rows = rows.filter(col("layer").eq(col("depth")));
        }
        _ => {}
    }
    let value = col(value).cast(DataType::Float64);
    let value = when(value.clone().is_finite()).then(value).otherwise(lit(NULL));
    let group = by.map_or(lit(0), col).alias(GROUP);
    let step = col("step").cast(DataType::Int64).alias("step");
    rows = rows.select([col("trial_id"), group, step, value.alias(VALUE)]);
    if layer == Some(CurveLayer::One(LayerPick::Mean)) {
        // Nulls are left out, so that a trial counts with the layers it has.
        rows = rows
            .group_by([col("trial_id"), col("step")])
            .agg([col(GROUP).first(), col(VALUE).mean()]);
    }
    let grouped = rows.group_by([col(GROUP), col("step")]).agg([
        col(VALUE).count().cast(DataType::Int64).alias("n"),
        col(VALUE).null_count().cast(DataType::Int64).alias("n_null"),
        col(VALUE).mean().alias("mean"),
        col(VALUE).std(1).alias("std"),
    ]);
    Ok(collect_streaming(grouped.sort(["step"], Default::default()))?)
}

/// Points of every group, by step.
fn lines_of(frame: &DataFrame) -> Result<BTreeMap<Level, Vec<CurvePoint>>> {
    let groups = CodedColumn::new(frame.column(GROUP)?)?;
    let (steps, counts) = (frame.column("step")?.i64()?, frame.column("n")?.i64()?);
    let (nulls, means) = (frame.column("n_null")?.i64()?, frame.column("mean")?.f64()?);
    let deviations = frame.column("std")?.f64()?;
    let mut lines: BTreeMap<Level, Vec<CurvePoint>> = BTreeMap::new();
    for row in 0..frame.height() {
        let (Some(step), Some(mean)) = (steps.get(row), means.get(row)) else { continue };
        let n = counts.get(row).unwrap_or(0) as usize;
        let n_null = nulls.get(row).unwrap_or(0) as usize;
        let summary = Summary::of_moments(n, mean, deviations.get(row));
        let level = groups.levels[groups.codes[row] as usize].clone();
        lines.entry(level).or_default().push(CurvePoint { step, n, n_null, summary });
    }
    Ok(lines)
}
