//! A sweep file as the user names it: read, checked, its tasks' data found.

use crate::failure::Failure;
use anyhow::anyhow;
use phasegrid_spec::{Block, DrawnTask, Measure, SaveWeights, Sweep, SweepFile, TrainRows};
use phasegrid_store::MetricDescription;
use std::collections::BTreeMap;
use std::path::Path;

/// Weight files a sweep may write without being told that this is meant.
const MAX_WEIGHT_FILES: u64 = 100_000;

/// A sweep file that can be submitted.
pub(crate) struct SweepSource {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) tasks: Vec<String>,
    /// Training rows of each task whose data are read.
    pub(crate) train_rows: BTreeMap<String, u64>,
    /// Files of weights the sweep would write.
    pub(crate) weight_files: u64,
    /// What a user should know of the data.
    pub(crate) notes: Vec<String>,
}

/// Reads and checks a sweep file and the data of its tasks. Nothing is written.
pub(crate) fn read(file: &Path, data_dir: Option<&Path>) -> Result<SweepSource, Failure> {
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::usage(anyhow!("cannot read the sweep file {shown}: {error}")))?;
    let parsed = SweepFile::parse(&text, &shown).map_err(Failure::usage)?;
    MetricDescription::check_names(&parsed.measure.metrics)
        .map_err(|message| Failure::usage(parsed.error_at("measure.metrics", message)))?;
    let mut source = SweepSource {
        name: parsed.name.clone(),
        text,
        tasks: Vec::new(),
        train_rows: BTreeMap::new(),
        weight_files: 0,
        notes: Vec::new(),
    };
    for task in parsed.tasks() {
        if DrawnTask::from_name(&task).is_some() {
            // Its size follows from its parameters, trial by trial.
            source.tasks.push(task);
            continue;
        }
        let dataset = phasegrid_tasks::load(&task, data_dir)
            .map_err(|error| Failure::usage(parsed.error_at("task", error.to_string())))?;
        source.notes.extend(dataset.note.as_ref().map(|note| format!("{task}: {note}")));
        source.train_rows.insert(task.clone(), dataset.train.rows() as u64);
        source.tasks.push(task);
    }
    let (measure, block) =
        parsed.resolve(&TrainRows(source.train_rows.clone())).map_err(Failure::usage)?;
    let smallest = source.train_rows.values().min().copied().unwrap_or(u64::MAX);
    if measure.probe_samples > smallest {
        source.notes.push(format!(
            "probe_samples is {}, the probe is cut down to the {smallest} training rows",
            measure.probe_samples
        ));
    }
    source.weight_files = weight_files(&source.name, &measure, block);
    Ok(source)
}

impl SweepSource {
    /// Refuses a folder of weights that no file system enjoys, unless it was asked for by name.
    pub(crate) fn check_weight_files(&self, allowed: bool) -> Result<(), Failure> {
        if allowed || self.weight_files <= MAX_WEIGHT_FILES {
            return Ok(());
        }
        Err(Failure::usage(anyhow!(
            "save_weights would write {} files, more than {MAX_WEIGHT_FILES}: measure fewer steps, save fewer weights, or say --many-weight-files",
            self.weight_files
        )))
    }
}

/// Weight files the sweep writes; iterates the points where it writes any.
fn weight_files(name: &str, measure: &Measure, block: Block) -> u64 {
    if measure.save_weights == SaveWeights::None {
        return 0;
    }
    let sweep = Sweep::new(name, measure.clone(), vec![block]);
    sweep.trials().map(|(_, trial)| measure.weight_files(trial.steps)).sum()
}
