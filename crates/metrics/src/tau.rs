//! Kendall's tau-b between the logits of two networks, class by class.

use crate::field::SortedUnit;
use crate::pairs::count_pairs;
use crate::signed::mean_of_present;

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
        sorted.sort(first);
        let mut ordered: Vec<f64> = sorted.order.iter().map(|&row| second[row as usize]).collect();
        count_pairs(&mut ordered, &sorted.run_ends, &mut scratch).tau_b()
    };
    let taus: Vec<Option<f64>> =
        first.iter().zip(second).map(|(first, second)| tau(first, second)).collect();
    mean_of_present(&taus)
}
