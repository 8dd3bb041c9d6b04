//! `phasegrid query`: SQL over the tables, read only.

use crate::condition::one_line;
use crate::error::{AnalyzeError, Result};
use crate::read_trials::collect_streaming;
use crate::store::{Store, TABLES};
use polars::prelude::*;
use polars::sql::{SQLContext, extract_table_identifiers};

/// Runs one SELECT over `trials`, `history`, `layers` and `basins`, each the union over all
/// sweeps with a column `sweep`. Only the columns and files a query needs are read.
pub fn query(store: &Store, sql: &str) -> Result<DataFrame> {
    let bad = |reason: String| AnalyzeError::Sql { reason };
    let first = sql.split_whitespace().next().unwrap_or_default().to_uppercase();
    if !["SELECT", "WITH", "FROM", "SHOW", "EXPLAIN"].contains(&first.trim_start_matches('(')) {
        return Err(bad(format!(
            "only queries that read are accepted (SELECT …), not \"{first}\""
        )));
    }
    let mut context = SQLContext::new();
    let mut known = Vec::new();
    for table in TABLES {
        if let Some(scan) = store.scan_all(table)? {
            context.register(table, scan);
            known.push(table);
        }
    }
    if known.is_empty() {
        return Err(AnalyzeError::NoTrials { path: store.root().to_path_buf() });
    }
    let explain = |error: PolarsError| {
        let reason = one_line(&error);
        let named = extract_table_identifiers(sql, false, true).unwrap_or_default();
        let missing = named.iter().find(|name| {
            reason.contains("was not found")
                && reason.contains(name.as_str())
                && !known.contains(&name.as_str())
        });
        bad(match missing {
            Some(name) => format!("no table \"{name}\"; the store has {}", known.join(", ")),
            None => reason,
        })
    };
    let plan = context.execute(sql).map_err(explain)?;
    collect_streaming(plan).map_err(|error| match error {
        PolarsError::IO { .. } => AnalyzeError::Read(error),
        other => bad(one_line(&other)),
    })
}
