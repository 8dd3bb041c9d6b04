//! What can be wrong with a task or its files: what, where, and what to do.

use std::path::PathBuf;

/// Where data folders are looked for, in every message that needs one.
const HOW_TO_SET: &str = "give the folder with --data DIR or PHASEGRID_DATA";

/// Why a task cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// No task of that name.
    #[error("there is no task \"{name}\"{hint}; `phasegrid tasks` lists them")]
    Unknown {
        /// The name given.
        name: String,
        /// ` (did you mean "…"?)` or nothing.
        hint: String,
    },
    /// The folder of an `idx:<dir>` task leaves the data folder or is no plain relative path.
    #[error(
        "task \"{task}\": {problem}; idx:<dir> takes a folder below the data folder, such as idx:fashion"
    )]
    Folder {
        /// The task's name, control characters escaped.
        task: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A task with files, but no data folder is set.
    #[error("task \"{task}\" reads files, and no data folder is set: {HOW_TO_SET}")]
    NoDataFolder {
        /// The task's name.
        task: String,
    },
    /// A file is not there.
    #[error("task \"{task}\": no {file} (or {file}.gz) in {}: put the file there, or {HOW_TO_SET}", .folder.display())]
    MissingFile {
        /// The task's name.
        task: String,
        /// The file's standard name.
        file: &'static str,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// A file could not be read.
    #[error("cannot read {}: {source}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is damaged or not what its name says.
    #[error("{}: {problem}; fetch the file again", .file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Images and labels of a pair of files, or of train and test, do not fit together.
    #[error("{} and {}: {problem}", .first.display(), .second.display())]
    Mismatch {
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// How they differ.
        problem: String,
    },
    /// More training rows asked for than there are.
    #[error("train_samples {asked} is more than the {available} training rows of task \"{task}\"")]
    TooFewRows {
        /// train_samples.
        asked: i64,
        /// Rows of the training split.
        available: usize,
        /// The task's name.
        task: String,
    },
}
