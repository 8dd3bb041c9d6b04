//! `phasegrid compact`: few large sorted files beside many small shards.
//!
//! Shards are read, never touched. Files are written under a temporary name, made durable and
//! renamed; the manifest comes last, so that an interrupted compaction changes nothing for
//! readers. Files that the manifest before it named stay until the next compaction, for readers
//! that are still at them.

use crate::error::{AnalyzeError, Result};
use crate::manifest::{
    MANIFEST_VERSION, Manifest, Part, PartFile, ShardIdentity, folder_of, identify, name_of,
    path_in,
};
use crate::read_trials::collect_streaming;
use crate::store::{Store, TABLES};
use polars::prelude::*;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// No compacted file is larger than this.
const LARGEST_FILE: u64 = 128 << 20;

/// Shards of this size together become one part; sorted, they rarely take more.
const PART_BYTES: u64 = 96 << 20;

/// A table of no more shards than this is read as fast where it stands.
const FEW_SHARDS: usize = 8;

/// Rows of a group, which readers skip as a whole by its extremes.
const GROUP_ROWS: usize = 1 << 16;

/// Columns to sort by, as far as a table has them: what a phase diagram picks, then its usual axes.
const KEYS: [&str; 12] = [
    "space",
    "scope",
    "threshold",
    "layer",
    "step",
    "task",
    "activation",
    "depth",
    "width",
    "batch_size",
    "learning_rate",
    "seed",
];

/// How large parts and files become.
#[derive(Clone, Copy, Debug)]
pub struct CompactLimits {
    /// Shards of this many bytes together become one part.
    pub part_bytes: u64,
    /// No file is larger, as far as it has more than one row.
    pub file_bytes: u64,
}

impl Default for CompactLimits {
    fn default() -> Self {
        CompactLimits { part_bytes: PART_BYTES, file_bytes: LARGEST_FILE }
    }
}

/// What became of one table of one sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompactedTable {
    /// The table.
    pub table: &'static str,
    /// The sweep.
    pub sweep: String,
    /// Shards it has.
    pub shards: usize,
    /// Those that changed while they were read, and stay as they are.
    pub left_out: usize,
    /// Compacted files.
    pub files: usize,
    /// Their size.
    pub bytes: u64,
    /// Rows in them.
    pub rows: u64,
    /// Whether anything was written: not, where everything was compacted already.
    pub written: bool,
}

/// Compacts every table of every sweep.
pub fn compact(store: &Store) -> Result<Vec<CompactedTable>> {
    compact_with(store, CompactLimits::default())
}

/// As [`compact`], with other limits.
pub fn compact_with(store: &Store, limits: CompactLimits) -> Result<Vec<CompactedTable>> {
    compact_chosen(store, limits, |_, _| Ok(true))
}

/// Compacts the tables of one sweep that have more than a few shards: what the end of a sweep does.
pub fn compact_finished(store: &Store, sweep: &str) -> Result<Vec<CompactedTable>> {
    let is_worth_it = |table: &str, name: &str| {
        Ok(name == sweep && store.shards_of(table, name)?.len() > FEW_SHARDS)
    };
    compact_chosen(store, CompactLimits::default(), is_worth_it)
}

fn compact_chosen(
    store: &Store,
    limits: CompactLimits,
    is_chosen: impl Fn(&str, &str) -> Result<bool>,
) -> Result<Vec<CompactedTable>> {
    let mut chosen = Vec::new();
    for table in TABLES {
        for sweep in store.sweeps_with(table)? {
            if is_chosen(table, &sweep)? {
                chosen.push((table, sweep));
            }
        }
    }
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let folder = store.root().join("_compact");
    fs::create_dir_all(&folder).map_err(AnalyzeError::io(&folder))?;
    let path = folder.join("lock");
    let lock = File::create(&path).map_err(AnalyzeError::io(&path))?;
    if lock.try_lock().is_err() {
        return Err(AnalyzeError::CompactionBusy { path });
    }
    let mut compacted = Vec::new();
    for (table, sweep) in chosen {
        compacted.push(Compaction::new(store, table, &sweep, limits)?.run()?);
    }
    // Dropping the file releases the lock.
    drop(lock);
    Ok(compacted)
}

/// One table of one sweep.
struct Compaction<'a> {
    store: &'a Store,
    table: &'static str,
    sweep: &'a str,
    limits: CompactLimits,
    /// Where the compacted files go.
    folder: PathBuf,
    shard_folder: PathBuf,
}

