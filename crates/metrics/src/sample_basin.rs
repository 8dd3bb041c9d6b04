//! The metric "sample_basin": how much noise on the inputs the classification survives.
//! docs/metrics.md, section 3.

use phasegrid_tasks::stream::Stream;
use tch::{Kind, Tensor};

use crate::basin::{
    BasinRow, FURTHER_THRESHOLDS, Scope, Space, alone, headline_threshold, quantile, standard_error,
};
use crate::basin_solver::{Crossing, Family, Group, Problem, Ranks, solve};
use crate::classes::read_labels;
use crate::context::Context;
use crate::error::MetricError;
use crate::host::on_host;
use crate::metric::Metric;
use crate::noise::{NoiseKey, kept_or_drawn};
use crate::noise_shape::Shape;
use crate::noisy_rows::NoisyRows;
use crate::output::MetricOutput;
use crate::streams::{SAMPLE_NOISE, SAMPLE_RAYS, balanced_rows};

/// Probe rows that noise is put on, balanced over the classes. \[O\]
const ROWS: usize = 250;
/// Noisy copies of each row. \[O\]
const DRAWS: usize = 8;
/// Absolute accuracy at which the scope `all_abs` has its radius. \[P\]
const ABSOLUTE_THRESHOLD: f64 = 0.5;
/// Probe rows with a radius of their own, balanced over the classes. \[O\]
const OWN_ROWS: usize = 50;
/// Rays along which a row is followed. \[O\]
const RAYS: usize = 32;
/// Ranks of the two rays in the middle, whose radii make the median.
const MIDDLE_RAYS: [usize; 2] = [RAYS / 2 - 1, RAYS / 2];
/// Bytes that the products of the first layer may take at a time: they are read again for every
/// amplitude, on the host from its cache.
const HOST_PRODUCT_BYTES: usize = 2 << 20;
const PRODUCT_BYTES: usize = 128 << 20;

/// Radii in sample space: the sd of Gaussian noise on every input at which the share of
/// initially correct probe rows still classified as their label falls to a threshold.
///
/// Rows of the table `basins`: scope `all` at theta0, 0.7 and 0.9; `all_abs` (absolute
/// accuracy 1/2), null where the accuracy does not start above; `class:k` at theta0, null for a class
/// without a correct row; `sample`, median and quartiles over rows of the row's own radius. The noise of
/// (row, draw) is the same for every amplitude and trial, the rays for every row too.
#[derive(Debug)]
pub struct SampleBasin;

impl Metric for SampleBasin {
    fn name(&self) -> &'static str {
        "sample_basin"
    }

    fn columns(&self) -> &'static [&'static str] {
        &[]
    }

    fn measure(&self, context: &Context<'_>) -> Result<MetricOutput, MetricError> {
        context.validate()?;
        let labels = read_labels(&context.probe.labels, context.probe.classes, "probe.labels")?;
        let logits = &context.forward.logits;
        let width = context.ensemble.layers[0].weight.size()[1] as usize;
        let bytes = ROWS * (DRAWS + 1) * width * logits.kind().elt_size_in_bytes();
        let most = if on_host(logits) { HOST_PRODUCT_BYTES } else { PRODUCT_BYTES };
        let mut basins = Vec::new();
        let trials: Vec<usize> = (0..labels.len()).collect();
        for chunk in trials.chunks((most / bytes.max(1)).max(1)) {
            let own_labels: Vec<&[u32]> =
                chunk.iter().map(|&trial| labels[trial].as_slice()).collect();
            basins.extend(pooled(context, chunk, &own_labels)?);
            basins.extend(by_row(context, chunk, &own_labels)?);
        }
        basins.sort_by_key(|row| row.trial);
        Ok(MetricOutput { basins, ..MetricOutput::default() })
    }
}

/// The rows that noise is put on, by trial.
fn rows_of(context: &Context<'_>, labels: &[&[u32]], count: usize) -> Vec<Vec<usize>> {
    let mut rows: Vec<Vec<usize>> = Vec::with_capacity(labels.len());
    for (index, own) in labels.iter().enumerate() {
        let same = labels[..index].iter().position(|other| other == own);
        rows.push(match same {
            Some(known) => rows[known].clone(),
            None => balanced_rows(own, count, context.probe.seed),
        });
    }
    rows
}

