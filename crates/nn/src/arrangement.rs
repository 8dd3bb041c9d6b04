//! The order of a unit's trials inside its ensemble.
//!
//! Trials of equal (seed, data_seed, label_noise) see the same minibatches, so they stand
//! together: a *group*, whose first layers are one matrix product. Groups of equal size that
//! stand together are a *block*, whose products are one batched call.

use phasegrid_spec::Hyperparameters;
use std::collections::BTreeMap;
use std::ops::Range;
use tch::{TchError, Tensor};

/// What decides a trial's minibatches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BatchKey {
    pub(crate) data_seed: i64,
    /// Bits of the share: shares are never negative, so the order is theirs.
    label_noise_bits: u64,
    pub(crate) seed: i64,
}

impl BatchKey {
    fn of(trial: &Hyperparameters) -> BatchKey {
        BatchKey {
            data_seed: trial.data_seed,
            label_noise_bits: trial.label_noise.to_bits(),
            seed: trial.seed,
        }
    }

    pub(crate) fn label_noise(self) -> f64 {
        f64::from_bits(self.label_noise_bits)
    }
}

/// Trials that see the same minibatches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrialGroup {
    pub(crate) key: BatchKey,
    /// Positions in the ensemble.
    pub(crate) trials: Range<usize>,
}

/// Consecutive groups of equal size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) groups: Range<usize>,
    /// Positions in the ensemble.
    pub(crate) trials: Range<usize>,
}

impl Block {
    /// The block's part of `[E, n, m]` as `[groups, trials of a group * n, m]`, sharing memory.
    pub(crate) fn part(&self, tensor: &Tensor) -> Result<Tensor, TchError> {
        let columns = tensor.size()[2];
        let (start, trials) = (self.trials.start as i64, self.trials.len() as i64);
        tensor.f_narrow(0, start, trials)?.f_view([self.groups.len() as i64, -1, columns])
    }
}

/// Groups and blocks of an ensemble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrangement {
    pub(crate) groups: Vec<TrialGroup>,
    pub(crate) blocks: Vec<Block>,
}

/// The caller's index of the trial at each position of the ensemble: grouped, small groups
/// first, so that blocks are as long as they can be.
pub(crate) fn ensemble_order(trials: &[Hyperparameters]) -> Vec<usize> {
    let mut members: BTreeMap<BatchKey, Vec<usize>> = BTreeMap::new();
    for (index, trial) in trials.iter().enumerate() {
        members.entry(BatchKey::of(trial)).or_default().push(index);
    }
    let mut groups: Vec<Vec<usize>> = members.into_values().collect();
    groups.sort_by_key(Vec::len);
    groups.concat()
}

impl Arrangement {
    /// Of trials in ensemble order (or any part of it).
    pub(crate) fn of(ordered_trials: &[Hyperparameters]) -> Arrangement {
        let mut groups: Vec<TrialGroup> = Vec::new();
        for (position, trial) in ordered_trials.iter().enumerate() {
            let key = BatchKey::of(trial);
            match groups.last_mut().filter(|group| group.key == key) {
                Some(group) => group.trials.end = position + 1,
                None => groups.push(TrialGroup { key, trials: position..position + 1 }),
            }
        }
        let mut blocks: Vec<Block> = Vec::new();
        for (index, group) in groups.iter().enumerate() {
            let fits =
                |block: &&mut Block| group.trials.len() * block.groups.len() == block.trials.len();
            match blocks.last_mut().filter(fits) {
                Some(block) => {
                    block.groups.end = index + 1;
                    block.trials.end = group.trials.end;
                }
                None => {
                    blocks.push(Block { groups: index..index + 1, trials: group.trials.clone() })
                }
            }
        }
        Arrangement { groups, blocks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trials(seeds: &[i64]) -> Vec<Hyperparameters> {
        seeds.iter().map(|&seed| Hyperparameters { seed, ..Default::default() }).collect()
    }

    #[test]
    fn equal_keys_stand_together_and_equal_sizes_are_one_block() {
        let unordered = trials(&[5, 1, 5, 2, 1, 3, 5]);
        let order = ensemble_order(&unordered);
        assert_eq!(order, [3, 5, 1, 4, 0, 2, 6]);
        let ordered: Vec<Hyperparameters> =
            order.iter().map(|&index| unordered[index].clone()).collect();
        let arrangement = Arrangement::of(&ordered);
        let ranges: Vec<_> = arrangement.groups.iter().map(|group| group.trials.clone()).collect();
        assert_eq!(ranges, [0..1, 1..2, 2..4, 4..7]);
        assert_eq!(
            arrangement.blocks,
            [
                Block { groups: 0..2, trials: 0..2 },
                Block { groups: 2..3, trials: 2..4 },
                Block { groups: 3..4, trials: 4..7 }
            ]
        );
    }

    #[test]
    fn noise_and_data_seed_part_groups() {
        let mut unordered = trials(&[0, 0, 0]);
        unordered[1].label_noise = 0.1;
        unordered[2].data_seed = 1;
        assert_eq!(Arrangement::of(&unordered).groups.len(), 3);
    }
}
