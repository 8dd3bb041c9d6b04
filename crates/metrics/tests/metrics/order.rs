//! Section 2: ranks, gradients, AUCs, shares, against their definitions.

use crate::support::{
    Case, balanced, cell, list, matrix, normal, number, random_labels, random_networks, with_fields,
};
use phasegrid_metrics::Cell;
use phasegrid_spec::Activation;
use tch::Kind;

/// u of a sample by definition: (average rank − 1/2)/P of sign·h.
fn signed_u(fields: &[f64], sign: f64, sample: usize) -> f64 {
    let own = sign * fields[sample];
    let below = fields.iter().filter(|&&field| sign * field < own).count() as f64;
    let tied = fields.iter().filter(|&&field| sign * field == own).count() as f64;
    let average_rank = below + (tied + 1.0) / 2.0;
    (average_rank - 0.5) / fields.len() as f64
}

/// Over all pairs: probability that a class-k sample's signed field is above another's.
fn auc_over_pairs(fields: &[f64], sign: f64, labels: &[i64], class: i64) -> f64 {
    let (mut wins, mut pairs) = (0.0, 0.0);
    for (own, _) in labels.iter().enumerate().filter(|(_, label)| **label == class) {
        for (other, _) in labels.iter().enumerate().filter(|(_, label)| **label != class) {
            let (own, other) = (sign * fields[own], sign * fields[other]);
            wins += if own > other {
                1.0
            } else if own == other {
                0.5
            } else {
                0.0
            };
            pairs += 1.0;
        }
    }
    wins / pairs
}

