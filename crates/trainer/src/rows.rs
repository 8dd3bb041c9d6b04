//! The rows a unit is measured on, kept in step with the trials that are still living.

use phasegrid_metrics::Probe;
use phasegrid_metrics::phase::Baseline;
use phasegrid_nn::{Ensemble, LabelledRows, NnError, initial_ensemble};
use phasegrid_spec::{Hyperparameters, Measure, TrainEvaluation};
use phasegrid_tasks::Dataset;
use tch::{Device, Tensor};

/// Probe, train and test rows of the living trials, and their networks at step 0.
pub(crate) struct UnitRows {
    /// Indices of the living in the unit, in ensemble order.
    trials: Vec<usize>,
    pub(crate) probe: Probe,
    /// True labels of the probe, `[E, P]`.
    pub(crate) probe_clean: Tensor,
    /// Positions of the probe rows in the training split, by living trial.
    pub(crate) probe_index: Vec<Vec<usize>>,
    /// The rows of the train columns, where they are not the probe.
    pub(crate) training: Option<LabelledRows>,
    pub(crate) test: LabelledRows,
    /// Networks at step 0, where a metric needs them.
    pub(crate) initial: Option<Ensemble>,
    pub(crate) train_baselines: Vec<Baseline>,
    pub(crate) test_baseline: Baseline,
}

impl UnitRows {
    /// `trials` are the living in ensemble order, `all` the unit's.
    pub(crate) fn new(
        dataset: &Dataset,
        measure: &Measure,
        all: &[Hyperparameters],
        trials: &[usize],
        device: Device,
    ) -> Result<UnitRows, NnError> {
        let ordered: Vec<Hyperparameters> =
            trials.iter().map(|index| all[*index].clone()).collect();
        let seed = measure.probe_seed;
        let probe = LabelledRows::probe(
            dataset,
            &ordered,
            measure.probe_samples as i64,
            seed as i64,
            device,
        )?;
        let training = match measure.train_rows {
            TrainEvaluation::Probe => None,
            TrainEvaluation::All => Some(LabelledRows::training(dataset, &ordered, device)?),
        };
        let initial = match measure.metrics.is_empty() {
            true => None,
            false => {
                Some(initial_ensemble(&ordered, dataset.input_dimension, dataset.classes, device)?)
            }
        };
        let classes = dataset.classes;
        let train_baselines = baselines(training.as_ref().unwrap_or(&probe).trained(), classes);
        let test = LabelledRows::test(dataset, trials.len(), device);
        let probe_index = rows_by_trial(&probe);
        let trained = probe.trained().shallow_clone();
        Ok(UnitRows {
            trials: trials.to_vec(),
            probe: Probe { rows: probe.rows, labels: trained, classes: classes as i64, seed },
            probe_clean: probe.labels,
            probe_index,
            training,
            test,
            initial,
            train_baselines,
            test_baseline: baseline_of(&dataset.test.labels, classes),
        })
    }

    /// Drops the rows of trials that live no longer.
    pub(crate) fn keep(&mut self, trials: &[usize]) {
        if trials == self.trials {
            return;
        }
        let is_kept = |position: &usize| trials.contains(&self.trials[*position]);
        let positions: Vec<usize> = (0..self.trials.len()).filter(is_kept).collect();
        let index: Vec<i64> = positions.iter().map(|position| *position as i64).collect();
        let device = self.probe.labels.device();
        let selected = Tensor::from_slice(&index).to_device(device);
        self.probe = Probe {
            rows: self.probe.rows.select(&index),
            labels: self.probe.labels.index_select(0, &selected),
            ..self.probe
        };
        self.probe_clean = self.probe_clean.index_select(0, &selected);
        self.training = self.training.as_ref().map(|rows| rows.select(&index));
        self.test = self.test.select(&index);
        self.initial = self.initial.as_ref().map(|ensemble| ensemble.select(&index));
        self.probe_index = pick(&self.probe_index, &positions);
        self.train_baselines = pick(&self.train_baselines, &positions);
        self.trials = trials.to_vec();
    }
}

fn pick<T: Clone>(values: &[T], positions: &[usize]) -> Vec<T> {
    positions.iter().map(|position| values[*position].clone()).collect()
}

fn rows_by_trial(rows: &LabelledRows) -> Vec<Vec<usize>> {
    let groups = rows.rows.groups.iter().zip(&rows.source);
    groups.flat_map(|(group, source)| group.trials.clone().map(move |_| source.clone())).collect()
}

/// Guessing's accuracy on each trial's own labels, `[E, rows]`.
fn baselines(labels: &Tensor, classes: usize) -> Vec<Baseline> {
    let trials = labels.size()[0];
    let of = |trial: i64| {
        let own = Vec::<i64>::try_from(labels.get(trial).to_device(Device::Cpu).contiguous());
        baseline_of(&own.unwrap_or_default(), classes)
    };
    (0..trials).map(of).collect()
}

fn baseline_of(labels: &[i64], classes: usize) -> Baseline {
    let mut sizes = vec![0; classes];
    for label in labels {
        sizes[*label as usize] += 1;
    }
    Baseline::from_class_sizes(&sizes)
}
