//! The metric "sample_basin": how much noise on the inputs the classification survives.
//! docs/metrics.md, section 3.

use std::collections::HashMap;

use phasegrid_nn::{BATCH_NORM_EPSILON, Ensemble, apply_activation, correct_rows};
use phasegrid_tasks::stream::Stream;
use tch::Tensor;

use crate::basin::{
    BasinRow, FURTHER_THRESHOLDS, Scope, Space, alone, headline_threshold, standard_error,
};
use crate::basin_memo::Memo;
use crate::basin_solver::{Family, Group, solve};
use crate::classes::read_labels;
use crate::context::Context;
use crate::error::MetricError;
use crate::host::to_flags;
use crate::metric::Metric;
use crate::output::MetricOutput;
use crate::streams::{SAMPLE_NOISE, balanced_rows};

/// Probe rows that noise is put on, balanced over the classes. \[O\]
const ROWS: usize = 250;
/// Noisy copies of each row. \[O\]
const DRAWS: usize = 8;
/// Absolute accuracy at which the scope `all_abs` has its radius. \[P\]
const ABSOLUTE_THRESHOLD: f64 = 0.5;

/// Radii in sample space: the sd of Gaussian noise on every input at which the share of
/// initially correct probe rows still classified as their label falls to a threshold.
///
/// Rows of the table `basins`: scope `all` at theta0, 0.7 and 0.9; `all_abs` (absolute
/// accuracy 1/2) where the accuracy starts above; `class:k` at theta0 for every class with a
/// correct row. The noise of (row, draw) is the same for every amplitude and trial.
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
        let mut draws = Draws::new(context);
        let mut noise: Option<Noise> = None;
        let mut basins = Vec::new();
        for (trial, labels) in labels.iter().enumerate() {
            let rows = balanced_rows(labels, ROWS, context.probe.seed);
            if rows.is_empty() {
                continue;
            }
            let own = match noise.take() {
                Some(known) if known.rows == rows => known,
                _ => draws.noise(rows),
            };
            basins.extend(Trial::new(context, trial, labels, &own).basins()?);
            noise = Some(own);
        }
        Ok(MetricOutput { basins, ..MetricOutput::default() })
    }
}

/// The noise on some rows of the probe.
struct Noise {
    rows: Vec<usize>,
    /// xi, [rows·draws, n_0], row by row.
    values: Tensor,
}

/// The draws of every row asked for so far.
struct Draws<'a> {
    context: &'a Context<'a>,
    of_row: HashMap<usize, Tensor>,
}

impl<'a> Draws<'a> {
    fn new(context: &'a Context<'a>) -> Draws<'a> {
        Draws { context, of_row: HashMap::new() }
    }

    fn noise(&mut self, rows: Vec<usize>) -> Noise {
        let of_rows: Vec<Tensor> = rows.iter().map(|&row| self.of_row(row)).collect();
        let like = &self.context.forward.logits;
        let values = Tensor::cat(&of_rows, 0).to_kind(like.kind()).to_device(like.device());
        Noise { rows, values }
    }

    /// [draws, n_0] f32; stream (probe_seed, row, draw).
    fn of_row(&mut self, row: usize) -> Tensor {
        let inputs = self.context.ensemble.layers[0].weight.size()[2];
        let seed = self.context.probe.seed;
        let values = self.of_row.entry(row).or_insert_with(|| {
            let draw = |draw| {
                let mut stream = Stream::new(seed, SAMPLE_NOISE, &[row as u64, draw]);
                stream.normals_f32(inputs as usize)
            };
            let values: Vec<f32> = (0..DRAWS as u64).flat_map(draw).collect();
            Tensor::from_slice(&values).view([DRAWS as i64, inputs])
        });
        values.shallow_clone()
    }
}

/// One trial's network and its noisy rows.
struct Trial<'a> {
    trial: usize,
    ensemble: Ensemble,
    classes: i64,
    /// Label of each row.
    labels: Vec<u32>,
    /// Which rows are classified as their label without noise; `None` if a logit is not finite.
    initially: Option<Vec<bool>>,
    /// Label of each cell, [1, rows·draws].
    cell_labels: Tensor,
    /// h^(1) = clean + sigma·noisy, both [1, n_1, rows·draws]: the first layer (with batch
    /// norm) is affine, so its products serve every amplitude.
    clean: Tensor,
    noisy: Tensor,
    rows: &'a [usize],
}

impl<'a> Trial<'a> {
    fn new(context: &Context<'_>, trial: usize, labels: &[u32], noise: &'a Noise) -> Trial<'a> {
        let ensemble = context.ensemble.select(&[trial as i64]);
        let index: Vec<i64> = noise.rows.iter().map(|&row| row as i64).collect();
        let index = Tensor::from_slice(&index).to_device(ensemble.device());
        let own_labels: Vec<u32> = noise.rows.iter().map(|&row| labels[row]).collect();
        let cell_labels: Vec<i64> =
            own_labels.iter().flat_map(|&label| [i64::from(label); DRAWS]).collect();
        let cell_labels =
            Tensor::from_slice(&cell_labels).to_device(ensemble.device()).unsqueeze(0);

