//! Section 6: sharpness, noise scale and tangent kernel against closed forms.

use crate::support::{Case, balanced, normal, random_networks};
use phasegrid_metrics::{Cell, MetricOutput};
use phasegrid_nn::{Ensemble, GroupedRows, gradients};
use phasegrid_spec::{Activation, Loss};
use tch::{Device, Kind, Tensor};

fn value(output: &MetricOutput, column: &str, trial: usize) -> f64 {
    output.trials.get(column).unwrap()[trial].number().unwrap()
}

/// [rows, n + 1] with a column of ones.
fn with_bias(inputs: &Tensor) -> Tensor {
    let ones = Tensor::ones([inputs.size()[0], 1], (Kind::Double, Device::Cpu));
    Tensor::cat(&[inputs, &ones], 1)
}

/// z = W x + b: the last layer alone, no hidden one.
fn linear_regression(trials: i64) -> (Ensemble, Tensor) {
    let mut network =
        random_networks(3, trials, &[5, 3], Activation::Identity, false, Kind::Double);
    network.loss = Loss::Mse;
    (network, normal(4, &[60, 5], Kind::Double) + 0.3)
}

#[test]
fn sharpness_of_linear_regression_is_the_largest_eigenvalue() {
    // L = 1/(N K) sum |W~ x~ − t|²: the Hessian is 2/(N K) X~ᵀX~ for every class.
    let (network, inputs) = linear_regression(2);
    let extended = with_bias(&inputs);
    let gram = extended.tr().matmul(&extended);
    let eigenvalues = Vec::<f64>::try_from(gram.linalg_eigvalsh("L")).unwrap();
    let expected = 2.0 / (60.0 * 3.0) * eigenvalues[5];
    let output = Case::new(network, inputs, &balanced(60, 3), 3).measure("curvature");
    for trial in 0..2 {
        let found = value(&output, "sharpness", trial);
        assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
    }
}

#[test]
fn noise_scale_is_that_of_single_row_gradients() {
    for (activation, loss) in [
        (Activation::Tanh, Loss::CrossEntropy),
        (Activation::Gauss, Loss::Mse),
        (Activation::Relu, Loss::CrossEntropy),
    ] {
        let mut network = random_networks(5, 2, &[4, 7, 7, 3], activation, false, Kind::Double);
        network.loss = loss;
        let inputs = normal(6, &[30, 4], Kind::Double);
        let labels = balanced(30, 3);
        let mut by_row = Vec::new();
        for row in 0..30 {
            let rows = GroupedRows::shared(2, inputs.narrow(0, row, 1));
            let label = Tensor::full([2, 1], labels[row as usize], (Kind::Int64, Device::Cpu));
            let (_, parts) = gradients(&network, &rows, &label).unwrap();
            let flat: Vec<Tensor> = parts.iter().map(|part| part.flatten(1, -1)).collect();
            by_row.push(Tensor::cat(&flat, 1));
        }
        let by_row = Tensor::stack(&by_row, 0);
        let axis = &[0i64][..];
        let mean = by_row.mean_dim(axis, true, Kind::Double);
        let deviation = (&by_row - &mean).square().mean_dim(axis, false, Kind::Double);
        let trace = deviation.sum_dim_intlist(&[1i64][..], false, Kind::Double);
        let square = mean.square().sum_dim_intlist(&[0i64, 2][..], false, Kind::Double);
        let expected = &trace / (square - &trace / 30.0);
        let output = Case::new(network, inputs, &labels, 3).measure("curvature");
        for trial in 0..2 {
            let expected = expected.double_value(&[trial as i64]);
            match &output.trials.get("noise_scale").unwrap()[trial] {
                Cell::Number(found) => {
                    assert!((found / expected - 1.0).abs() < 1e-8, "{found} {expected}")
                }
                _ => assert!(expected <= 0.0),
            }
        }
    }
}

#[test]
fn a_kernel_that_did_not_move_has_change_zero_and_a_linear_one_never_moves() {
    let network = random_networks(5, 2, &[4, 9, 3], Activation::Tanh, true, Kind::Double);
    let mut case = Case::new(network, normal(6, &[30, 4], Kind::Double), &balanced(30, 3), 3);
    let still = case.measure("kernel");
    case.initial = random_networks(6, 2, &[4, 9, 3], Activation::Tanh, true, Kind::Double);
    let moved = case.measure("kernel");
    for trial in 0..2 {
        assert!(value(&still, "ntk_change", trial).abs() < 1e-12);
        assert!(value(&moved, "ntk_change", trial) > 1e-3);
    }
    // Without a hidden layer K = K·(x·x' + 1), whatever the weights.
    let (network, inputs) = linear_regression(1);
    let mut case = Case::new(network, inputs, &balanced(60, 3), 3);
    case.initial = random_networks(8, 1, &[5, 3], Activation::Identity, false, Kind::Double);
    assert!(value(&case.measure("kernel"), "ntk_change", 0).abs() < 1e-12);
}
