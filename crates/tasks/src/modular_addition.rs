//! `modular-addition`: (a, b) -> (a + b) mod p, every pair once.

use crate::dataset::{Dataset, Split};
use crate::stream::Stream;
use phasegrid_spec::{Hyperparameters, TaskSize};

pub(crate) const SENTENCE: &str = "(a, b) -> (a + b) mod p for p = task_p: a and b one-hot, 2p numbers, p classes; \
     task_train_share of the p^2 pairs train, all the others test. Split by data_seed.";

/// Pair number a p + b. The pairs are put into an order drawn by `data_seed`, and the first of
/// it train: a larger share keeps the training pairs of a smaller one. Rows stand by number.
pub(crate) fn draw(trial: &Hyperparameters, size: TaskSize) -> Dataset {
    let p = size.classes as usize;
    let seed = trial.data_seed as u64;
    let mut pairs = Stream::new(seed, "modular_addition_split", &[]).permutation(p * p);
    let test = pairs.split_off(size.train_rows as usize);
    let split = |mut pairs: Vec<usize>| {
        pairs.sort_unstable();
        let mut split = Split { inputs: vec![0.0; pairs.len() * 2 * p], labels: Vec::new() };
        for (pair, row) in pairs.into_iter().zip(split.inputs.chunks_exact_mut(2 * p)) {
            let (a, b) = (pair / p, pair % p);
            row[a] = 1.0;
            row[p + b] = 1.0;
            split.labels.push(((a + b) % p) as i64);
        }
        split
    };
    Dataset::drawn(trial, size, split(pairs), split(test))
}
