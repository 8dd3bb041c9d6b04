//! The metric "kernel": how far the neural tangent kernel moved. docs/metrics.md, section 6.

use phasegrid_nn::Ensemble;
use tch::{Kind, Tensor};

use crate::classes::read_labels;
use crate::context::Context;
use crate::error::MetricError;
use crate::host::to_f64;
use crate::metric::Metric;
use crate::output::{Cell, MetricOutput, TrialColumns};
use crate::per_row::PerRow;
use crate::streams::balanced_rows;

/// Probe rows of the kernel, balanced over the classes. \[O\]
const ROWS: usize = 100;

/// `ntk_change` = 1 − <K_t, K_0>/(|K_t||K_0|) of the tangent kernel on 100 probe rows,
/// K_ij = sum over classes of <∇z_k(x_i), ∇z_k(x_j)>; batch norm in evaluation mode.
#[derive(Debug)]
pub struct Kernel;

impl Metric for Kernel {
    fn name(&self) -> &'static str {
        "kernel"
    }

    fn columns(&self) -> &'static [&'static str] {
        &[]
    }

    fn trial_columns(&self) -> &'static [&'static str] {
        &["ntk_change"]
    }

    fn measure(&self, context: &Context<'_>) -> Result<MetricOutput, MetricError> {
        context.validate()?;
        let labels = read_labels(&context.probe.labels, context.probe.classes, "probe.labels")?;
        let device = context.ensemble.device();
        let mut changes = Vec::with_capacity(labels.len());
        for (trial, labels) in labels.iter().enumerate() {
            let chosen = balanced_rows(labels, ROWS, context.probe.seed);
            let index: Vec<i64> = chosen.iter().map(|&row| row as i64).collect();
            let index = Tensor::from_slice(&index).to_device(device);
            let probe = context.probe.rows.select(&[trial as i64]);
            let inputs = probe.groups[0].inputs.index_select(0, &index).tr().unsqueeze(0);
            let own = |ensemble: &Ensemble| {
                let one = ensemble.select(&[trial as i64]);
                tangent_kernel(&one, &inputs)
            };
            changes.push(change(&own(context.ensemble)?, &own(context.initial)?)?);
        }
        let cells = changes.into_iter().map(Cell::from).collect();
        let columns = vec![("ntk_change", cells)];
        Ok(MetricOutput { trials: TrialColumns { columns }, ..MetricOutput::default() })
    }
}

/// [E, rows, rows] f64 from inputs [E or 1, n_0, rows].
fn tangent_kernel(ensemble: &Ensemble, inputs: &Tensor) -> Result<Tensor, MetricError> {
    let per_row = PerRow::new(ensemble, inputs);
    let of_class = |class| {
        let logits = tch::with_grad(|| per_row.logits.select(1, class).sum(None));
        per_row.gram(&logits)
    };
    let of_classes: Vec<Tensor> =
        (0..ensemble.classes()).map(of_class).collect::<Result<_, _>>()?;
    Ok(Tensor::stack(&of_classes, 0).sum_dim_intlist(&[0i64][..], false, Kind::Double))
}

/// 1 − cosine of two kernels; `None` where one vanishes or is not finite.
fn change(one: &Tensor, other: &Tensor) -> Result<Option<f64>, MetricError> {
    let product = |a: &Tensor, b: &Tensor| (a * b).sum(Kind::Double);
    let values = to_f64(&Tensor::stack(
        &[product(one, other), product(one, one), product(other, other)],
        0,
    ))?;
    let cosine = values[0] / (values[1].sqrt() * values[2].sqrt());
    Ok(Some(1.0 - cosine).filter(|change| change.is_finite()).map(|change| change.max(0.0)))
}
