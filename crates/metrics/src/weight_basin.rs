//! The metric "weight_basin": how much noise on the weights the classification survives.
//! docs/metrics.md, section 4.

use phasegrid_nn::{
    BATCH_NORM_EPSILON, BatchNorm, Ensemble, GroupedRows, Layer, apply_activation, correct_rows,
};
use phasegrid_tasks::stream::Stream;
use tch::{Kind, Tensor};

use crate::basin::{
    BasinRow, FURTHER_THRESHOLDS, Scope, Space, alone, headline_threshold, quantile, standard_error,
};
use crate::basin_memo::Memo;
use crate::basin_solver::{Crossing, Family, Group, solve};
use crate::classes::read_labels;
use crate::context::Context;
use crate::error::MetricError;
use crate::host::to_flags;
use crate::metric::Metric;
use crate::output::MetricOutput;
use crate::streams::{WEIGHT_NOISE, balanced_rows};

/// Probe rows that are classified, balanced over the classes. \[O\]
const ROWS: usize = 100;
/// Draws of the noise in scope `all`. \[O\]
const DRAWS: usize = 16;
/// Draws in the scopes `layer:l` and `filter`. \[O\]
const FEW_DRAWS: usize = 8;
/// Quantiles of single-draw radii in `lo` and `hi`. \[O\]
const QUANTILES: [f64; 2] = [0.16, 0.84];

/// Radii in weight space: the amplitude eps of W' = W + eps·std(W)·Xi at which the share of
/// initially correct probe rows still classified as their label falls to a threshold.
///
/// Rows of the table `basins`: scope `all` at theta0, 0.7 and 0.9; `layer:l` for l = 1…D+1 and
/// `filter` (row i gets eps·|w_i|·xi_i/|xi_i|) at theta0. Biases and batch norm are left alone;
/// the noise of (draw, layer) is the same for every amplitude and trial.
#[derive(Debug)]
pub struct WeightBasin;

impl Metric for WeightBasin {
    fn name(&self) -> &'static str {
        "weight_basin"
    }

    fn columns(&self) -> &'static [&'static str] {
        &[]
    }

    fn measure(&self, context: &Context<'_>) -> Result<MetricOutput, MetricError> {
        context.validate()?;
        let labels = read_labels(&context.probe.labels, context.probe.classes, "probe.labels")?;
        let noise = noise(context.ensemble, context.probe.seed, DRAWS);
        let mut basins = Vec::new();
        for (trial, labels) in labels.iter().enumerate() {
            basins.extend(Trial::new(context, trial, labels, &noise)?.basins()?);
        }
        Ok(MetricOutput { basins, ..MetricOutput::default() })
    }
}

/// Xi of every layer, [draws, n_l, n_{l-1}]; stream (probe_seed, draw, layer), row-major.
fn noise(ensemble: &Ensemble, probe_seed: u64, draws: usize) -> Vec<Tensor> {
    let of_layer = |(index, layer): (usize, &Layer)| {
        let size = layer.weight.size();
        let count = (size[1] * size[2]) as usize;
        let mut values = Vec::with_capacity(draws * count);
        for draw in 0..draws as u64 {
            let mut stream = Stream::new(probe_seed, WEIGHT_NOISE, &[draw, index as u64 + 1]);
            values.extend((0..count).map(|_| stream.normal_f32()));
        }
        let values = Tensor::from_slice(&values).view([draws as i64, size[1], size[2]]);
        values.to_kind(layer.weight.kind()).to_device(layer.weight.device())
    };
    ensemble.layers.iter().enumerate().map(of_layer).collect()
}

/// One trial's network and the rows it is measured on.
struct Trial<'a> {
    trial: usize,
    ensemble: Ensemble,
    classes: i64,
    /// Inputs of the rows classified as their label without noise, [rows, n_0]; no rows if a
    /// logit is not finite.
    inputs: Tensor,
    /// Their labels, [1, rows].
    labels: Tensor,
    rows: usize,
    noise: &'a [Tensor],
}

