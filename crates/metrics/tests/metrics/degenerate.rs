//! What does not exist is null: no panic, no NaN, and no neighbour disturbed.

use crate::fused::assert_same;
use crate::support::{Case, balanced, cell, list, normal, number, random_labels, random_networks};
use phasegrid_metrics::{Cell, MetricError, MetricOutput, REGISTRY};
use phasegrid_spec::Activation;
use tch::{Kind, Tensor};

fn assert_all_finite(output: &MetricOutput) {
    for (column, values) in &output.layers.columns {
        for cell in values.iter().flatten() {
            let finite = match cell {
                Cell::Null => true,
                Cell::Number(number) => number.is_finite(),
                Cell::List(list) => list.iter().flatten().all(|number| number.is_finite()),
            };
            assert!(finite, "{column}: {cell:?}");
        }
    }
    for (column, values) in &output.trials.columns {
        let finite = |cell: &Cell| cell.number().is_none_or(f64::is_finite);
        assert!(values.iter().all(finite), "{column}: {values:?}");
    }
}

fn assert_null(output: &MetricOutput, trial: usize, layer: usize, columns: &[&str]) {
    for column in columns {
        assert_eq!(cell(output, column, trial, layer), &Cell::Null, "{column}");
    }
}

#[test]
fn nan_weights_are_null_and_leave_the_neighbours_alone() {
    for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for layer in 0..3 {
            let network =
                random_networks(1, 3, &[6, 8, 8, 4], Activation::Relu, false, Kind::Float);
            let case =
                Case::new(network, normal(2, &[90, 6], Kind::Float), &random_labels(3, 90, 4), 4);
            let clean: Vec<_> = REGISTRY.iter().map(|metric| case.measure(metric.name())).collect();
            let mut weight = case.ensemble.layers[layer].weight.get(1);
            let _ = weight.fill_(broken);
            for (metric, clean) in REGISTRY.iter().zip(&clean) {
                let output = case.measure(metric.name());
                assert_all_finite(&output);
                assert_same(&output, 0, clean, 0);
                assert_same(&output, 2, clean, 2);
                match metric.name() {
                    "lmap" => assert_null(&output, 1, 1, metric.columns()),
                    "order" => {
                        let columns =
                            ["rpd", "rpd_gradient", "opt_fraction", "auc_mean", "rpd_gradient_se"];
                        assert_null(&output, 1, 1, &columns);
                        let resampled = output.resampled_gradients.as_ref().unwrap();
                        assert_eq!(resampled.by_trial[1][0], None);
                    }
                    _ => {
                        let of = |output: &MetricOutput, trial| -> Vec<_> {
                            let rows = output.basins.iter().filter(|row| row.trial == trial);
                            rows.cloned().collect()
                        };
                        assert_eq!(of(&output, 0), of(clean, 0));
                        assert_eq!(of(&output, 2), of(clean, 2));
                        assert!(of(&output, 1).iter().all(|row| row.radius.is_none()));
                    }
                }
            }
        }
    }
}

#[test]
fn nan_inputs_are_null() {
    let network = random_networks(1, 2, &[6, 8, 4], Activation::Tanh, false, Kind::Float);
    let inputs = normal(2, &[50, 6], Kind::Float);
    let _ = inputs.get(7).fill_(f64::NAN);
    let case = Case::new(network, inputs, &balanced(50, 4), 4);
    for metric in REGISTRY {
        let output = case.measure(metric.name());
        assert_all_finite(&output);
        let weights = ["weight_norm", "weight_change"];
        for column in metric.columns().iter().filter(|column| !weights.contains(column)) {
            assert_eq!(cell(&output, column, 0, 1), &Cell::Null, "{column}");
        }
    }
}

#[test]
fn a_class_absent_from_the_probe_has_null_entries_and_is_left_out_of_means() {
    let network = random_networks(4, 1, &[6, 8, 8, 5], Activation::Relu, false, Kind::Double);
    let labels: Vec<i64> =
        balanced(80, 4).iter().map(|&label| if label == 3 { 4 } else { label }).collect();
    let case = Case::new(network, normal(5, &[80, 6], Kind::Double), &labels, 5);
    let output = case.measure("order");
    assert_all_finite(&output);
    let gradients = list(&output, "rpd_gradient_class", 0, 1);
    assert_eq!(
        gradients.iter().map(Option::is_none).collect::<Vec<_>>(),
        [false, false, false, true, false]
    );
    let mean = gradients.iter().flatten().sum::<f64>() / 4.0;
    assert!((number(&output, "rpd_gradient", 0, 1) - mean).abs() < 1e-12);
    assert!(number(&output, "rpd_gradient_se", 0, 1).is_finite());
    assert_all_finite(&case.measure("lmap"));
}

