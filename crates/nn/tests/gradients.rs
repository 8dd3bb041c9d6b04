//! The hand-written backward pass against libtorch's autograd, in f64.

#![allow(clippy::unwrap_used)]

use phasegrid_nn::{
    BatchNorm, Ensemble, GroupedRows, Layer, RowGroup, apply_activation, gradients,
};
use phasegrid_spec::{Activation, Loss};
use tch::{Device, Kind, Tensor};

const OPTIONS: (Kind, Device) = (Kind::Double, Device::Cpu);
const TRIALS: i64 = 3;
const INPUTS: i64 = 4;
const WIDTH: i64 = 5;
const CLASSES: i64 = 3;
const ROWS: i64 = 7;

fn random_ensemble(depth: usize, activation: Activation, loss: Loss, batch_norm: bool) -> Ensemble {
    let layer = |index: usize| {
        let fan_in = if index == 0 { INPUTS } else { WIDTH };
        let units = if index == depth { CLASSES } else { WIDTH };
        let normal = |columns: i64| Tensor::randn([TRIALS, units, columns], OPTIONS);
        Layer {
            weight: normal(fan_in) * 0.7,
            bias: normal(1) * 0.3,
            batch_norm: (batch_norm && index < depth).then(|| BatchNorm {
                gamma: normal(1) * 0.3 + 1.0,
                beta: normal(1) * 0.3,
                mean: normal(1),
                var: normal(1).square() + 0.5,
            }),
        }
    };
    Ensemble { layers: (0..=depth).map(layer).collect(), activation, loss }
}

/// Mean losses by autograd, written from the definitions.
fn losses(ensemble: &Ensemble, inputs: &Tensor, labels: &Tensor) -> Tensor {
    let mut values = inputs.transpose(1, 2);
    for (index, layer) in ensemble.layers.iter().enumerate() {
        values = layer.weight.matmul(&values) + &layer.bias;
        if let Some(norm) = &layer.batch_norm {
            let mean = values.mean_dim(&[2i64][..], true, None);
            let centred = &values - mean;
            let var = centred.square().mean_dim(&[2i64][..], true, None);
            values = centred / (var + 1e-5).sqrt() * &norm.gamma + &norm.beta;
        }
        if index < ensemble.depth() {
            values = apply_activation(ensemble.activation, &values);
        }
    }
    let one_hot = labels.one_hot(CLASSES).transpose(1, 2).to_kind(Kind::Double);
    match ensemble.loss {
        Loss::CrossEntropy => -(values.log_softmax(1, None) * one_hot)
            .sum_dim_intlist(&[1i64][..], false, None)
            .mean_dim(&[1i64][..], false, None),
        Loss::Mse => (values - one_hot).square().mean_dim(&[1i64, 2][..], false, None),
    }
}

fn largest(tensor: &Tensor) -> f64 {
    tensor.abs().max().double_value(&[])
}

fn compare(depth: usize, activation: Activation, loss: Loss, batch_norm: bool) {
    let what =
        format!("{} {} depth {depth} batch norm {batch_norm}", activation.name(), loss.name());
    let ensemble = random_ensemble(depth, activation, loss, batch_norm);
    // Trials 0 and 1 see the same rows, trial 2 others; labels differ everywhere.
    let shared = Tensor::randn([ROWS, INPUTS], OPTIONS);
    let own = Tensor::randn([ROWS, INPUTS], OPTIONS);
    let labels = Tensor::randint(CLASSES, [TRIALS, ROWS], (Kind::Int64, Device::Cpu));
    let rows = GroupedRows {
        groups: vec![
            RowGroup { trials: 0..2, inputs: shared.shallow_clone() },
            RowGroup { trials: 2..3, inputs: own.shallow_clone() },
        ],
    };
    let (own_losses, own_gradients) = gradients(&ensemble, &rows, &labels).unwrap();

    let leaves = ensemble.map(|tensor| tensor.copy().set_requires_grad(true));
    let all_inputs = Tensor::stack(&[&shared, &shared, &own], 0);
    let expected_losses = losses(&leaves, &all_inputs, &labels);
    // The sum's gradient by a trial's parameters is that of its own loss.
    expected_losses.sum(None).backward();
    let error = largest(&(&own_losses - expected_losses.detach()));
    assert!(error < 1e-10, "{what}: loss off by {error}");
    for (slot, (own, leaf)) in own_gradients.iter().zip(leaves.parameters()).enumerate() {
        let expected = leaf.grad();
        let scale = largest(&expected);
        let error = largest(&(own - &expected));
        // Batch norm cancels the bias: its gradient is rounding alone.
        assert!(
            error <= 1e-9 * scale + 1e-12,
            "{what}: parameter {slot} off by {error} of {scale}"
        );
    }
}

#[test]
fn all_activations_losses_depths_with_and_without_batch_norm() {
    tch::manual_seed(3);
    for activation in Activation::NAMES.iter().map(|name| Activation::from_name(name).unwrap()) {
        for loss in [Loss::CrossEntropy, Loss::Mse] {
            for depth in 1..=3 {
                compare(depth, activation, loss, false);
                compare(depth, activation, loss, true);
            }
        }
    }
}
