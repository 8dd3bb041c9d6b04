//! Training against PyTorch's own numbers: tests/golden/pytorch.json, made by the script
//! beside it.

#![allow(clippy::unwrap_used)]

use crate::ensemble::{BatchNorm, Ensemble, Layer, host_f32};
use crate::evaluate::evaluate;
use crate::init::initial_ensemble;
use crate::minibatch::TrainingData;
use crate::rows::GroupedRows;
use crate::run::Run;
use phasegrid_spec::{Activation, Hyperparameters, Init, Loss, Optimizer};
use phasegrid_tasks::{Dataset, Split};
use serde_json::Value;
use std::rc::Rc;
use tch::{Device, Kind, Tensor};

const INPUTS: usize = 4;
const WIDTH: i64 = 5;
const DEPTH: usize = 2;

fn golden() -> Value {
    serde_json::from_str(include_str!("../tests/golden/pytorch.json")).unwrap()
}

fn floats(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn dataset(golden: &Value) -> Dataset {
    let labels =
        golden["labels"].as_array().unwrap().iter().map(|label| label.as_i64().unwrap()).collect();
    let train = Split { inputs: floats(&golden["inputs"]), labels };
    Dataset::new("golden", INPUTS, train.clone(), train, None)
}

fn trials(golden: &Value, case: &Value) -> Vec<Hyperparameters> {
    let text = |name: &str| case[name].as_str().unwrap();
    let of_trial = |trial: &Value| Hyperparameters {
        depth: DEPTH as i64,
        width: WIDTH,
        activation: Activation::from_name(text("activation")).unwrap(),
        loss: Loss::from_name(text("loss")).unwrap(),
        optimizer: Optimizer::from_name(text("optimizer")).unwrap(),
        batch_norm: case["batch_norm"].as_bool().unwrap_or(false),
        batch_norm_momentum: case["batch_norm_momentum"].as_f64().unwrap_or(0.1),
        learning_rate: trial["learning_rate"].as_f64().unwrap(),
        weight_decay: trial["weight_decay"].as_f64().unwrap_or(0.0),
        momentum: trial["momentum"].as_f64().unwrap_or(0.0),
        batch_size: 8,
        steps: golden["steps"].as_i64().unwrap(),
        ..Default::default()
    };
    case["trials"].as_array().unwrap().iter().map(of_trial).collect()
}

/// The script's starting weights, one trial each.
fn starting_ensemble(golden: &Value, shape: &Hyperparameters) -> Ensemble {
    let starts = golden["starts"].as_array().unwrap();
    let stacked = |tensor: usize, size: &[i64]| {
        let per_trial: Vec<Tensor> = starts
            .iter()
            .map(|start| Tensor::from_slice(&floats(&start[tensor])).view(size))
            .collect();
        Tensor::stack(&per_trial, 0)
    };
    let constant = |value: f64| {
        Tensor::full([starts.len() as i64, WIDTH, 1], value, (Kind::Float, Device::Cpu))
    };
    let sizes = [INPUTS as i64, WIDTH, WIDTH, 3];
    let layer = |index: usize| Layer {
        weight: stacked(2 * index, &[sizes[index + 1], sizes[index]]),
        bias: stacked(2 * index + 1, &[sizes[index + 1], 1]),
        batch_norm: (shape.batch_norm && index < DEPTH).then(|| BatchNorm {
            gamma: constant(1.0),
            beta: constant(0.0),
            mean: constant(0.0),
            var: constant(1.0),
        }),
    };
    Ensemble {
        layers: (0..=DEPTH).map(layer).collect(),
        activation: shape.activation,
        loss: shape.loss,
    }
}

/// f32 against PyTorch in f64. PyTorch in f32 differs as much from itself in f64: below 1e-6
/// without batch norm, up to 9e-4 with it.
fn tolerance(shape: &Hyperparameters) -> f32 {
    if shape.batch_norm { 1e-3 } else { 1e-5 }
}

/// Batch norm cancels the bias before it, so its gradient is rounding alone, which Adam blows
/// up to full steps: such biases, the running means that trail behind them and what an
/// evaluation makes of both say nothing. All other tensors do.
fn has_noisy_biases(shape: &Hyperparameters) -> bool {
    shape.batch_norm && shape.optimizer != Optimizer::Sgd
}

fn is_noisy(tensor: &str) -> bool {
    let is_hidden = tensor.starts_with("layers.1.") || tensor.starts_with("layers.2.");
    is_hidden && (tensor.ends_with(".bias") || tensor.ends_with(".bn_mean"))
}

fn assert_close(ours: &[f32], golden: &[f32], tolerance: f32, what: &str) {
    assert_eq!(ours.len(), golden.len(), "{what}");
    for (position, (own, expected)) in ours.iter().zip(golden).enumerate() {
        let error = (own - expected).abs();
        assert!(
            error <= tolerance * (1.0 + expected.abs()),
            "{what}[{position}]: {own} against PyTorch's {expected}"
        );
    }
}

/// Trains every case, with the trials sharing their minibatches or not.
fn compare_all_cases(share_minibatches: bool) {
    let golden = golden();
    let dataset = dataset(&golden);
    for (number, case) in golden["cases"].as_array().unwrap().iter().enumerate() {
        let mut trials = trials(&golden, case);
        if !share_minibatches {
            trials.iter_mut().enumerate().for_each(|(index, trial)| trial.seed = index as i64);
        }
        let shape = trials[0].clone();
        let tolerance = tolerance(&shape);
        let name = format!(
            "case {number}: {} {} {} batch norm {}",
            shape.activation.name(),
            shape.loss.name(),
            shape.optimizer.name(),
            shape.batch_norm
        );
        let data = Rc::new(TrainingData::new(&dataset, &trials, Device::Cpu).unwrap());
        let (steps, start) = (shape.steps, starting_ensemble(&golden, &shape));
        let mut run = Run::new(trials, data, start).unwrap();
        run.prepare(1, steps).unwrap();
        (1..=steps).for_each(|step| run.step(step).unwrap());

        let inputs = Tensor::from_slice(&dataset.test.inputs).view([-1, INPUTS as i64]);
        let rows = GroupedRows::shared(3, inputs);
        let labels = Tensor::from_slice(&dataset.test.labels).unsqueeze(0).expand([3, -1], false);
        let logits = run.ensemble.logits(&rows).transpose(1, 2);
        let (losses, _) = evaluate(&run.ensemble, &rows, &labels);
        for (trial, result) in case["results"].as_array().unwrap().iter().enumerate() {
            for (own, expected) in
                run.ensemble.trial_tensors(trial).iter().zip(result["tensors"].as_array().unwrap())
            {
                if !(has_noisy_biases(&shape) && is_noisy(&own.0)) {
                    assert_close(
                        &own.2,
                        &floats(expected),
                        tolerance,
                        &format!("{name}, trial {trial}, {}", own.0),
                    );
                }
            }
            if has_noisy_biases(&shape) {
                continue;
            }
            let own_logits = host_f32(&logits.get(trial as i64));
            assert_close(
                &own_logits,
                &floats(&result["logits"]),
                tolerance,
                &format!("{name}, trial {trial}, logits"),
            );
            let expected = result["loss"].as_f64().unwrap() as f32;
            assert_close(
                &[losses[trial] as f32],
                &[expected],
                tolerance,
                &format!("{name}, trial {trial}, loss"),
            );
        }
    }
}

#[test]
fn every_case_with_shared_minibatches() {
    compare_all_cases(true);
}

#[test]
fn every_case_with_minibatches_of_their_own() {
    compare_all_cases(false);
}

#[test]
fn initial_weights_have_pytorchs_distributions() {
    let golden = golden();
    let initial = |init| {
        let trial = Hyperparameters { init, depth: 1, width: 1_000, ..Default::default() };
        let mut tensors =
            initial_ensemble(&[trial], 400, 10, Device::Cpu).unwrap().trial_tensors(0);
        (tensors.remove(0).2, tensors.remove(0).2)
    };
    let deviation = |values: &[f32]| {
        let square = |value: &f32| f64::from(*value).powi(2);
        (values.iter().map(square).sum::<f64>() / values.len() as f64).sqrt()
    };
    let largest =
        |values: &[f32]| values.iter().fold(0f32, |largest, value| largest.max(value.abs()));
    let near = |own: f64, expected: &Value, tolerance: f64| {
        let expected = expected.as_f64().unwrap();
        assert!((own / expected - 1.0).abs() < tolerance, "{own} against {expected}");
    };
    let (weights, biases) = initial(Init::FanInUniform);
    near(f64::from(largest(&weights)), &golden["init"]["fan_in_uniform"]["largest"], 1e-4);
    near(deviation(&weights), &golden["init"]["fan_in_uniform"]["deviation"], 5e-3);
    near(deviation(&biases), &golden["init"]["fan_in_uniform"]["bias_deviation"], 0.08);
    assert!(f64::from(largest(&biases)) <= 1.0 / 20.0);
    let (weights, biases) = initial(Init::HeNormal);
    near(deviation(&weights), &golden["init"]["he_normal"]["deviation"], 5e-3);
    assert!(largest(&weights) > 4.0 * (2.0f32 / 400.0).sqrt());
    assert!(biases.iter().all(|bias| *bias == 0.0));
}
