//! The training data on the device, and the minibatches of a stretch of steps.

use crate::arrangement::{Arrangement, BatchKey};
use crate::data_order::DataOrder;
use crate::error::NnError;
use phasegrid_spec::Hyperparameters;
use phasegrid_tasks::{Dataset, noisy_labels, training_rows};
use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor};

/// One-hot targets of a stretch take at most this many numbers (16 MiB).
const MAX_TARGET_NUMBERS: usize = 1 << 22;

/// What one (data_seed, label_noise) trains on.
#[derive(Debug)]
struct Subset {
    /// Rows of the training split.
    rows: Vec<usize>,
    /// Their labels as trained on.
    labels: Vec<i64>,
}

/// The training data of a unit. Shared by a run and its replays.
#[derive(Debug)]
pub(crate) struct TrainingData {
    /// The whole training split, `[rows, n_0]` f32.
    inputs: Tensor,
    subsets: BTreeMap<(i64, u64), Subset>,
    classes: usize,
    batch_size: usize,
    training_rows: usize,
}

/// The minibatches of consecutive updates.
#[derive(Debug)]
pub(crate) struct Stretch {
    /// The first update's number.
    first_step: i64,
    /// Rows of the training split, `[updates, groups * B]`.
    index: Tensor,
    /// One-hot, `[updates, groups, K, B]`.
    targets: Tensor,
}

impl TrainingData {
    /// Uploads the training split and draws every trial's subset and labels.
    pub(crate) fn new(
        dataset: &Dataset,
        trials: &[Hyperparameters],
        device: Device,
    ) -> Result<TrainingData, NnError> {
        let shape = trials.first().ok_or(NnError::NoTrials)?;
        let mut subsets = BTreeMap::new();
        let mut row_count = 0;
        for trial in trials {
            let key = (trial.data_seed, trial.label_noise.to_bits());
            if subsets.contains_key(&key) {
                continue;
            }
            let rows = training_rows(dataset, trial.train_samples, trial.data_seed)?;
            row_count = rows.len();
            let labels = trained_labels(dataset, &rows, trial);
            subsets.insert(key, Subset { rows, labels });
        }
        if shape.batch_size > row_count as i64 {
            return Err(NnError::BatchTooLarge {
                batch_size: shape.batch_size,
                training_rows: row_count,
            });
        }
        let inputs = Tensor::f_from_slice(&dataset.train.inputs)?;
        Ok(TrainingData {
            inputs: inputs.f_view([-1, dataset.input_dimension as i64])?.f_to_device(device)?,
            subsets,
            classes: dataset.classes,
            batch_size: shape.batch_size as usize,
            training_rows: row_count,
        })
    }

    /// A fresh cache of data orders for these data.
    pub(crate) fn data_order(&self) -> DataOrder {
        DataOrder::new(self.training_rows, self.batch_size)
    }

    /// The most updates a stretch may hold.
    pub(crate) fn max_stretch(&self, arrangement: &Arrangement) -> i64 {
        let numbers_a_step = arrangement.groups.len() * self.classes * self.batch_size;
        (MAX_TARGET_NUMBERS / numbers_a_step).max(1) as i64
    }

    /// The minibatches of updates `first_step..=last_step`.
    pub(crate) fn stretch(
        &self,
        arrangement: &Arrangement,
        order: &mut DataOrder,
        first_step: i64,
        last_step: i64,
    ) -> Result<Stretch, NnError> {
        let (steps, groups) = ((last_step - first_step + 1) as usize, arrangement.groups.len());
        let mut index = Vec::with_capacity(steps * groups * self.batch_size);
        let mut targets = vec![0f32; steps * groups * self.classes * self.batch_size];
        let mut positions = Vec::with_capacity(self.batch_size);
        let mut batches = targets.chunks_exact_mut(self.classes * self.batch_size);
        for step in first_step..=last_step {
            for group in &arrangement.groups {
                let subset = self.subset(group.key);
                positions.clear();
                order.append_batch(group.key.seed, step, &mut positions);
                let Some(one_hot) = batches.next() else { continue };
                for (sample, &position) in positions.iter().enumerate() {
                    index.push(subset.rows[position] as i64);
                    one_hot[subset.labels[position] as usize * self.batch_size + sample] = 1.0;
                }
            }
        }
        let device = self.inputs.device();
        let target_shape =
            [steps as i64, groups as i64, self.classes as i64, self.batch_size as i64];
        Ok(Stretch {
            first_step,
            index: Tensor::f_from_slice(&index)?.f_view([steps as i64, -1])?.f_to_device(device)?,
            targets: Tensor::f_from_slice(&targets)?.f_view(target_shape)?.f_to_device(device)?,
        })
    }

    /// Gathers the inputs of one update of a stretch into `inputs`, `[groups * B, n_0]`, and
    /// returns its targets, `[groups, K, B]`.
    pub(crate) fn gather(
        &self,
        stretch: &Stretch,
        step: i64,
        inputs: &mut Tensor,
    ) -> Result<Tensor, NnError> {
        let offset = step - stretch.first_step;
        let index = stretch.index.f_select(0, offset)?;
        drop(self.inputs.f_index_select_out(inputs, 0, &index)?);
        Ok(stretch.targets.f_select(0, offset)?)
    }

    /// Room for the inputs of one update.
    pub(crate) fn input_buffer(&self, arrangement: &Arrangement) -> Result<Tensor, NnError> {
        let rows = arrangement.groups.len() * self.batch_size;
        let options = (Kind::Float, self.inputs.device());
        Ok(Tensor::f_empty([rows as i64, self.inputs.size()[1]], options)?)
    }

    fn subset(&self, key: BatchKey) -> &Subset {
        &self.subsets[&(key.data_seed, key.label_noise().to_bits())]
    }
}

/// The labels a trial trains on, one for each of its training `rows`.
pub(crate) fn trained_labels(
    dataset: &Dataset,
    rows: &[usize],
    trial: &Hyperparameters,
) -> Vec<i64> {
    let labels: Vec<i64> = rows.iter().map(|&row| dataset.train.labels[row]).collect();
    noisy_labels(&labels, trial.label_noise, trial.data_seed, dataset.classes)
}
