//! Order as the outputs see it: gradients of the rank density, AUCs and their shares.
//!
//! Everything follows from the sum of v = 2P·u of each unit and class and from the linear map
//! M [K, n] that gives each unit its sign and weight. With the excess Σ v − n_k P, which a
//! negative sign flips and a zero weight makes 0, ubar_ki = 1/2 + excess/(2 n_k P) and auc_ki =
//! 1/2 + excess/(2 n_k (P − n_k)). Host arithmetic, in integers up to the last division.

use crate::classes::Classes;
use crate::rank::{BINS, LayerRanks, gradient_of};

/// A unit is an OPT unit for a class if its AUC lies above this. \[O\]
const OPT_ABOVE: f64 = 0.6;
/// An anti unit if its AUC lies below this, neutral between the two. \[O\]
const ANTI_BELOW: f64 = 0.4;

/// `value` times the sign of `weight`.
fn signed(weight: f64, value: i64) -> i64 {
    match weight {
        weight if weight > 0.0 => value,
        weight if weight < 0.0 => -value,
        _ => 0,
    }
}

/// A linear map M^(l) of one trial on the host: [K][n].
pub(crate) type HostMap = Vec<Vec<f64>>;

/// −1, 0 or 1 for each M_ki; 0 for NaN, whose results the caller discards.
pub(crate) fn signs_of(map: &HostMap) -> Vec<Vec<i8>> {
    let sign = |value: &f64| i8::from(*value > 0.0) - i8::from(*value < 0.0);
    map.iter().map(|row| row.iter().map(sign).collect()).collect()
}

/// M_ki − mean_k M_ki: what is left when a common row is taken from W^(D+1), which changes no
/// prediction. \[O\]
pub(crate) fn centred(map: &HostMap) -> HostMap {
    let classes = map.len() as f64;
    let units = map.first().map_or(0, Vec::len);
    let means: Vec<f64> =
        (0..units).map(|unit| map.iter().map(|row| row[unit]).sum::<f64>() / classes).collect();
    map.iter()
        .map(|row| row.iter().zip(&means).map(|(value, mean)| value - mean).collect())
        .collect()
}

/// Order of a layer under one linear map.
#[derive(Clone, Debug)]
pub(crate) struct SignedOrder {
    /// g_k = 12 (mean of u over units and class-k samples − 1/2) in −6…6; `None` for a class
    /// absent from the probe.
    pub(crate) gradients: Vec<Option<f64>>,
    /// The number of pairs (unit, class) with an AUC: both the class and the rest present.
    pairs: usize,
    auc_sum: f64,
    auc_bins: [usize; BINS],
    opt_pairs: usize,
    weight: f64,
    opt_weight: f64,
    anti_weight: f64,
    weighted_gradient: f64,
}

/// Shares over (unit, class) by |M_ki|·std(y_i), in 0…1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shares {
    /// AUC above 0.6.
    pub(crate) opt: f64,
    /// AUC below 0.4.
    pub(crate) anti: f64,
    /// The weighted mean of 12 (ubar_ki − 1/2).
    pub(crate) gradient: f64,
}

impl SignedOrder {
    /// From the ranks of a layer, its map and std(y_i) (ddof 0) of its units.
    pub(crate) fn new(
        ranks: &LayerRanks,
        map: &HostMap,
        activation_std: &[f64],
        classes: &Classes,
    ) -> Self {
        let mut order = SignedOrder {
            gradients: Vec::with_capacity(map.len()),
            pairs: 0,
            auc_sum: 0.0,
            auc_bins: [0; BINS],
            opt_pairs: 0,
            weight: 0.0,
            opt_weight: 0.0,
            anti_weight: 0.0,
            weighted_gradient: 0.0,
        };
        for (class, row) in map.iter().enumerate() {
            let size = classes.sizes[class];
            if size == 0 || row.is_empty() {
                order.gradients.push(None);
                continue;
            }
            let mut total_excess = 0;
            for (unit, (&value, sums)) in row.iter().zip(&ranks.sums).enumerate() {
                let excess = signed(value, sums[class] as i64 - (size * classes.rows()) as i64);
                total_excess += excess;
                order.add_pair(excess, value.abs() * activation_std[unit], size, classes.rows());
            }
            order.gradients.push(Some(gradient_of(
                total_excess as f64,
                row.len(),
                size,
                classes.rows(),
            )));
        }
        order
    }