impl<'a> Trial<'a> {
    fn new(
        context: &Context<'_>,
        trial: usize,
        labels: &[u32],
        noise: &'a [Tensor],
    ) -> Result<Trial<'a>, MetricError> {
        let device = context.ensemble.device();
        let to_tensor = |values: Vec<i64>| Tensor::from_slice(&values).to_device(device);
        let labels_of =
            |rows: &[usize]| to_tensor(rows.iter().map(|&row| i64::from(labels[row])).collect());
        let index_of = |rows: &[usize]| to_tensor(rows.iter().map(|&row| row as i64).collect());
        let mut rows = balanced_rows(labels, ROWS, context.probe.seed);
        let logits = context.forward.logits.narrow(0, trial as i64, 1);
        let logits = logits.index_select(2, &index_of(&rows));
        let is_finite = logits.isfinite().all().int64_value(&[]) == 1;
        let mut correct =
            to_flags(&correct_rows(&logits, &labels_of(&rows).unsqueeze(0)))?.into_iter();
        rows.retain(|_| correct.next() == Some(true) && is_finite);
        let probe = context.probe.rows.select(&[trial as i64]);
        Ok(Trial {
            trial,
            ensemble: context.ensemble.select(&[trial as i64]),
            classes: context.probe.classes,
            inputs: probe.groups[0].inputs.index_select(0, &index_of(&rows)),
            labels: labels_of(&rows).unsqueeze(0),
            rows: rows.len(),
            noise,
        })
    }

    fn basins(&self) -> Result<Vec<BasinRow>, MetricError> {
        let theta = headline_threshold(self.classes);
        let thresholds = [theta, FURTHER_THRESHOLDS[0], FURTHER_THRESHOLDS[1]];
        let mut rows = self.scope(Scope::All, &thresholds, DRAWS)?;
        for layer in 1..=self.ensemble.layers.len() {
            rows.extend(self.scope(Scope::Layer(layer), &[theta], FEW_DRAWS)?);
        }
        rows.extend(self.scope(Scope::Filter, &[theta], FEW_DRAWS)?);
        Ok(rows)
    }

    /// The radii of one scope at some thresholds, with the single-draw radii beside them.
    fn scope(
        &self,
        scope: Scope,
        thresholds: &[f64],
        draws: usize,
    ) -> Result<Vec<BasinRow>, MetricError> {
        let null = |&threshold: &f64| BasinRow::null(self.trial, Space::Weight, scope, threshold);
        if self.rows == 0 {
            return Ok(thresholds.iter().map(null).collect());
        }
        // Cells draw by draw, so that a group's cells are whole draws.
        let of_draw = |draw: usize| draw * self.rows..(draw + 1) * self.rows;
        let mut families: Vec<Family> = thresholds
            .iter()
            .map(|&threshold| alone((0..draws).flat_map(of_draw).collect(), threshold))
            .collect();
        for &threshold in thresholds {
            let group = |draw| Group { cells: of_draw(draw).collect(), threshold };
            families.push(Family { groups: (0..draws).map(group).collect(), with_error: false });
        }
        let directions = Directions::new(self, scope, draws);
        let mut memo = Memo::new(self.rows);
        let crossings = solve(&families, draws * self.rows, |amplitudes| {
            memo.correct(amplitudes, |draws, amplitudes| {
                directions.correct(self, draws, amplitudes)
            })
        })?;
        let (pooled, single) = crossings.split_at(thresholds.len());
        let per_draw = self.rows;
        let rows =
            thresholds.iter().zip(pooled.iter().zip(single)).map(|(threshold, (all, single))| {
                let row =
                    null(threshold).with(&all[0], |correct| error_over_draws(correct, per_draw));
                match all[0] {
                    Crossing::At { .. } => with_quantiles(row, single),
                    Crossing::Above | Crossing::Below => row,
                }
            });
        Ok(rows.collect())
    }
}

/// `lo` and `hi` from the radii of single draws; null where one lies off the grid.
fn with_quantiles(mut row: BasinRow, single: &[Crossing]) -> BasinRow {
    let mut radii: Vec<f64> = single.iter().map(Crossing::extended_radius).collect();
    radii.sort_unstable_by(f64::total_cmp);
    [row.lo, row.hi] = QUANTILES.map(|share| quantile(&radii, share));
    row
}

/// Standard error of the share over draws; cells draw by draw.
fn error_over_draws(correct: &[bool], per_draw: usize) -> f64 {
    let share = |draw: &[bool]| draw.iter().filter(|hit| **hit).count() as f64 / per_draw as f64;
    standard_error(&correct.chunks(per_draw).map(share).collect::<Vec<_>>())
}

/// Where the weights go as the amplitude grows: one network a draw.
///
/// h of the first layer moved is still + eps·moving: its products serve every amplitude.
struct Directions {
    /// Index of the first layer moved.
    base: usize,
    /// W y + b of that layer, after batch norm, [1, n, rows].
    still: Tensor,
    /// (direction)·y of that layer, scaled by batch norm, [draws, n, rows].
    moving: Tensor,
    /// The directions of the layers after it, [draws, n_l, n_{l-1}] each; empty where they stay.
    later: Vec<Tensor>,
}

