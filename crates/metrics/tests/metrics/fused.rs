//! A trial inside a fused unit measures what it measures alone.

use crate::support::{Case, cell, normal, number, random_labels, random_networks};
use phasegrid_metrics::{Cell, MetricOutput, Probe, REGISTRY};
use phasegrid_nn::GroupedRows;
use phasegrid_spec::Activation;
use tch::{Kind, Tensor};

/// Two trials share their rows, two have their own; labels differ.
fn unit(kind: Kind) -> Case {
    let ensemble = random_networks(1, 4, &[20, 24, 24, 24, 5], Activation::Relu, true, kind);
    let initial = random_networks(2, 4, &[20, 24, 24, 24, 5], Activation::Relu, true, kind);
    let group = |trials: std::ops::Range<usize>, seed| phasegrid_nn::RowGroup {
        trials,
        inputs: normal(seed, &[200, 20], kind),
    };
    let labels = |seed| Tensor::from_slice(&random_labels(seed, 200, 5));
    let all_labels = Tensor::stack(&[labels(5), labels(5), labels(6), labels(7)], 0);
    Case {
        ensemble,
        initial,
        probe: Probe {
            rows: GroupedRows { groups: vec![group(0..2, 10), group(2..3, 11), group(3..4, 12)] },
            labels: all_labels.copy(),
            classes: 5,
            seed: 9,
        },
        test_rows: GroupedRows::shared(4, normal(13, &[150, 20], kind)),
        test_labels: all_labels.narrow(1, 0, 150).contiguous(),
    }
}

fn alone(unit: &Case, trial: i64) -> Case {
    Case {
        ensemble: unit.ensemble.select(&[trial]),
        initial: unit.initial.select(&[trial]),
        probe: Probe {
            rows: unit.probe.rows.select(&[trial]),
            labels: unit.probe.labels.narrow(0, trial, 1),
            classes: unit.probe.classes,
            seed: unit.probe.seed,
        },
        test_rows: unit.test_rows.select(&[trial]),
        test_labels: unit.test_labels.narrow(0, trial, 1),
    }
}

/// How far a column may move: shares by two cells (unit, class) or rows, gradients by 1e-5,
/// everything else by rounding.
fn tolerance(column: &str) -> f64 {
    let cells = 2.0 / (24.0 * 5.0);
    let rows = 2.0 / 150.0;
    match column {
        "rpd" | "auc" => 20.0 * cells,
        "rpd_gradient" | "rpd_gradient_class" | "rpd_gradient_se" => 1e-5,
        "opt_fraction"
        | "anti_fraction"
        | "neutral_fraction"
        | "npt_fraction"
        | "opt_excess"
        | "opt_fraction_unweighted"
        | "opt_fraction_centred" => cells,
        "lmap_accuracy" | "lmap_test_accuracy" | "lmap_agreement" => rows,
        _ => 1e-4,
    }
}

fn numbers(cell: &Cell) -> Vec<Option<f64>> {
    match cell {
        Cell::Null => vec![None],
        Cell::Number(number) => vec![Some(*number)],
        Cell::List(list) => list.clone(),
    }
}

pub(crate) fn assert_same(
    output: &MetricOutput,
    trial: usize,
    reference: &MetricOutput,
    reference_trial: usize,
) {
    for (column, values) in &output.layers.columns {
        for layer in 1..=values[trial].len() {
            let own = numbers(&values[trial][layer - 1]);
            let expected = numbers(cell(reference, column, reference_trial, layer));
            assert_eq!(own.len(), expected.len(), "{column}");
            for (own, expected) in own.iter().zip(&expected) {
                match (own, expected) {
                    (Some(own), Some(expected)) => {
                        assert!(
                            (own - expected).abs() <= tolerance(column),
                            "{column} layer {layer}: {own} {expected}"
                        )
                    }
                    _ => assert_eq!(own, expected, "{column} layer {layer}"),
                }
            }
        }
    }
    for (column, values) in &output.trials.columns {
        let expected = &reference.trials.get(column).unwrap()[reference_trial];
        match (values[trial].number(), expected.number()) {
            (Some(own), Some(expected)) => assert!(
                (own - expected).abs() <= 1e-3 * expected.abs() + 1e-4,
                "{column}: {own} {expected}"
            ),
            (own, expected) => assert_eq!(own, expected, "{column}"),
        }
    }
}

#[test]
fn fused_and_alone_agree() {
    for kind in [Kind::Float, Kind::Double] {
        let unit = unit(kind);
        for metric in REGISTRY {
            let fused = unit.measure(metric.name());
            for trial in 0..4 {
                assert_same(&fused, trial, &alone(&unit, trial as i64).measure(metric.name()), 0);
            }
        }
    }
}

#[test]
fn equal_networks_share_their_resamples() {
    let unit = unit(Kind::Double);
    let pair = Case {
        ensemble: unit.ensemble.select(&[0, 0]),
        initial: unit.initial.select(&[0, 0]),
        probe: Probe {
            rows: unit.probe.rows.select(&[0, 1]),
            labels: unit.probe.labels.narrow(0, 0, 2),
            classes: 5,
            seed: 9,
        },
        test_rows: unit.test_rows.select(&[0, 1]),
        test_labels: unit.test_labels.narrow(0, 0, 2),
    };
    let output = pair.measure("order");
    let resampled = output.resampled_gradients.as_ref().unwrap();
    assert_eq!(resampled.by_trial[0], resampled.by_trial[1]);
    assert!(number(&output, "rpd_gradient_se", 0, 1) > 0.0);
}