#[test]
fn one_class_alone_is_flat_and_has_no_auc() {
    let network = random_networks(4, 1, &[6, 8, 3], Activation::Relu, false, Kind::Double);
    let case = Case::new(network, normal(5, &[30, 6], Kind::Double), &[1; 30], 3);
    let output = case.measure("order");
    assert_all_finite(&output);
    assert_eq!(number(&output, "rpd_gradient", 0, 1), 0.0);
    assert_null(
        &output,
        0,
        1,
        &["auc", "auc_mean", "opt_fraction", "opt_fraction_unweighted", "npt_fraction"],
    );
}

#[test]
fn all_zero_weights_are_null_where_they_weigh_and_flat_elsewhere() {
    let network = random_networks(4, 1, &[6, 8, 8, 3], Activation::Relu, false, Kind::Float);
    let network = network.map(|tensor| tensor.zeros_like());
    let case = Case::new(network, normal(5, &[30, 6], Kind::Float), &balanced(30, 3), 3);
    let output = case.measure("order");
    assert_all_finite(&output);
    assert_eq!(number(&output, "rpd_gradient", 0, 1), 0.0);
    assert_eq!(number(&output, "rpd_gradient_se", 0, 1), 0.0);
    assert_eq!(number(&output, "auc_mean", 0, 1), 0.5);
    assert_eq!(number(&output, "dead_fraction", 0, 1), 1.0);
    assert_eq!(number(&output, "weight_norm", 0, 1), 0.0);
    assert_null(
        &output,
        0,
        1,
        &[
            "opt_fraction",
            "npt_fraction",
            "opt_excess",
            "rpd_gradient_weighted",
            "opt_fraction_centred",
            "inversion_rate",
            "tie_rate",
            "linear_r2",
            "feature_change",
            "weight_change",
            "participation_ratio",
        ],
    );
    let lmap = case.measure("lmap");
    assert_all_finite(&lmap);
    // Argmax ties go to the lowest class: every row is predicted 0.
    assert!((number(&lmap, "lmap_accuracy", 0, 1) - 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(cell(&lmap, "lmap_tau", 0, 1), &Cell::Null);
}

#[test]
fn width_one_depth_one_two_classes_and_few_rows() {
    for (sizes, rows) in [(vec![3, 1, 2], 2), (vec![1, 1, 1, 2], 5), (vec![3, 1, 10], 1)] {
        for activation in [Activation::Relu, Activation::Gauss, Activation::Gelu] {
            let network = random_networks(6, 2, &sizes, activation, true, Kind::Float);
            let classes = sizes[sizes.len() - 1];
            let inputs = normal(7, &[rows, sizes[0]], Kind::Float);
            let case = Case::new(network, inputs, &balanced(rows as usize, classes), classes);
            for metric in REGISTRY {
                assert_all_finite(&case.measure(metric.name()));
            }
        }
    }
}

#[test]
fn nothing_correct_is_accuracy_zero() {
    let network = random_networks(8, 1, &[4, 6, 3], Activation::Relu, false, Kind::Float);
    let inputs = normal(9, &[40, 4], Kind::Float);
    let rows = phasegrid_nn::GroupedRows::shared(1, inputs.shallow_clone());
    let predicted = Vec::<i64>::try_from(network.logits(&rows).argmax(1, false).get(0)).unwrap();
    let wrong: Vec<i64> = predicted.iter().map(|class| (class + 1) % 3).collect();
    let case = Case::new(network, inputs, &wrong, 3);
    let output = case.measure("lmap");
    assert_eq!(number(&output, "lmap_accuracy", 0, 1), 0.0);
    assert_all_finite(&case.measure("order"));
}

#[test]
fn labels_and_shapes_that_do_not_fit_are_errors() {
    let case = || {
        let network = random_networks(8, 2, &[4, 6, 3], Activation::Relu, false, Kind::Float);
        Case::new(network, normal(9, &[12, 4], Kind::Float), &balanced(12, 3), 3)
    };
    let mut outside = case();
    outside.probe.labels = &outside.probe.labels + 1;
    assert!(matches!(
        outside.try_measure("order"),
        Err(MetricError::Label { label: 3, classes: 3, .. })
    ));
    let mut short = case();
    short.probe.labels = Tensor::zeros([2, 11], (Kind::Int64, tch::Device::Cpu));
    assert!(matches!(
        short.try_measure("order"),
        Err(MetricError::Shape { what: "probe.labels", .. })
    ));
    assert!(matches!(short.try_measure("lmap"), Err(MetricError::Shape { .. })));
}
