//! At step 0 nothing is ordered yet: signs of the linear map are independent of the fields.

use crate::support::{Case, number};
use phasegrid_nn::{LabelledRows, initial_ensemble};
use phasegrid_spec::{Activation, Hyperparameters, Init};
use tch::Device;

const SEEDS: usize = 20;
const DEPTH: i64 = 4;

#[test]
fn the_mean_gradient_and_excess_over_seeds_are_zero_at_every_layer() {
    let digits = phasegrid_tasks::load("digits", None).unwrap();
    for activation in [Activation::Relu, Activation::Tanh] {
        let trials: Vec<Hyperparameters> = (0..SEEDS as i64)
            .map(|seed| Hyperparameters {
                seed,
                depth: DEPTH,
                width: 32,
                activation,
                init: Init::FanInUniform,
                ..Default::default()
            })
            .collect();
        let ensemble =
            initial_ensemble(&trials, digits.input_dimension, digits.classes, Device::Cpu).unwrap();
        let probe = LabelledRows::probe(&digits, &trials, 400, 0, Device::Cpu).unwrap();
        let labels = Vec::<i64>::try_from(probe.labels.get(0)).unwrap();
        let case = Case::new(ensemble, probe.rows.groups[0].inputs.shallow_clone(), &labels, 10);
        let output = case.measure("order");
        for layer in 1..=DEPTH as usize {
            for column in ["rpd_gradient", "opt_excess"] {
                let values: Vec<f64> =
                    (0..SEEDS).map(|seed| number(&output, column, seed, layer)).collect();
                let mean = values.iter().sum::<f64>() / SEEDS as f64;
                let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
                let standard_error = (squares / (SEEDS - 1) as f64 / SEEDS as f64).sqrt();
                assert!(
                    mean.abs() <= 4.0 * standard_error,
                    "{activation:?} layer {layer}: mean {column} {mean} ± {standard_error}"
                );
            }
        }
    }
}
