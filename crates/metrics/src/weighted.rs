//! Weighted mid-ranks under resampling, by cumulative sums in the existing sort order.
//!
//! A resample is a vector c of counts of the probe rows. In the data with row mu repeated
//! c(mu) times, twice the mid-rank of mu minus 1 is 2·C(mu) + t(mu): C the counts of smaller
//! fields, t those of equal ones. So one unit's class sums for all resamples need one walk
//! over its samples in sorted order; the resamples run along the vector lanes. All numbers
//! are integers, exact in f32 as long as 2·P·n_k < 2^24 and in f64 always.

use crate::classes::LANES;

/// A number type wide enough for a class's sums.
pub(crate) trait Weight:
    Copy + Default + std::ops::AddAssign + std::ops::Mul<Output = Self>
{
    /// Exactly that count.
    fn from_count(count: f32) -> Self;
    /// As f64, exactly.
    fn to_f64(self) -> f64;
}

impl Weight for f32 {
    fn from_count(count: f32) -> f32 {
        count
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Weight for f64 {
    fn from_count(count: f32) -> f64 {
        f64::from(count)
    }
    fn to_f64(self) -> f64 {
        self
    }
}

/// For each class k and resample, the sum of c·(2C + t) over the samples of class k, added to
/// `sums` [K]. `order` are the samples by increasing field, `run_ends` the ends of the runs of
/// equal fields.
pub(crate) fn add_class_sums<W: Weight>(
    order: &[u32],
    run_ends: &[u32],
    labels: &[u32],
    counts: &[[f32; LANES]],
    sums: &mut [[W; LANES]],
) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { add_class_sums_avx2(order, run_ends, labels, counts, sums) };
    }
    add_class_sums_anywhere(order, run_ends, labels, counts, sums);
}

/// The same, compiled for AVX2 (the same numbers: every sum is an exact integer).
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_class_sums_avx2<W: Weight>(
    order: &[u32],
    run_ends: &[u32],
    labels: &[u32],
    counts: &[[f32; LANES]],
    sums: &mut [[W; LANES]],
) {
    add_class_sums_anywhere(order, run_ends, labels, counts, sums);
}

#[inline(always)]
fn add_class_sums_anywhere<W: Weight>(
    order: &[u32],
    run_ends: &[u32],
    labels: &[u32],
    counts: &[[f32; LANES]],
    sums: &mut [[W; LANES]],
) {
    // Twice the counts of all smaller fields.
    let mut twice_below = [W::default(); LANES];
    let mut start = 0;
    for &end in run_ends {
        let end = end as usize;
        let mut tied = [W::default(); LANES];
        for &sample in &order[start..end] {
            let row = &counts[sample as usize];
            for lane in 0..LANES {
                tied[lane] += W::from_count(row[lane]);
            }
        }
        let mut twice_rank = twice_below;
        add(&mut twice_rank, &tied);
        twice_below = twice_rank;
        add(&mut twice_below, &tied);
        for &sample in &order[start..end] {
            let row = &counts[sample as usize];
            let class_sums = &mut sums[labels[sample as usize] as usize];
            for lane in 0..LANES {
                class_sums[lane] += W::from_count(row[lane]) * twice_rank[lane];
            }
        }
        start = end;
    }
}

#[inline(always)]
fn add<W: Weight>(into: &mut [W; LANES], values: &[W; LANES]) {
    for (sum, &value) in into.iter_mut().zip(values) {
        *sum += value;
    }
}
