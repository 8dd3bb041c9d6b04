//! The rule of every figure: what varies must have been given a place.

use crate::columns::{is_hyperparameter, is_task_parameter};
use crate::error::{AnalyzeError, Result};
use crate::level::{CodedColumn, Level};
use crate::read_trials::collect_streaming;
use polars::prelude::*;

/// Hyperparameters the statistic always runs over.
pub(crate) const SEEDS: [&str; 2] = ["seed", "data_seed"];

/// Values listed in an error before it says how many there are.
const MOST_LISTED: usize = 12;

/// Where a request has put hyperparameters: the option and the name, such as `--x` `width`.
pub(crate) type Places<'a> = Vec<(&'static str, &'a str)>;

/// What is selected, and what the request says of its hyperparameters.
pub(crate) struct Selection<'a> {
    pub(crate) sweep: &'a str,
    /// The selected trials.
    pub(crate) trials: &'a LazyFrame,
    /// Their columns.
    pub(crate) schema: &'a Schema,
    /// The condition that selected them, for messages.
    pub(crate) condition: &'a str,
    pub(crate) places: &'a Places<'a>,
    /// The options that give a hyperparameter a place, for messages: `--x, --y or --facet`.
    pub(crate) options: &'static str,
}

/// Axes, facet, groups and `--over` must be hyperparameters, each named once.
pub(crate) fn check_places(places: &Places, trials: &Schema) -> Result<()> {
    let known =
        || trials.iter_names().map(|name| name.as_str()).filter(|name| is_hyperparameter(name));
    for (position, (option, name)) in places.iter().enumerate() {
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
        if let Some((earlier, _)) = places[..position].iter().find(|(_, other)| other == name) {
            return bad(format!("is already {earlier}"));
        }
    }
    Ok(())
}

impl Selection<'_> {
    /// Every hyperparameter without a place must have one value in the selection.
    pub(crate) fn check_nothing_else_varies(&self) -> Result<()> {
        let placed: Vec<&str> = self.places.iter().map(|(_, name)| *name).chain(SEEDS).collect();
        let others: Vec<&str> = self
            .schema
            .iter_names()
            .map(|name| name.as_str())
            .filter(|name| is_hyperparameter(name) && !placed.contains(name))
            .collect();
        let mut probes = vec![len().alias("__rows")];
        for name in &others {
            // Extremes are cheaper than distinct values; nulls count as a value of their own, but
            // where they say that another task has no such parameter.
            let varies = col(*name).min().neq(col(*name).max()).fill_null(lit(false));
            let nulls = col(*name).null_count();
            let partly_null = match is_task_parameter(name) {
                true => lit(false),
                false => nulls.clone().gt(lit(0)).and(nulls.lt(len())),
            };
            probes.push(varies.or(partly_null).alias(*name));
        }
        let probed = collect_streaming(self.trials.clone().select(probes))?;
        let rows = probed.column("__rows")?.cast(&DataType::UInt64)?.u64()?.get(0).unwrap_or(0);
        if rows == 0 {
            return Err(AnalyzeError::EmptySelection {
                sweep: self.sweep.to_owned(),
                expression: self.condition.to_owned(),
            });
        }
        for name in others {
            if probed.column(name)?.bool()?.get(0) == Some(true) {
                return Err(self.describe(name)?);
            }
        }
        Ok(())
    }

    fn describe(&self, name: &str) -> Result<AnalyzeError> {
        let mut levels = levels_of(self.trials, name)?;
        levels.sort();
        let mut values: Vec<String> =
            levels.iter().take(MOST_LISTED).map(ToString::to_string).collect();
        if levels.len() > MOST_LISTED {
            values.push("…".to_owned());
        }
        let values = values.join(" ");
        let (name, options) = (name.to_owned(), self.options);
        Ok(AnalyzeError::Varies { name, count: levels.len(), values, options })
    }
}

/// Distinct values of a column, in no order.
pub(crate) fn levels_of(trials: &LazyFrame, name: &str) -> Result<Vec<Level>> {
    let frame = collect_streaming(trials.clone().select([col(name).unique()]))?;
    Ok(CodedColumn::new(frame.column(name)?)?.levels)
}

/// Tasks of the selection, separated by commas.
pub(crate) fn tasks_of(selected: &LazyFrame, trials: &Schema) -> Result<String> {
    if !trials.contains("task") {
        return Ok(String::new());
    }
    let mut levels = levels_of(selected, "task")?;
    levels.sort();
    Ok(levels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}