impl<'a> Compaction<'a> {
    fn new(
        store: &'a Store,
        table: &'static str,
        sweep: &'a str,
        limits: CompactLimits,
    ) -> Result<Compaction<'a>> {
        let folder = folder_of(store.root(), table, sweep);
        fs::create_dir_all(&folder).map_err(AnalyzeError::io(&folder))?;
        let shard_folder = store.root().join(table).join(format!("sweep={sweep}"));
        Ok(Compaction { store, table, sweep, limits, folder, shard_folder })
    }

    fn run(&self) -> Result<CompactedTable> {
        let shards = self.store.shards_of(self.table, self.sweep)?;
        let before = Manifest::read(&self.folder);
        let standing: Vec<Part> = before
            .iter()
            .flat_map(|manifest| &manifest.parts)
            .filter(|part| part.stands(&self.folder, &self.shard_folder))
            .cloned()
            .collect();
        let covered: usize = standing.iter().map(|part| part.sources.len()).sum();
        let has_lost = before.as_ref().is_some_and(|before| before.parts.len() > standing.len());
        if covered == shards.len() && !has_lost {
            return Ok(self.report(&standing, shards.len(), 0, false));
        }
        // Full parts stay; small ones are merged with what is new.
        let is_full = |part: &Part| 2 * part.source_bytes() >= self.limits.part_bytes;
        let mut parts: Vec<Part> = standing.into_iter().filter(is_full).collect();
        let kept: HashSet<&str> = parts
            .iter()
            .flat_map(|part| &part.sources)
            .map(|source| source.file.as_str())
            .collect();
        let is_kept = |shard: &Path| name_of(shard).is_some_and(|name| kept.contains(name));
        let mut left_out = 0;
        let mut identities = Vec::new();
        for shard in shards.iter().filter(|shard| !is_kept(shard)) {
            // A shard that cannot be identified is no Parquet file: readers will say so.
            match identify(shard) {
                Ok(identity) => identities.push(identity),
                Err(_) => left_out += 1,
            }
        }
        for sources in chunks(identities, self.limits.part_bytes) {
            let count = sources.len();
            match self.write_part(sources)? {
                Some(part) => parts.push(part),
                None => left_out += count,
            }
        }
        let manifest = Manifest { version: MANIFEST_VERSION, parts };
        self.write_manifest(&manifest)?;
        self.remove_unnamed(&manifest, before.as_ref())?;
        Ok(self.report(&manifest.parts, shards.len(), left_out, true))
    }

    fn report(
        &self,
        parts: &[Part],
        shards: usize,
        left_out: usize,
        written: bool,
    ) -> CompactedTable {
        let files = || parts.iter().flat_map(|part| &part.files);
        CompactedTable {
            table: self.table,
            sweep: self.sweep.to_owned(),
            shards,
            left_out,
            files: files().count(),
            bytes: files().map(|file| file.bytes).sum(),
            rows: parts.iter().map(|part| part.rows).sum(),
            written,
        }
    }

    /// Writes the rows of these shards, sorted. `None` where one of them was replaced meanwhile.
    fn write_part(&self, sources: Vec<ShardIdentity>) -> Result<Option<Part>> {
        let paths: Vec<PathBuf> =
            sources.iter().map(|source| self.shard_folder.join(&source.file)).collect();
        let mut scan = self.store.scan_files(&paths)?;
        let schema = scan.collect_schema()?;
        let columns: Vec<Expr> = schema
            .iter_names()
            .filter(|name| name.as_str() != "sweep")
            .map(|name| col(name.clone()))
            .collect();
        let sorted = scan.select(columns).sort(sort_keys(&schema), Default::default());
        let rows = match collect_streaming(sorted) {
            Ok(rows) => rows,
            // Replaced or removed while it was read.
            Err(_) if !self.are_unchanged(&sources) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut hasher = blake3::Hasher::new();
        for source in &sources {
            hasher
                .update(format!("{} {} {}\n", source.file, source.bytes, source.footer).as_bytes());
        }
        let stem = format!("part-{}", &hasher.finalize().to_hex()[..16]);
        let mut files = Vec::new();
        self.write_rows(&rows, &stem, &mut files)?;
        // What was read is what was identified only if nothing changed until now.
        if !self.are_unchanged(&sources) {
            for file in &files {
                let path = self.folder.join(&file.file);
                fs::remove_file(&path).map_err(AnalyzeError::io(&path))?;
            }
            return Ok(None);
        }
        Ok(Some(Part { rows: rows.height() as u64, files, sources }))
    }

    fn are_unchanged(&self, sources: &[ShardIdentity]) -> bool {
        sources.iter().all(|source| {
            identify(&self.shard_folder.join(&source.file)).is_ok_and(|found| found == *source)
        })
    }

    /// Writes rows into one file, or several where it would be too large.
    fn write_rows(&self, rows: &DataFrame, stem: &str, files: &mut Vec<PartFile>) -> Result<()> {
        let name = format!("{stem}-{}.parquet", files.len());
        let temporary = self.folder.join(format!(".{name}.tmp"));
        let file = File::create(&temporary).map_err(AnalyzeError::io(&temporary))?;
        ParquetWriter::new(&file)
            .with_compression(ParquetCompression::Zstd(None))
            .with_statistics(StatisticsOptions::full())
            .with_row_group_size(Some(GROUP_ROWS))
            .finish(&mut rows.clone())?;
        let bytes = file.metadata().map_err(AnalyzeError::io(&temporary))?.len();
        if bytes > self.limits.file_bytes && rows.height() > 1 {
            fs::remove_file(&temporary).map_err(AnalyzeError::io(&temporary))?;
            let half = rows.height() / 2;
            self.write_rows(&rows.slice(0, half), stem, files)?;
            return self.write_rows(&rows.slice(half as i64, rows.height() - half), stem, files);
        }
        file.sync_all().map_err(AnalyzeError::io(&temporary))?;
        self.rename(&temporary, &self.folder.join(&name))?;
        files.push(PartFile { file: name, bytes });
        Ok(())
    }

    fn write_manifest(&self, manifest: &Manifest) -> Result<()> {
        let path = path_in(&self.folder);
        let temporary = self.folder.join(".manifest.json.tmp");
        let text = serde_json::to_vec_pretty(manifest).map_err(|error| {
            AnalyzeError::Malformed { path: path.clone(), reason: error.to_string() }
        })?;
        let mut file = File::create(&temporary).map_err(AnalyzeError::io(&temporary))?;
        file.write_all(&text).map_err(AnalyzeError::io(&temporary))?;
        file.sync_all().map_err(AnalyzeError::io(&temporary))?;
        self.rename(&temporary, &path)
    }

    /// Renames durably; whatever had the name is replaced in one step.
    fn rename(&self, temporary: &Path, target: &Path) -> Result<()> {
        fs::rename(temporary, target).map_err(AnalyzeError::io(target))?;
        let folder = File::open(&self.folder).map_err(AnalyzeError::io(&self.folder))?;
        folder.sync_all().map_err(AnalyzeError::io(&self.folder))
    }

    /// Removes what neither this manifest nor the one before it names: files of older ones, and
    /// what an interrupted compaction left.
    fn remove_unnamed(&self, manifest: &Manifest, before: Option<&Manifest>) -> Result<()> {
        let named: HashSet<&str> =
            manifest.files().chain(before.into_iter().flat_map(Manifest::files)).collect();
        for entry in fs::read_dir(&self.folder).map_err(AnalyzeError::io(&self.folder))? {
            let path = entry.map_err(AnalyzeError::io(&self.folder))?.path();
            let name = name_of(&path).unwrap_or_default();
            let is_ours = name.starts_with("part-") || name.ends_with(".tmp");
            if is_ours && !named.contains(name) {
                fs::remove_file(&path).map_err(AnalyzeError::io(&path))?;
            }
        }
        Ok(())
    }
}

/// Shards in order, grouped so that no group of several is larger than `most`.
fn chunks(identities: Vec<ShardIdentity>, most: u64) -> Vec<Vec<ShardIdentity>> {
    let mut chunks: Vec<Vec<ShardIdentity>> = Vec::new();
    let mut bytes = 0;
    for identity in identities {
        match chunks.last_mut() {
            Some(chunk) if bytes + identity.bytes <= most => {
                bytes += identity.bytes;
                chunk.push(identity);
            }
            _ => {
                bytes = identity.bytes;
                chunks.push(vec![identity]);
            }
        }
    }
    chunks
}

fn sort_keys(schema: &Schema) -> Vec<PlSmallStr> {
    let keys: Vec<PlSmallStr> =
        KEYS.into_iter().filter(|name| schema.contains(name)).map(PlSmallStr::from).collect();
    if keys.is_empty() { vec!["trial_id".into()] } else { keys }
}
