//! `digits`: the 8x8 digits of the UCI repository, bundled (data/LICENSE-digits.md).

use crate::dataset::{Dataset, Split};
use crate::error::TaskError;
use crate::request::Request;
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::PathBuf;

/// Rows of 65 bytes: 64 pixels 0…16, then the label.
const BUNDLED: &[u8] = include_bytes!("../data/digits.bin.gz");
pub(crate) const SENTENCE: &str = "Handwritten digits of UCI, 8x8 pixels in 0..1, 10 classes; 1,500 rows train, 297 test. Bundled.";
const PIXELS: usize = 64;
const TRAINING_ROWS: usize = 1_500;

/// 1,500 rows to train on, the other 297 to test on, in file order; pixels/16.
pub(crate) fn load(request: &Request<'_>) -> Result<Dataset, TaskError> {
    let mut bytes = Vec::new();
    GzDecoder::new(BUNDLED)
        .read_to_end(&mut bytes)
        .map_err(|source| TaskError::Read { file: PathBuf::from("the bundled digits"), source })?;
    let (train, test) = bytes.split_at(TRAINING_ROWS * (PIXELS + 1));
    Ok(Dataset::new(request.task, PIXELS, split(train), split(test), None))
}

fn split(rows: &[u8]) -> Split {
    let mut split = Split::default();
    for row in rows.chunks_exact(PIXELS + 1) {
        split.inputs.extend(row[..PIXELS].iter().map(|&pixel| f32::from(pixel) / 16.0));
        split.labels.push(i64::from(row[PIXELS]));
    }
    split
}
