//! Which training rows a minibatch holds.
//!
//! Epoch e of a seed is a fresh permutation from the stream (seed, "data_order", e); the
//! permutations stand one after another, and update t (counted from 1) takes the positions
//! (t-1)·B … t·B-1, across their borders where need be: a minibatch is never partial.

use phasegrid_tasks::stream::Stream;
use std::collections::BTreeMap;

/// Permutations kept a seed: a minibatch is at most as large as one, so it meets at most two.
const KEPT_EPOCHS: usize = 2;

/// The minibatches of any seed at any step, over positions 0..rows.
#[derive(Debug)]
pub(crate) struct DataOrder {
    rows: usize,
    batch_size: usize,
    permutations: BTreeMap<i64, Vec<(usize, Vec<usize>)>>,
}

impl DataOrder {
    /// Over `rows` training rows, at least `batch_size` of them.
    pub(crate) fn new(rows: usize, batch_size: usize) -> DataOrder {
        debug_assert!((1..=rows).contains(&batch_size));
        DataOrder { rows, batch_size, permutations: BTreeMap::new() }
    }

    /// The positions of update `step`, appended to `positions`.
    pub(crate) fn append_batch(&mut self, seed: i64, step: i64, positions: &mut Vec<usize>) {
        let first = (step - 1) as usize * self.batch_size;
        let mut next = first;
        while next < first + self.batch_size {
            let (epoch, offset) = (next / self.rows, next % self.rows);
            let taken = (self.rows - offset).min(first + self.batch_size - next);
            positions.extend_from_slice(&self.permutation(seed, epoch)[offset..offset + taken]);
            next += taken;
        }
    }

    fn permutation(&mut self, seed: i64, epoch: usize) -> &[usize] {
        let rows = self.rows;
        let kept = self.permutations.entry(seed).or_default();
        if let Some(found) = kept.iter().position(|(kept_epoch, _)| *kept_epoch == epoch) {
            return &kept[found].1;
        }
        if kept.len() == KEPT_EPOCHS {
            kept.remove(0);
        }
        let order = Stream::new(seed as u64, "data_order", &[epoch as u64]).permutation(rows);
        kept.push((epoch, order));
        &kept[kept.len() - 1].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(order: &mut DataOrder, seed: i64, step: i64) -> Vec<usize> {
        let mut positions = Vec::new();
        order.append_batch(seed, step, &mut positions);
        positions
    }

    #[test]
    fn batches_are_the_concatenated_permutations_cut_evenly() {
        let mut order = DataOrder::new(10, 4);
        let all: Vec<usize> = (1..=5).flat_map(|step| batch(&mut order, 3, step)).collect();
        let expected: Vec<usize> = (0..2)
            .flat_map(|epoch| Stream::new(3, "data_order", &[epoch]).permutation(10))
            .collect();
        assert_eq!(all, expected);
        let mut first_epoch = all[..10].to_vec();
        first_epoch.sort_unstable();
        assert!(first_epoch.into_iter().eq(0..10));
    }

    #[test]
    fn any_step_can_be_asked_for_at_any_time() {
        let mut order = DataOrder::new(7, 7);
        let late = batch(&mut order, 1, 9);
        batch(&mut order, 1, 2);
        batch(&mut order, 2, 3);
        assert_eq!(batch(&mut order, 1, 9), late);
        assert_eq!(DataOrder::new(7, 7).permutation(1, 8), late);
    }
}
