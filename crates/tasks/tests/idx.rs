//! IDX folders: splits, names, and every way in which a file can be wrong.

#![allow(clippy::unwrap_used)]

use flate2::{Compression, write::GzEncoder};
use phasegrid_tasks::{Dataset, TaskError, available, load};
use std::io::Write;
use std::path::{Path, PathBuf};

/// An IDX file of `counts` with entries 0, 1, 2 … modulo `modulus`.
fn idx(counts: &[u32], modulus: usize) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, counts.len() as u8];
    counts.iter().for_each(|count| bytes.extend(count.to_be_bytes()));
    let total: u32 = counts.iter().product();
    bytes.extend((0..total as usize).map(|entry| (entry % modulus) as u8));
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct DataFolder(tempfile::TempDir);

impl DataFolder {
    fn new() -> DataFolder {
        DataFolder(tempfile::tempdir().unwrap())
    }
    fn put(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
    /// A usable test pair of 10 images of 2x3 pixels with 5 classes in `folder`.
    fn with_test_pair(folder: &str) -> DataFolder {
        let data = DataFolder::new();
        data.put(&format!("{folder}/t10k-images-idx3-ubyte"), &idx(&[10, 2, 3], 256));
        data.put(&format!("{folder}/t10k-labels-idx1-ubyte"), &idx(&[10], 5));
        data
    }
    fn load(&self, task: &str) -> Result<Dataset, TaskError> {
        load(task, Some(self.path()))
    }
    fn message(&self, task: &str) -> String {
        self.load(task).unwrap_err().to_string()
    }
}

#[test]
fn the_test_file_alone_is_split_80_to_20_and_the_note_says_so() {
    let data = DataFolder::with_test_pair("mnist");
    let dataset = data.load("mnist").unwrap();
    assert_eq!((dataset.train.rows(), dataset.test.rows()), (8, 2));
    assert_eq!((dataset.input_dimension, dataset.classes), (6, 5));
    assert_eq!(dataset.train.inputs[..3], [0.0, 1.0 / 255.0, 2.0 / 255.0]);
    assert_eq!(dataset.test.inputs[0], 48.0 / 255.0);
    assert_eq!(dataset.test.labels, [3, 4]);
    let note = dataset.note.unwrap();
    assert!(note.contains("first 8 train, the last 2 test"), "{note}");
}

#[test]
fn with_the_training_file_the_split_is_the_standard_one() {
    let data = DataFolder::with_test_pair("a/b");
    // The dot variant of the name, compressed.
    data.put("a/b/train-images.idx3-ubyte.gz", &gzip(&idx(&[7, 6], 256)));
    data.put("a/b/train-labels-idx1-ubyte.gz", &gzip(&idx(&[7], 7)));
    let dataset = data.load("idx:a/b").unwrap();
    assert_eq!((dataset.train.rows(), dataset.test.rows(), dataset.classes), (7, 10, 7));
    assert_eq!(dataset.note, None);
}

#[test]
fn equal_arrays_have_equal_fingerprints_whatever_the_name_and_form() {
    let plain = DataFolder::with_test_pair("mnist");
    let compressed = DataFolder::new();
    compressed.put("x/t10k-images-idx3-ubyte.gz", &gzip(&idx(&[10, 2, 3], 256)));
    compressed.put("x/t10k-labels-idx1-ubyte.gz", &gzip(&idx(&[10], 5)));
    let (one, other) = (plain.load("mnist").unwrap(), compressed.load("idx:x").unwrap());
    assert_eq!(one.fingerprint, other.fingerprint);
    compressed.put("x/t10k-labels-idx1-ubyte.gz", &gzip(&idx(&[10], 4)));
    assert_ne!(one.fingerprint, compressed.load("idx:x").unwrap().fingerprint);
}

#[test]
fn a_file_cut_anywhere_is_called_truncated() {
    let images = idx(&[10, 2, 3], 256);
    for length in [0, 3, 4, 9, 15, 16, 17, images.len() - 1] {
        let data = DataFolder::with_test_pair("mnist");
        let file = data.put("mnist/t10k-images-idx3-ubyte", &images[..length]);
        let message = data.message("mnist");
        assert!(
            message.contains("truncated") && message.contains(file.to_str().unwrap()),
            "{length}: {message}"
        );
    }
    let compressed = gzip(&images);
    for length in [0, 5, 12, compressed.len() / 2, compressed.len() - 1] {
        let data = DataFolder::with_test_pair("mnist");
        std::fs::remove_file(data.path().join("mnist/t10k-images-idx3-ubyte")).unwrap();
        data.put("mnist/t10k-images-idx3-ubyte.gz", &compressed[..length]);
        let message = data.message("mnist");
        assert!(message.contains("truncated"), "{length}: {message}");
    }
}

#[test]
fn damaged_files_say_what_is_wrong() {
    let damage = |file: &str, bytes: &[u8]| {
        let data = DataFolder::with_test_pair("mnist");
        let plain = data.path().join("mnist").join(file.trim_end_matches(".gz"));
        std::fs::remove_file(plain).unwrap();
        data.put(&format!("mnist/{file}"), bytes);
        data.message("mnist")
    };
    let images = idx(&[10, 2, 3], 256);
    let mut bad_magic = images.clone();
    bad_magic[2] = 0x0d;
    let message = damage("t10k-images-idx3-ubyte", &bad_magic);
    assert!(
        message.contains("not an IDX file of images as bytes (magic number 0x00000d03)"),
        "{message}"
    );
    let message = damage("t10k-labels-idx1-ubyte", &images);
    assert!(message.contains("not an IDX file of labels"), "{message}");

    let longer = [images.clone(), vec![1]].concat();
    assert!(damage("t10k-images-idx3-ubyte", &longer).contains("trailing bytes"));
    assert!(damage("t10k-images-idx3-ubyte.gz", &gzip(&longer)).contains("trailing bytes"));

    let mut corrupt = gzip(&images);
    let middle = corrupt.len() / 2;
    corrupt[middle] ^= 0xff;
    let message = damage("t10k-images-idx3-ubyte.gz", &corrupt);
    assert!(
        message.contains("gzip data are corrupt") || message.contains("truncated"),
        "{message}"
    );
    let mut wrong_checksum = gzip(&images);
    let checksum = wrong_checksum.len() - 8;
    wrong_checksum[checksum] ^= 0xff;
    let message = damage("t10k-images-idx3-ubyte.gz", &wrong_checksum);
    assert!(message.contains("gzip data are corrupt"), "{message}");
    assert!(damage("t10k-images-idx3-ubyte.gz", &images).contains("gzip data are corrupt"));

    assert!(damage("t10k-images-idx3-ubyte", &idx(&[0, 2, 3], 256)).contains("empty"));
    let message = damage("t10k-labels-idx1-ubyte", &idx(&[9], 5));
    assert!(message.contains("10 images, but 9 labels"), "{message}");
    let huge = [vec![0, 0, 8, 3], vec![0xff; 12]].concat();
    let message = damage("t10k-images-idx3-ubyte", &huge);
    assert!(message.contains("impossible size"), "{message}");
}

#[test]
fn training_and_test_images_of_different_sizes_are_refused() {
    let data = DataFolder::with_test_pair("mnist");
    data.put("mnist/train-images-idx3-ubyte", &idx(&[7, 5], 256));
    data.put("mnist/train-labels-idx1-ubyte", &idx(&[7], 7));
    assert!(data.message("mnist").contains("5 and 6 pixels"));
}

#[test]
fn missing_files_say_where_they_belong() {
    let data = DataFolder::with_test_pair("mnist");
    data.put("mnist/train-images-idx3-ubyte", &idx(&[7, 6], 256));
    let message = data.message("mnist");
    assert!(
        message.contains("no train-labels-idx1-ubyte (or train-labels-idx1-ubyte.gz)"),
        "{message}"
    );
    assert!(message.contains("--data DIR or PHASEGRID_DATA"), "{message}");
    assert!(data.message("idx:absent").contains("t10k-images-idx3-ubyte"));
    let message = load("mnist", None).unwrap_err().to_string();
    assert!(message.contains("--data DIR or PHASEGRID_DATA"), "{message}");
}

#[test]
fn folders_stay_inside_the_data_folder() {
    let data = DataFolder::with_test_pair("mnist");
    for task in [
        "idx:",
        "idx:/etc",
        "idx:../mnist",
        "idx:a/../../b",
        "idx:./mnist",
        "idx:mnist/",
        "idx:a//b",
        "idx:a\n",
        "idx:a\\b",
    ] {
        let error = data.load(task).unwrap_err();
        assert!(matches!(error, TaskError::Folder { .. }), "{task}: {error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    assert!(data.load("idx:mnist").is_ok());
}

#[test]
fn a_worker_offers_what_it_can_load_and_skips_the_rest() {
    let data = DataFolder::with_test_pair("mnist");
    data.put("broken/t10k-images-idx3-ubyte", &[0, 0]);
    let names: Vec<String> =
        available(Some(data.path())).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["digits", "gaussian-mixture", "teacher-student", "modular-addition", "mnist", "idx:mnist"]
    );
    let names: Vec<String> = available(None).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["digits", "gaussian-mixture", "teacher-student", "modular-addition"]);
}

#[test]
fn the_real_mnist_test_file() {
    let Some(folder) = std::env::var_os("PHASEGRID_DATA").map(PathBuf::from) else {
        eprintln!("SKIPPED: the real MNIST test file is not here (set PHASEGRID_DATA)");
        return;
    };
    let dataset = load("mnist", Some(&folder)).unwrap();
    assert_eq!((dataset.input_dimension, dataset.classes), (784, 10));
    assert_eq!(dataset.train.labels[..5], [7, 2, 1, 0, 4]);
    if dataset.note.is_some() {
        assert_eq!((dataset.train.rows(), dataset.test.rows()), (8_000, 2_000));
    }
}
