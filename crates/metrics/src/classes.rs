//! The labels of the probe on the host: class sizes, and resamples within the classes.

use phasegrid_tasks::stream::Stream;
use tch::Tensor;

use crate::error::MetricError;
use crate::streams::RESAMPLE;

/// Number of within-class resamples behind `rpd_gradient_se`. \[O\]
pub(crate) const RESAMPLES: usize = 50;

/// Width of a row of resample counts: `RESAMPLES` rounded up to whole vector registers; the
/// counts beyond `RESAMPLES` are 0.
pub(crate) const LANES: usize = 56;

/// The most probe rows for which the integer sums behind the ranks stay exact.
pub(crate) const MAX_ROWS: usize = 1 << 24;

/// One labelling of the probe rows, shared by all trials that have it.
#[derive(Debug)]
pub(crate) struct Classes {
    /// Label of each probe row, 0…K−1.
    pub(crate) labels: Vec<u32>,
    /// n_k: probe rows of each class, possibly 0.
    pub(crate) sizes: Vec<usize>,
    /// How often each probe row occurs in each resample: within each resample the counts of
    /// the rows of class k sum to n_k.
    pub(crate) counts: Vec<[f32; LANES]>,
}

impl Classes {
    /// Draws the resamples of that labelling: resample r of class k takes n_k rows of the
    /// class with replacement, from the stream (probe_seed, r, k). Two labellings that agree
    /// on a class share its resamples.
    pub(crate) fn new(labels: Vec<u32>, classes: usize, probe_seed: u64) -> Self {
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); classes];
        for (row, &label) in labels.iter().enumerate() {
            members[label as usize].push(row);
        }
        let mut counts = vec![[0.0; LANES]; labels.len()];
        for (class, rows) in members.iter().enumerate() {
            for resample in 0..RESAMPLES as u64 {
                let mut stream = Stream::new(probe_seed, RESAMPLE, &[resample, class as u64]);
                for _ in rows {
                    counts[rows[stream.below(rows.len())]][resample as usize] += 1.0;
                }
            }
        }
        Classes { labels, sizes: members.iter().map(Vec::len).collect(), counts }
    }

    /// P: rows of the probe.
    pub(crate) fn rows(&self) -> usize {
        self.labels.len()
    }

    /// K: classes of the task, present or not.
    pub(crate) fn count(&self) -> usize {
        self.sizes.len()
    }
}

/// The labellings of all trials of a unit; equal ones are stored once.
#[derive(Debug)]
pub(crate) struct Labellings {
    distinct: Vec<Classes>,
    of_trial: Vec<usize>,
}

impl Labellings {
    /// Reads labels [E, P], each 0…K−1.
    pub(crate) fn new(labels: &Tensor, classes: i64, probe_seed: u64) -> Result<Self, MetricError> {
        let by_trial = read_labels(labels, classes, "probe.labels")?;
        let mut distinct: Vec<Classes> = Vec::new();
        let mut of_trial = Vec::with_capacity(by_trial.len());
        for labels in by_trial {
            let known = distinct.iter().position(|known| known.labels == labels);
            of_trial.push(known.unwrap_or(distinct.len()));
            if known.is_none() {
                distinct.push(Classes::new(labels, classes as usize, probe_seed));
            }
        }
        Ok(Labellings { distinct, of_trial })
    }

    /// The labelling of that trial.
    pub(crate) fn of(&self, trial: usize) -> &Classes {
        &self.distinct[self.of_trial[trial]]
    }
}

/// Labels [E, P] on the host, checked to lie in 0…K−1.
pub(crate) fn read_labels(
    labels: &Tensor,
    classes: i64,
    what: &'static str,
) -> Result<Vec<Vec<u32>>, MetricError> {
    let (trials, rows) = match labels.size()[..] {
        [trials, rows] => (trials as usize, rows as usize),
        _ => return Err(MetricError::Shape { what, found: labels.size(), expected: vec![-1, -1] }),
    };
    if rows > MAX_ROWS {
        return Err(MetricError::TooManyRows { rows, limit: MAX_ROWS });
    }
    let flat = Vec::<i64>::try_from(labels.to_kind(tch::Kind::Int64).contiguous().view([-1]))?;
    if let Some(&label) = flat.iter().find(|&&label| !(0..classes).contains(&label)) {
        return Err(MetricError::Label { what, label, classes });
    }
    let mut by_trial = vec![Vec::new(); trials];
    for (trial, chunk) in flat.chunks(rows.max(1)).enumerate() {
        by_trial[trial] = chunk.iter().map(|&label| label as u32).collect();
    }
    Ok(by_trial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resamples_keep_the_size_of_every_class_and_are_shared_by_equal_classes() {
        let labels = vec![0, 1, 1, 0, 2, 1, 1];
        let classes = Classes::new(labels.clone(), 4, 3);
        assert_eq!(classes.sizes, [2, 4, 1, 0]);
        for resample in 0..RESAMPLES {
            for class in 0..4u32 {
                let drawn: f32 = (0..labels.len())
                    .filter(|&row| labels[row] == class)
                    .map(|row| classes.counts[row][resample])
                    .sum();
                assert_eq!(drawn, classes.sizes[class as usize] as f32);
            }
        }
        let relabelled = Classes::new(vec![2, 1, 1, 0, 0, 1, 1], 4, 3);
        for row in [1, 2, 5, 6] {
            assert_eq!(classes.counts[row], relabelled.counts[row]);
        }
    }
}
