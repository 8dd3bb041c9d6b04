//! Weights and biases at step 0, drawn on the host from each trial's own streams.

use crate::ensemble::{BatchNorm, Ensemble, Layer};
use crate::error::NnError;
use phasegrid_spec::{Hyperparameters, Init};
use phasegrid_tasks::stream::Stream;
use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor};

/// The untrained networks of `trials` (of one shape), in this order: f32 on `device`.
///
/// Layer l of a trial is drawn from the stream (seed, "init", l) — weights in row-major order,
/// then biases — and multiplied by its `init_scale`. Trials of equal seed share the draw.
pub fn initial_ensemble(
    trials: &[Hyperparameters],
    input_dimension: usize,
    classes: usize,
    device: Device,
) -> Result<Ensemble, NnError> {
    let shape = trials.first().ok_or(NnError::NoTrials)?;
    let mut distinct_seeds = BTreeMap::new();
    for trial in trials {
        distinct_seeds.entry(trial.seed).or_insert(0i64);
    }
    for (position, index) in distinct_seeds.values_mut().enumerate() {
        *index = position as i64;
    }
    let seeds: Vec<i64> = distinct_seeds.keys().copied().collect();
    let seed_of_trial: Vec<i64> = trials.iter().map(|trial| distinct_seeds[&trial.seed]).collect();
    let scale_of_trial: Vec<f32> = trials.iter().map(|trial| trial.init_scale as f32).collect();
    let seed_of_trial = Tensor::f_from_slice(&seed_of_trial)?.f_to_device(device)?;
    let scale_of_trial =
        Tensor::f_from_slice(&scale_of_trial)?.f_to_device(device)?.f_view([-1, 1, 1])?;

    let per_trial = |values: &[f32], rows: usize, columns: usize| -> Result<Tensor, NnError> {
        let shape = [seeds.len() as i64, rows as i64, columns as i64];
        let per_seed = Tensor::f_from_slice(values)?.f_view(shape)?.f_to_device(device)?;
        Ok(per_seed.f_index_select(0, &seed_of_trial)?.f_mul(&scale_of_trial)?)
    };
    let constant = |value: f64, rows: usize| -> Result<Tensor, NnError> {
        let size = [trials.len() as i64, rows as i64, 1];
        Ok(Tensor::f_full(size, value, (Kind::Float, device))?)
    };

    let (depth, width) = (shape.depth as usize, shape.width as usize);
    let mut layers = Vec::with_capacity(depth + 1);
    for layer in 1..=depth + 1 {
        let fan_in = if layer == 1 { input_dimension } else { width };
        let units = if layer == depth + 1 { classes } else { width };
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for &seed in &seeds {
            let mut stream = Stream::new(seed as u64, "init", &[layer as u64]);
            draw(shape.init, &mut stream, fan_in, units, &mut weights, &mut biases);
        }
        let batch_norm = if shape.batch_norm && layer <= depth {
            Some(BatchNorm {
                gamma: constant(1.0, units)?,
                beta: constant(0.0, units)?,
                mean: constant(0.0, units)?,
                var: constant(1.0, units)?,
            })
        } else {
            None
        };
        layers.push(Layer {
            weight: per_trial(&weights, units, fan_in)?,
            bias: per_trial(&biases, units, 1)?,
            batch_norm,
        });
    }
    Ok(Ensemble { layers, activation: shape.activation, loss: shape.loss })
}

/// Appends one layer's weights (`units * fan_in`, row-major) and biases (`units`).
fn draw(
    init: Init,
    stream: &mut Stream,
    fan_in: usize,
    units: usize,
    weights: &mut Vec<f32>,
    biases: &mut Vec<f32>,
) {
    match init {
        // U(±1/sqrt(fan_in)), as PyTorch's Linear.
        Init::FanInUniform => {
            let bound = 1.0 / (fan_in as f64).sqrt();
            let mut next = || ((2.0 * stream.uniform() - 1.0) * bound) as f32;
            weights.extend(std::iter::repeat_with(&mut next).take(units * fan_in));
            biases.extend(std::iter::repeat_with(&mut next).take(units));
        }
        // N(0, 2/fan_in), biases 0 (He et al. 2015).
        Init::HeNormal => {
            let deviation = (2.0 / fan_in as f64).sqrt();
            let next = || (stream.normal() * deviation) as f32;
            weights.extend(std::iter::repeat_with(next).take(units * fan_in));
            biases.extend(std::iter::repeat_n(0.0, units));
        }
    }
}
