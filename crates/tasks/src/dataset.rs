//! A task's data as arrays, and their fingerprint.

use phasegrid_spec::{Hyperparameters, TaskSize};

/// Rows of one side of the split.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Split {
    /// Row-major, `labels.len()` rows of the data set's input dimension.
    pub inputs: Vec<f32>,
    /// 0…K−1, one a row.
    pub labels: Vec<i64>,
}

/// A task's data.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The task's name.
    pub name: String,
    /// n_0, numbers a row.
    pub input_dimension: usize,
    /// K: the largest label of both splits plus one, or what a drawn task was asked for.
    pub classes: usize,
    /// Rows to train on, in file order.
    pub train: Split,
    /// Rows to test on, in file order.
    pub test: Split,
    /// BLAKE3 of the arrays, 64 hex digits: see [`Dataset::new`].
    pub fingerprint: String,
    /// What a user should know of how the data was split, if it is not the standard way.
    pub note: Option<String>,
}

impl Dataset {
    /// Counts the classes and computes the fingerprint: BLAKE3 of "phasegrid dataset v1", then
    /// as 64-bit little-endian integers the input dimension, K, and for train and test each the
    /// number of rows, its inputs (f32, little-endian) and its labels (i64, little-endian). The
    /// name is not part of it.
    pub fn new(
        name: &str,
        input_dimension: usize,
        train: Split,
        test: Split,
        note: Option<String>,
    ) -> Dataset {
        let largest = train.labels.iter().chain(&test.labels).max();
        let classes = largest.map_or(0, |label| *label as usize + 1);
        let fingerprint = fingerprint(input_dimension, classes, &train, &test);
        Dataset { name: name.to_owned(), input_dimension, classes, train, test, fingerprint, note }
    }

    /// The data of a drawn task: the classes are those asked for, though a teacher may use fewer.
    pub(crate) fn drawn(
        trial: &Hyperparameters,
        size: TaskSize,
        train: Split,
        test: Split,
    ) -> Dataset {
        let (name, input_dimension) = (trial.task.to_string(), size.inputs as usize);
        let classes = size.classes as usize;
        let fingerprint = fingerprint(input_dimension, classes, &train, &test);
        Dataset { name, input_dimension, classes, train, test, fingerprint, note: None }
    }
}

impl Split {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }
}

fn fingerprint(input_dimension: usize, classes: usize, train: &Split, test: &Split) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"phasegrid dataset v1");
    hasher.update(&(input_dimension as u64).to_le_bytes());
    hasher.update(&(classes as u64).to_le_bytes());
    for split in [train, test] {
        hasher.update(&(split.rows() as u64).to_le_bytes());
        // In pieces: a hash call a number would take seconds on 47 million pixels.
        for piece in split.inputs.chunks(4096) {
            let bytes: Vec<u8> = piece.iter().flat_map(|number| number.to_le_bytes()).collect();
            hasher.update(&bytes);
        }
        for piece in split.labels.chunks(4096) {
            let bytes: Vec<u8> = piece.iter().flat_map(|label| label.to_le_bytes()).collect();
            hasher.update(&bytes);
        }
    }
    hasher.finalize().to_hex().to_string()
}
