//! The rule of a phase diagram: what varies must have been given a place.

use crate::columns::is_hyperparameter;
use crate::error::{AnalyzeError, Result};
use crate::level::CodedColumn;
use crate::read_trials::collect_streaming;
use crate::request::PhaseRequest;
use polars::prelude::*;

/// Hyperparameters the statistic always runs over.
const SEEDS: [&str; 2] = ["seed", "data_seed"];

/// Values listed in an error before it says how many there are.
const MOST_LISTED: usize = 12;

/// Axes, facet and `--over` must be hyperparameters, each named once.
pub(crate) fn check_axes(request: &PhaseRequest, trials: &Schema) -> Result<()> {
    let mut named: Vec<(&'static str, &str)> = vec![("--x", &request.x), ("--y", &request.y)];
    named.extend(request.facet.iter().map(|name| ("--facet", name.as_str())));
    named.extend(request.over.iter().map(|name| ("--over", name.as_str())));
    let known =
        || trials.iter_names().map(|name| name.as_str()).filter(|name| is_hyperparameter(name));
    for (position, (option, name)) in named.iter().enumerate() {
        let bad = |reason: String| {
            Err(AnalyzeError::BadAxis { option, name: (*name).to_owned(), reason })
        };
        if !trials.contains(name) || !is_hyperparameter(name) {
            let hint = phasegrid_spec::nearest(name, known())
                .map(|best| format!(" (did you mean {best}?)"))
                .unwrap_or_default();
            let listed = known().collect::<Vec<_>>().join(", ");
            return bad(format!("is no hyperparameter{hint}; the sweep has {listed}"));
        }
        if let Some((earlier, _)) = named[..position].iter().find(|(_, other)| other == name) {
            return bad(format!("is already {earlier}"));
        }
    }
    Ok(())
}

/// Every other hyperparameter must have one value in the selection.
pub(crate) fn check_nothing_else_varies(
    selected: &LazyFrame,
    trials: &Schema,
    request: &PhaseRequest,
    sweep: &str,
) -> Result<()> {
    let placed: Vec<&str> = [&request.x, &request.y]
        .into_iter()
        .chain(&request.facet)
        .chain(&request.over)
        .map(String::as_str)
        .chain(SEEDS)
        .collect();
    let others: Vec<&str> = trials
        .iter_names()
        .map(|name| name.as_str())
        .filter(|name| is_hyperparameter(name) && !placed.contains(name))
        .collect();
    let mut probes = vec![len().alias("__rows")];
    for name in &others {
        // Extremes are cheaper than distinct values; nulls count as a value of their own.
        let varies = col(*name).min().neq(col(*name).max()).fill_null(lit(false));
        let partly_null = col(*name).null_count().gt(lit(0)).and(col(*name).null_count().lt(len()));
        probes.push(varies.or(partly_null).alias(*name));
    }
    let probed = collect_streaming(selected.clone().select(probes))?;
    let rows = probed.column("__rows")?.cast(&DataType::UInt64)?.u64()?.get(0).unwrap_or(0);
    if rows == 0 {
        let expression = request.condition.clone().unwrap_or_default();
        return Err(AnalyzeError::EmptySelection { sweep: sweep.to_owned(), expression });
    }
    for name in others {
        if probed.column(name)?.bool()?.get(0) == Some(true) {
            return Err(describe(selected, name)?);
        }
    }
    Ok(())
}

fn describe(selected: &LazyFrame, name: &str) -> Result<AnalyzeError> {
    let frame = collect_streaming(selected.clone().select([col(name).unique()]))?;
    let mut levels = CodedColumn::new(frame.column(name)?)?.levels;
    levels.sort();
    let mut values: Vec<String> =
        levels.iter().take(MOST_LISTED).map(ToString::to_string).collect();
    if levels.len() > MOST_LISTED {
        values.push("…".to_owned());
    }
    let values = values.join(" ");
    Ok(AnalyzeError::Varies { name: name.to_owned(), count: levels.len(), values })
}

/// Tasks of the selection, separated by commas.
pub(crate) fn tasks_of(selected: &LazyFrame, trials: &Schema) -> Result<String> {
    if !trials.contains("task") {
        return Ok(String::new());
    }
    let frame = collect_streaming(selected.clone().select([col("task").unique()]))?;
    let mut levels = CodedColumn::new(frame.column("task")?)?.levels;
    levels.sort();
    Ok(levels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}
