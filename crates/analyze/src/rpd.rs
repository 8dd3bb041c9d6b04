//! `phasegrid rpd`: the rank probability distribution itself, layer by layer (metrics.md §2).

use crate::columns::is_hyperparameter;
use crate::condition::{Condition, MeasuredTable};
use crate::error::{AnalyzeError, Result};
use crate::finished::{Measured, Outcomes};
use crate::level::{CodedColumn, Level};
use crate::read_trials::collect_streaming;
use crate::request::StepPick;
use crate::selection::{Places, Selection, check_places, levels_of, tasks_of};
use crate::show::find_trial;
use crate::statistics::Summary;
use crate::store::Store;
use polars::prelude::*;
use std::collections::BTreeMap;

const DENSITY: &str = "rpd";
const GRADIENT: &str = "rpd_gradient";
const ACTIVATION: &str = "activation";
/// The activation of the linear network, whose distribution is the control.
const LINEAR: &str = "identity";

/// One figure of rank distributions: the options of `phasegrid rpd`, one field each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RpdRequest {
    /// A trial id, or its first digits: this trial alone.
    pub trial: Option<String>,
    /// Which step; the last if absent.
    pub step: Option<StepPick>,
    /// The sweep; may be absent where the store holds one.
    pub sweep: Option<String>,
    /// SQL condition that trials, or the measured rows, must satisfy.
    pub condition: Option<String>,
    /// Further hyperparameters the mean runs over, beside `seed` and `data_seed`.
    pub over: Vec<String>,
}

/// The distribution of one layer, over trials.
#[derive(Clone, Debug, PartialEq)]
pub struct RpdLayer {
    /// The layer, from 1.
    pub layer: i64,
    /// Trials behind it.
    pub n: usize,
    /// Density in each of equally wide bins on [0, 1]; there are no quartiles.
    pub density: Vec<Summary>,
    /// Gradient g, from the ranks themselves, not from the bins.
    pub gradient: Summary,
}

/// Distributions of the layers of one selection.
#[derive(Clone, Debug, PartialEq)]
pub struct RankDistribution {
    /// The sweep.
    pub sweep: String,
    /// Tasks of the selection.
    pub task: String,
    /// What was picked: `last step`, `step 100`.
    pub place: String,
    /// The trial, if one was asked for.
    pub trial: Option<String>,
    /// What the mean runs over, beside seeds.
    pub over: Vec<String>,
    /// The condition; empty if there is none.
    pub condition: String,
    /// Activation of the selection, where it is known.
    pub activation: String,
    /// How the selected trials ended.
    pub outcomes: Outcomes,
    /// The layers, from the first.
    pub layers: Vec<RpdLayer>,
    /// The same of the linear network with the same other hyperparameters; empty where the
    /// sweep holds none, or the selection is itself linear.
    pub control: Vec<RpdLayer>,
}

/// Averages the rank distributions of the selected trials. Diverged ones are left out, as are
/// linear networks where others are selected too: they are the control.
pub fn rpd(store: &Store, request: &RpdRequest) -> Result<RankDistribution> {
    let found = request
        .trial
        .as_deref()
        .map(|prefix| find_trial(store, request.sweep.as_deref(), prefix))
        .transpose()?;
    let wanted = found.as_ref().map(|(sweep, _)| sweep.as_str()).or(request.sweep.as_deref());
    let sweep = store.choose_sweep(wanted)?;
    let mut all = store.scan("trials", &sweep)?;
    let schema = all.collect_schema()?;
    let places: Places = request.over.iter().map(|name| ("--over", name.as_str())).collect();
    check_places(&places, &schema)?;
    let measured = Measured::with_column(store, &sweep, DENSITY, true)?;
    let condition = match &request.condition {
        None => Condition::default(),
        Some(text) => {
            let table = MeasuredTable { name: measured.table, schema: &measured.schema };
            Condition::parse(text, &schema, Some(&table))?
        }
    };
    let mut selected = condition.filter_trials(all.clone());
    let trial = found.map(|(_, trial)| trial);
    if let Some(trial) = &trial {
        selected = selected.filter(col("trial_id").eq(lit(trial.as_str())));
    }
    let is_linear = col(ACTIVATION).eq(lit(LINEAR)).fill_null(lit(false));
    if schema.contains(ACTIVATION) && levels_of(&selected, ACTIVATION)?.len() > 1 {
        selected = selected.filter(is_linear.clone().not());
    }
    let selection = Selection {
        sweep: &sweep,
        trials: &selected,
        schema: &schema,
        condition: condition.text(),
        places: &places,
        options: "",
    };
    selection.check_nothing_else_varies()?;

    let outcomes = Outcomes::of(&selected)?;
    let step = request.step.unwrap_or(StepPick::Last);
    let layers = layers_of(measured.rows_of(&condition, &selected), step)?;
    if layers.is_empty() {
        return Err(nothing_measured(&measured, step, &outcomes)?);
    }
    let activations =
        if schema.contains(ACTIVATION) { levels_of(&selected, ACTIVATION)? } else { Vec::new() };
    let linear = Level::Text(LINEAR.to_owned());
    let mut control = Vec::new();
    if !activations.is_empty() && !activations.contains(&linear) {
        let controls = same_otherwise(&selected, &schema, all)?.filter(is_linear);
        control = layers_of(measured.rows_of(&Condition::default(), &controls), step)?;
    }
    Ok(RankDistribution {
        task: tasks_of(&selected, &schema)?,
        place: match step {
            StepPick::Last => "last step".to_owned(),
            StepPick::Number(number) => format!("step {number}"),
        },
        trial,
        over: request.over.clone(),
        condition: condition.text().to_owned(),
        activation: activations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        outcomes,
        layers,
        control,
        sweep,
    })
}

