//! The metric "lmap": how far the layers after l can be replaced by their linear tail.
//! docs/metrics.md, section 1.

use phasegrid_tasks::stream::Stream;
use tch::{Kind, Tensor};

use crate::context::Context;
use crate::error::MetricError;
use crate::host::{budget_bytes, chunks, finite, to_f64, to_nested, trials_at_a_time};
use crate::metric::Metric;
use crate::output::{Cell, LayerColumns, MetricOutput};
use crate::streams::{TAU_ROWS, subsample};
use crate::tail::{Tail, linear_tails};
use crate::tau::mean_tau;

/// The linear substitution map.
///
/// | column | range | what |
/// |---|---|---|
/// | `lmap_accuracy` | 0…1 | share of probe rows whose argmax z_l is their label \[P\] |
/// | `lmap_test_accuracy` | 0…1 | the same on the test set \[P\] |
/// | `lmap_agreement` | 0…1 | share of probe rows with argmax z_l = argmax z \[O\] |
/// | `lmap_tau` | −1…1 | mean over classes of Kendall's tau-b between z_l,k and z_k, each minus its mean over classes, on 500 probe rows \[O\] |
///
/// z_l = M^(l) y^(l) + c^(l). Argmax ties: lowest class. At l = D, z_l is z itself. Null where
/// z_l or z is not finite on some row; tau also where one of the two is constant in every class.
#[derive(Debug)]
pub struct LinearMap;

const COLUMNS: &[&str] = &["lmap_accuracy", "lmap_test_accuracy", "lmap_agreement", "lmap_tau"];

/// Probe rows that `lmap_tau` is computed on, drawn by probe_seed, the same for all trials.
const TAU_SAMPLE: usize = 500;

impl Metric for LinearMap {
    fn name(&self) -> &'static str {
        "lmap"
    }

    fn columns(&self) -> &'static [&'static str] {
        COLUMNS
    }

    fn measure(&self, context: &Context<'_>) -> Result<MetricOutput, MetricError> {
        context.validate()?;
        let (trials, depth) = (context.ensemble.len(), context.ensemble.depth());
        let tails = linear_tails(context.ensemble);
        let on_probe = OnProbe::new(context, &tails)?;
        let on_test = test_accuracies(context, &tails)?;
        let mut layers = LayerColumns::null(COLUMNS, trials, depth);
        let columns = [&on_probe.accuracy, &on_test, &on_probe.agreement, &on_probe.tau];
        for trial in 0..trials {
            for layer in 0..depth {
                let cells = columns.map(|values| Cell::from(values[layer][trial]));
                layers.set_row(trial, layer, cells.to_vec());
            }
        }
        Ok(MetricOutput { layers, ..MetricOutput::default() })
    }
}

/// [l − 1][trial]
type ByLayer = Vec<Vec<Option<f64>>>;

/// What is measured on the probe.
struct OnProbe {
    accuracy: ByLayer,
    agreement: ByLayer,
    tau: ByLayer,
}

impl OnProbe {
    fn new(context: &Context<'_>, tails: &[Tail]) -> Result<Self, MetricError> {
        let logits = &context.forward.logits;
        let predicted = predictions(logits);
        let rows = context.probe.rows.rows() as usize;
        let sample =
            subsample(&mut Stream::new(context.probe.seed, TAU_ROWS, &[]), rows, TAU_SAMPLE);
        let sample = Tensor::from_slice(&sample).to_device(logits.device());
        let sampled = to_nested(&relative_to_mean(&logits.index_select(2, &sample)))?;
        let mut on_probe = OnProbe { accuracy: Vec::new(), agreement: Vec::new(), tau: Vec::new() };
        for (layer, tail) in tails.iter().enumerate() {
            let tail_logits = match layer + 1 == tails.len() {
                true => logits.shallow_clone(),
                false => tail.logits(&context.forward.activations[layer]),
            };
            let valid = all_finite(&tail_logits).logical_and(&all_finite(logits));
            let tail_predicted = predictions(&tail_logits);
            let share = |same: Tensor| {
                finite(&same.mean_dim(-1, false, Kind::Double).where_scalarother(&valid, f64::NAN))
            };
            on_probe.accuracy.push(share(tail_predicted.eq_tensor(&context.probe.labels))?);
            on_probe.agreement.push(share(tail_predicted.eq_tensor(&predicted))?);
            let tail_sampled = to_nested(&relative_to_mean(&tail_logits.index_select(2, &sample)))?;
            let taus = sampled.iter().zip(&tail_sampled).map(|(full, tail)| mean_tau(full, tail));
            on_probe.tau.push(taus.collect());
        }
        Ok(on_probe)
    }
}

