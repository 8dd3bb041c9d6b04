//! `phasegrid compact`: few large files beside the shards.

use crate::arguments::CompactOptions;
use crate::failure::Failure;
use phasegrid_analyze::{CompactedTable, compact, open_store};
use std::io::Write;

pub(crate) fn run(options: &CompactOptions) -> Result<(), Failure> {
    let store = open_store(&options.store)?;
    let text: String =
        compact(&store)?.iter().map(|table| format!("{}\n", describe(table))).collect();
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // Whoever stopped reading (head, less) wanted no more.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::infrastructure(error))
        }
        _ => Ok(()),
    }
}

fn describe(table: &CompactedTable) -> String {
    let CompactedTable { table: name, sweep, shards, files, rows, left_out, .. } = table;
    let size = table.bytes as f64 / f64::from(1 << 20);
    let (shards, files) = (count(*shards, "shard"), count(*files, "file"));
    let mut text = format!("{sweep} {name}: {shards} in {files}, {rows} rows, {size:.1} MiB");
    if !table.written {
        text.push_str(" (up to date)");
    }
    if *left_out > 0 {
        let left_out = count(*left_out, "shard");
        text.push_str(&format!("; {left_out} changed meanwhile, to be read as before"));
    }
    text
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
