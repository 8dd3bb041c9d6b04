//! Counts over all pairs of samples: tied, discordant (Knight 1966), Kendall's tau-b.
//!
//! Exact, in O(n log n): the second variable is merge-sorted in the order of the first. The
//! merge is a natural one, so that a sequence of few monotone runs (any unit's activation
//! against its own field) costs O(n).

/// How the pairs of samples fall for two variables a and b.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PairCounts {
    /// n(n − 1)/2.
    pub(crate) pairs: u64,
    /// Pairs with equal a.
    pub(crate) tied_first: u64,
    /// Pairs with equal b.
    pub(crate) tied_second: u64,
    /// Pairs with equal a and equal b.
    pub(crate) tied_both: u64,
    /// Pairs with a in one order and b in the other.
    pub(crate) discordant: u64,
}

impl PairCounts {
    /// Pairs with different a.
    pub(crate) fn distinct_first(&self) -> u64 {
        self.pairs - self.tied_first
    }

    /// Pairs with different a whose b are equal.
    pub(crate) fn tied_second_only(&self) -> u64 {
        self.tied_second - self.tied_both
    }

    /// Kendall's tau-b, in −1…1: (C − D) / sqrt((n₀ − n₁)(n₀ − n₂)), C and D the concordant
    /// and discordant pairs, n₁ and n₂ the ties of either variable. None where one variable
    /// is constant, or for fewer than two samples.
    pub(crate) fn tau_b(&self) -> Option<f64> {
        let distinct_second = self.pairs - self.tied_second;
        let concordant =
            self.distinct_first() + self.tied_both - self.tied_second - self.discordant;
        let norm = (self.distinct_first() as f64).sqrt() * (distinct_second as f64).sqrt();
        let difference = concordant as f64 - self.discordant as f64;
        // Two roots and a quotient round: perfect agreement is 1, not a bit more.
        (norm > 0.0).then(|| (difference / norm).clamp(-1.0, 1.0))
    }
}

/// Number of pairs among `n`.
pub(crate) fn pairs_among(n: usize) -> u64 {
    let n = n as u64;
    n * n.saturating_sub(1) / 2
}

/// Counts pairs, given b in the order of a, and where each run of equal a ends (exclusive,
/// increasing, the last one n). Values must be comparable (no NaN). `seconds` is left sorted;
/// `scratch` is a buffer, its content means nothing.
pub(crate) fn count_pairs<T: PartialOrd + Copy>(
    seconds: &mut [T],
    run_ends: &[u32],
    scratch: &mut Vec<T>,
) -> PairCounts {
    let mut tied_first = 0;
    let mut tied_both = 0;
    if run_ends.len() < seconds.len() {
        let mut start = 0;
        for &end in run_ends {
            let run = &mut seconds[start..end as usize];
            if run.len() > 1 {
                run.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
                tied_first += pairs_among(run.len());
                tied_both += tied_pairs(run);
            }
            start = end as usize;
        }
    }
    let discordant = sort_counting_inversions(seconds, scratch);
    PairCounts {
        pairs: pairs_among(seconds.len()),
        tied_first,
        tied_second: tied_pairs(seconds),
        tied_both,
        discordant,
    }
}

/// Pairs of equal values of a sorted slice.
fn tied_pairs<T: PartialOrd>(sorted: &[T]) -> u64 {
    sorted
        .chunk_by(|a, b| a == b)
        .filter(|run| run.len() > 1)
        .map(|run| pairs_among(run.len()))
        .sum()
}

/// Sorts, and returns the number of pairs i < j with values[i] > values[j].
fn sort_counting_inversions<T: PartialOrd + Copy>(values: &mut [T], scratch: &mut Vec<T>) -> u64 {
    let mut inversions = 0;
    let mut run_ends = natural_runs(values, &mut inversions);
    while run_ends.len() > 1 {
        let mut merged_ends = Vec::with_capacity(run_ends.len().div_ceil(2));
        let mut start = 0;
        for pair in run_ends.chunks(2) {
            let end = pair[pair.len() - 1];
            if pair.len() == 2 {
                inversions += merge(&mut values[start..end], pair[0] - start, scratch);
            }
            merged_ends.push(end);
            start = end;
        }
        run_ends = merged_ends;
    }
    inversions
}

