//! `mnist` and `idx:<dir>`: image classification from IDX files below the data folder.

use crate::dataset::{Dataset, Split};
use crate::error::TaskError;
use crate::idx_file::{self, IdxFile};
use crate::request::Request;
use std::path::{Component, Path, PathBuf};

pub(crate) const MNIST_SENTENCE: &str = "Handwritten digits, 28x28 pixels in 0..1, 10 classes: IDX files in <data>/mnist. \
     The 60,000 training images with the 10,000 test images, or the test images alone, split 8,000/2,000.";
pub(crate) const FOLDER_SENTENCE: &str = "Any data set in MNIST's format (IDX files, plain or .gz) in the folder <data>/<dir>; values/255.";

/// What a task's name starts with if it names a folder.
pub(crate) const PREFIX: &str = "idx:";

const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

/// Folders deeper than this below the data folder are not offered by a worker.
const MAX_FOLDER_DEPTH: usize = 4;

/// `mnist`: the folder of that name.
pub(crate) fn load_mnist(request: &Request<'_>) -> Result<Dataset, TaskError> {
    load(request, Path::new("mnist"))
}

/// `idx:<dir>`
pub(crate) fn load_folder(request: &Request<'_>) -> Result<Dataset, TaskError> {
    let folder = folder_of(request.task)?;
    load(request, &folder)
}

/// The folder that `idx:<dir>` names, checked to be relative, normalised and without `..`.
pub(crate) fn folder_of(task: &str) -> Result<PathBuf, TaskError> {
    let folder = task.strip_prefix(PREFIX).unwrap_or(task);
    let refuse =
        |problem| Err(TaskError::Folder { task: task.escape_debug().to_string(), problem });
    if folder.is_empty() {
        return refuse("the folder's name is missing");
    }
    if folder.chars().any(|character| character.is_control() || character == '\\') {
        return refuse("control characters and backslashes are not allowed");
    }
    let path = Path::new(folder);
    if path.is_absolute() {
        return refuse("the path is absolute");
    }
    if path.components().any(|component| component == Component::ParentDir) {
        return refuse("\"..\" is not allowed");
    }
    let normalised: Vec<&str> =
        path.components().filter_map(|component| component.as_os_str().to_str()).collect();
    if normalised.join("/") != folder
        || path.components().any(|component| component == Component::CurDir)
    {
        return refuse("the path is not in its shortest form (no \".\", \"//\" or trailing \"/\")");
    }
    Ok(path.to_owned())
}

/// The tasks below a data folder that may be usable: `mnist` and `idx:<dir>`, sorted.
pub(crate) fn folders_below(data_dir: &Path) -> Vec<String> {
    let mut folders = Vec::new();
    collect_folders(data_dir, "", MAX_FOLDER_DEPTH, &mut folders);
    folders.sort();
    let names = folders.iter().map(|folder| format!("{PREFIX}{folder}"));
    let mnist = folders.iter().filter(|folder| *folder == "mnist").cloned();
    mnist.chain(names).collect()
}

fn collect_folders(directory: &Path, prefix: &str, levels: usize, folders: &mut Vec<String>) {
    if levels == 0 {
        return;
    }
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let Some(name) = name.to_str().filter(|_| path.is_dir()) else { continue };
        let folder = format!("{prefix}{name}");
        if idx_file::find(&path, TEST_IMAGES).is_some() {
            folders.push(folder.clone());
        }
        collect_folders(&path, &format!("{folder}/"), levels - 1, folders);
    }
}

fn load(request: &Request<'_>, folder: &Path) -> Result<Dataset, TaskError> {
    let Some(data_dir) = request.data_dir else {
        return Err(TaskError::NoDataFolder { task: request.task.to_owned() });
    };
    let folder = data_dir.join(folder);
    let has_training_files =
        [TRAIN_IMAGES, TRAIN_LABELS].iter().any(|name| idx_file::find(&folder, name).is_some());
    if !has_training_files {
        let pair = Pair::read(request, &folder, TEST_IMAGES, TEST_LABELS)?;
        return split_one_pair(request, &pair);
    }
    let train = Pair::read(request, &folder, TRAIN_IMAGES, TRAIN_LABELS)?;
    let test = Pair::read(request, &folder, TEST_IMAGES, TEST_LABELS)?;
    if train.images.item_size != test.images.item_size {
        return Err(TaskError::Mismatch {
            problem: format!(
                "{} and {} pixels an image",
                train.images.item_size, test.images.item_size
            ),
            first: train.images.path,
            second: test.images.path,
        });
    }
    let (train_rows, test_rows) = (train.images.items, test.images.items);
    let (train_split, test_split) = (train.rows(0, train_rows), test.rows(0, test_rows));
    Ok(Dataset::new(request.task, train.images.item_size, train_split, test_split, None))
}

/// The test files alone: the first 80 % of their rows train.
fn split_one_pair(request: &Request<'_>, pair: &Pair) -> Result<Dataset, TaskError> {
    let rows = pair.images.items;
    let training_rows = rows * 4 / 5;
    if training_rows == 0 {
        let problem = "one image alone cannot be split into training and test rows".to_owned();
        return Err(TaskError::Damaged { file: pair.images.path.clone(), problem });
    }
    let note = format!(
        "task {}: no training file, so the {rows} rows of the test file are split: the first {training_rows} train, the last {} test",
        request.task,
        rows - training_rows
    );
    let (train, test) = (pair.rows(0, training_rows), pair.rows(training_rows, rows));
    Ok(Dataset::new(request.task, pair.images.item_size, train, test, Some(note)))
}

/// Images with their labels.
struct Pair {
    images: IdxFile,
    labels: IdxFile,
}

impl Pair {
    fn read(
        request: &Request<'_>,
        folder: &Path,
        images: &'static str,
        labels: &'static str,
    ) -> Result<Pair, TaskError> {
        let find = |file: &'static str| {
            idx_file::find(folder, file).ok_or_else(|| TaskError::MissingFile {
                task: request.task.to_owned(),
                file,
                folder: folder.to_owned(),
            })
        };
        let (images, labels) = (find(images)?, find(labels)?);
        let pair =
            Pair { images: idx_file::read(images, true)?, labels: idx_file::read(labels, false)? };
        if pair.images.items != pair.labels.items {
            return Err(TaskError::Mismatch {
                problem: format!("{} images, but {} labels", pair.images.items, pair.labels.items),
                first: pair.images.path,
                second: pair.labels.path,
            });
        }
        Ok(pair)
    }

    fn rows(&self, start: usize, end: usize) -> Split {
        let size = self.images.item_size;
        let pixels = &self.images.bytes[start * size..end * size];
        let inputs = pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        let labels = self.labels.bytes[start..end].iter().map(|&label| i64::from(label)).collect();
        Split { inputs, labels }
    }
}
