//! The metric "curvature": sharpness of the training loss and noise of its gradient.
//! docs/metrics.md, section 6.

use phasegrid_nn::{Ensemble, GroupedRows, RowGroup, gradients};
use phasegrid_spec::Loss;
use phasegrid_tasks::stream::Stream;
use tch::{Kind, Tensor};

use crate::classes::read_labels;
use crate::context::Context;
use crate::error::MetricError;
use crate::host::{chunks, to_f64};
use crate::lanczos::largest_eigenvalues;
use crate::metric::Metric;
use crate::output::{Cell, MetricOutput, TrialColumns};
use crate::per_row::PerRow;
use crate::streams::{LANCZOS, balanced_rows};

/// Probe rows behind the loss, balanced over the classes. \[O\]
const ROWS: usize = 500;
/// Lanczos steps. \[O\]
const STEPS: usize = 15;
/// Length of the step of the central difference, beside 1 + |parameters|: so short that hardly a
/// row crosses the kink of a ReLU on it (a single one, its jump divided by the step, would pass for
/// the largest curvature there is), and in f64 not yet lost in rounding.
const DIFFERENCE: f64 = 1e-9;
/// Bytes that the Lanczos vectors may take at a time.
const VECTOR_BYTES: usize = 256 << 20;

/// `sharpness`, the largest eigenvalue of the training loss' Hessian on 500 probe rows, and
/// `noise_scale` = tr Sigma/(|g|² − tr Sigma/P) of its gradient g and the covariance Sigma of
/// the single rows' (null where the denominator is not positive, and with batch norm in the
/// network, where a row has no gradient of its own).
#[derive(Debug)]
pub struct Curvature;

impl Metric for Curvature {
    fn name(&self) -> &'static str {
        "curvature"
    }

    fn columns(&self) -> &'static [&'static str] {
        &[]
    }

    fn trial_columns(&self) -> &'static [&'static str] {
        &["sharpness", "noise_scale"]
    }

    fn measure(&self, context: &Context<'_>) -> Result<MetricOutput, MetricError> {
        context.validate()?;
        let parameters: i64 = context
            .ensemble
            .parameters()
            .iter()
            .map(|values| values.size()[1..].iter().product::<i64>())
            .sum();
        let bytes = (STEPS + 6) * parameters as usize * 8;
        let (mut sharpness, mut noise_scale) = (Vec::new(), Vec::new());
        for chunk in chunks(context.ensemble.len(), (VECTOR_BYTES / bytes.max(1)).max(1)) {
            let part = Part::new(context, &chunk)?;
            sharpness.extend(part.sharpness(context.probe.seed)?);
            noise_scale.extend(part.noise_scale()?);
        }
        let cells = |values: Vec<Option<f64>>| values.into_iter().map(Cell::from).collect();
        let columns = vec![("sharpness", cells(sharpness)), ("noise_scale", cells(noise_scale))];
        Ok(MetricOutput { trials: TrialColumns { columns }, ..MetricOutput::default() })
    }
}

/// Some trials in f64, with the rows of their loss.
struct Part {
    ensemble: Ensemble,
    rows: GroupedRows,
    /// [E, rows]
    labels: Tensor,
}

impl Part {
    fn new(context: &Context<'_>, trials: &[i64]) -> Result<Part, MetricError> {
        let labels = read_labels(&context.probe.labels, context.probe.classes, "probe.labels")?;
        let device = context.ensemble.device();
        let (mut groups, mut own_labels) = (Vec::new(), Vec::new());
        for (position, &trial) in trials.iter().enumerate() {
            let labels = &labels[trial as usize];
            let chosen = balanced_rows(labels, ROWS, context.probe.seed);
            let index: Vec<i64> = chosen.iter().map(|&row| row as i64).collect();
            let index = Tensor::from_slice(&index).to_device(device);
            let probe = context.probe.rows.select(&[trial]);
            let inputs = probe.groups[0].inputs.index_select(0, &index).to_kind(Kind::Double);
            groups.push(RowGroup { trials: position..position + 1, inputs });
            own_labels.extend(chosen.iter().map(|&row| i64::from(labels[row])));
        }
        let labels = Tensor::from_slice(&own_labels).view([trials.len() as i64, -1]);
        Ok(Part {
            ensemble: context.ensemble.select(trials).map(|values| values.to_kind(Kind::Double)),
            rows: GroupedRows { groups },
            labels: labels.to_device(device),
        })
    }