/// Ends of the maximal non-decreasing runs; strictly decreasing runs are reversed first, and
/// their inversions added.
fn natural_runs<T: PartialOrd>(values: &mut [T], inversions: &mut u64) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut start = 0;
    while start < values.len() {
        let mut end = start + 1;
        if end < values.len() && values[end] < values[start] {
            while end < values.len() && values[end] < values[end - 1] {
                end += 1;
            }
            *inversions += pairs_among(end - start);
            values[start..end].reverse();
        } else {
            while end < values.len() && values[end] >= values[end - 1] {
                end += 1;
            }
        }
        ends.push(end);
        start = end;
    }
    ends
}

/// Merges two sorted halves and returns the pairs in which the left value is the larger.
fn merge<T: PartialOrd + Copy>(values: &mut [T], middle: usize, scratch: &mut Vec<T>) -> u64 {
    scratch.clear();
    scratch.extend_from_slice(&values[..middle]);
    let (mut left, mut right, mut inversions) = (0, middle, 0);
    for position in 0..values.len() {
        if left == scratch.len() {
            break;
        }
        if right < values.len() && values[right] < scratch[left] {
            inversions += (scratch.len() - left) as u64;
            values[position] = values[right];
            right += 1;
        } else {
            values[position] = scratch[left];
            left += 1;
        }
    }
    inversions
}

#[cfg(test)]
mod tests {
    use super::*;
    use phasegrid_tasks::stream::Stream;

    fn ordered(first: &[i64], second: &[i64]) -> (Vec<i64>, Vec<u32>) {
        let mut order: Vec<usize> = (0..first.len()).collect();
        order.sort_by_key(|&sample| first[sample]);
        let ends = (1..=order.len())
            .filter(|&end| end == order.len() || first[order[end]] != first[order[end - 1]])
            .map(|end| end as u32)
            .collect();
        (order.iter().map(|&sample| second[sample]).collect(), ends)
    }

    fn by_definition(first: &[i64], second: &[i64]) -> PairCounts {
        let mut counts =
            PairCounts { pairs: 0, tied_first: 0, tied_second: 0, tied_both: 0, discordant: 0 };
        for i in 0..first.len() {
            for j in 0..i {
                let (a, b) = ((first[i] - first[j]).signum(), (second[i] - second[j]).signum());
                counts.pairs += 1;
                counts.tied_first += u64::from(a == 0);
                counts.tied_second += u64::from(b == 0);
                counts.tied_both += u64::from(a == 0 && b == 0);
                counts.discordant += u64::from(a * b < 0);
            }
        }
        counts
    }

    #[test]
    fn pair_counts_and_tau_b_are_those_of_all_pairs() {
        let mut stream = Stream::new(1, "test", &[]);
        for case in 0..200 {
            let n = 1 + case % 40;
            let levels = [2, 5, 1000][case % 3];
            let mut draw = || (0..n).map(|_| stream.below(levels) as i64).collect::<Vec<_>>();
            let (first, second) = (draw(), draw());
            let (mut seconds, ends) = ordered(&first, &second);
            let counts = count_pairs(&mut seconds, &ends, &mut Vec::new());
            let expected = by_definition(&first, &second);
            assert_eq!(counts, expected, "{first:?} {second:?}");
            assert!(seconds.windows(2).all(|pair| pair[0] <= pair[1]));
            let concordant = expected.pairs + expected.tied_both
                - expected.tied_first
                - expected.tied_second
                - expected.discordant;
            let norm = (((expected.pairs - expected.tied_first)
                * (expected.pairs - expected.tied_second)) as f64)
                .sqrt();
            match counts.tau_b() {
                Some(tau) => {
                    let reference = (concordant as f64 - expected.discordant as f64) / norm;
                    assert!((tau - reference).abs() < 1e-12);
                }
                None => assert_eq!(norm, 0.0),
            }
        }
    }

    #[test]
    fn tau_b_of_a_hand_worked_case() {
        // a = 1 2 2 3, b = 1 3 2 2: pairs 6, ties in a 1, in b 1, none in both, concordant
        // (1,2) (1,2') (1,3), discordant (2,3): (3 − 1)/sqrt(5·5).
        let counts = count_pairs(&mut [1, 3, 2, 2], &[1, 3, 4], &mut Vec::new());
        assert_eq!(counts.discordant, 1);
        assert!((counts.tau_b().unwrap() - 0.4).abs() < 1e-15);
    }
}
