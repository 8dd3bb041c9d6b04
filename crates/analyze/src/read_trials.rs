//! One row a trial: status, coordinates and the value, joined from the tables they live in.

use crate::censoring;
use crate::columns::radius_space;
use crate::condition::Condition;
use crate::diagram::ValueKind;
use crate::error::{AnalyzeError, Result};
use crate::request::{LayerPick, StepPick};
use crate::source::Source;
use crate::store::Store;
use crate::trial_columns::{CENSORED, STATUS, VALUE};
use polars::prelude::*;

/// What to read.
pub(crate) struct Reading<'a> {
    pub(crate) store: &'a Store,
    pub(crate) sweep: &'a str,
    pub(crate) trials: LazyFrame,
    pub(crate) condition: &'a Condition,
    pub(crate) source: &'a Source,
    pub(crate) kind: ValueKind,
    pub(crate) value: &'a str,
    pub(crate) coordinates: &'a [&'a str],
}

const TRIAL: &str = "trial_id";

impl Reading<'_> {
    /// Coordinates, status, value and (for radii) censoring of every selected trial.
    pub(crate) fn collect(&self) -> Result<DataFrame> {
        if let Some(frame) = self.collect_without_join()? {
            return Ok(frame);
        }
        let mut columns: Vec<Expr> = self.coordinates.iter().map(|name| col(*name)).collect();
        columns.push(col("status").alias(STATUS));
        let trials = self.condition.filter_trials(self.trials.clone());
        let plan = match self.source {
            Source::Trials => {
                columns.push(self.typed().alias(VALUE));
                match self.censored_trials()? {
                    None => trials.select(columns),
                    Some(censored) => {
                        columns.push(censoring::trusted().alias("__trusted"));
                        columns.push(col(TRIAL));
                        let joined = left_join(trials.select(columns), censored);
                        joined.with_column(
                            when(col("__trusted"))
                                .then(col(CENSORED))
                                .otherwise(lit(NULL))
                                .alias(CENSORED),
                        )
                    }
                }
            }
            Source::Measured { scan, layer, step, schema, .. } => {
                columns.push(col(TRIAL));
                let rows = self.condition.filter_rows(scan.as_ref().clone());
                left_join(
                    trials.select(columns),
                    self.one_row_a_trial(rows, *layer, *step, schema)?,
                )
            }
        };
        Ok(collect_streaming(plan)?)
    }

    /// The same without a join, where the measured table has a row at the last step for exactly
    /// the trials that finished: those rows, and the other trials without a value. The rows of
    /// `layers` carry every hyperparameter, and joining a long table by text is slow.
    fn collect_without_join(&self) -> Result<Option<DataFrame>> {
        let Source::Measured { scan, layer, step, schema, .. } = self.source else {
            return Ok(None);
        };
        let needs_depth = matches!(layer, Some(LayerPick::Number(_) | LayerPick::Last));
        let has_all = self.coordinates.iter().all(|name| schema.contains(name))
            && (!needs_depth || schema.contains("depth"));
        // Text of diverged trials counts too: they are no rows without a value.
        if !has_all || !self.condition.holds_for_rows() || self.kind == ValueKind::Category {
            return Ok(None);
        }
        let rows = self.condition.filter_rows(scan.as_ref().clone());
        self.check_pick(&rows, *layer, *step)?;
        let picked = match (step, schema.contains("steps")) {
            (StepPick::Number(number), _) => col("step").eq(lit(*number)),
            (StepPick::Last, true) => col("step").eq(col("steps")),
            (StepPick::Last, false) => match largest(&rows, "step")? {
                Some(last) => col("step").eq(lit(last)),
                None => return Ok(None),
            },
        };
        let rows = self.pick_layer(rows.filter(picked), *layer, schema);

        let trials = self.condition.filter_trials(self.trials.clone());
        let is_ok = col("status").eq(lit("ok")).fill_null(lit(false));
        // A trial that has no such layer is in the diagram all the same.
        let is_shallow = match layer {
            Some(LayerPick::Number(number)) => col("depth").lt(lit(*number)),
            _ => lit(false),
        };
        let without_value = is_ok.clone().not().or(is_shallow);
        let columns = || self.coordinates.iter().map(|name| col(*name));
        let nothing = lit(NULL).cast(DataType::Float64).alias(VALUE);
        let status = col("status").alias(STATUS);
        let rest = trials.clone().filter(without_value);
        let rest =
            collect_streaming(rest.select(columns().chain([status, nothing]).collect::<Vec<_>>()))?;

        let unfinished = trials.clone().filter(is_ok.not()).select([col(TRIAL)]);
        let mut rows = rows;
        if rest.height() > 0 {
            rows = rows.anti_join(unfinished, col(TRIAL), col(TRIAL));
        }
        let status = lit("ok").alias(STATUS);
        if *layer == Some(LayerPick::Mean) {
            let first = self.coordinates.iter().map(|name| col(*name).first());
            let mean = self.typed().mean().alias(VALUE);
            rows = rows.group_by([col(TRIAL)]).agg(first.chain([mean]).collect::<Vec<_>>());
            rows = rows.select(columns().chain([status, col(VALUE)]).collect::<Vec<_>>());
        } else {
            let value = self.typed().alias(VALUE);
            rows = rows.select(columns().chain([status, value]).collect::<Vec<_>>());
        }
        let mut frame = collect_streaming(rows)?;
        let total = collect_streaming(trials.select([len().cast(DataType::UInt64).alias("n")]))?;
        let total = total.column("n")?.u64()?.get(0).unwrap_or(0) as usize;
        if frame.height() + rest.height() != total || frame.schema() != rest.schema() {
            return Ok(None);
        }
        frame.vstack_mut(&rest)?;
        Ok(Some(frame))
    }

    fn pick_layer(&self, rows: LazyFrame, layer: Option<LayerPick>, schema: &Schema) -> LazyFrame {
        match layer {
            Some(LayerPick::First) => rows.filter(col("layer").eq(lit(1))),
            Some(LayerPick::Number(number)) => rows.filter(col("layer").eq(lit(number))),
            Some(LayerPick::Last) if schema.contains("depth") => {
                rows.filter(col("layer").eq(col("depth")))
            }
            _ => rows,
        }
    }

    fn censored_trials(&self) -> Result<Option<LazyFrame>> {
        let (ValueKind::Radius, Some(space)) = (self.kind, radius_space(self.value)) else {
            return Ok(None);
        };
        let Some(basins) = self.store.try_scan("basins", self.sweep)? else { return Ok(None) };
        Ok(Some(censoring::censored_trials(basins, space).select([col(TRIAL), col(CENSORED)])))
    }

    fn typed(&self) -> Expr {
        let value = col(self.value);
        match self.kind {
            ValueKind::Category => value.cast(DataType::String),
            ValueKind::Number | ValueKind::Radius => value.cast(DataType::Float64),
        }
    }

    fn one_row_a_trial(
        &self,
        mut rows: LazyFrame,
        layer: Option<LayerPick>,
        step: StepPick,
        schema: &Schema,
    ) -> Result<LazyFrame> {
        self.check_pick(&rows, layer, step)?;
        rows = self.pick_layer(rows, layer, schema);
        if let StepPick::Number(number) = step {
            rows = rows.filter(col("step").eq(lit(number)));
        }
        let rows = rows.select([col(TRIAL), col("step"), self.typed().alias(VALUE)]);
        let last = col(VALUE).filter(col("step").eq(col("step").max()));
        let value = match self.kind {
            ValueKind::Category => last.first(),
            ValueKind::Number | ValueKind::Radius => last.mean(),
        };
        Ok(rows.group_by([col(TRIAL)]).agg([value.alias(VALUE)]))
    }

    /// A layer or step that nothing was measured at is a mistake, not an empty figure.
    fn check_pick(&self, rows: &LazyFrame, layer: Option<LayerPick>, step: StepPick) -> Result<()> {
        if let Some(LayerPick::Number(number)) = layer {
            let deepest = largest(rows, "layer")?;
            if deepest.is_some_and(|deepest| i64::from(number) > deepest) {
                return Err(AnalyzeError::BadPick {
                    option: "--layer",
                    given: number.to_string(),
                    reason: format!(
                        "the deepest network of the selection has {} hidden layers",
                        deepest.unwrap_or(0)
                    ),
                });
            }
        }
        let StepPick::Number(number) = step else { return Ok(()) };
        let steps = collect_streaming(
            rows.clone()
                .select([col("step").cast(DataType::Int64).unique().sort(Default::default())]),
        )?;
        let steps: Vec<i64> = steps.column("step")?.i64()?.iter().flatten().collect();
        if steps.is_empty() || steps.contains(&(number as i64)) {
            return Ok(());
        }
        let listed: Vec<String> = steps.iter().take(40).map(i64::to_string).collect();
        Err(AnalyzeError::BadPick {
            option: "--step",
            given: number.to_string(),
            reason: format!("{} was measured at steps {}", self.value, listed.join(" ")),
        })
    }
}

fn largest(rows: &LazyFrame, column: &str) -> Result<Option<i64>> {
    let frame = collect_streaming(rows.clone().select([col(column).max().cast(DataType::Int64)]))?;
    Ok(frame.column(column)?.i64()?.get(0))
}

fn left_join(trials: LazyFrame, values: LazyFrame) -> LazyFrame {
    trials.join(values, [col(TRIAL)], [col(TRIAL)], JoinArgs::new(JoinType::Left))
}

/// Collects with the streaming engine, which does not need a table to fit into memory.
pub(crate) fn collect_streaming(plan: LazyFrame) -> PolarsResult<DataFrame> {
    // One plan has one result.
    plan.collect_with_engine(Engine::Streaming).map(|result| result.unwrap_single())
}
