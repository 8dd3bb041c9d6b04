//! How many trials of a sweep are in the store, and how they ended.

use crate::error::Result;
use crate::read_trials::collect_streaming;
use crate::store::{Store, TABLES};
use polars::prelude::*;

/// Published rows of one sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepSummary {
    /// The sweep.
    pub sweep: String,
    /// Trials.
    pub trials: u64,
    /// Those that finished.
    pub ok: u64,
    /// Those that diverged.
    pub diverged: u64,
    /// Those that failed.
    pub failed: u64,
    /// Rows of every table there is, by name.
    pub rows: Vec<(&'static str, u64)>,
}

/// Counts a sweep's published rows.
pub fn summary(store: &Store, sweep: &str) -> Result<SweepSummary> {
    let sweep = store.choose_sweep(Some(sweep))?;
    let count =
        |status: &str| col("status").eq(lit(status)).sum().cast(DataType::UInt64).alias(status);
    let counted =
        store.scan("trials", &sweep)?.select([count("ok"), count("diverged"), count("failed")]);
    let counted = collect_streaming(counted)?;
    let get = |name: &str| -> Result<u64> { Ok(counted.column(name)?.u64()?.get(0).unwrap_or(0)) };
    let mut rows = Vec::new();
    for table in TABLES {
        let Some(scan) = store.try_scan(table, &sweep)? else { continue };
        let frame = collect_streaming(scan.select([len().cast(DataType::UInt64).alias("rows")]))?;
        rows.push((table, frame.column("rows")?.u64()?.get(0).unwrap_or(0)));
    }
    let trials = rows.first().map_or(0, |(_, trials)| *trials);
    Ok(SweepSummary {
        trials,
        ok: get("ok")?,
        diverged: get("diverged")?,
        failed: get("failed")?,
        rows,
        sweep,
    })
}
