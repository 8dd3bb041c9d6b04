//! Which compacted files stand for which shards: `_compact/<table>/sweep=<name>/manifest.json`.
//!
//! A part replaces its source shards in a scan where every one of them is present and unchanged;
//! whatever no such part covers is read from the shards. So a scan sees each published row
//! exactly once, whatever was published, replaced or removed since the compaction.

use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Version of the manifest's form; another one is not read.
pub(crate) const MANIFEST_VERSION: u64 = 1;

const MANIFEST: &str = "manifest.json";

/// The compacted files of one table of one sweep.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Manifest {
    pub(crate) version: u64,
    pub(crate) parts: Vec<Part>,
}

/// Files that hold the rows of their sources, all of them and no others.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Part {
    pub(crate) rows: u64,
    pub(crate) files: Vec<PartFile>,
    pub(crate) sources: Vec<ShardIdentity>,
}

/// One compacted file.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct PartFile {
    pub(crate) file: String,
    pub(crate) bytes: u64,
}

/// What tells a shard from another of that name: its size, and the BLAKE3 hash of its Parquet
/// footer, which has the size and the extremes of every column chunk.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct ShardIdentity {
    pub(crate) file: String,
    pub(crate) bytes: u64,
    pub(crate) footer: String,
}

/// The folder of the compacted files.
pub(crate) fn folder_of(root: &Path, table: &str, sweep: &str) -> PathBuf {
    root.join("_compact").join(table).join(format!("sweep={sweep}"))
}

/// Path of the manifest in that folder.
pub(crate) fn path_in(folder: &Path) -> PathBuf {
    folder.join(MANIFEST)
}

impl Manifest {
    /// Reads the manifest of a folder. One that is not there, half or of another release is none:
    /// the shards have everything.
    pub(crate) fn read(folder: &Path) -> Option<Manifest> {
        let bytes = std::fs::read(path_in(folder)).ok()?;
        let manifest: Manifest = serde_json::from_slice(&bytes).ok()?;
        (manifest.version == MANIFEST_VERSION).then_some(manifest)
    }

    /// Names of all files it lists.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(|part| &part.files).map(|file| file.file.as_str())
    }
}

impl Part {
    /// Size of its sources.
    pub(crate) fn source_bytes(&self) -> u64 {
        self.sources.iter().map(|source| source.bytes).sum()
    }

    /// Whether its files are whole, and its sources among the shards of this folder unchanged.
    pub(crate) fn stands(&self, folder: &Path, shard_folder: &Path) -> bool {
        let has_size =
            |path: PathBuf, bytes| std::fs::metadata(path).is_ok_and(|found| found.len() == bytes);
        // Sizes first: they cost no reading.
        self.files.iter().all(|file| has_size(folder.join(&file.file), file.bytes))
            && self.sources.iter().all(|one| has_size(shard_folder.join(&one.file), one.bytes))
            && self.sources.iter().all(|source| {
                identify(&shard_folder.join(&source.file)).is_ok_and(|found| found == *source)
            })
    }
}

/// The files a scan must read in place of these shards, which are all there are in their folder.
pub(crate) fn files_to_read(
    root: &Path,
    table: &str,
    sweep: &str,
    shards: Vec<PathBuf>,
) -> Vec<PathBuf> {
    let folder = folder_of(root, table, sweep);
    let Some(manifest) = Manifest::read(&folder) else { return shards };
    let shard_folder = root.join(table).join(format!("sweep={sweep}"));
    let present: HashSet<&str> = shards.iter().filter_map(|shard| name_of(shard)).collect();
    let mut covered: HashSet<&str> = HashSet::new();
    let mut files = Vec::new();
    for part in &manifest.parts {
        let sources = || part.sources.iter().map(|source| source.file.as_str());
        let once = sources().all(|name| present.contains(name) && !covered.contains(name));
        if !once || !part.stands(&folder, &shard_folder) {
            continue;
        }
        covered.extend(sources());
        files.extend(part.files.iter().map(|file| folder.join(&file.file)));
    }
    let is_left = |shard: &&PathBuf| !name_of(shard).is_some_and(|name| covered.contains(name));
    files.extend(shards.iter().filter(is_left).cloned());
    files
}

/// The identity of a shard as it is now.
pub(crate) fn identify(path: &Path) -> io::Result<ShardIdentity> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let too_short = || io::Error::new(io::ErrorKind::InvalidData, "too short for a Parquet file");
    // The last eight bytes are the length of the footer before them, and a magic word.
    let mut end = [0_u8; 8];
    file.seek(SeekFrom::Start(bytes.checked_sub(8).ok_or_else(too_short)?))?;
    file.read_exact(&mut end)?;
    let length = u64::from(u32::from_le_bytes([end[0], end[1], end[2], end[3]]));
    let start = (bytes - 8).checked_sub(length).ok_or_else(too_short)?;
    let mut footer = vec![0; length as usize];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut footer)?;
    let footer = blake3::hash(&footer).to_hex()[..32].to_owned();
    Ok(ShardIdentity { file: name_of(path).unwrap_or_default().to_owned(), bytes, footer })
}

/// The last component of a path.
pub(crate) fn name_of(path: &Path) -> Option<&str> {
    path.file_name().and_then(|name| name.to_str())
}