    /// The gradient of the mean loss, [E, N].
    fn gradient(&self, ensemble: &Ensemble) -> Result<Tensor, MetricError> {
        let (_, gradients) = gradients(ensemble, &self.rows, &self.labels)?;
        let flat: Vec<Tensor> = gradients.iter().map(|values| values.flatten(1, -1)).collect();
        Ok(Tensor::cat(&flat, 1))
    }

    /// The networks with a step [E, N] added to the parameters.
    fn moved(&self, step: &Tensor) -> Ensemble {
        let moved = self.ensemble.copy();
        let mut start = 0;
        for mut values in moved.parameters() {
            let size = values.size();
            let length = size[1] * size[2];
            let _ = values.g_add_(&step.narrow(1, start, length).reshape(&size));
            start += length;
        }
        moved
    }

    fn sharpness(&self, probe_seed: u64) -> Result<Vec<Option<f64>>, MetricError> {
        let _no_grad = tch::no_grad_guard();
        let parameters = self.ensemble.parameters();
        let flat: Vec<Tensor> = parameters.iter().map(|values| values.flatten(1, -1)).collect();
        let norm = Tensor::cat(&flat, 1);
        let norm = norm.square().sum_dim_intlist(&[-1i64][..], true, Kind::Double).sqrt();
        let step = (norm + 1.0) * DIFFERENCE;
        let normals = parameters.iter().enumerate().flat_map(|(index, values)| {
            let mut stream = Stream::new(probe_seed, LANCZOS, &[index as u64]);
            let count = values.size()[1] * values.size()[2];
            (0..count).map(move |_| stream.normal())
        });
        let start = Tensor::from_slice(&normals.collect::<Vec<f64>>());
        let start = start.to_device(self.ensemble.device()).unsqueeze(0);
        let start = start.repeat([self.ensemble.len() as i64, 1]);
        largest_eigenvalues(&start, STEPS, |vectors| {
            let ahead = vectors * &step;
            let difference = self.gradient(&self.moved(&ahead))?
                - self.gradient(&self.moved(&ahead.negative()))?;
            Ok(difference / (&step * 2.0))
        })
    }

    fn noise_scale(&self) -> Result<Vec<Option<f64>>, MetricError> {
        if self.ensemble.layers.iter().any(|layer| layer.batch_norm.is_some()) {
            return Ok(vec![None; self.ensemble.len()]);
        }
        let inputs: Vec<Tensor> = self.rows.groups.iter().map(|group| group.inputs.tr()).collect();
        let per_row = PerRow::new(&self.ensemble, &Tensor::stack(&inputs, 0));
        let sum = tch::with_grad(|| row_losses(&self.ensemble, &per_row.logits, &self.labels));
        let rows = self.rows.rows() as f64;
        let mean_of_squares =
            per_row.squared_norms(&sum)?.mean_dim(&[-1i64][..], false, Kind::Double);
        let gradient = self.gradient(&self.ensemble)?.square();
        let gradient = gradient.sum_dim_intlist(&[-1i64][..], false, Kind::Double);
        let pairs = to_f64(&mean_of_squares)?.into_iter().zip(to_f64(&gradient)?);
        Ok(pairs
            .map(|(mean_of_squares, gradient)| {
                let trace = mean_of_squares - gradient;
                let signal = gradient - trace / rows;
                (signal > 0.0).then_some(trace / signal)
            })
            .collect())
    }
}

/// The sum of every row's loss.
fn row_losses(ensemble: &Ensemble, logits: &Tensor, labels: &Tensor) -> Tensor {
    let index = labels.unsqueeze(1);
    match ensemble.loss {
        Loss::CrossEntropy => {
            -logits.log_softmax(1, Kind::Double).gather(1, &index, false).sum(Kind::Double)
        }
        Loss::Mse => {
            let ones = Tensor::ones_like(&index).to_kind(logits.kind());
            let target = logits.detach().zeros_like().scatter(1, &index, &ones);
            (logits - target).square().sum(Kind::Double) / logits.size()[1]
        }
    }
}
