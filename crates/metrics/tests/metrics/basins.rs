//! Sections 3 and 4: radii in sample and weight space.

use crate::support::{Case, balanced, matrix, normal, random_networks, with_fields};
use phasegrid_metrics::{BasinRow, Censored, MetricOutput, Scope, Space};
use phasegrid_spec::Activation;
use tch::{Kind, Tensor};

fn row(output: &MetricOutput, trial: usize, scope: Scope, threshold: f64) -> BasinRow {
    let found =
        |row: &&BasinRow| row.trial == trial && row.scope == scope && row.threshold == threshold;
    output.basins.iter().find(found).cloned().unwrap()
}

/// f32 on the host goes another way than f64: both must give what the definitions say.
const KINDS: [Kind; 2] = [Kind::Float, Kind::Double];

#[test]
fn a_linear_classifier_keeps_phi_of_margin_over_sigma() {
    // z = (w·x, −w·x), every row at distance m from the boundary: a(sigma) = Phi(m/sigma).
    let w = vec![0.6, -0.8, 0.0, 0.0];
    let margin = 2.0;
    let rows = 250;
    let labels = balanced(rows, 2);
    let direction = Tensor::from_slice(&w);
    let across = normal(1, &[rows as i64, 4], Kind::Double);
    let across = &across - (across.matmul(&direction)).unsqueeze(1) * &direction;
    let side = Tensor::from_slice(&labels).to_kind(Kind::Double) * -2.0 + 1.0;
    let inputs: Tensor = across + (side * margin).unsqueeze(1) * &direction;
    let negative: Vec<f64> = w.iter().map(|value| -value).collect();
    for kind in KINDS {
        let map = matrix(&[w.clone(), negative.clone()]).to_kind(kind);
        let (network, inputs) = with_fields(&inputs.tr().to_kind(kind), &map, Activation::Identity);
        let output = Case::new(network, inputs, &labels, 2).measure("sample_basin");
        // Phi^-1 of 0.75 (theta0 for two classes), 0.7 and 0.9.
        for (threshold, quantile) in
            [(0.75, 0.674_489_75), (0.7, 0.524_400_51), (0.9, 1.281_551_57)]
        {
            let row = row(&output, 0, Scope::All, threshold);
            let (radius, se) = (row.radius.unwrap(), row.radius_se.unwrap());
            assert_eq!((row.space, row.censored), (Space::Sample, None));
            assert!((radius - margin / quantile).abs() <= 4.0 * se, "{threshold}: {radius} ± {se}");
            assert!(se < 0.1 * radius);
        }
        let absolute = row(&output, 0, Scope::AllAbs, 0.5);
        assert_eq!(absolute.censored, Some(Censored::Right));
        assert_eq!((absolute.radius, absolute.lo, absolute.hi), (None, Some(10.0), None));
        for class in 0..2 {
            let row = row(&output, 0, Scope::Class(class), 0.75);
            let expected = margin / 0.674_489_75;
            assert!((row.radius.unwrap() - expected).abs() <= 4.0 * row.radius_se.unwrap());
        }
    }
}

#[test]
fn nothing_correct_has_no_radius() {
    let network = random_networks(8, 1, &[4, 6, 3], Activation::Relu, false, Kind::Float);
    let inputs = normal(9, &[40, 4], Kind::Float);
    let rows = phasegrid_nn::GroupedRows::shared(1, inputs.shallow_clone());
    let predicted = Vec::<i64>::try_from(network.logits(&rows).argmax(1, false).get(0)).unwrap();
    let wrong: Vec<i64> = predicted.iter().map(|class| (class + 1) % 3).collect();
    let case = Case::new(network, inputs, &wrong, 3);
    for metric in ["sample_basin", "weight_basin"] {
        let output = case.measure(metric);
        let scopes: Vec<String> = output.basins.iter().map(|row| row.scope.name()).collect();
        assert!(scopes.contains(&"all".to_owned()), "{scopes:?}");
        if metric == "sample_basin" {
            for scope in ["all_abs", "class:0", "class:1", "class:2"] {
                assert!(scopes.iter().any(|known| known == scope), "{scope} of {scopes:?}");
            }
        }
        for row in &output.basins {
            assert_eq!((row.radius, row.lo, row.hi, row.censored), (None, None, None, None));
        }
    }
}

/// Labels that the networks of all trials agree with on most rows: trial 0's own predictions.
fn fitted_case(trials: i64, activation: Activation, batch_norm: bool, kind: Kind) -> Case {
    let network = random_networks(3, trials, &[8, 16, 16, 5], activation, batch_norm, kind);
    let inputs = normal(4, &[300, 8], kind);
    let rows = phasegrid_nn::GroupedRows::shared(trials as usize, inputs.shallow_clone());
    let predicted = Vec::<i64>::try_from(network.logits(&rows).argmax(1, false).get(0)).unwrap();
    Case::new(network, inputs, &predicted, 5)
}

#[test]
fn both_radii_are_those_of_the_trial_alone() {
    for kind in KINDS {
        let case = fitted_case(3, Activation::Tanh, true, kind);
        for metric in ["sample_basin", "weight_basin"] {
            let fused = case.measure(metric);
            for trial in 0..3 {
                let mut alone = Case::new(
                    case.ensemble.select(&[trial as i64]),
                    case.probe.rows.groups[0].inputs.shallow_clone(),
                    &Vec::<i64>::try_from(case.probe.labels.get(0)).unwrap(),
                    5,
                );
                alone.probe.seed = case.probe.seed;
                for expected in &alone.measure(metric).basins {
                    assert_same_radius(
                        expected,
                        &row(&fused, trial, expected.scope, expected.threshold),
                        kind,
                    );
                }
            }
        }
    }
}

/// To 1e-3 in f64; in f32, where a copy on the boundary may fall to the other side, to two copies
/// of n, 2/(n·|da/dr|), which is at most the radius' error, sd/√n/|da/dr|.
fn assert_same_radius(expected: &BasinRow, fused: &BasinRow, kind: Kind) {
    let (Some(a), Some(b)) = (fused.radius, expected.radius) else {
        assert_eq!(fused.radius, expected.radius, "{expected:?}");
        return;
    };
    let copies = if kind == Kind::Float { expected.radius_se.unwrap_or(0.0) } else { 0.0 };
    assert!((a - b).abs() < (1e-3 * b).max(copies), "{expected:?} {fused:?}");
}

#[test]
fn weight_radii_are_invariant_to_positive_rescaling_between_relu_layers() {
    let case = fitted_case(1, Activation::Relu, false, Kind::Double);
    let mut rescaled = fitted_case(1, Activation::Relu, false, Kind::Double);
    let first = &mut rescaled.ensemble.layers[0];
    (first.weight, first.bias) = (&first.weight * 4.0, &first.bias * 4.0);
    let second = &mut rescaled.ensemble.layers[1];
    second.weight = &second.weight / 4.0;
    let (output, rescaled) = (case.measure("weight_basin"), rescaled.measure("weight_basin"));
    assert_eq!(output.basins.len(), rescaled.basins.len());
    for (a, b) in output.basins.iter().zip(&rescaled.basins) {
        assert_eq!((a.scope, a.censored), (b.scope, b.censored));
        match (a.radius, b.radius) {
            (Some(a), Some(b)) => assert!((a / b - 1.0).abs() < 1e-3),
            (a, b) => assert_eq!(a, b),
        }
    }
    let scopes: Vec<String> = output.basins.iter().map(|row| row.scope.name()).collect();
    assert_eq!(scopes, ["all", "all", "all", "layer:1", "layer:2", "layer:3", "filter"]);
}
