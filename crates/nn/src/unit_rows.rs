//! The rows that the trials of a unit are measured on: test, probe and training rows with
//! their labels, as tensors for the unit's ensemble.

use crate::error::NnError;
use crate::minibatch::trained_labels;
use crate::rows::{GroupedRows, RowGroup};
use phasegrid_spec::Hyperparameters;
use phasegrid_tasks::{Dataset, Split, probe_rows, training_rows};
use tch::{Device, Tensor};

/// Rows with labels for every trial of an ensemble.
#[derive(Debug)]
pub struct LabelledRows {
    /// The inputs.
    pub rows: GroupedRows,
    /// True labels, `[E, rows]` (i64).
    pub labels: Tensor,
    /// The labels trained on, where label noise makes them differ for any trial.
    pub trained_labels: Option<Tensor>,
    /// Of each group of `rows`: its rows' positions in the split, increasing.
    pub source: Vec<Vec<usize>>,
}

impl LabelledRows {
    /// The test rows, the same for `trials` trials.
    pub fn test(dataset: &Dataset, trials: usize, device: Device) -> LabelledRows {
        let source: Vec<usize> = (0..dataset.test.rows()).collect();
        let labels = Tensor::from_slice(&dataset.test.labels).to_device(device);
        LabelledRows {
            rows: GroupedRows::shared(
                trials,
                gather(&dataset.test, dataset.input_dimension, &source, device),
            ),
            labels: labels.unsqueeze(0).expand([trials as i64, -1], false),
            trained_labels: None,
            source: vec![source],
        }
    }

    /// The probe set of every trial (metrics.md, notation); `trials` in ensemble order.
    pub fn probe(
        dataset: &Dataset,
        trials: &[Hyperparameters],
        probe_samples: i64,
        probe_seed: i64,
        device: Device,
    ) -> Result<LabelledRows, NnError> {
        let choose =
            |rows: &[usize]| probe_rows(&dataset.train.labels, rows, probe_samples, probe_seed);
        chosen_training_rows(dataset, trials, device, choose)
    }

    /// All training rows of every trial; `trials` in ensemble order.
    pub fn training(
        dataset: &Dataset,
        trials: &[Hyperparameters],
        device: Device,
    ) -> Result<LabelledRows, NnError> {
        chosen_training_rows(dataset, trials, device, <[usize]>::to_vec)
    }

    /// The labels trained on.
    pub fn trained(&self) -> &Tensor {
        self.trained_labels.as_ref().unwrap_or(&self.labels)
    }

    /// For the trials at these positions (increasing), as
    /// [`Ensemble::select`](crate::Ensemble::select).
    pub fn select(&self, trials: &[i64]) -> LabelledRows {
        let index = Tensor::from_slice(trials).to_device(self.labels.device());
        let pick = |labels: &Tensor| labels.index_select(0, &index);
        let is_kept =
            |group: &RowGroup| trials.iter().any(|&trial| group.trials.contains(&(trial as usize)));
        let kept = self.rows.groups.iter().zip(&self.source).filter(|(group, _)| is_kept(group));
        LabelledRows {
            rows: self.rows.select(trials),
            labels: pick(&self.labels),
            trained_labels: self.trained_labels.as_ref().map(pick),
            source: kept.map(|(_, source)| source.clone()).collect(),
        }
    }
}

/// Rows chosen from each trial's own training rows. Consecutive trials with the same training
/// rows are a group; with every training row in use that is the whole unit.
fn chosen_training_rows(
    dataset: &Dataset,
    trials: &[Hyperparameters],
    device: Device,
    choose: impl Fn(&[usize]) -> Vec<usize>,
) -> Result<LabelledRows, NnError> {
    let shape = trials.first().ok_or(NnError::NoTrials)?;
    let mut groups: Vec<RowGroup> = Vec::new();
    let mut source = Vec::new();
    let (mut labels, mut noisy_labels) = (Vec::new(), Vec::new());
    let mut start = 0;
    let same_rows = |one: &Hyperparameters, other: &Hyperparameters| {
        shape.train_samples == 0 || one.data_seed == other.data_seed
    };
    for members in trials.chunk_by(same_rows) {
        let own_rows = training_rows(dataset, shape.train_samples, members[0].data_seed)?;
        let chosen = choose(&own_rows);
        let positions: Vec<usize> =
            chosen.iter().filter_map(|row| own_rows.binary_search(row).ok()).collect();
        for same_labels in members.chunk_by(|one, other| labels_key(one) == labels_key(other)) {
            let trained = trained_labels(dataset, &own_rows, &same_labels[0]);
            for _ in same_labels {
                labels.extend(chosen.iter().map(|&row| dataset.train.labels[row]));
                noisy_labels.extend(positions.iter().map(|&position| trained[position]));
            }
        }
        groups.push(RowGroup {
            trials: start..start + members.len(),
            inputs: gather(&dataset.train, dataset.input_dimension, &chosen, device),
        });
        source.push(chosen);
        start += members.len();
    }
    let as_tensor = |values: &[i64]| {
        Tensor::from_slice(values).view([trials.len() as i64, -1]).to_device(device)
    };
    Ok(LabelledRows {
        rows: GroupedRows { groups },
        labels: as_tensor(&labels),
        trained_labels: (labels != noisy_labels).then(|| as_tensor(&noisy_labels)),
        source,
    })
}

/// What a trial's training labels depend on, given its rows.
fn labels_key(trial: &Hyperparameters) -> (i64, u64) {
    (trial.data_seed, trial.label_noise.to_bits())
}

/// `[rows, n_0]` f32.
fn gather(split: &Split, input_dimension: usize, rows: &[usize], device: Device) -> Tensor {
    let row = |row: usize| &split.inputs[row * input_dimension..(row + 1) * input_dimension];
    let inputs: Vec<f32> = rows.iter().flat_map(|&index| row(index)).copied().collect();
    Tensor::from_slice(&inputs).view([rows.len() as i64, input_dimension as i64]).to_device(device)
}
