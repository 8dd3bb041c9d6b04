//! `phasegrid rpd`: the rank probability distribution itself, layer by layer (metrics.md §2).

use crate::columns::{ColumnInfo, is_hyperparameter};
use crate::condition::{Condition, MeasuredTable};
use crate::error::{AnalyzeError, Result};
use crate::finished::{Measured, Outcomes};
use crate::level::{CodedColumn, Level};
use crate::plan::SweepPlan;
use crate::read_trials::collect_streaming;
use crate::request::StepPick;
use crate::selection::{Places, Selection, check_places, levels_of, tasks_of};
use crate::show::find_trial;
use crate::statistics::Summary;
use crate::store::Store;
use polars::prelude::*;

const DENSITY: &str = "rpd";
const GRADIENT: &str = "rpd_gradient";
const GROUP: &str = "__group";
const STEP: &str = "step";
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
    /// Hyperparameter, or `step`, with one line a value in every panel.
    pub by: Option<String>,
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
    /// Value of what tells the lines of a panel apart; null where there is one line only.
    pub level: Level,
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
    /// What was picked: `last step`, `step 100`; empty where the lines are the steps.
    pub place: String,
    /// What tells the lines of a panel apart: `step` or a hyperparameter.
    pub by: Option<ColumnInfo>,
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
    /// The layers, from the first; of a layer the lines in order.
    pub layers: Vec<RpdLayer>,
    /// The same of the linear network with the same other hyperparameters; empty where the
    /// sweep holds none, the selection is itself linear, or a panel has several lines.
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
    let plan = SweepPlan::read(store, &sweep)?;
    let mut all = store.scan("trials", &sweep)?;
    let schema = all.collect_schema()?;
    let by = request.by.as_deref();
    let mut places: Places = Vec::new();
    places.extend(by.filter(|name| *name != STEP).map(|name| ("--by", name)));
    places.extend(request.over.iter().map(|name| ("--over", name.as_str())));
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
    let keeps_linear = by == Some(ACTIVATION) || request.over.iter().any(|name| name == ACTIVATION);
    if !keeps_linear && schema.contains(ACTIVATION) && levels_of(&selected, ACTIVATION)?.len() > 1 {
        selected = selected.filter(is_linear.clone().not());
    }
    let selection = Selection {
        sweep: &sweep,
        trials: &selected,
        schema: &schema,
        condition: condition.text(),
        places: &places,
        options: if by.is_none() { "--by" } else { "" },
    };
    selection.check_nothing_else_varies()?;

    let outcomes = Outcomes::of(&selected)?;
    if let (Some(STEP), Some(step)) = (by, request.step) {
        return Err(AnalyzeError::BadPick {
            option: "--step",
            given: step.to_string(),
            reason: "--by step draws a line for each; leave --step out".to_owned(),
        });
    }
    let step = request.step.unwrap_or(StepPick::Last);
    let mut layers = layers_of(measured.rows_of(&condition, &selected), step, by)?;
    layers.sort_by(|one, two| {
        let levels = plan.compare(by.unwrap_or_default(), &one.level, &two.level);
        one.layer.cmp(&two.layer).then(levels)
    });
    check_lines(&layers, by)?;
    if layers.is_empty() {
        return Err(nothing_measured(&measured, step, &outcomes)?);
    }
    let activations =
        if schema.contains(ACTIVATION) { levels_of(&selected, ACTIVATION)? } else { Vec::new() };
    let linear = Level::Text(LINEAR.to_owned());
    let mut control = Vec::new();
    if by.is_none() && !activations.is_empty() && !activations.contains(&linear) {
        let controls = same_otherwise(&selected, &schema, all)?.filter(is_linear);
        control = layers_of(measured.rows_of(&Condition::default(), &controls), step, None)?;
        control.sort_by_key(|layer| layer.layer);
    }
    Ok(RankDistribution {
        task: tasks_of(&selected, &schema)?,
        place: match step {
            _ if by == Some(STEP) => String::new(),
            StepPick::Last => "last step".to_owned(),
            StepPick::Number(number) => format!("step {number}"),
        },
        by: by.map(|name| ColumnInfo::of("layers", name)),
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

/// More lines than these in a panel hide each other.
const MOST_LINES: usize = 32;

fn check_lines(layers: &[RpdLayer], by: Option<&str>) -> Result<()> {
    let lines = |layer: i64| layers.iter().filter(|one| one.layer == layer).count();
    let most = layers.iter().map(|layer| lines(layer.layer)).max().unwrap_or(0);
    if most <= MOST_LINES {
        return Ok(());
    }
    Err(AnalyzeError::BadAxis {
        option: "--by",
        name: by.unwrap_or_default().to_owned(),
        reason: format!("{most} lines a panel are too many: select with --where"),
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

/// Distributions by layer, and by the values of `by`, at one step or at each. Sums over trials
/// are made as the rows stream past: a density is never held for a trial.
fn layers_of(mut rows: LazyFrame, step: StepPick, by: Option<&str>) -> Result<Vec<RpdLayer>> {
    let trial = || col("trial_id");
    match step {
        _ if by == Some(STEP) => {}
        StepPick::Number(number) => rows = rows.filter(col(STEP).eq(lit(number))),
        StepPick::Last => {
            let last = rows.clone().group_by([trial()]).agg([col(STEP).max()]);
            let both = [trial(), col(STEP)];
            rows = rows.join(last, both.clone(), both, JoinArgs::new(JoinType::Semi));
        }
    }
    rows = rows.filter(col(DENSITY).is_not_null());
    let bins = bins_of(&rows)?;
    let density = || col(DENSITY).cast(DataType::List(Box::new(DataType::Float64)));
    let gradient = || col(GRADIENT).cast(DataType::Float64);
    let mut statistics = vec![
        len().cast(DataType::Int64).alias("n"),
        gradient().count().cast(DataType::Int64).alias("n_gradient"),
        gradient().mean().alias("gradient"),
        gradient().std(1).alias("gradient_std"),
    ];
    for bin in 0..bins {
        let in_bin = || density().list().get(lit(bin), true);
        statistics.push(in_bin().mean().alias(format!("mean_{bin}")));
        statistics.push(in_bin().std(1).alias(format!("std_{bin}")));
    }
    let layer = col("layer").cast(DataType::Int64).alias("layer");
    let group = by.map_or(lit(0), col).alias(GROUP);
    let frame = collect_streaming(rows.group_by([layer, group]).agg(statistics))?;
    let (layers, counts) = (frame.column("layer")?.i64()?, frame.column("n")?.i64()?);
    let groups = CodedColumn::new(frame.column(GROUP)?)?;
    let mut found = Vec::new();
    for row in 0..frame.height() {
        let Some(layer) = layers.get(row) else { continue };
        let number =
            |name: &str| -> Result<Option<f64>> { Ok(frame.column(name)?.f64()?.get(row)) };
        let n = counts.get(row).unwrap_or(0) as usize;
        let n_gradient = frame.column("n_gradient")?.i64()?.get(row).unwrap_or(0) as usize;
        let moments = |n: usize, mean: Option<f64>, std: Option<f64>| {
            mean.map_or(Summary::default(), |mean| Summary::of_moments(n, mean, std))
        };
        let mut density = Vec::new();
        for bin in 0..bins {
            let (mean, std) = (number(&format!("mean_{bin}"))?, number(&format!("std_{bin}"))?);
            density.push(moments(n, mean, std));
        }
        found.push(RpdLayer {
            layer,
            level: match by {
                Some(_) => groups.levels[groups.codes[row] as usize].clone(),
                None => Level::Null,
            },
            n,
            density,
            gradient: moments(n_gradient, number("gradient")?, number("gradient_std")?),
        });
    }
    Ok(found)
}

/// Bins of a density.
fn bins_of(rows: &LazyFrame) -> Result<i64> {
    let most = col(DENSITY).list().len().max().cast(DataType::Int64).alias("bins");
    let frame = collect_streaming(rows.clone().select([most]))?;
    Ok(frame.column("bins")?.i64()?.get(0).unwrap_or(0))
}
