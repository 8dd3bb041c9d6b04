//! A sweep file as the user names it: read, checked, its tasks' data found.

use crate::failure::Failure;
use anyhow::anyhow;
use phasegrid_spec::{
    DrawnTask, Hyperparameters, SaveWeights, Sweep, SweepFile, TrainRows, TrialRange,
};
use phasegrid_store::MetricDescription;
use std::collections::{BTreeMap, BTreeSet};
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
    let train_rows = TrainRows(source.train_rows.clone());
    let (measure, block) = parsed.resolve(&train_rows).map_err(Failure::usage)?;
    let sweep = Sweep::new(source.name.clone(), measure, vec![block]);
    source.notes.extend(probe_note(&sweep, &train_rows));
    source.weight_files = weight_files(&sweep);
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
fn weight_files(sweep: &Sweep) -> u64 {
    if sweep.measure().save_weights == SaveWeights::None {
        return 0;
    }
    sweep.trials().map(|(_, trial)| sweep.measure().weight_files(trial.steps)).sum()
}

/// Says where a probe is smaller than was asked for: it has no more rows than its trial trains on.
fn probe_note(sweep: &Sweep, train_rows: &TrainRows) -> Option<String> {
    let asked = sweep.measure().probe_samples;
    let of_shapes = (0..sweep.grid_count()).flat_map(|grid| first_of_each_shape(sweep, grid));
    let rows = of_shapes.filter_map(|trial| train_rows.of(&trial));
    let cut: BTreeSet<u64> = rows.filter(|rows| *rows < asked).collect();
    let smallest = cut.first()?;
    Some(match cut.len() {
        1 => format!(
            "probe_samples is {asked}, the probe is cut down to the {smallest} training rows of the trials that have no more"
        ),
        sizes => format!(
            "probe_samples is {asked}, the probe is cut down to the training rows of the trials that have fewer: {sizes} sizes from {smallest} to {}",
            cut.last()?
        ),
    })
}

/// A trial of every shape in a grid; `train_samples` and the task are the shape's.
fn first_of_each_shape(sweep: &Sweep, grid: u32) -> impl Iterator<Item = Hyperparameters> + '_ {
    let mut start = 0;
    std::iter::from_fn(move || {
        while start < sweep.raw_len(grid) {
            let end = sweep.shape_end(grid, start).max(start + 1);
            let first = sweep.trials_in(TrialRange { grid, start, end }).next();
            start = end;
            if let Some((_, trial)) = first {
                return Some(trial);
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn note(rest: &str) -> Option<String> {
        let text = format!("name = \"s\"\ntask = \"digits\"\n{rest}");
        let rows = TrainRows([("digits".to_owned(), 1_500)].into());
        let parsed = SweepFile::parse(&text, "s.toml").unwrap();
        let (measure, block) = parsed.resolve(&rows).unwrap();
        probe_note(&Sweep::new("s", measure, vec![block]), &rows)
    }

    #[test]
    fn a_probe_that_is_cut_down_is_said_to_be() {
        assert_eq!(note("[measure]\nprobe_samples = 1500\n"), None);
        let whole = note("[measure]\nprobe_samples = 1501\n").unwrap();
        assert!(whole.contains("cut down to the 1500 training rows"), "{whole}");
        let axis = "[axes]\ntrain_samples = [0, 600, 100]\nseed = [0, 1]\n";
        let several = note(axis).unwrap();
        assert!(several.ends_with("2 sizes from 100 to 600"), "{several}");
        let left_out = format!("{axis}[where]\nconditions = [\"train_samples != 100\"]\n");
        assert!(note(&left_out).unwrap().contains("the 600 training rows"));
    }
}