    /// Adds a unit and class: its signed `excess` Σ v − n_k P over the n_k = `size` samples of
    /// the class among `rows`.
    fn add_pair(&mut self, excess: i64, weight: f64, size: usize, rows: usize) {
        self.weight += weight;
        self.weighted_gradient += weight * gradient_of(excess as f64, 1, size, rows);
        let others = size * (rows - size);
        if others == 0 {
            return;
        }
        // (ubar − pi/2)/(1 − pi) as twice the wins over twice the pairs: integers, so that a
        // boundary (0.6, 0.4, a bin's edge) is met exactly.
        let twice_wins = (excess + others as i64) as usize;
        let auc = twice_wins as f64 / (2 * others) as f64;
        self.pairs += 1;
        self.auc_sum += auc;
        self.auc_bins[(twice_wins * BINS / (2 * others)).min(BINS - 1)] += 1;
        if auc > OPT_ABOVE {
            self.opt_pairs += 1;
            self.opt_weight += weight;
        } else if auc < ANTI_BELOW {
            self.anti_weight += weight;
        }
    }

    /// g, the mean of g_k over the classes present.
    pub(crate) fn gradient(&self) -> Option<f64> {
        mean_of_present(&self.gradients)
    }

    /// Mean AUC over (unit, class), in 0…1.
    pub(crate) fn auc_mean(&self) -> Option<f64> {
        (self.pairs > 0).then(|| self.auc_sum / self.pairs as f64)
    }

    /// Density of the AUC over (unit, class) in 20 bins of [0, 1]; integrates to 1.
    pub(crate) fn auc_density(&self) -> Option<Vec<f64>> {
        let share = |&count: &usize| count as f64 * BINS as f64 / self.pairs as f64;
        (self.pairs > 0).then(|| self.auc_bins.iter().map(share).collect())
    }

    /// Share of (unit, class) with AUC above 0.6, each counting the same.
    pub(crate) fn opt_unweighted(&self) -> Option<f64> {
        (self.pairs > 0).then(|| self.opt_pairs as f64 / self.pairs as f64)
    }

    /// The weighted shares; `None` where all weights are 0 (or not finite) or no AUC exists.
    pub(crate) fn shares(&self) -> Option<Shares> {
        (self.pairs > 0 && self.weight > 0.0 && self.weight.is_finite()).then(|| Shares {
            opt: self.opt_weight / self.weight,
            anti: self.anti_weight / self.weight,
            gradient: self.weighted_gradient / self.weight,
        })
    }
}

/// `rpd`: the density of u over units and class-k samples, mean over the classes present; 20
/// bins of [0, 1], integrates to 1. `None` if no class is present.
pub(crate) fn rank_density(ranks: &LayerRanks) -> Option<Vec<f64>> {
    let units = ranks.sums.len() as f64;
    let mut density = vec![0.0; BINS];
    let mut present = 0;
    for counts in &ranks.histogram {
        let total: u64 = counts.iter().sum();
        if total == 0 {
            continue;
        }
        present += 1;
        for (bin, &count) in density.iter_mut().zip(counts) {
            *bin += count as f64 * BINS as f64 / total as f64;
        }
    }
    if present == 0 || units == 0.0 {
        return None;
    }
    Some(density.into_iter().map(|sum| sum / f64::from(present)).collect())
}

/// g under each resample: the mean over the classes present. `None` if none is.
pub(crate) fn resampled_gradients(ranks: &LayerRanks) -> Option<Vec<f64>> {
    ranks.resampled.iter().map(|by_class| mean_of_present(by_class)).collect()
}

/// The mean of what is there, `None` of nothing.
pub(crate) fn mean_of_present(values: &[Option<f64>]) -> Option<f64> {
    let present: Vec<f64> = values.iter().flatten().copied().collect();
    (!present.is_empty()).then(|| present.iter().sum::<f64>() / present.len() as f64)
}

/// Standard deviation with ddof 0; `None` of nothing.
pub(crate) fn standard_deviation(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    Some(
        (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64)
            .sqrt(),
    )
}
