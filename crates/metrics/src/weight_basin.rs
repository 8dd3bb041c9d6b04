//! The metric "weight_basin": how much noise on the weights the classification survives.
//! docs/metrics.md, section 4.

use phasegrid_nn::Ensemble;
use phasegrid_tasks::stream::Stream;
use tch::Tensor;

use crate::affine::{Affine, correct};
use crate::basin::{
    BasinRow, FURTHER_THRESHOLDS, Scope, Space, alone, headline_threshold, quantile,
    quantile_ranks, standard_error,
};
use crate::basin_solver::{Crossing, Family, Group, Problem, Ranks, Request, solve};
use crate::classes::read_labels;
use crate::context::Context;
use crate::error::MetricError;
use crate::host::to_flags;
use crate::host_weights::{HostNoise, HostWeights};
use crate::metric::Metric;
use crate::noise::{NoiseKey, kept_or_drawn};
use crate::noisy_weights::{NoisyWeights, Rows};
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
/// Trials solved together; sorted by their correct rows, so that few rows are padding.
const TRIALS_AT_A_TIME: usize = 16;

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
        let noise = noise(context.ensemble, context.probe.seed, DRAWS);
        let (with_rows, without) = rows_to_lose(context)?;
        let layers = Affine::layers(context.ensemble);
        let theta = headline_threshold(context.probe.classes);
        let thresholds = [theta, FURTHER_THRESHOLDS[0], FURTHER_THRESHOLDS[1]];
        let mut scopes = vec![(Scope::All, &thresholds[..], DRAWS)];
        for layer in 1..=layers.len() {
            scopes.push((Scope::Layer(layer), &thresholds[..1], FEW_DRAWS));
        }
        scopes.push((Scope::Filter, &thresholds[..1], FEW_DRAWS));
        let mut basins = Vec::new();
        for &(scope, thresholds, _) in &scopes {
            for &threshold in thresholds {
                let null = |&trial| BasinRow::null(trial, Space::Weight, scope, threshold);
                basins.extend(without.iter().map(null));
            }
        }
        let mut host = HostNoise::new(context, &layers, &noise)?;
        let together = if host.is_some() { 1 } else { TRIALS_AT_A_TIME };
        for rows in with_rows.batches(together) {
            let network = host.as_mut().map(|host| host.network(&rows)).transpose()?;
            for &(scope, thresholds, draws) in &scopes {
                basins.extend(match host.as_ref().zip(network.as_ref()) {
                    Some((host, network)) => {
                        let noisy = HostWeights::new(host, network, scope, draws);
                        let evaluate = |requests: &[Request]| Ok(noisy.correct(requests));
                        radii(&rows, evaluate, scope, thresholds, draws)?
                    }
                    None => {
                        let noisy =
                            NoisyWeights::new(context, &layers, &rows, scope, &noise, draws);
                        let evaluate = |requests: &[Request]| noisy.correct(requests);
                        radii(&rows, evaluate, scope, thresholds, draws)?
                    }
                });
            }
        }
        basins.sort_by_key(|row| row.trial);
        Ok(MetricOutput { basins, ..MetricOutput::default() })
    }
}

/// Xi of every layer, [draws, n_l, n_{l-1}]; stream (probe_seed, draw, layer), row-major.
fn noise(ensemble: &Ensemble, probe_seed: u64, draws: usize) -> Vec<Tensor> {
    let sizes: Vec<Vec<i64>> = ensemble.layers.iter().map(|layer| layer.weight.size()).collect();
    let numbers = sizes.iter().flat_map(|size| [size[1] as usize, size[2] as usize]);
    let key = NoiseKey {
        purpose: WEIGHT_NOISE,
        probe_seed,
        numbers: std::iter::once(draws).chain(numbers).collect(),
        kind: ensemble.layers[0].weight.kind(),
        device: ensemble.device(),
    };
    kept_or_drawn(key, || {
        let of_layer = |(index, size): (usize, &Vec<i64>)| {
            let count = (size[1] * size[2]) as usize;
            let mut values = Vec::with_capacity(draws * count);
            for draw in 0..draws as u64 {
                let mut stream = Stream::new(probe_seed, WEIGHT_NOISE, &[draw, index as u64 + 1]);
                values.extend((0..count).map(|_| stream.normal_f32()));
            }
            Tensor::from_slice(&values).view([draws as i64, size[1], size[2]])
        };
        sizes.iter().enumerate().map(of_layer).collect()
    })
}

