//! The closed form of docs/metrics.md, test 7.

use super::*;
use crate::context::{Probe, TestSet};
use phasegrid_nn::GroupedRows;
use phasegrid_spec::{Activation, Loss};
use tch::Device;

/// Phi^-1(0.9)
const NORMAL_90: f64 = 1.281_551_565_544_600_4;

#[test]
fn radius_of_a_linear_pair_of_outputs_is_the_normal_quantile() {
    // One hidden layer passes x through; W^(2) = [w; -w]. Noise on W^(2) alone makes z_1 - z_2
    // normal with mean 2 w·x and variance 2 eps² std(W)² |x|², so that a = 0.9 at eps =
    // sqrt(2) w·x / (std(W) |x| Phi^-1(0.9)).
    let w = [0.5, -0.3, 0.8, 0.1, -0.6];
    let x = [1.0, 0.4, 0.9, -0.2, 0.3];
    let dot: f64 = w.iter().zip(&x).map(|(a, b)| a * b).sum();
    let norm = |v: &[f64]| v.iter().map(|value| value * value).sum::<f64>().sqrt();
    let std = norm(&w) / 5f64.sqrt();
    let expected = 2f64.sqrt() * dot / (std * norm(&x) * NORMAL_90);

    let options = (Kind::Double, Device::Cpu);
    let w = Tensor::from_slice(&w);
    let layer = |weight: Tensor, units: i64| Layer {
        weight: weight.unsqueeze(0),
        bias: Tensor::zeros([1, units, 1], options),
        batch_norm: None,
    };
    let layers =
        vec![layer(Tensor::eye(5, options), 5), layer(Tensor::stack(&[w.copy(), -w], 0), 2)];
    let ensemble = Ensemble { layers, activation: Activation::Identity, loss: Loss::CrossEntropy };
    let rows = || GroupedRows::shared(1, Tensor::from_slice(&x).unsqueeze(0).repeat([3, 1]));
    let labels = Tensor::zeros([1, 3], (Kind::Int64, Device::Cpu));
    let probe = Probe { rows: rows(), labels: labels.copy(), classes: 2, seed: 4 };
    let context = Context {
        ensemble: &ensemble,
        initial: &ensemble,
        probe: &probe,
        test: TestSet { rows: &rows(), labels: &labels },
        forward: &ensemble.forward(&probe.rows),
    };
    const DRAWS: usize = 20_000;
    let noise = noise(&ensemble, 4, DRAWS);
    let trial = Trial::new(&context, 0, &[0, 0, 0], &noise).unwrap();
    let row = trial.scope(Scope::Layer(2), &[0.9], DRAWS).unwrap().remove(0);
    let (radius, se) = (row.radius.unwrap(), row.radius_se.unwrap());
    assert!((radius - expected).abs() <= 4.0 * se, "{radius} ± {se}, expected {expected}");
    assert!(se < 0.02 * expected);
    // Moving layer 2 alone: a single draw falls where eps·sqrt(2)·std·|x|·N = -2 w·x, if N < 0.
    assert!(row.lo.is_some_and(|lo| lo < radius * 3.0) && row.censored.is_none());
}