/// Accuracy of argmax z_l on the test set, [l − 1][trial]; rows and trials in chunks that fit
/// the memory budget.
fn test_accuracies(context: &Context<'_>, tails: &[Tail]) -> Result<ByLayer, MetricError> {
    let logits = &context.forward.logits;
    let rows = context.test.rows.rows();
    let units: i64 =
        context.forward.activations.iter().map(|activation| 2 * activation.size()[1]).sum();
    let bytes_per_row = units.max(1) * logits.kind().elt_size_in_bytes() as i64;
    let rows_at_a_time = (budget_bytes(logits.device()) / bytes_per_row).clamp(1, rows.max(1));
    let mut accuracies = vec![Vec::new(); tails.len()];
    for chunk in chunks(context.ensemble.len(), trials_at_a_time(units * rows_at_a_time, logits)) {
        let positions = Tensor::from_slice(&chunk).to_device(logits.device());
        let ensemble = context.ensemble.select(&chunk);
        let chunk_rows = context.test.rows.select(&chunk);
        let labels = context.test.labels.index_select(0, &positions);
        let chunk_tails: Vec<Tail> = tails.iter().map(|tail| tail.select(&positions)).collect();
        let mut correct = vec![vec![0.0; chunk.len()]; tails.len()];
        let mut start = 0;
        while start < rows {
            let length = rows_at_a_time.min(rows - start);
            let forward = ensemble.forward(&chunk_rows.narrow(start, length));
            let labels = labels.narrow(1, start, length);
            for (layer, tail) in chunk_tails.iter().enumerate() {
                let logits = match layer + 1 == chunk_tails.len() {
                    true => forward.logits.shallow_clone(),
                    false => tail.logits(&forward.activations[layer]),
                };
                for (total, count) in correct[layer].iter_mut().zip(correct_rows(&logits, &labels)?)
                {
                    *total += count;
                }
            }
            start += length;
        }
        for (accuracies, correct) in accuracies.iter_mut().zip(correct) {
            accuracies.extend(
                correct
                    .iter()
                    .map(|count| Some(count / rows as f64).filter(|share| share.is_finite())),
            );
        }
    }
    Ok(accuracies)
}

/// Rows with argmax z = label, by trial; NaN where z is not finite on some row.
fn correct_rows(logits: &Tensor, labels: &Tensor) -> Result<Vec<f64>, MetricError> {
    let correct = predictions(logits).eq_tensor(labels).sum_dim_intlist(-1, false, Kind::Double);
    to_f64(&correct.where_scalarother(&all_finite(logits), f64::NAN))
}

/// The class of the largest logit, the lowest of equal ones: [E, K, rows] to [E, rows].
fn predictions(logits: &Tensor) -> Tensor {
    logits.max_dim(1, false).1
}

/// Whether every element of each trial's [K, rows] is finite: bool [E].
fn all_finite(logits: &Tensor) -> Tensor {
    logits.isfinite().flatten(1, -1).all_dim(-1, false)
}

/// Logits [E, K, rows] minus their mean over classes.
fn relative_to_mean(logits: &Tensor) -> Tensor {
    logits - logits.mean_dim(1, true, logits.kind())
}
