//! The tasks there are: one line each.

use crate::dataset::Dataset;
use crate::error::TaskError;
use crate::request::Request;
use crate::{digits, gaussian_mixture, idx, modular_addition, teacher_student};
use phasegrid_spec::{DrawnTask, HyperparameterId, Hyperparameters, TaskSize};
use std::path::Path;
use std::sync::OnceLock;

/// How a task comes by its data.
#[derive(Clone, Copy, Debug)]
enum Loader {
    /// From files or the program itself: the same for every trial.
    Read(fn(&Request<'_>) -> Result<Dataset, TaskError>),
    /// From a trial's `data_seed` and the parameters of its task.
    Drawn(DrawnTask),
}

/// What `phasegrid tasks` says of a task.
#[derive(Clone, Copy, Debug)]
pub struct TaskDescription {
    /// Its name in sweep files; one that ends in `:<dir>` takes a folder in that place.
    pub name: &'static str,
    /// One sentence.
    pub sentence: &'static str,
    /// Whether it reads files below the data folder.
    pub needs_data: bool,
    loader: Loader,
}

/// Every task, in the order of the help.
pub const TASKS: &[TaskDescription] = &[
    TaskDescription {
        name: "digits",
        sentence: digits::SENTENCE,
        needs_data: false,
        loader: Loader::Read(digits::load),
    },
    TaskDescription {
        name: "mnist",
        sentence: idx::MNIST_SENTENCE,
        needs_data: true,
        loader: Loader::Read(idx::load_mnist),
    },
    TaskDescription {
        name: "idx:<dir>",
        sentence: idx::FOLDER_SENTENCE,
        needs_data: true,
        loader: Loader::Read(idx::load_folder),
    },
    drawn(DrawnTask::GaussianMixture, gaussian_mixture::SENTENCE),
    drawn(DrawnTask::TeacherStudent, teacher_student::SENTENCE),
    drawn(DrawnTask::ModularAddition, modular_addition::SENTENCE),
];

const fn drawn(task: DrawnTask, sentence: &'static str) -> TaskDescription {
    TaskDescription { name: task.name(), sentence, needs_data: false, loader: Loader::Drawn(task) }
}

impl TaskDescription {
    /// The hyperparameters that only this task, or it and a few others, have.
    pub fn parameters(&self) -> impl Iterator<Item = HyperparameterId> {
        let drawn = match self.loader {
            Loader::Read(_) => None,
            Loader::Drawn(task) => Some(task),
        };
        HyperparameterId::all()
            .filter(move |id| drawn.is_some_and(|task| id.definition().tasks.contains(&task)))
    }

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

/// Loads a task's data; where they are drawn, with every parameter at its default.
pub fn load(task: &str, data_dir: Option<&Path>) -> Result<Dataset, TaskError> {
    let trial = Hyperparameters { task: task.into(), ..Hyperparameters::default() };
    load_for(&trial, data_dir)
}

/// Loads the data of a trial's task: where they are drawn, by its `data_seed` and the
/// parameters of its task, which are within their ranges.
pub fn load_for(trial: &Hyperparameters, data_dir: Option<&Path>) -> Result<Dataset, TaskError> {
    match check_name(&trial.task)?.loader {
        Loader::Read(load) => load(&Request { task: &trial.task, data_dir }),
        Loader::Drawn(task) => Ok(draw(task, trial)),
    }
}

/// Whether two trials have the same data.
pub fn same_data(one: &Hyperparameters, other: &Hyperparameters) -> bool {
    let same_draw = || {
        let parameters = HyperparameterId::all().filter(|id| !id.definition().tasks.is_empty());
        one.data_seed == other.data_seed
            && parameters.into_iter().all(|id| one.get(id) == other.get(id))
    };
    one.task == other.task && (one.drawn_task().is_none() || same_draw())
}

/// What a worker states for the task of these data, and a sweep pins. Of data that are read,
/// their fingerprint. A drawn task has as many data sets as trials ask for: there it is the
/// fingerprint of the one with every parameter at its default, which vouches for the program
/// that draws.
pub fn task_fingerprint(dataset: &Dataset) -> &str {
    match DrawnTask::from_name(&dataset.name) {
        None => &dataset.fingerprint,
        Some(task) => reference_fingerprint(task),
    }
}

fn reference_fingerprint(task: DrawnTask) -> &'static str {
    static KNOWN: [OnceLock<String>; DrawnTask::ALL.len()] =
        [const { OnceLock::new() }; DrawnTask::ALL.len()];
    KNOWN[task as usize].get_or_init(|| {
        let trial = Hyperparameters { task: task.name().into(), ..Hyperparameters::default() };
        draw(task, &trial).fingerprint
    })
}

fn draw(task: DrawnTask, trial: &Hyperparameters) -> Dataset {
    let size = TaskSize::of(task, trial);
    match task {
        DrawnTask::GaussianMixture => gaussian_mixture::draw(trial, size),
        DrawnTask::TeacherStudent => teacher_student::draw(trial, size),
        DrawnTask::ModularAddition => modular_addition::draw(trial, size),
    }
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