/// The scopes whose share is pooled over rows.
fn pooled(
    context: &Context<'_>,
    trials: &[usize],
    labels: &[&[u32]],
) -> Result<Vec<BasinRow>, MetricError> {
    let rows = rows_of(context, labels, ROWS);
    if rows.iter().any(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let noise = |rows: &[usize]| row_noise(context, rows);
    let noisy =
        NoisyRows::new(context, trials, labels, &rows, &noise, Shape::Copies { of_row: DRAWS })?;
    let asked: Vec<Asked> = (0..trials.len())
        .map(|position| {
            let own_labels: Vec<usize> =
                rows[position].iter().map(|&row| labels[position][row] as usize).collect();
            Asked::new(trials[position], context.probe.classes, &own_labels, &noisy.kept[position])
        })
        .collect();
    let problems: Vec<Problem> = asked.iter().map(|asked| asked.problem.clone()).collect();
    let crossings = solve(&problems, |requests| noisy.correct(requests))?;
    let mut basins = Vec::new();
    for (asked, crossings) in asked.into_iter().zip(&crossings) {
        let found = asked.rows.into_iter().zip(crossings.iter().flatten());
        basins.extend(asked.null_rows);
        basins.extend(found.map(|(row, crossing)| row.with(crossing, error_over_rows)));
    }
    Ok(basins)
}

/// What is asked of one trial, and the rows it fills.
struct Asked {
    problem: Problem,
    /// One row a group, in order.
    rows: Vec<BasinRow>,
    /// Rows without a radius.
    null_rows: Vec<BasinRow>,
}

impl Asked {
    /// `labels` and `kept` of each row: its class, and whether it is initially correct.
    fn new(trial: usize, classes: i64, labels: &[usize], kept: &[bool]) -> Asked {
        let theta = headline_threshold(classes);
        let thresholds = [theta, FURTHER_THRESHOLDS[0], FURTHER_THRESHOLDS[1]];
        let null = |scope, threshold| BasinRow::null(trial, Space::Sample, scope, threshold);
        let correct: Vec<usize> = (0..kept.len()).filter(|&row| kept[row]).collect();
        let mut asked = Asked {
            problem: Problem { families: Vec::new(), block_length: DRAWS },
            rows: Vec::new(),
            null_rows: Vec::new(),
        };
        let every: Vec<usize> = (0..kept.len()).collect();
        let starts_above = correct.len() as f64 > ABSOLUTE_THRESHOLD * kept.len() as f64;
        let of_class =
            |class: usize| correct.iter().copied().filter(move |&row| labels[row] == class);
        let mut scopes: Vec<(Vec<usize>, Scope, f64)> =
            thresholds.map(|threshold| (correct.clone(), Scope::All, threshold)).to_vec();
        let absolute = if starts_above { every } else { Vec::new() };
        scopes.push((absolute, Scope::AllAbs, ABSOLUTE_THRESHOLD));
        scopes.extend(
            (0..classes as usize)
                .map(|class| (of_class(class).collect(), Scope::Class(class), theta)),
        );
        for (blocks, scope, threshold) in scopes {
            let row = null(scope, threshold);
            if blocks.is_empty() {
                asked.null_rows.push(row);
            } else {
                asked.problem.families.push(alone(blocks, threshold));
                asked.rows.push(row);
            }
        }
        asked
    }
}

/// The scope `sample`: every row's own radius, the median over rays of its first exit.
fn by_row(
    context: &Context<'_>,
    trials: &[usize],
    labels: &[&[u32]],
) -> Result<Vec<BasinRow>, MetricError> {
    let rows = rows_of(context, labels, OWN_ROWS);
    if rows.iter().any(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let noise = |_: &[usize]| rays(context);
    let noisy =
        NoisyRows::new(context, trials, labels, &rows, &noise, Shape::Rays { count: RAYS })?;
    let threshold = ABSOLUTE_THRESHOLD;
    let problem = |kept: &Vec<bool>| {
        let correct: Vec<usize> = (0..kept.len()).filter(|&row| kept[row]).collect();
        let of_row = |row: &usize| row * RAYS..(row + 1) * RAYS;
        let group = |block| Group { blocks: vec![block], threshold };
        let ranks = |index: usize| Ranks {
            groups: index * RAYS..(index + 1) * RAYS,
            wanted: MIDDLE_RAYS.to_vec(),
        };
        let family = Family {
            groups: correct.iter().flat_map(of_row).map(group).collect(),
            with_error: false,
            ranks: (0..correct.len()).map(ranks).collect(),
        };
        Problem { families: vec![family], block_length: 1 }
    };
    let problems: Vec<Problem> = noisy.kept.iter().map(problem).collect();
    let crossings = solve(&problems, |requests| noisy.correct(requests))?;
    let summary = |(trial, crossings): (&usize, &Vec<Vec<Crossing>>)| {
        let row = BasinRow::null(*trial, Space::Sample, Scope::Sample, threshold);
        let mut radii: Vec<f64> = crossings[0].chunks(RAYS).map(median_of_rays).collect();
        radii.sort_unstable_by(f64::total_cmp);
        row.with_quartiles(&radii)
    };
    Ok(trials.iter().zip(&crossings).map(summary).collect())
}

/// The median of a row's radii; infinite where it lies above the grid.
fn median_of_rays(crossings: &[Crossing]) -> f64 {
    let mut radii: Vec<f64> = crossings.iter().map(Crossing::extended_radius).collect();
    radii.sort_unstable_by(f64::total_cmp);
    quantile(&radii, 0.5).unwrap_or(f64::INFINITY)
}

/// xi of those rows of the probe, [rows·draws, n_0], row by row; stream (probe_seed, row, draw).
fn row_noise(context: &Context<'_>, rows: &[usize]) -> Tensor {
    let inputs = context.ensemble.layers[0].weight.size()[2] as usize;
    let seed = context.probe.seed;
    let numbers = [&[inputs, DRAWS], rows].concat();
    drawn_once(context, SAMPLE_NOISE, numbers, || {
        let normals = |row: usize, draw: usize| {
            Stream::new(seed, SAMPLE_NOISE, &[row as u64, draw as u64]).normals_f32(inputs)
        };
        let values: Vec<f32> = rows
            .iter()
            .flat_map(|&row| (0..DRAWS).flat_map(move |draw| normals(row, draw)))
            .collect();
        Tensor::from_slice(&values).view([-1, inputs as i64])
    })
}

/// xi/rms(xi) of the rays, [rays, n_0]; stream (probe_seed, ray).
fn rays(context: &Context<'_>) -> Tensor {
    let inputs = context.ensemble.layers[0].weight.size()[2] as usize;
    let seed = context.probe.seed;
    drawn_once(context, SAMPLE_RAYS, vec![inputs, RAYS], || {
        let normals = |ray| Stream::new(seed, SAMPLE_RAYS, &[ray]).normals_f32(inputs);
        let values: Vec<f32> = (0..RAYS as u64).flat_map(normals).collect();
        let values = Tensor::from_slice(&values).view([-1, inputs as i64]).to_kind(Kind::Double);
        let rms = values.square().mean_dim(&[-1i64][..], true, Kind::Double).sqrt();
        values / rms
    })
}

fn drawn_once(
    context: &Context<'_>,
    purpose: &'static str,
    numbers: Vec<usize>,
    draw: impl FnOnce() -> Tensor,
) -> Tensor {
    let logits = &context.forward.logits;
    let (kind, device) = (logits.kind(), logits.device());
    let key = NoiseKey { purpose, probe_seed: context.probe.seed, numbers, kind, device };
    kept_or_drawn(key, || vec![draw()]).remove(0)
}

/// Standard error, over rows, of the mean of the rows' draw-means; correct copies row by row.
fn error_over_rows(correct: &[u32]) -> f64 {
    let draw_mean = |&count: &u32| f64::from(count) / DRAWS as f64;
    standard_error(&correct.iter().map(draw_mean).collect::<Vec<_>>())
}

#[cfg(test)]
#[path = "sample_basin_tests.rs"]
mod tests;
