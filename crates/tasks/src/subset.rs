//! Which rows a trial trains on, with which labels, and which rows its metrics look at.
//!
//! All drawn on the host from keyed streams, from the true labels. Draws of different sizes
//! under one seed are nested: a smaller training subset is part of a larger one, and a row
//! with noise at a small `label_noise` has the same wrong label at a larger one.

use crate::dataset::Dataset;
use crate::error::TaskError;
use crate::stream::Stream;

/// Rows of the training split a trial trains on, increasing: all for `train_samples` 0, else
/// that many drawn by `data_seed`, class-balanced as far as the classes allow.
pub fn training_rows(
    dataset: &Dataset,
    train_samples: i64,
    data_seed: i64,
) -> Result<Vec<usize>, TaskError> {
    let available = dataset.train.rows();
    let all: Vec<usize> = (0..available).collect();
    if train_samples == 0 {
        return Ok(all);
    }
    let count = usize::try_from(train_samples).ok().filter(|count| *count <= available);
    let Some(count) = count else {
        return Err(TaskError::TooFewRows {
            asked: train_samples,
            available,
            task: dataset.name.clone(),
        });
    };
    Ok(balanced_draw(&dataset.train.labels, &all, count, data_seed, "train_subset"))
}

/// The labels trained on: a share `label_noise` of the rows, rounded to whole rows and drawn
/// without replacement, gets a uniformly drawn other class.
pub fn noisy_labels(labels: &[i64], label_noise: f64, data_seed: i64, classes: usize) -> Vec<i64> {
    let mut noisy = labels.to_vec();
    let replaced = (label_noise * labels.len() as f64).round() as usize;
    if replaced == 0 || classes < 2 {
        return noisy;
    }
    let order = Stream::new(data_seed as u64, "label_noise_rows", &[]).permutation(labels.len());
    let mut stream = Stream::new(data_seed as u64, "label_noise_classes", &[]);
    for &row in order.iter().take(replaced) {
        let shift = 1 + stream.below(classes - 1) as i64;
        noisy[row] = (labels[row] + shift) % classes as i64;
    }
    noisy
}

/// The probe set: min(`probe_samples`, training rows) of a trial's own training rows, drawn by
/// `probe_seed` with class counts that differ by at most 1 where the classes allow; increasing.
/// `labels` are the true ones of the whole training split.
pub fn probe_rows(
    labels: &[i64],
    training_rows: &[usize],
    probe_samples: i64,
    probe_seed: i64,
) -> Vec<usize> {
    let count = usize::try_from(probe_samples).unwrap_or(0).min(training_rows.len());
    balanced_draw(labels, training_rows, count, probe_seed, "probe")
}

/// `count` of `rows`, increasing. Each class is shuffled by a stream of its own and gives its
/// first rows; every class gives as many as the others until it is used up, and the rows left
/// over at the end go one each to classes in an order drawn by the seed.
fn balanced_draw(
    labels: &[i64],
    rows: &[usize],
    count: usize,
    seed: i64,
    purpose: &str,
) -> Vec<usize> {
    let classes = rows.iter().map(|&row| labels[row] as usize + 1).max().unwrap_or(0);
    let mut by_class: Vec<Vec<usize>> = vec![Vec::new(); classes];
    for &row in rows {
        by_class[labels[row] as usize].push(row);
    }
    for (class, members) in by_class.iter_mut().enumerate() {
        Stream::new(seed as u64, purpose, &[class as u64]).shuffle(members);
    }
    let class_order = Stream::new(seed as u64, purpose, &[]).permutation(classes);
    let mut drawn = Vec::with_capacity(count);
    let mut round = 0;
    while drawn.len() < count.min(rows.len()) {
        let offered = class_order.iter().filter_map(|&class| by_class[class].get(round));
        let wanted = count - drawn.len();
        drawn.extend(offered.take(wanted).copied());
        round += 1;
    }
    drawn.sort_unstable();
    drawn
}
