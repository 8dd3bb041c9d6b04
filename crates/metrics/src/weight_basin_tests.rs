//! The closed form of docs/metrics.md, test 7.

use super::*;
use crate::context::{Probe, TestSet};
use phasegrid_nn::{GroupedRows, Layer};
use phasegrid_spec::{Activation, Loss};
use tch::{Device, Kind};

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
    let (rows, _) = rows_to_lose(&context).unwrap();
    let layers = Affine::layers(&ensemble);
    let noisy = NoisyWeights::new(&context, &layers, &rows, Scope::Layer(2), &noise, DRAWS);
    let evaluate = |requests: &[Request]| noisy.correct(requests);
    let row = radii(&rows, evaluate, Scope::Layer(2), &[0.9], DRAWS).unwrap().remove(0);
    let (radius, se) = (row.radius.unwrap(), row.radius_se.unwrap());
    assert!((radius - expected).abs() <= 4.0 * se, "{radius} ± {se}, expected {expected}");
    assert!(se < 0.02 * expected);
    // Moving layer 2 alone: a single draw falls where eps·sqrt(2)·std·|x|·N = -2 w·x, if N < 0.
    assert!(row.lo.is_some_and(|lo| lo < radius * 3.0) && row.censored.is_none());
}

#[test]
fn every_count_is_that_of_the_network_with_noisy_weights() {
    check_counts(Kind::Double, Activation::Tanh);
    for activation in [Activation::Tanh, Activation::Relu, Activation::Gauss] {
        check_counts(Kind::Float, activation);
    }
}

fn check_counts(kind: Kind, activation: Activation) {
    let mut stream = Stream::new(3, "test/basin", &[]);
    let mut normal = |shape: &[i64]| {
        let count = shape.iter().product::<i64>() as usize;
        let values: Vec<f64> = (0..count).map(|_| stream.normal()).collect();
        Tensor::from_slice(&values).view(shape).to_kind(kind)
    };
    let layers: Vec<Layer> = [6, 20, 18, 4]
        .windows(2)
        .enumerate()
        .map(|(index, pair)| Layer {
            weight: normal(&[3, pair[1], pair[0]]),
            bias: normal(&[3, pair[1], 1]),
            batch_norm: (index < 2).then(|| phasegrid_nn::BatchNorm {
                gamma: normal(&[3, pair[1], 1]) * 0.3 + 1.0,
                beta: normal(&[3, pair[1], 1]),
                mean: normal(&[3, pair[1], 1]),
                var: normal(&[3, pair[1], 1]).square() + 0.1,
            }),
        })
        .collect();
    let ensemble = Ensemble { layers, activation, loss: Loss::CrossEntropy };
    let inputs = normal(&[40, 6]);
    let rows = || GroupedRows::shared(3, inputs.shallow_clone());
    // Trial 0 has all its rows to lose, the others those on which they agree with it.
    let predicted = ensemble.logits(&rows()).argmax(1, false).get(0);
    let labels = predicted.unsqueeze(0).repeat([3, 1]);
    let probe = Probe { rows: rows(), labels: labels.copy(), classes: 4, seed: 4 };
    let context = Context {
        ensemble: &ensemble,
        initial: &ensemble,
        probe: &probe,
        test: TestSet { rows: &rows(), labels: &labels },
        forward: &ensemble.forward(&probe.rows),
    };
    let noise = noise(&ensemble, 4, 5);
    let layers = Affine::layers(&ensemble);
    let (chosen, without) = rows_to_lose(&context).unwrap();
    assert!(without.is_empty());
    let mut host = HostNoise::new(&context, &layers, &noise).unwrap();
    assert_eq!(host.is_some(), kind == Kind::Float);
    let scopes = [Scope::All, Scope::Layer(1), Scope::Layer(2), Scope::Layer(3), Scope::Filter];
    for scope in scopes {
        let noisy = NoisyWeights::new(&context, &layers, &chosen, scope, &noise, 5);
        for (position, one) in chosen.batches(1).enumerate() {
            let network = host.as_mut().map(|host| host.network(&one).unwrap());
            let trial = chosen.trials[position];
            for draw in 0..5 {
                let amplitude = 0.2 + 0.3 * draw as f64;
                let request = Request { problem: position, block: draw, amplitude };
                let answer = noisy.correct(&[request]).unwrap()[0];
                if let Some((host, network)) = host.as_ref().zip(network.as_ref()) {
                    let request = Request { problem: 0, ..request };
                    let on_host = HostWeights::new(host, network, scope, 5).correct(&[request]);
                    assert_eq!(on_host, [answer], "{scope:?} {trial} {draw}");
                }
                let alone = ensemble.select(&[trial as i64]);
                let moved = Ensemble {
                    layers: alone
                        .layers
                        .into_iter()
                        .enumerate()
                        .map(|(index, layer)| {
                            let xi = noise[index].get(draw as i64);
                            let step = match scope {
                                Scope::Filter => {
                                    let norm = |rows: &Tensor| {
                                        rows.square()
                                            .sum_dim_intlist(&[-1i64][..], true, Kind::Double)
                                            .sqrt()
                                            .to_kind(kind)
                                    };
                                    &xi * (norm(&layer.weight) / norm(&xi))
                                }
                                Scope::Layer(one) if one != index + 1 => xi * 0.0,
                                _ => xi * layer.weight.std(false),
                            };
                            Layer { weight: &layer.weight + step * amplitude, ..layer }
                        })
                        .collect(),
                    activation,
                    loss: Loss::CrossEntropy,
                };
                let classes = moved.logits(&GroupedRows::shared(1, inputs.shallow_clone()));
                let classes = classes.argmax(1, false).get(0);
                let expected = chosen.kept[position]
                    .iter()
                    .filter(|(place, label)| {
                        let row = chosen.candidates[position][*place] as i64;
                        classes.int64_value(&[row]) == *label
                    })
                    .count();
                assert_eq!(answer as usize, expected, "{scope:?} {trial} {draw}");
            }
        }
    }
}