impl Directions {
    fn new(trial: &Trial<'_>, scope: Scope, draws: usize) -> Directions {
        let direction = |index: usize| {
            let weight = &trial.ensemble.layers[index].weight;
            let noise = trial.noise[index].narrow(0, 0, draws as i64);
            if scope == Scope::Filter {
                let norm =
                    |rows: &Tensor| rows.square().sum_dim_intlist(-1, true, Kind::Double).sqrt();
                let scale = norm(weight) / norm(&noise);
                noise * scale.to_kind(weight.kind())
            } else {
                noise * std_of(weight)
            }
        };
        let (base, later) = match scope {
            Scope::Layer(layer) => (layer - 1, Vec::new()),
            _ => (0, (1..trial.ensemble.layers.len()).map(direction).collect()),
        };
        let inputs = match base {
            0 => trial.inputs.tr().unsqueeze(0),
            _ => {
                let rows = GroupedRows::shared(1, trial.inputs.shallow_clone());
                trial.ensemble.forward(&rows).activations[base - 1].shallow_clone()
            }
        };
        let layer = &trial.ensemble.layers[base];
        let still = layer.weight.matmul(&inputs) + &layer.bias;
        let moving = direction(base).matmul(&inputs);
        match &layer.batch_norm {
            None => Directions { base, still, moving, later },
            Some(norm) => {
                let scale = &norm.gamma / (&norm.var + BATCH_NORM_EPSILON).sqrt();
                let still = (still - &norm.mean) * &scale + &norm.beta;
                Directions { base, still, moving: moving * scale, later }
            }
        }
    }

    /// Which rows are classified as their label, draw by draw, at an amplitude a draw.
    fn correct(
        &self,
        trial: &Trial<'_>,
        draws: &[usize],
        amplitudes: &[f64],
    ) -> Result<Vec<bool>, MetricError> {
        let (kind, device) = (self.moving.kind(), self.moving.device());
        let eps = Tensor::from_slice(amplitudes).to_kind(kind).to_device(device).view([-1, 1, 1]);
        let index: Vec<i64> = draws.iter().map(|&draw| draw as i64).collect();
        let index = Tensor::from_slice(&index).to_device(device);
        let of_draws = |values: &Tensor| match draws.len() as i64 == values.size()[0] {
            true => values.shallow_clone(),
            false => values.index_select(0, &index),
        };
        let fields = of_draws(&self.moving) * &eps + &self.still;
        let labels = trial.labels.expand([draws.len() as i64, -1], false);
        if self.base == trial.ensemble.depth() {
            return to_flags(&correct_rows(&fields, &labels));
        }
        let outputs = apply_activation(trial.ensemble.activation, &fields);
        if self.later.is_empty() {
            // The layers to come are the same for all draws: one network, draws·rows samples.
            let size = outputs.size();
            let samples = outputs.transpose(0, 1).reshape([1, size[1], -1]);
            let logits = trial.ensemble.logits_after(self.base + 1, &samples);
            return to_flags(&correct_rows(&logits, &labels.reshape([1, -1])));
        }
        let each = |tensor: &Tensor| tensor.expand([draws.len() as i64, -1, -1], false);
        let layers = trial.ensemble.layers.iter().enumerate().map(|(index, layer)| Layer {
            weight: match index.checked_sub(1) {
                Some(later) => of_draws(&self.later[later]) * &eps + &layer.weight,
                // Not used: its products are already in the fields.
                None => each(&layer.weight),
            },
            bias: each(&layer.bias),
            batch_norm: layer.batch_norm.as_ref().map(|norm| BatchNorm {
                gamma: each(&norm.gamma),
                beta: each(&norm.beta),
                mean: each(&norm.mean),
                var: each(&norm.var),
            }),
        });
        let ensemble = Ensemble {
            layers: layers.collect(),
            activation: trial.ensemble.activation,
            loss: trial.ensemble.loss,
        };
        to_flags(&correct_rows(&ensemble.logits_after(1, &outputs), &labels))
    }
}

/// std of a layer's weights about their mean, ddof 0: [1, 1, 1].
fn std_of(weight: &Tensor) -> Tensor {
    let values = weight.to_kind(Kind::Double);
    let deviation = &values - values.mean(Kind::Double);
    deviation.square().mean(Kind::Double).sqrt().to_kind(weight.kind()).view([1, 1, 1])
}

#[cfg(test)]
#[path = "weight_basin_tests.rs"]
mod tests;
