//! One IDX file: a big-endian header, then one byte an entry; plain or gzip.
//!
//! Header: 0, 0, 0x08 (unsigned byte), number of dimensions; then each dimension as u32.

use crate::error::TaskError;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Dimensions an image file may have: rows of numbers, of pictures, of pictures with channels.
const MAX_DIMENSIONS: usize = 4;

/// A file's content.
#[derive(Debug)]
pub(crate) struct IdxFile {
    /// Where it was read from.
    pub(crate) path: PathBuf,
    /// Entries along the first dimension.
    pub(crate) items: usize,
    /// Bytes an item: 1 for labels, the pixels for images.
    pub(crate) item_size: usize,
    /// `items * item_size` bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Finds `<stem>-idx<n>-ubyte`, also in its dot variant and with `.gz`, in `folder`.
pub(crate) fn find(folder: &Path, standard_name: &str) -> Option<PathBuf> {
    let dot_variant = standard_name.replacen("-idx", ".idx", 1);
    let names = [standard_name.to_owned(), dot_variant];
    let with_suffix = names.iter().flat_map(|name| [name.clone(), format!("{name}.gz")]);
    with_suffix.map(|name| folder.join(name)).find(|path| path.is_file())
}

/// Reads a whole file and checks it against its header.
pub(crate) fn read(path: PathBuf, is_images: bool) -> Result<IdxFile, TaskError> {
    let file = match File::open(&path) {
        Ok(file) => BufReader::new(file),
        Err(source) => return Err(TaskError::Read { file: path, source }),
    };
    let is_compressed = path.extension().is_some_and(|extension| extension == "gz");
    let parsed = if is_compressed {
        parse(MultiGzDecoder::new(file), is_images)
    } else {
        parse(file, is_images)
    };
    match parsed {
        Ok((items, item_size, bytes)) => Ok(IdxFile { path, items, item_size, bytes }),
        Err(Problem::Content(problem)) => Err(TaskError::Damaged { file: path, problem }),
        Err(Problem::Io(source)) => Err(io_problem(path, source, is_compressed)),
    }
}

enum Problem {
    Content(String),
    Io(std::io::Error),
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Problem {
        Problem::Io(error)
    }
}

/// The decoder reports damage as an I/O error too; only true I/O errors stay ones.
fn io_problem(file: PathBuf, source: std::io::Error, is_compressed: bool) -> TaskError {
    match source.kind() {
        ErrorKind::UnexpectedEof => {
            TaskError::Damaged { file, problem: "the file is truncated".to_owned() }
        }
        ErrorKind::InvalidInput | ErrorKind::InvalidData if is_compressed => {
            TaskError::Damaged { file, problem: format!("the gzip data are corrupt ({source})") }
        }
        _ => TaskError::Read { file, source },
    }
}

fn parse(mut reader: impl Read, is_images: bool) -> Result<(usize, usize, Vec<u8>), Problem> {
    let mut magic = [0u8; 4];
    reader.read_exact(&mut magic)?;
    let dimensions = usize::from(magic[3]);
    let expected = if is_images { 2..=MAX_DIMENSIONS } else { 1..=1 };
    if magic[..3] != [0, 0, 8] || !expected.contains(&dimensions) {
        let what = if is_images { "images" } else { "labels" };
        let found = u32::from_be_bytes(magic);
        return Err(Problem::Content(format!(
            "not an IDX file of {what} as bytes (magic number {found:#010x})"
        )));
    }
    let mut sizes = Vec::with_capacity(dimensions);
    for _ in 0..dimensions {
        let mut size = [0u8; 4];
        reader.read_exact(&mut size)?;
        sizes.push(u64::from(u32::from_be_bytes(size)));
    }
    let total = sizes.iter().try_fold(1u64, |product, size| product.checked_mul(*size));
    let Some(total) = total else {
        return Err(Problem::Content(format!("the header asks for an impossible size, {sizes:?}")));
    };
    if total == 0 {
        return Err(Problem::Content("the file is empty: its header says 0 entries".to_owned()));
    }
    let mut bytes = Vec::new();
    // One byte more than announced, to see trailing bytes and the end of the gzip stream.
    reader.take(total.saturating_add(1)).read_to_end(&mut bytes)?;
    let length = bytes.len() as u64;
    if length < total {
        return Err(Problem::Content(format!(
            "the file is truncated: {length} of {total} bytes after the header"
        )));
    }
    if length > total {
        return Err(Problem::Content(format!(
            "there are trailing bytes after the {total} that the header announces"
        )));
    }
    let items = sizes[0] as usize;
    Ok((items, bytes.len() / items, bytes))
}
