//! Differences between trials that share everything but one hyperparameter, their seeds included.
//!
//! Neighbouring cells share initialisation and data order (metrics.md, "Statistics over seeds"):
//! their means vary together over the seeds, and the difference of two means says less than the
//! mean of the differences.

use crate::columns::readable;
use crate::error::{AnalyzeError, Result};
use crate::level::{CodedColumn, Level};
use crate::plan::SweepPlan;
use crate::request::{Against, Reference};
use crate::selection::SEEDS;
use crate::trial_columns::{CENSORED, STATUS, VALUE};
use polars::prelude::*;

const PLACE: &str = "__place";
const OTHER_STATUS: &str = "__other_status";
const OTHER_VALUE: &str = "__other_value";

/// The axis of a comparison, its values in order.
pub(crate) struct Pairing<'a> {
    against: &'a Against,
    levels: Vec<Level>,
    /// Position of the reference among them; `None` where it is the value before.
    reference: Option<usize>,
}

/// Trials with differences for values, and the axis value that has none.
pub(crate) struct Differences {
    pub(crate) frame: DataFrame,
    /// The reference itself, or the first value, before which there is none.
    pub(crate) without: Level,
}

impl<'a> Pairing<'a> {
    /// Finds the reference among the values that the trials have.
    pub(crate) fn new(against: &'a Against, trials: &DataFrame, plan: &SweepPlan) -> Result<Self> {
        if SEEDS.contains(&against.axis.as_str()) {
            return Err(AnalyzeError::BadAxis {
                option: "--against",
                name: against.axis.clone(),
                reason: "pairs the trials that are compared; compare along another".to_owned(),
            });
        }
        let mut levels = CodedColumn::new(trials.column(&against.axis)?)?.levels;
        plan.sort(&against.axis, &mut levels);
        levels.dedup();
        let reference = match &against.reference {
            Reference::Previous => None,
            Reference::Value(text) => Some(position_of(text, &levels).ok_or_else(|| {
                let listed: Vec<String> = levels.iter().take(40).map(Level::to_string).collect();
                AnalyzeError::BadPick {
                    option: "--against",
                    given: against.to_string(),
                    reason: format!(
                        "{} has the values {} in the selection",
                        against.axis,
                        listed.join(" ")
                    ),
                }
            })?),
        };
        Ok(Pairing { against, levels, reference })
    }

    /// `width = 8`, or `the width before`: what a title says.
    pub(crate) fn in_words(&self) -> String {
        let axis = readable(&self.against.axis);
        match self.reference {
            Some(position) => format!("{axis} = {}", self.levels[position]),
            None => format!("the {axis} before"),
        }
    }

    /// Puts in place of each value its difference from the other trial's. `keys` are the
    /// hyperparameters that vary, the axis left out. A pair counts as finished where both did;
    /// its difference is null where a value is, a radius is censored, or there is no partner.
    pub(crate) fn differences(&self, trials: DataFrame, keys: &[&str]) -> Result<Differences> {
        let mut value = col(VALUE);
        if trials.column(CENSORED).is_ok() {
            value = when(col(CENSORED).is_null()).then(value).otherwise(lit(NULL));
        }
        let place = self.places(&trials)?;
        let axis = self.against.axis.as_str();
        let first = self.reference.unwrap_or(0) as i64;
        let mut placed = trials;
        placed.with_column(place)?;
        let placed = placed.lazy().with_column(value.alias(VALUE));

        let mut on: Vec<Expr> =
            keys.iter().filter(|key| **key != axis).map(|key| col(*key)).collect();
        let mut others = placed.clone();
        if self.reference.is_some() {
            others = others.filter(col(PLACE).eq(lit(first)));
        } else {
            others = others.with_column((col(PLACE) + lit(1_i64)).alias(PLACE));
            on.push(col(PLACE));
        }
        let renamed = [col(STATUS).alias(OTHER_STATUS), col(VALUE).alias(OTHER_VALUE)];
        let others = others.select(on.iter().cloned().chain(renamed).collect::<Vec<_>>());

        let is_ok = |name: &str| col(name).eq(lit("ok"));
        let status = when(is_ok(STATUS).and(col(OTHER_STATUS).is_not_null()))
            .then(col(OTHER_STATUS))
            .otherwise(col(STATUS));
        let kept = placed.filter(col(PLACE).neq(lit(first)));
        let paired = if on.is_empty() {
            kept.cross_join(others, None)
        } else {
            let nulls_are_equal = JoinArgs { nulls_equal: true, ..JoinArgs::new(JoinType::Left) };
            kept.join(others, on.clone(), on, nulls_are_equal)
        };
        let frame = paired
            .with_columns([status.alias(STATUS), (col(VALUE) - col(OTHER_VALUE)).alias(VALUE)])
            .collect()?;
        Ok(Differences { frame, without: self.levels[first as usize].clone() })
    }

    /// Position of every trial's value on the axis.
    fn places(&self, trials: &DataFrame) -> Result<Column> {
        let coded = CodedColumn::new(trials.column(&self.against.axis)?)?;
        let position = |level: &Level| self.levels.iter().position(|one| one == level);
        let of_code: Vec<i64> =
            coded.levels.iter().map(|level| position(level).unwrap_or(0) as i64).collect();
        let places: Vec<i64> = coded.codes.iter().map(|code| of_code[*code as usize]).collect();
        Ok(Column::new(PLACE.into(), places))
    }
}

/// Numbers are found however they are written.
fn position_of(text: &str, levels: &[Level]) -> Option<usize> {
    let number = text.parse().ok().map(Level::Float);
    let is_it = |level: &Level| level.to_string() == text || Some(level) == number.as_ref();
    levels.iter().position(is_it)
}
