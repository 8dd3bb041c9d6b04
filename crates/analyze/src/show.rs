//! `phasegrid show`: everything about one trial.

use crate::columns::{is_hyperparameter, is_task_parameter};
use crate::error::{AnalyzeError, Result};
use crate::read_trials::collect_streaming;
use crate::rows::{cell_text, table_text};
use crate::store::Store;
use polars::prelude::*;
use std::fmt::Write;

/// Candidates listed when digits are ambiguous.
const MOST_LISTED: usize = 5;

/// One trial, as found in the tables. A trial that two sweeps share is reported from the first.
#[derive(Clone, Debug)]
pub struct TrialReport {
    /// Its identity.
    pub trial_id: String,
    /// The sweep it was found in.
    pub sweep: String,
    /// `ok`, `diverged` or `failed`.
    pub status: String,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// Hyperparameters by name, in column order; as text.
    pub hyperparameters: Vec<(String, String)>,
    /// Every other column that is not null, in column order; as text.
    pub results: Vec<(String, String)>,
    /// Rows of `layers`, by step and layer, hyperparameters left out; empty if there are none.
    pub layers: DataFrame,
}

/// Finds the trial whose identity begins with `prefix` (all of it, or enough digits).
pub fn show(store: &Store, prefix: &str) -> Result<TrialReport> {
    let (found, trial_id) = matching(store, None, prefix)?;
    report(store, &found, &trial_id)
}

/// Sweep and identity of the trial whose identity begins with `prefix`.
pub(crate) fn find_trial(
    store: &Store,
    sweep: Option<&str>,
    prefix: &str,
) -> Result<(String, String)> {
    let (found, trial_id) = matching(store, sweep, prefix)?;
    Ok((cell_text(&found.column("sweep")?.get(0)?), trial_id))
}

/// Rows of the one trial whose identity begins with `prefix`, and the identity.
fn matching(store: &Store, sweep: Option<&str>, prefix: &str) -> Result<(DataFrame, String)> {
    let unknown = || AnalyzeError::UnknownTrial { prefix: prefix.to_owned() };
    let wanted = prefix.trim().to_lowercase();
    if wanted.is_empty() || !wanted.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(unknown());
    }
    let trials = match sweep {
        Some(sweep) => store.scan("trials", &store.choose_sweep(Some(sweep))?)?,
        None => store
            .scan_all("trials")?
            .ok_or_else(|| AnalyzeError::NoTrials { path: store.root().to_path_buf() })?,
    };
    let matching =
        trials.filter(begins_with(&wanted)).sort(["trial_id", "sweep"], Default::default());
    let found = collect_streaming(matching)?;
    let ids = found.column("trial_id")?.str()?.clone();
    let mut distinct: Vec<&str> = ids.iter().flatten().collect();
    distinct.dedup();
    match distinct.as_slice() {
        [] => Err(unknown()),
        [only] => Ok((found, (*only).to_owned())),
        several => {
            let mut matches =
                several.iter().take(MOST_LISTED).copied().collect::<Vec<_>>().join(", ");
            if several.len() > MOST_LISTED {
                let _ = write!(matches, " and {} more", several.len() - MOST_LISTED);
            }
            Err(AnalyzeError::AmbiguousTrial { prefix: prefix.to_owned(), matches })
        }
    }
}

/// Identities between the digits and the digits followed by a character after every digit: a
/// range, so that Parquet statistics can skip row groups.
fn begins_with(prefix: &str) -> Expr {
    col("trial_id").gt_eq(lit(prefix)).and(col("trial_id").lt(lit(format!("{prefix}g"))))
}

fn report(store: &Store, found: &DataFrame, trial_id: &str) -> Result<TrialReport> {
    let mut hyperparameters = Vec::new();
    let mut results = Vec::new();
    for column in found.columns() {
        let (name, value) = (column.name().to_string(), column.get(0)?);
        if is_task_parameter(&name) && value == AnyValue::Null {
            // Another task's.
        } else if is_hyperparameter(&name) {
            hyperparameters.push((name, cell_text(&value)));
        } else if value != AnyValue::Null && name != "trial_id" {
            results.push((name, cell_text(&value)));
        }
    }
    let take = |wanted: &str, results: &mut Vec<(String, String)>| {
        let position = results.iter().position(|(name, _)| name == wanted)?;
        Some(results.remove(position).1)
    };
    let sweep = take("sweep", &mut results).unwrap_or_default();
    let status = take("status", &mut results).unwrap_or_default();
    let error = take("error", &mut results);
    let layers = layers_of(store, &sweep, trial_id)?;
    let trial_id = trial_id.to_owned();
    Ok(TrialReport { trial_id, sweep, status, error, hyperparameters, results, layers })
}

fn layers_of(store: &Store, sweep: &str, trial_id: &str) -> Result<DataFrame> {
    let Some(mut layers) = store.try_scan("layers", sweep)? else { return Ok(DataFrame::empty()) };
    let schema = layers.collect_schema()?;
    let shown = schema.iter().filter(|(name, data_type)| {
        !is_hyperparameter(name)
            && !data_type.is_list()
            && !["trial_id", "sweep", "step", "layer"].contains(&name.as_str())
    });
    let columns: Vec<Expr> = [col("step"), col("layer")]
        .into_iter()
        .chain(shown.map(|(name, _)| col(name.clone())))
        .collect();
    let rows = layers
        .filter(col("trial_id").eq(lit(trial_id)))
        .select(columns)
        .sort(["step", "layer"], Default::default());
    Ok(collect_streaming(rows)?)
}

impl TrialReport {
    /// The report as text for a terminal.
    pub fn to_text(&self) -> Result<String> {
        let mut text =
            format!("trial {}\nsweep {}\nstatus {}\n", self.trial_id, self.sweep, self.status);
        if let Some(error) = &self.error {
            text.push_str(&format!("error {error}\n"));
        }
        for (title, pairs) in
            [("hyperparameters", &self.hyperparameters), ("results", &self.results)]
        {
            text.push_str(&format!("\n{title}\n"));
            let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            for (name, value) in pairs {
                text.push_str(&format!("  {name:<width$}  {value}\n"));
            }
        }
        if self.layers.height() > 0 {
            text.push_str("\nlayers\n");
            text.push_str(&table_text(&self.layers)?);
        }
        Ok(text)
    }
}
