//! Kendall's tau-b between the logits of two networks, class by class.

use crate::field::SortedUnit;
use crate::pairs::count_pairs;
use crate::signed::mean_of_present;

/// Logits are computed as f32: what varies by less is rounding, whose order means nothing.
const ROUNDING: f64 = 8.0 * f32::EPSILON as f64;

/// Whether the values are one value, to the precision of the logits they come from.
fn is_constant(values: &[f64]) -> bool {
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
    high - low <= ROUNDING * largest
}

/// Mean over classes of tau-b between `first` and `second`, both [K][rows]; a class for which
/// one of them is constant is left out. `None` if none remains, or a value is not finite.
pub(crate) fn mean_tau(first: &[Vec<f64>], second: &[Vec<f64>]) -> Option<f64> {
    if first.iter().chain(second).flatten().any(|value| !value.is_finite()) {
        return None;
    }
    let rows = first.first().map_or(0, Vec::len);
    let mut sorted = SortedUnit::<f64>::with_capacity(rows);
    let mut scratch = Vec::with_capacity(rows);
    let mut tau = |first: &[f64], second: &[f64]| {
        if is_constant(first) || is_constant(second) {
            return None;
        }
        sorted.sort(first);
        let mut ordered: Vec<f64> = sorted.order.iter().map(|&row| second[row as usize]).collect();
        count_pairs(&mut ordered, &sorted.run_ends, &mut scratch).tau_b()
    };
    let taus: Vec<Option<f64>> =
        first.iter().zip(second).map(|(first, second)| tau(first, second)).collect();
    mean_of_present(&taus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rounding_of_constant_logits_has_no_order() {
        let constant: Vec<f64> = (0..9).map(|row| 0.7 + f64::from(row % 3) * 1e-8).collect();
        let varying: Vec<f64> = (0..9).map(f64::from).collect();
        assert_eq!(mean_tau(std::slice::from_ref(&constant), std::slice::from_ref(&varying)), None);
        let both = mean_tau(&[constant, varying.clone()], &[varying.clone(), varying]);
        assert_eq!(both, Some(1.0), "the class that varies is what counts");
    }
}