/// Five units, twelve samples, three classes of sizes 5, 4, 3; ties in every unit.
fn hand_case() -> (Vec<Vec<f64>>, Vec<Vec<f64>>, Vec<i64>) {
    let fields = vec![
        vec![1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        vec![-1.0, 0.0, -1.0, 0.0, 2.0, -2.0, 2.0, 1.0, 1.0, 1.0, -3.0, 4.0],
        vec![0.5, 0.5, 0.5, 0.5, 0.5, 0.5, -0.5, -0.5, -0.5, -0.5, -0.5, -0.5],
        vec![7.0, -7.0, 6.0, -6.0, 5.0, -5.0, 4.0, -4.0, 3.0, -3.0, 3.0, -3.0],
        vec![0.0, -0.0, 1e-300, -1e-300, 1e9, -1e9, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0],
    ];
    let map = vec![
        vec![0.5, -1.0, 2.0, 0.0, -0.1],
        vec![-0.5, 1.0, 1.0, 3.0, 0.2],
        vec![1.5, -2.0, -1.0, 1.0, 0.3],
    ];
    (fields, map, vec![0, 0, 1, 0, 1, 2, 0, 1, 2, 0, 1, 2])
}

fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

#[test]
fn the_gradient_of_a_hand_worked_unit() {
    // One unit, fields 1 2 2 3 (classes 0 1 0 1), M = (1, −1): ranks 1, 2.5, 2.5, 4, so
    // u = 1/8, 1/2, 1/2, 7/8. Class 0: mean 5/16, g = 12 (5/16 − 1/2) = −9/4. Class 1: mean
    // 11/16, flipped 5/16, g = −9/4. AUC of class 0: (5/16 − 1/4)/(1/2) = 1/8: of four pairs
    // one tie.
    let (network, inputs) = with_fields(
        &matrix(&[vec![1.0, 2.0, 2.0, 3.0]]),
        &matrix(&[vec![1.0], vec![-1.0]]),
        Activation::Identity,
    );
    let output = Case::new(network, inputs, &[0, 1, 0, 1], 2).measure("order");
    assert_eq!(list(&output, "rpd_gradient_class", 0, 1), [Some(-2.25), Some(-2.25)]);
    assert_eq!(number(&output, "rpd_gradient", 0, 1), -2.25);
    assert_eq!(number(&output, "auc_mean", 0, 1), 0.125);
    assert_eq!(number(&output, "anti_fraction", 0, 1), 1.0);
    assert_eq!(number(&output, "opt_excess", 0, 1), -1.0);
}

#[test]
fn gradients_and_aucs_are_those_of_all_pairs_ties_included() {
    let (fields, map, labels) = hand_case();
    let (network, inputs) = with_fields(&matrix(&fields), &matrix(&map), Activation::Identity);
    let output = Case::new(network, inputs, &labels, 3).measure("order");
    let mut aucs = Vec::new();
    let (mut weighted, mut weights) = ([0.0; 4], 0.0);
    let mut density = vec![0.0; 20];
    for (class, weights_of_class) in map.iter().enumerate() {
        let members: Vec<usize> =
            (0..12).filter(|&sample| labels[sample] == class as i64).collect();
        let mut mean_u = 0.0;
        for (unit, fields) in fields.iter().enumerate() {
            let sign = sign(weights_of_class[unit]);
            let unit_u: Vec<f64> =
                members.iter().map(|&sample| signed_u(fields, sign, sample)).collect();
            let unit_mean = unit_u.iter().sum::<f64>() / members.len() as f64;
            mean_u += unit_mean / 5.0;
            for u in unit_u {
                density[(u * 20.0 + 1e-9) as usize] += 20.0 / (5.0 * members.len() as f64) / 3.0;
            }
            let auc = auc_over_pairs(fields, sign, &labels, class as i64);
            let share = members.len() as f64 / 12.0;
            assert!((auc - (unit_mean - share / 2.0) / (1.0 - share)).abs() < 1e-12);
            let mean_field = fields.iter().sum::<f64>() / 12.0;
            let std = (fields.iter().map(|field| (field - mean_field).powi(2)).sum::<f64>() / 12.0)
                .sqrt();
            let weight = weights_of_class[unit].abs() * std;
            weights += weight;
            weighted[0] += weight * f64::from(auc > 0.6);
            weighted[1] += weight * f64::from(auc < 0.4);
            weighted[2] += weight * f64::from((0.4..=0.6).contains(&auc));
            weighted[3] += weight * 12.0 * (unit_mean - 0.5);
            aucs.push(auc);
        }
        let gradient = list(&output, "rpd_gradient_class", 0, 1)[class].unwrap();
        assert!((gradient - 12.0 * (mean_u - 0.5)).abs() < 1e-12, "{class}");
    }
    let near = |column: &str, expected: f64| {
        let value = number(&output, column, 0, 1);
        assert!((value - expected).abs() < 1e-12, "{column}: {value} != {expected}");
    };
    near("auc_mean", aucs.iter().sum::<f64>() / 15.0);
    near("opt_fraction", weighted[0] / weights);
    near("npt_fraction", 1.0 - weighted[0] / weights);
    near("anti_fraction", weighted[1] / weights);
    near("neutral_fraction", weighted[2] / weights);
    near("opt_excess", (weighted[0] - weighted[1]) / weights);
    near("rpd_gradient_weighted", weighted[3] / weights);
    near("opt_fraction_unweighted", aucs.iter().filter(|auc| **auc > 0.6).count() as f64 / 15.0);
    let gradients = list(&output, "rpd_gradient_class", 0, 1);
    near("rpd_gradient", gradients.iter().flatten().sum::<f64>() / 3.0);
    let measured: Vec<f64> = list(&output, "rpd", 0, 1).into_iter().flatten().collect();
    for (bin, (value, expected)) in measured.iter().zip(&density).enumerate() {
        assert!((value - expected).abs() < 1e-9, "bin {bin}: {value} != {expected}");
    }
    let histogram: Vec<f64> = list(&output, "auc", 0, 1).into_iter().flatten().collect();
    for (bin, value) in histogram.iter().enumerate() {
        let inside = |auc: &&f64| ((**auc * 20.0 + 1e-9) as usize).min(19) == bin;
        assert!((value - aucs.iter().filter(inside).count() as f64 * 20.0 / 15.0).abs() < 1e-9);
    }
}

#[test]
fn centring_takes_the_mean_over_classes_from_the_map() {
    let (fields, map, labels) = hand_case();
    let measure = |map: &[Vec<f64>]| {
        let (network, inputs) = with_fields(&matrix(&fields), &matrix(map), Activation::Identity);
        Case::new(network, inputs, &labels, 3).measure("order")
    };
    let mean = |unit: usize| (map[0][unit] + map[1][unit] + map[2][unit]) / 3.0;
    let centred: Vec<Vec<f64>> = map
        .iter()
        .map(|row| row.iter().enumerate().map(|(unit, value)| value - mean(unit)).collect())
        .collect();
    let (output, reference) = (measure(&map), measure(&centred));
    for (centred, plain) in
        [("rpd_gradient_centred", "rpd_gradient"), ("opt_fraction_centred", "opt_fraction")]
    {
        assert!((number(&output, centred, 0, 1) - number(&reference, plain, 0, 1)).abs() < 1e-12);
    }
    // A row added to all rows of the map changes the signs, never the centred columns.
    let shifted: Vec<Vec<f64>> =
        map.iter().map(|row| row.iter().map(|value| value + 10.0).collect()).collect();
    let shifted = measure(&shifted);
    assert!(
        (number(&shifted, "rpd_gradient_centred", 0, 1)
            - number(&output, "rpd_gradient_centred", 0, 1))
        .abs()
            < 1e-12
    );
    assert!(
        (number(&shifted, "rpd_gradient", 0, 1) - number(&output, "rpd_gradient", 0, 1)).abs()
            > 0.1
    );
}

#[test]
fn a_perfect_unit_has_auc_one_and_the_largest_gradient() {
    for classes in [2i64, 5, 10] {
        // Unit k is above 0 on class k alone, and feeds class k alone.
        let rows = 20 * classes as usize;
        let labels = balanced(rows, classes);
        let noise = normal(1, &[classes, rows as i64], Kind::Double).tanh() * 0.4;
        let (mut fields, mut map) = (Vec::new(), Vec::new());
        for class in 0..classes {
            fields.push(labels.iter().map(|&label| f64::from(label == class)).collect());
            map.push((0..classes).map(|unit| f64::from(unit == class)).collect());
        }
        let fields = matrix(&fields) + noise;
        let (network, inputs) = with_fields(&fields, &matrix(&map), Activation::Relu);
        let output = Case::new(network, inputs, &labels, classes).measure("order");
        // All weight lies on the perfect pairs (unit k, class k).
        assert_eq!(number(&output, "opt_fraction", 0, 1), 1.0);
        let share = 1.0 / classes as f64;
        assert!(
            (number(&output, "rpd_gradient_weighted", 0, 1) - 6.0 * (1.0 - share)).abs() < 1e-12
        );
        for gradient in list(&output, "rpd_gradient_class", 0, 1) {
            // The other units' signed fields all tie.
            assert!((gradient.unwrap() - 6.0 * (1.0 - share) * share).abs() < 1e-12);
        }
        // One such unit alone: g_k = 6 (1 − pi_k) = 5.4 for ten classes, AUC 1.
        let (network, inputs) =
            with_fields(&fields.narrow(0, 0, 1), &matrix(&map).narrow(1, 0, 1), Activation::Relu);
        let output = Case::new(network, inputs, &labels, classes).measure("order");
        let gradients = list(&output, "rpd_gradient_class", 0, 1);
        assert!((gradients[0].unwrap() - 6.0 * (1.0 - share)).abs() < 1e-12);
        let auc = list(&output, "auc", 0, 1);
        assert!((auc[19].unwrap() - 20.0 * share).abs() < 1e-12, "one pair of K has AUC 1");
    }
}

#[test]
fn independent_fields_and_signs_are_flat() {
    let fields = normal(11, &[128, 1_000], Kind::Double);
    let map = normal(12, &[10, 128], Kind::Double);
    let (network, inputs) = with_fields(&fields, &map, Activation::Tanh);
    let output = Case::new(network, inputs, &random_labels(13, 1_000, 10), 10).measure("order");
    assert!(number(&output, "rpd_gradient", 0, 1).abs() < 0.05);
    for gradient in list(&output, "rpd_gradient_class", 0, 1) {
        assert!(gradient.unwrap().abs() < 0.15);
    }
}

#[test]
fn densities_integrate_to_one_and_shares_sum_to_one() {
    let network = random_networks(3, 2, &[8, 16, 12, 4], Activation::Relu, false, Kind::Float);
    let output =
        Case::new(network, normal(4, &[150, 8], Kind::Float), &random_labels(5, 150, 4), 4)
            .measure("order");
    for (trial, layer) in [(0, 1), (0, 2), (1, 1), (1, 2)] {
        for column in ["rpd", "auc"] {
            let integral: f64 =
                list(&output, column, trial, layer).iter().flatten().sum::<f64>() / 20.0;
            assert!((integral - 1.0).abs() < 1e-12);
        }
        let share = |column| number(&output, column, trial, layer);
        let sum = share("opt_fraction") + share("anti_fraction") + share("neutral_fraction");
        assert!((sum - 1.0).abs() < 1e-12);
        // The histogram's mean position agrees with the gradient to within half a bin.
        let rpd = list(&output, "rpd", trial, layer);
        let mean_u: f64 = rpd
            .iter()
            .flatten()
            .enumerate()
            .map(|(bin, value)| (bin as f64 + 0.5) / 20.0 * value / 20.0)
            .sum();
        assert!((12.0 * (mean_u - 0.5) - share("rpd_gradient")).abs() < 12.0 * 0.025);
    }
}

#[test]
fn standard_error_is_the_spread_of_the_resampled_gradients() {
    let network = random_networks(6, 1, &[5, 9, 3], Activation::Tanh, false, Kind::Double);
    let output = Case::new(network, normal(7, &[60, 5], Kind::Double), &random_labels(8, 60, 3), 3)
        .measure("order");
    let resampled = output.resampled_gradients.as_ref().unwrap().by_trial[0][0].clone().unwrap();
    assert_eq!(resampled.len(), 50);
    let mean = resampled.iter().sum::<f64>() / 50.0;
    let variance = resampled.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 50.0;
    assert!((number(&output, "rpd_gradient_se", 0, 1) - variance.sqrt()).abs() < 1e-12);
    assert!(variance > 0.0);
    assert!((mean - number(&output, "rpd_gradient", 0, 1)).abs() < 4.0 * variance.sqrt());
}

#[test]
fn a_monotone_unit_never_inverts_and_relu_ties() {
    for (activation, ties) in [(Activation::Identity, false), (Activation::Relu, true)] {
        let fields = normal(20, &[3, 400], Kind::Double);
        let (network, inputs) =
            with_fields(&fields, &matrix(&[vec![1.0; 3], vec![-1.0; 3]]), activation);
        let output = Case::new(network, inputs, &balanced(400, 2), 2).measure("order");
        assert_eq!(number(&output, "inversion_rate", 0, 1), 0.0);
        assert_eq!(number(&output, "tie_rate", 0, 1) > 0.0, ties);
    }
}

#[test]
fn a_gauss_unit_inverts_about_half_of_the_pairs() {
    let fields = normal(21, &[1, 1_000], Kind::Double);
    let (network, inputs) =
        with_fields(&fields, &matrix(&[vec![1.0], vec![-1.0]]), Activation::Gauss);
    let output = Case::new(network, inputs, &balanced(1_000, 2), 2).measure("order");
    let rate = number(&output, "inversion_rate", 0, 1);
    assert!((0.42..0.58).contains(&rate), "{rate}");
}

#[test]
fn inversion_and_tie_rates_are_those_of_all_pairs() {
    for activation in [Activation::Relu, Activation::Tanh, Activation::Gelu, Activation::Gauss] {
        // Rounded fields: ties in h, which are left out, and in y.
        let fields = (normal(22, &[4, 120], Kind::Double) * 4.0).round() / 4.0;
        let (network, inputs) =
            with_fields(&fields, &matrix(&[vec![1.0; 4], vec![-1.0; 4]]), activation);
        let case = Case::new(network, inputs, &balanced(120, 2), 2);
        let forward = case.ensemble.forward(&case.probe.rows);
        let of = |tensor: &tch::Tensor| Vec::<Vec<f64>>::try_from(tensor.get(0)).unwrap();
        let (fields, outputs) = (of(&forward.pre_activations[0]), of(&forward.activations[0]));
        let (mut inversions, mut ties) = (0.0, 0.0);
        for (h, y) in fields.iter().zip(&outputs) {
            let (mut pairs, mut inverted, mut tied) = (0.0, 0.0, 0.0);
            for i in 0..h.len() {
                for j in 0..i {
                    if h[i] != h[j] {
                        pairs += 1.0;
                        inverted += f64::from((h[i] - h[j]) * (y[i] - y[j]) < 0.0);
                        tied += f64::from(y[i] == y[j]);
                    }
                }
            }
            inversions += inverted / pairs / 4.0;
            ties += tied / pairs / 4.0;
        }
        let output = case.measure("order");
        assert!(
            (number(&output, "inversion_rate", 0, 1) - inversions).abs() < 1e-12,
            "{activation:?}"
        );
        assert!((number(&output, "tie_rate", 0, 1) - ties).abs() < 1e-12, "{activation:?}");
    }
}

#[test]
fn dead_units_moments_and_norms_by_hand() {
    // Unit 1 is dead, unit 2 is ReLU of −1 −1 1 1 = 0 0 1 1: corr² with h is 1, std 1/2; unit 3
    // passes 1 2 3 4 through.
    let fields = matrix(&[
        vec![-1.0, -2.0, -3.0, -4.0],
        vec![-1.0, -1.0, 1.0, 1.0],
        vec![1.0, 2.0, 3.0, 4.0],
    ]);
    let (network, inputs) =
        with_fields(&fields, &matrix(&[vec![1.0; 3], vec![-1.0; 3]]), Activation::Relu);
    let mut case = Case::new(network, inputs, &[0, 1, 0, 1], 2);
    case.initial.layers[0].weight = &case.ensemble.layers[0].weight * 0.5;
    let output = case.measure("order");
    let near = |column: &str, expected: f64| {
        let value = number(&output, column, 0, 1);
        assert!((value - expected).abs() < 1e-12, "{column}: {value} != {expected}");
    };
    near("dead_fraction", 1.0 / 3.0);
    near("linear_r2", 1.0);
    near("weight_norm", 3.0f64.sqrt());
    near("weight_change", 1.0);
    near("feature_change", 1.0);
    // C of units 2, 3: 1/4, 1/2; 1/2, 5/4: trace 3/2, |C|² = 1/16 + 2/4 + 25/16 = 34/16.
    near("participation_ratio", (9.0 / 4.0) / (34.0 / 16.0));
    assert!(matches!(cell(&output, "rpd", 0, 1), Cell::List(_)));
}
