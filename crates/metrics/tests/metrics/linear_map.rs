//! Section 1: the linear substitution map.

use crate::support::{Case, balanced, normal, number, random_labels, random_networks};
use phasegrid_nn::Ensemble;
use phasegrid_spec::Activation;
use tch::{Kind, Tensor};

fn network_accuracy(case: &Case, trial: i64) -> f64 {
    let predicted = case.ensemble.logits(&case.probe.rows).argmax(1, false);
    predicted.eq_tensor(&case.probe.labels).get(trial).mean(Kind::Double).double_value(&[])
}

#[test]
fn an_identity_network_is_its_own_linear_map() {
    let network =
        random_networks(1, 3, &[6, 10, 8, 9, 4], Activation::Identity, false, Kind::Double);
    let case = Case::new(network, normal(2, &[700, 6], Kind::Double), &random_labels(3, 700, 4), 4);
    let (lmap, order) = (case.measure("lmap"), case.measure("order"));
    for trial in 0..3 {
        let accuracy = network_accuracy(&case, trial as i64);
        for layer in 1..=3 {
            assert_eq!(number(&lmap, "lmap_accuracy", trial, layer), accuracy);
            assert_eq!(number(&lmap, "lmap_test_accuracy", trial, layer), accuracy);
            assert_eq!(number(&lmap, "lmap_agreement", trial, layer), 1.0);
            assert!(number(&lmap, "lmap_tau", trial, layer) >= 1.0 - 1e-6);
            assert_eq!(number(&order, "inversion_rate", trial, layer), 0.0);
            assert!((number(&order, "linear_r2", trial, layer) - 1.0).abs() < 1e-12);
        }
    }
}

#[test]
fn the_last_layers_map_is_the_network_itself() {
    for activation in [Activation::Relu, Activation::Tanh, Activation::Gauss] {
        let network = random_networks(4, 2, &[5, 12, 12, 3], activation, true, Kind::Float);
        let case = Case::new(network, normal(5, &[300, 5], Kind::Float), &balanced(300, 3), 3);
        let output = case.measure("lmap");
        for trial in 0..2 {
            let accuracy = network_accuracy(&case, trial as i64);
            assert_eq!(number(&output, "lmap_accuracy", trial, 2), accuracy);
            assert_eq!(number(&output, "lmap_test_accuracy", trial, 2), accuracy);
            assert_eq!(number(&output, "lmap_agreement", trial, 2), 1.0);
            assert_eq!(number(&output, "lmap_tau", trial, 2), 1.0);
        }
    }
}

/// z_l by definition: the network with every activation above layer l replaced by the identity.
fn substituted_logits(network: &Ensemble, activation: &Tensor, layer: usize) -> Tensor {
    let linear = Ensemble { activation: Activation::Identity, ..network.copy() };
    linear.logits_after(layer, activation)
}

#[test]
fn the_map_replaces_every_activation_above_the_layer_by_the_identity() {
    for batch_norm in [false, true] {
        let network =
            random_networks(6, 2, &[7, 11, 9, 10, 5], Activation::Tanh, batch_norm, Kind::Double);
        let case = Case::new(
            network,
            normal(7, &[400, 7], Kind::Double) * 2.0,
            &random_labels(8, 400, 5),
            5,
        );
        let forward = case.ensemble.forward(&case.probe.rows);
        let predicted = forward.logits.argmax(1, false);
        let output = case.measure("lmap");
        for layer in 1..=3usize {
            let expected =
                substituted_logits(&case.ensemble, &forward.activations[layer - 1], layer)
                    .argmax(1, false);
            for trial in 0..2 {
                let share = |other: &Tensor| {
                    expected.eq_tensor(other).get(trial as i64).mean(Kind::Double).double_value(&[])
                };
                assert!(
                    (number(&output, "lmap_accuracy", trial, layer) - share(&case.probe.labels))
                        .abs()
                        < 1e-12
                );
                assert!(
                    (number(&output, "lmap_agreement", trial, layer) - share(&predicted)).abs()
                        < 1e-12
                );
            }
        }
        // Replacing tanh by the identity does change these networks.
        assert!(number(&output, "lmap_agreement", 0, 1) < 1.0);
    }
}

#[test]
fn tau_is_kendalls_tau_b_of_the_centred_logits() {
    let network = random_networks(9, 1, &[4, 6, 6, 3], Activation::Tanh, false, Kind::Double);
    let case = Case::new(network, normal(10, &[80, 4], Kind::Double) * 2.0, &balanced(80, 3), 3);
    let forward = case.ensemble.forward(&case.probe.rows);
    let centre = |logits: &Tensor| {
        let centred = logits - logits.mean_dim(1, true, Kind::Double);
        Vec::<Vec<f64>>::try_from(centred.get(0)).unwrap()
    };
    let full = centre(&forward.logits);
    let tail = centre(&substituted_logits(&case.ensemble, &forward.activations[0], 1));
    let mut expected = 0.0;
    for (a, b) in full.iter().zip(&tail) {
        let (mut agreeing, mut ties_a, mut ties_b, mut pairs) = (0.0, 0.0, 0.0, 0.0);
        for i in 0..80 {
            for j in 0..i {
                let product = (a[i] - a[j]) * (b[i] - b[j]);
                agreeing += if product == 0.0 { 0.0 } else { product.signum() };
                ties_a += f64::from(a[i] == a[j]);
                ties_b += f64::from(b[i] == b[j]);
                pairs += 1.0;
            }
        }
        expected += agreeing / ((pairs - ties_a) * (pairs - ties_b)).sqrt() / 3.0f64;
    }
    let tau = number(&case.measure("lmap"), "lmap_tau", 0, 1);
    assert!((tau - expected).abs() < 1e-12 && tau < 1.0);
}
