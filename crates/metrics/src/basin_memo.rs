//! What is already known of noisy rows, so that nothing is evaluated twice.
//!
//! Cells come in blocks of equal length that always share an amplitude (the copies of a row,
//! the rows of a draw). Searches for several thresholds meet at the same positions of the log
//! scale; a block is evaluated once at each.

use std::collections::HashMap;

use crate::error::MetricError;

/// Known blocks by amplitude.
#[derive(Debug)]
pub(crate) struct Memo {
    block_length: usize,
    known: HashMap<(usize, u64), Vec<bool>>,
}

impl Memo {
    /// Nothing known yet of blocks of that many cells.
    pub(crate) fn new(block_length: usize) -> Self {
        Memo { block_length, known: HashMap::new() }
    }

    /// Which cells are correct at these amplitudes, a cell each; false where a cell's amplitude
    /// is 0, which means that nobody asks. `evaluate` gets blocks with their amplitudes and
    /// tells the same of their cells.
    pub(crate) fn correct(
        &mut self,
        amplitudes: &[f64],
        evaluate: impl FnOnce(&[usize], &[f64]) -> Result<Vec<bool>, MetricError>,
    ) -> Result<Vec<bool>, MetricError> {
        let length = self.block_length;
        let of_block = |cells: &[f64]| cells.iter().copied().fold(0.0, f64::max);
        let of_blocks: Vec<f64> = amplitudes.chunks(length).map(of_block).collect();
        let (mut missing, mut at) = (Vec::new(), Vec::new());
        for (block, &amplitude) in of_blocks.iter().enumerate() {
            if amplitude > 0.0 && !self.known.contains_key(&(block, amplitude.to_bits())) {
                missing.push(block);
                at.push(amplitude);
            }
        }
        if !missing.is_empty() {
            let hits = evaluate(&missing, &at)?;
            for ((block, amplitude), hits) in missing.iter().zip(&at).zip(hits.chunks(length)) {
                self.known.insert((*block, amplitude.to_bits()), hits.to_vec());
            }
        }
        let mut correct = vec![false; amplitudes.len()];
        for (block, cells) in correct.chunks_mut(length).enumerate() {
            if let Some(hits) = self.known.get(&(block, of_blocks[block].to_bits())) {
                cells.copy_from_slice(hits);
            }
        }
        Ok(correct)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_evaluated_once_at_each_amplitude_and_not_at_zero() {
        let mut memo = Memo::new(2);
        let mut asked = Vec::new();
        for amplitudes in [[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 2.0, 2.0]] {
            let correct = memo
                .correct(&amplitudes, |blocks, at| {
                    asked.extend(blocks.iter().copied().zip(at.iter().copied()));
                    Ok(at.iter().flat_map(|&amplitude| [amplitude < 1.5, true]).collect())
                })
                .unwrap();
            let expected =
                |cell: usize| amplitudes[cell] > 0.0 && (cell % 2 == 1 || amplitudes[cell] < 1.5);
            assert_eq!(correct, (0..4).map(expected).collect::<Vec<_>>());
        }
        assert_eq!(asked, [(0, 1.0), (1, 2.0), (1, 1.0)]);
    }
}
