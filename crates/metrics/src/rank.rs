//! What the ranks of one layer's units yield: one sort per unit serves everything.
//!
//! With average ranks for ties, v = 2·rank − 1 is an integer in 1…2P−1 and u = v/(2P). A unit
//! that feeds class k with a negative sign has u → 1 − u, v → 2P − v; with weight 0 all its
//! signed fields tie, u = 1/2, v = P. All counts here are exact integers.

/// Bins of the histograms `rpd` and `auc`. \[O\]
pub(crate) const BINS: usize = 20;

/// Signs of M^(l) of one trial: [K][n], each −1, 0 or 1.
pub(crate) type Signs = Vec<Vec<i8>>;

/// Rank statistics of one layer of one trial.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LayerRanks {
    /// [n][K]: sum of v (unsigned fields) over the samples of class k.
    pub(crate) sums: Vec<Vec<u64>>,
    /// [K][20]: how many signed v of class-k samples, over all units, fall into each bin of u:
    /// bin floor(20 u).
    pub(crate) histogram: Vec<[u64; BINS]>,
    /// [R][K]: g_k under each within-class resample of the probe; `None` for an absent class.
    pub(crate) resampled: Vec<Vec<Option<f64>>>,
    /// Mean over units of the share of pairs with different h that f puts in the other
    /// order; `None` where no unit has two different h.
    pub(crate) inversion_rate: Option<f64>,
    /// The same for pairs that f ties.
    pub(crate) tie_rate: Option<f64>,
    /// Share of units with y = 0 for every sample.
    pub(crate) dead_fraction: f64,
}

/// The bin of u = v/(2P): floor(20 u), which is at most 19 as v < 2P.
pub(crate) fn bin_of(v: usize, rows: usize) -> usize {
    v * (BINS / 2) / rows
}

/// 12·(1/n) Σ_i s_ki (ubar_ki − 1/2) from `signed_excess` = Σ_i s_ki (Σ v_i − n_k P), v over
/// the class: g_k.
pub(crate) fn gradient_of(signed_excess: f64, units: usize, size: usize, rows: usize) -> f64 {
    6.0 * signed_excess / (units as f64 * size as f64 * rows as f64)
}