/// The trials with a row to lose, those with few rows first; and the others.
fn rows_to_lose(context: &Context<'_>) -> Result<(Rows, Vec<usize>), MetricError> {
    let labels = read_labels(&context.probe.labels, context.probe.classes, "probe.labels")?;
    let mut candidates: Vec<Vec<usize>> = Vec::with_capacity(labels.len());
    let mut kept: Vec<Vec<(usize, i64)>> = Vec::with_capacity(labels.len());
    for (trial, own) in labels.iter().enumerate() {
        let same = labels[..trial].iter().position(|other| other == own);
        let rows = match same {
            Some(known) => candidates[known].clone(),
            None => balanced_rows(own, ROWS, context.probe.seed),
        };
        let device = context.ensemble.device();
        let to_tensor = |values: Vec<i64>| Tensor::from_slice(&values).to_device(device);
        let index = to_tensor(rows.iter().map(|&row| row as i64).collect());
        let row_labels: Vec<i64> = rows.iter().map(|&row| i64::from(own[row])).collect();
        let logits = context.forward.logits.get(trial as i64).index_select(1, &index).tr();
        let is_finite = logits.isfinite().all().int64_value(&[]) == 1;
        let flags = to_flags(&correct(&logits, &to_tensor(row_labels.clone())))?;
        let own_kept = flags.iter().zip(row_labels).enumerate();
        let own_kept = own_kept.filter(|(_, (flag, _))| **flag && is_finite);
        kept.push(own_kept.map(|(place, (_, label))| (place, label)).collect());
        candidates.push(rows);
    }
    let (mut with, without): (Vec<usize>, Vec<usize>) =
        (0..labels.len()).partition(|&trial| !kept[trial].is_empty());
    with.sort_by_key(|&trial| kept[trial].len());
    let rows = Rows {
        candidates: with.iter().map(|&trial| candidates[trial].clone()).collect(),
        kept: with.iter().map(|&trial| kept[trial].clone()).collect(),
        trials: with,
    };
    Ok((rows, without))
}

/// The radii of one scope at some thresholds, with the quantiles of single-draw radii.
fn radii(
    rows: &Rows,
    evaluate: impl FnMut(&[Request]) -> Result<Vec<u32>, MetricError>,
    scope: Scope,
    thresholds: &[f64],
    draws: usize,
) -> Result<Vec<BasinRow>, MetricError> {
    let wanted: Vec<usize> = QUANTILES
        .iter()
        .flat_map(|&share| quantile_ranks(draws, share).into_iter().flatten())
        .collect();
    let mut families: Vec<Family> =
        thresholds.iter().map(|&threshold| alone((0..draws).collect(), threshold)).collect();
    families.extend(thresholds.iter().map(|&threshold| Family {
        groups: (0..draws).map(|draw| Group { blocks: vec![draw], threshold }).collect(),
        with_error: false,
        ranks: vec![Ranks { groups: 0..draws, wanted: wanted.clone() }],
    }));
    let problem = |kept: &Vec<_>| Problem { families: families.clone(), block_length: kept.len() };
    let problems: Vec<Problem> = rows.kept.iter().map(problem).collect();
    let crossings = solve(&problems, evaluate)?;
    let mut basins = Vec::new();
    for ((&trial, kept), crossings) in rows.trials.iter().zip(&rows.kept).zip(&crossings) {
        let (pooled, single) = crossings.split_at(thresholds.len());
        for (&threshold, (all, single)) in thresholds.iter().zip(pooled.iter().zip(single)) {
            let row = BasinRow::null(trial, Space::Weight, scope, threshold);
            let row = row.with(&all[0], |correct| error_over_draws(correct, kept.len()));
            basins.push(match all[0] {
                Crossing::At { .. } => with_quantiles(row, single),
                Crossing::Above | Crossing::Below => row,
            });
        }
    }
    Ok(basins)
}

/// `lo` and `hi` from the radii of single draws; null where one lies off the grid.
fn with_quantiles(mut row: BasinRow, single: &[Crossing]) -> BasinRow {
    let mut radii: Vec<f64> = single.iter().map(Crossing::extended_radius).collect();
    radii.sort_unstable_by(f64::total_cmp);
    [row.lo, row.hi] = QUANTILES.map(|share| quantile(&radii, share));
    row
}

/// Standard error of the share over draws; correct rows draw by draw.
fn error_over_draws(correct: &[u32], rows: usize) -> f64 {
    let share = |&count: &u32| f64::from(count) / rows as f64;
    standard_error(&correct.iter().map(share).collect::<Vec<_>>())
}

#[cfg(test)]
#[path = "weight_basin_tests.rs"]
mod tests;
