//! The probe's random streams: keyed by (probe_seed, purpose, indices) and nothing else, so
//! that every trial, layer, step and machine sees the same resamples and the same subsample.

use phasegrid_tasks::probe_rows;
use phasegrid_tasks::stream::Stream;

/// Purpose of the streams of the within-class resamples; indices: resample, class.
pub(crate) const RESAMPLE: &str = "metrics/resample";
/// Purpose of the stream of the probe rows that `lmap_tau` is computed on.
pub(crate) const TAU_ROWS: &str = "metrics/lmap_tau_rows";

/// Purpose of the noise on probe rows; indices: row of the probe, draw.
pub(crate) const SAMPLE_NOISE: &str = "metrics/sample_noise";
/// Purpose of the first Lanczos vector; index: position of the tensor among the parameters.
pub(crate) const LANCZOS: &str = "metrics/lanczos";
/// Purpose of the rays from probe rows; index: ray.
pub(crate) const SAMPLE_RAYS: &str = "metrics/sample_rays";
/// Purpose of the noise on weights; indices: draw, layer (1…D+1).
pub(crate) const WEIGHT_NOISE: &str = "metrics/weight_noise";

/// `count` rows of a probe with those labels, increasing: drawn by the probe's seed, class
/// counts differing by at most 1 where the classes allow.
pub(crate) fn balanced_rows(labels: &[u32], count: usize, probe_seed: u64) -> Vec<usize> {
    let labels: Vec<i64> = labels.iter().map(|&label| i64::from(label)).collect();
    let all: Vec<usize> = (0..labels.len()).collect();
    probe_rows(&labels, &all, count as i64, probe_seed as i64)
}

/// `count` of the numbers 0…total−1 without replacement, in increasing order; all of them if
/// there are no more than `count`.
pub(crate) fn subsample(stream: &mut Stream, total: usize, count: usize) -> Vec<i64> {
    let mut numbers: Vec<i64> =
        stream.permutation(total).into_iter().map(|number| number as i64).collect();
    numbers.truncate(count);
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subsample_has_distinct_rows_and_depends_on_the_seed_alone() {
        let draw = |seed, total| subsample(&mut Stream::new(seed, TAU_ROWS, &[]), total, 30);
        let rows = draw(7, 100);
        assert_eq!(rows.len(), 30);
        assert!(rows.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(rows.iter().all(|&row| (0..100).contains(&row)));
        assert_eq!(rows, draw(7, 100));
        assert_ne!(rows, draw(8, 100));
        assert_eq!(draw(7, 3), [0, 1, 2]);
    }
}
