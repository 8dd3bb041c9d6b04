//! The rows of a measured table that belong to the selected trials that finished.

use crate::condition::Condition;
use crate::error::{AnalyzeError, Result};
use crate::read_trials::collect_streaming;
use crate::store::Store;
use polars::prelude::*;

/// How the selected trials ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Trials.
    pub n: usize,
    /// Those that finished.
    pub n_ok: usize,
    /// Those that diverged.
    pub n_diverged: usize,
    /// Those that failed.
    pub n_failed: usize,
}

impl Outcomes {
    /// Counts them.
    pub(crate) fn of(trials: &LazyFrame) -> Result<Outcomes> {
        let count =
            |status: &str| col("status").eq(lit(status)).sum().cast(DataType::UInt64).alias(status);
        let all = len().cast(DataType::UInt64).alias("n");
        let counted =
            collect_streaming(trials.clone().select([all, count("ok"), count("diverged")]))?;
        let get = |name: &str| -> Result<usize> {
            Ok(counted.column(name)?.u64()?.get(0).unwrap_or(0) as usize)
        };
        let (n, n_ok, n_diverged) = (get("n")?, get("ok")?, get("diverged")?);
        Ok(Outcomes { n, n_ok, n_diverged, n_failed: n - n_ok - n_diverged })
    }

    /// `12 trials, 3 diverged and left out`: what a caption says of them.
    pub(crate) fn in_words(&self) -> String {
        let mut text = format!("{} trials", self.n_ok);
        if self.n_diverged > 0 {
            text.push_str(&format!(", {} diverged and left out", self.n_diverged));
        }
        if self.n_failed > 0 {
            text.push_str(&format!(", {} failed", self.n_failed));
        }
        text
    }
}

/// A table in which values are measured step by step.
pub(crate) struct Measured {
    /// `layers` or `history`.
    pub(crate) table: &'static str,
    pub(crate) scan: LazyFrame,
    pub(crate) schema: SchemaRef,
}

impl Measured {
    /// The table that has the column: `layers`, else `history` unless a layer is asked for.
    pub(crate) fn with_column(
        store: &Store,
        sweep: &str,
        name: &str,
        of_layers: bool,
    ) -> Result<Measured> {
        let mut known: Vec<String> = Vec::new();
        let tables: &[&'static str] = if of_layers { &["layers"] } else { &["layers", "history"] };
        for table in tables {
            let Some(mut scan) = store.try_scan(table, sweep)? else { continue };
            let schema = scan.collect_schema()?;
            if schema.contains(name) {
                return Ok(Measured { table, scan, schema });
            }
            known.extend(schema.iter_names().map(|name| name.to_string()));
        }
        if known.is_empty() {
            // The error says what brings the table about.
            store.scan(tables[0], sweep).map(drop)?;
        }
        let mut in_others = store.scan("trials", sweep)?.collect_schema()?.contains(name);
        if of_layers && let Some(mut history) = store.try_scan("history", sweep)? {
            in_others |= history.collect_schema()?.contains(name);
        }
        if in_others {
            let reason = if of_layers {
                "has one value a network, not one a layer; leave --layer out"
            } else {
                "has one value a trial, not one a step; draw it with `phasegrid phase`"
            };
            let (name, reason) = (name.to_owned(), reason.to_owned());
            return Err(AnalyzeError::NotDrawable { name, reason });
        }
        let tables = format!("{} of sweep {sweep}", tables.join(" or "));
        Err(AnalyzeError::unknown_column(name, tables, known.iter().map(String::as_str)))
    }

    /// Its rows of selected trials that finished.
    pub(crate) fn rows_of(&self, condition: &Condition, selected: &LazyFrame) -> LazyFrame {
        let finished =
            selected.clone().filter(col("status").eq(lit("ok"))).select([col("trial_id")]);
        let rows = condition.filter_rows(self.scan.clone());
        rows.semi_join(finished, col("trial_id"), col("trial_id"))
    }
}
