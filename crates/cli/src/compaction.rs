//! Compaction at the end of a sweep: an extra for readers, never a reason to fail.

use phasegrid_analyze::{AnalyzeError, CompactedTable, compact_finished, open_store};
use std::path::{Path, PathBuf};
use tokio::sync::mpsc::UnboundedReceiver;

/// Compacts the tables of a finished sweep that have many shards. Where that fails, a note says so:
/// the shards have everything.
pub(crate) fn after_sweep(store: &Path, sweep: &str) {
    if let Err(error) = compacted(store, sweep) {
        eprintln!(
            "note: the tables of {sweep} are not compacted: {error}; they are whole all the same, and `phasegrid compact {}` tries again",
            store.display()
        );
    }
}

fn compacted(store: &Path, sweep: &str) -> Result<Vec<CompactedTable>, AnalyzeError> {
    match compact_finished(&open_store(store)?, sweep) {
        // Whoever is at it has these shards too, or the next compaction has.
        Err(AnalyzeError::CompactionBusy { .. }) => Ok(Vec::new()),
        outcome => outcome,
    }
}

/// Compacts sweep after sweep as a coordinator says they are finished.
pub(crate) async fn after_every_sweep(store: PathBuf, mut finished: UnboundedReceiver<String>) {
    while let Some(sweep) = finished.recv().await {
        let store = store.clone();
        let compacting = tokio::task::spawn_blocking(move || after_sweep(&store, &sweep));
        // A panic there was reported there; the next sweep has its turn all the same.
        let _ = compacting.await;
    }
}
