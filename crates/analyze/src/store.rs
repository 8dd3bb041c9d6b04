//! Opening a store and scanning its tables, hive partition by hive partition.

use crate::error::{AnalyzeError, Result};
use crate::manifest::files_to_read;
use polars::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The tables there are, in the order they are listed to users.
pub const TABLES: [&str; 4] = ["trials", "history", "layers", "basins"];

const SUPPORTED_FORMAT: u64 = 1;

/// A store opened for reading. Nothing is cached: a later scan sees shards published since.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// Opens a store. Errors if the directory is none, or was written by a newer release.
pub fn open_store(path: impl AsRef<Path>) -> Result<Store> {
    let given = path.as_ref();
    let text = given.to_string_lossy();
    let root = match text.strip_prefix("file://") {
        Some(local) => PathBuf::from(local),
        None if text.contains("://") => {
            return Err(AnalyzeError::NotLocal { url: text.into_owned() });
        }
        None => given.to_path_buf(),
    };
    let marker = root.join("_phasegrid.json");
    if !marker.is_file() {
        return Err(AnalyzeError::NotAStore { path: root.display().to_string() });
    }
    let document = read_json(&marker)?;
    let found = document.get("format_version").and_then(serde_json::Value::as_u64).unwrap_or(1);
    if found > SUPPORTED_FORMAT {
        let supported = SUPPORTED_FORMAT;
        return Err(AnalyzeError::NewerFormat { path: marker, found, supported });
    }
    Ok(Store { root })
}

impl Store {
    /// The store's directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Sweeps with published trials, by name.
    pub fn sweeps(&self) -> Result<Vec<String>> {
        self.sweeps_with("trials")
    }

    /// Sweeps with published rows of a table, by name.
    pub(crate) fn sweeps_with(&self, table: &str) -> Result<Vec<String>> {
        let mut names = BTreeSet::new();
        for entry in list(&self.root.join(table))? {
            let Some(name) = sweep_of(&entry) else { continue };
            if !shards(&entry)?.is_empty() {
                names.insert(name);
            }
        }
        Ok(names.into_iter().collect())
    }

    /// The sweep of that name, or the only one there is.
    pub fn choose_sweep(&self, wanted: Option<&str>) -> Result<String> {
        let sweeps = self.sweeps()?;
        let known = || sweeps.join(", ");
        match (wanted, sweeps.as_slice()) {
            (_, []) => Err(AnalyzeError::NoTrials { path: self.root.clone() }),
            (Some(name), _) if sweeps.iter().any(|sweep| sweep == name) => Ok(name.to_owned()),
            (Some(name), _) => {
                Err(AnalyzeError::UnknownSweep { name: name.to_owned(), known: known() })
            }
            (None, [only]) => Ok(only.clone()),
            (None, _) => Err(AnalyzeError::SweepRequired { known: known() }),
        }
    }

    /// A lazy scan of one table of one sweep, with a column `sweep`.
    pub fn scan(&self, table: &str, sweep: &str) -> Result<LazyFrame> {
        self.try_scan(table, sweep)?.ok_or_else(|| AnalyzeError::NoTable {
            sweep: sweep.to_owned(),
            table: table.to_owned(),
            hint: "nothing of it was published; see `metrics` under [measure] in the sweep file"
                .to_owned(),
        })
    }

    /// As [`Store::scan`]; `None` where the sweep has no such table. Compacted files are read in
    /// place of the shards they stand for.
    pub fn try_scan(&self, table: &str, sweep: &str) -> Result<Option<LazyFrame>> {
        let shards = self.shards_of(table, sweep)?;
        if shards.is_empty() {
            return Ok(None);
        }
        self.scan_files(&files_to_read(&self.root, table, sweep, shards)).map(Some)
    }

    /// Published shards of a table of a sweep, in order.
    pub(crate) fn shards_of(&self, table: &str, sweep: &str) -> Result<Vec<PathBuf>> {
        shards(&self.root.join(table).join(format!("sweep={sweep}")))
    }

    /// A lazy scan of these files, which lie in partitions of the store.
    pub(crate) fn scan_files(&self, files: &[PathBuf]) -> Result<LazyFrame> {
        let paths = files
            .iter()
            .map(|file| PlRefPath::try_from_path(file))
            .collect::<PolarsResult<Vec<_>>>()?;
        // The partition column comes from the path, so that a filter on `sweep` skips files.
        let hive_start_idx = PlRefPath::try_from_path(&self.root)?.as_str().len();
        let schema = Schema::from_iter([Field::new("sweep".into(), DataType::String)]);
        let hive_options = HiveOptions {
            enabled: Some(true),
            hive_start_idx,
            schema: Some(Arc::new(schema)),
            try_parse_dates: false,
        };
        let options = ScanArgsParquet {
            hive_options,
            glob: false,
            allow_missing_columns: true,
            ..Default::default()
        };
        Ok(LazyFrame::scan_parquet_files(paths.into(), options)?)
    }

    /// One table over every sweep: the union of their schemas, null where a sweep has no such
    /// column. `None` where nobody wrote the table.
    pub fn scan_all(&self, table: &str) -> Result<Option<LazyFrame>> {
        let mut frames = Vec::new();
        for entry in list(&self.root.join(table))? {
            let Some(sweep) = sweep_of(&entry) else { continue };
            frames.extend(self.try_scan(table, &sweep)?);
        }
        if frames.len() <= 1 {
            return Ok(frames.pop());
        }
        let options = UnionArgs { to_supertypes: true, ..Default::default() };
        Ok(Some(concat_lf_diagonal(frames, options)?))
    }
}

/// Parses a JSON file of ours.
pub(crate) fn read_json(path: &Path) -> Result<serde_json::Value> {
    let text = std::fs::read_to_string(path).map_err(AnalyzeError::io(path))?;
    serde_json::from_str(&text).map_err(|error| AnalyzeError::Malformed {
        path: path.to_path_buf(),
        reason: format!("not JSON: {error}"),
    })
}

/// Entries of a directory in order, those of ours (`_…`) and hidden ones left out; nothing if
/// there is no such directory.
fn list(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(AnalyzeError::io(directory)(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.map_err(AnalyzeError::io(directory))?;
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with(['_', '.']) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn sweep_of(directory: &Path) -> Option<String> {
    let name = directory.file_name()?.to_str()?;
    name.strip_prefix("sweep=").map(str::to_owned)
}

fn shards(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = list(directory)?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "parquet"));
    Ok(files)
}