        let logits = context.forward.logits.narrow(0, trial as i64, 1).index_select(2, &index);
        let row_labels: Vec<i64> = own_labels.iter().map(|&label| i64::from(label)).collect();
        let row_labels = Tensor::from_slice(&row_labels).to_device(ensemble.device()).unsqueeze(0);
        let is_finite = logits.isfinite().all().int64_value(&[]) == 1;
        let initially =
            is_finite.then(|| to_flags(&correct_rows(&logits, &row_labels))).and_then(Result::ok);

        let first = &ensemble.layers[0];
        let probe = context.probe.rows.select(&[trial as i64]);
        let inputs = probe.groups[0].inputs.index_select(0, &index);
        let product = |inputs: &Tensor| first.weight.matmul(&inputs.tr());
        let clean = product(&inputs) + &first.bias;
        let clean = clean.repeat_interleave_self_int(DRAWS as i64, 2, None);
        let noisy = product(&noise.values);
        let (clean, noisy) = match &first.batch_norm {
            None => (clean, noisy),
            Some(norm) => {
                let scale = &norm.gamma / (&norm.var + BATCH_NORM_EPSILON).sqrt();
                ((clean - &norm.mean) * &scale + &norm.beta, noisy * scale)
            }
        };
        Trial {
            trial,
            classes: context.probe.classes,
            labels: own_labels,
            initially,
            cell_labels,
            clean,
            noisy,
            rows: &noise.rows,
            ensemble,
        }
    }

    /// Which cells of some rows are classified as their label with noise of these sds.
    fn correct(&self, rows: &[usize], amplitudes: &[f64]) -> Result<Vec<bool>, MetricError> {
        let sigma: Vec<f64> = amplitudes.iter().flat_map(|&sd| [sd; DRAWS]).collect();
        let sigma = Tensor::from_slice(&sigma).to_kind(self.noisy.kind());
        let sigma = sigma.to_device(self.noisy.device());
        let cells: Vec<i64> =
            rows.iter().flat_map(|row| (row * DRAWS) as i64..((row + 1) * DRAWS) as i64).collect();
        let cells = Tensor::from_slice(&cells).to_device(self.noisy.device());
        let own = |values: &Tensor| match rows.len() == self.rows.len() {
            true => values.shallow_clone(),
            false => values.index_select(-1, &cells),
        };
        let fields = own(&self.noisy) * sigma + own(&self.clean);
        let outputs = apply_activation(self.ensemble.activation, &fields);
        let logits = self.ensemble.logits_after(1, &outputs);
        to_flags(&correct_rows(&logits, &own(&self.cell_labels)))
    }

    fn basins(&self) -> Result<Vec<BasinRow>, MetricError> {
        let theta = headline_threshold(self.classes);
        let thresholds = [theta, FURTHER_THRESHOLDS[0], FURTHER_THRESHOLDS[1]];
        let null = |scope, threshold| BasinRow::null(self.trial, Space::Sample, scope, threshold);
        let kept = self.cells_where(|row| self.initially.as_ref().is_some_and(|rows| rows[row]));
        if kept.is_empty() {
            return Ok(thresholds.map(|threshold| null(Scope::All, threshold)).to_vec());
        }
        let mut families: Vec<Family> =
            thresholds.iter().map(|&threshold| alone(kept.clone(), threshold)).collect();
        let mut rows: Vec<Vec<BasinRow>> =
            thresholds.iter().map(|&threshold| vec![null(Scope::All, threshold)]).collect();
        let everything = self.cells_where(|_| true);
        if kept.len() as f64 > ABSOLUTE_THRESHOLD * everything.len() as f64 {
            families.push(alone(everything, ABSOLUTE_THRESHOLD));
            rows.push(vec![null(Scope::AllAbs, ABSOLUTE_THRESHOLD)]);
        }
        let (mut groups, mut class_rows) = (Vec::new(), Vec::new());
        for class in 0..self.classes as usize {
            let cells: Vec<usize> = kept
                .iter()
                .copied()
                .filter(|cell| self.labels[cell / DRAWS] as usize == class)
                .collect();
            if !cells.is_empty() {
                groups.push(Group { cells, threshold: theta });
                class_rows.push(null(Scope::Class(class), theta));
            }
        }
        families.push(Family { groups, with_error: true });
        rows.push(class_rows);
        let cells = self.rows.len() * DRAWS;
        let mut memo = Memo::new(DRAWS);
        let crossings = solve(&families, cells, |amplitudes| {
            memo.correct(amplitudes, |rows, amplitudes| self.correct(rows, amplitudes))
        })?;
        let pairs = rows.into_iter().flatten().zip(crossings.iter().flatten());
        Ok(pairs.map(|(row, crossing)| row.with(crossing, error_over_rows)).collect())
    }

    /// All cells of the rows chosen.
    fn cells_where(&self, chosen: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.rows.len())
            .filter(|&row| chosen(row))
            .flat_map(|row| row * DRAWS..(row + 1) * DRAWS)
            .collect()
    }
}

/// Standard error, over rows, of the mean of the rows' draw-means; cells row by row.
fn error_over_rows(correct: &[bool]) -> f64 {
    let draw_mean =
        |draws: &[bool]| draws.iter().filter(|hit| **hit).count() as f64 / draws.len() as f64;
    standard_error(&correct.chunks(DRAWS).map(draw_mean).collect::<Vec<_>>())
}