fn nothing_measured(
    measured: &Measured,
    step: StepPick,
    outcomes: &Outcomes,
) -> Result<AnalyzeError> {
    let StepPick::Number(number) = step else {
        return Ok(AnalyzeError::NotDrawable {
            name: DENSITY.to_owned(),
            reason: format!(
                "no rank distribution in the selection ({}): the metric `order` measures it",
                outcomes.in_words()
            ),
        });
    };
    let mut steps = levels_of(&measured.scan, "step")?;
    steps.sort();
    let steps: Vec<String> = steps.iter().take(40).map(ToString::to_string).collect();
    Ok(AnalyzeError::BadPick {
        option: "--step",
        given: number.to_string(),
        reason: format!("the sweep was measured at steps {}", steps.join(" ")),
    })
}

/// Trials with the hyperparameter values of the selection, the activation apart.
fn same_otherwise(selected: &LazyFrame, schema: &Schema, all: LazyFrame) -> Result<LazyFrame> {
    let mut trials = all;
    let names = schema.iter_names().map(|name| name.as_str());
    for name in names.filter(|name| is_hyperparameter(name) && *name != ACTIVATION) {
        let mut any = lit(false);
        for level in levels_of(selected, name)? {
            any = any.or(equals(name, &level));
        }
        trials = trials.filter(any);
    }
    Ok(trials)
}

fn equals(name: &str, level: &Level) -> Expr {
    match level {
        Level::Null => col(name).is_null(),
        Level::Boolean(flag) => col(name).eq(lit(*flag)),
        Level::Integer(number) => col(name).eq(lit(*number)),
        Level::Float(number) => col(name).eq(lit(*number)),
        Level::Text(text) => col(name).eq(lit(text.as_str())),
    }
}

/// Distributions by layer at one step.
fn layers_of(mut rows: LazyFrame, step: StepPick) -> Result<Vec<RpdLayer>> {
    let trial = || col("trial_id");
    match step {
        StepPick::Number(number) => rows = rows.filter(col("step").eq(lit(number))),
        StepPick::Last => {
            let last = rows.clone().group_by([trial()]).agg([col("step").max()]);
            let both = [trial(), col("step")];
            rows = rows.join(last, both.clone(), both, JoinArgs::new(JoinType::Semi));
        }
    }
    let densities = col(DENSITY).cast(DataType::List(Box::new(DataType::Float64)));
    let frame = collect_streaming(rows.filter(col(DENSITY).is_not_null()).select([
        col("layer").cast(DataType::Int64),
        densities,
        col(GRADIENT).cast(DataType::Float64),
    ]))?;
    let mut by_layer: BTreeMap<i64, (Vec<Vec<f64>>, Vec<f64>)> = BTreeMap::new();
    let layers = CodedColumn::new(frame.column("layer")?)?;
    let gradients = frame.column(GRADIENT)?.f64()?;
    let densities = frame.column(DENSITY)?.list()?;
    for row in 0..frame.height() {
        let Level::Integer(layer) = layers.levels[layers.codes[row] as usize] else { continue };
        let Some(density) = densities.get_as_series(row) else { continue };
        let density: Vec<f64> = density.f64()?.iter().flatten().collect();
        let (bins, of_layer) = by_layer.entry(layer).or_default();
        bins.resize(bins.len().max(density.len()), Vec::new());
        for (bin, value) in bins.iter_mut().zip(density) {
            bin.push(value);
        }
        of_layer.extend(gradients.get(row));
    }
    let layer = |(layer, (bins, gradients)): (i64, (Vec<Vec<f64>>, Vec<f64>))| RpdLayer {
        layer,
        n: bins.iter().map(Vec::len).max().unwrap_or(0),
        density: bins.iter().map(|values| moments(values)).collect(),
        gradient: moments(&gradients),
    };
    Ok(by_layer.into_iter().map(layer).collect())
}

fn moments(values: &[f64]) -> Summary {
    let Summary { mean, std, ci_low, ci_high, .. } = Summary::of(&mut values.to_vec(), false);
    Summary { mean, std, ci_low, ci_high, ..Summary::default() }
}
