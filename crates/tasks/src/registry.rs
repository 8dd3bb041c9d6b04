//! The tasks there are: one line each.

use crate::dataset::Dataset;
use crate::error::TaskError;
use crate::request::Request;
use crate::{digits, idx};
use std::path::Path;

/// What `phasegrid tasks` says of a task.
#[derive(Clone, Copy, Debug)]
pub struct TaskDescription {
    /// Its name in sweep files; one that ends in `:<dir>` takes a folder in that place.
    pub name: &'static str,
    /// One sentence.
    pub sentence: &'static str,
    /// Whether it reads files below the data folder.
    pub needs_data: bool,
    load: fn(&Request<'_>) -> Result<Dataset, TaskError>,
}

/// Every task, in the order of the help.
pub const TASKS: &[TaskDescription] = &[
    TaskDescription {
        name: "digits",
        sentence: digits::SENTENCE,
        needs_data: false,
        load: digits::load,
    },
    TaskDescription {
        name: "mnist",
        sentence: idx::MNIST_SENTENCE,
        needs_data: true,
        load: idx::load_mnist,
    },
    TaskDescription {
        name: "idx:<dir>",
        sentence: idx::FOLDER_SENTENCE,
        needs_data: true,
        load: idx::load_folder,
    },
];

impl TaskDescription {
    /// Whether `task` names this task: equal, or with the same prefix before `<dir>`.
    fn is_named(&self, task: &str) -> bool {
        match self.name.strip_suffix("<dir>") {
            Some(prefix) => task.starts_with(prefix),
            None => task == self.name,
        }
    }
}

/// Checks that a task of that name exists, without reading its data.
pub fn check_name(task: &str) -> Result<&'static TaskDescription, TaskError> {
    if let Some(description) = TASKS.iter().find(|description| description.is_named(task)) {
        if task.starts_with("idx:") {
            idx::folder_of(task)?;
        }
        return Ok(description);
    }
    let hint = match phasegrid_spec::nearest(task, TASKS.iter().map(|description| description.name))
    {
        Some(name) => format!(" (did you mean \"{name}\"?)"),
        None => String::new(),
    };
    Err(TaskError::Unknown { name: task.escape_debug().to_string(), hint })
}

/// Loads a task's data.
pub fn load(task: &str, data_dir: Option<&Path>) -> Result<Dataset, TaskError> {
    let description = check_name(task)?;
    (description.load)(&Request { task, data_dir })
}

/// The tasks a worker can train, with the fingerprints of their data: the built-in ones, and
/// every folder of the data folder that holds usable IDX files (as `mnist` or `idx:<dir>`).
/// What cannot be used is left out; loading it by name says why.
pub fn available(data_dir: Option<&Path>) -> Vec<(String, String)> {
    let built_in = TASKS.iter().filter(|description| !description.needs_data);
    let mut names: Vec<String> = built_in.map(|description| description.name.to_owned()).collect();
    names.extend(data_dir.into_iter().flat_map(idx::folders_below));
    let mut usable: Vec<(String, String)> = Vec::with_capacity(names.len());
    for name in names {
        // `mnist` and `idx:mnist` are one folder, which need not be read twice.
        let twin = usable.iter().find(|(known, _)| name.strip_prefix(idx::PREFIX) == Some(known));
        let fingerprint = match twin {
            Some((_, fingerprint)) => Some(fingerprint.clone()),
            None => load(&name, data_dir).ok().map(|dataset| dataset.fingerprint),
        };
        usable.extend(fingerprint.map(|fingerprint| (name, fingerprint)));
    }
    usable
}
