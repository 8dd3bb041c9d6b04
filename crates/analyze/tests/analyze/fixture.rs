//! Stores made up for the tests, written with polars into a temporary folder.

use phasegrid_analyze::{Store, open_store};
use polars::prelude::*;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A store in a temporary folder, removed with it.
pub(crate) struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    /// An empty store.
    pub(crate) fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let marker = r#"{"format_version": 1, "store_id": "0123456789abcdef"}"#;
        fs::write(folder.path().join("_phasegrid.json"), marker).unwrap();
        Fixture { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn open(&self) -> Store {
        open_store(self.path()).unwrap()
    }

    /// Writes one shard.
    pub(crate) fn shard(
        &self,
        table: &str,
        sweep: &str,
        unit: u32,
        mut frame: DataFrame,
    ) -> &Fixture {
        let folder = self.path().join(table).join(format!("sweep={sweep}"));
        fs::create_dir_all(&folder).unwrap();
        let file = File::create(folder.join(format!("unit={unit}.parquet"))).unwrap();
        ParquetWriter::new(file).finish(&mut frame).unwrap();
        self
    }

    /// Writes `_sweeps/<name>.json` with these grids.
    pub(crate) fn document(&self, sweep: &str, grids: &str) -> &Fixture {
        let folder = self.path().join("_sweeps");
        fs::create_dir_all(&folder).unwrap();
        let text = format!(r#"{{"name": "{sweep}", "schema_version": 1, "grids": {grids}}}"#);
        fs::write(folder.join(format!("{sweep}.json")), text).unwrap();
        self
    }
}

/// Identities `000…0`, `000…1` and so on, as long as the real ones.
pub(crate) fn trial_ids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{number:032x}")).collect()
}
