//! Loss and accuracy of every trial of an ensemble on rows of its own or shared ones.

use crate::ensemble::{Ensemble, Statistics};
use crate::rows::GroupedRows;
use phasegrid_spec::Loss;
use tch::{Device, Kind, Tensor};

/// Rows whose statistics batch norm takes together in [`Statistics::OfRows`]
/// (metrics.md, section 0).
const ROWS_OF_STATISTICS: i64 = 1_000;

/// Activations of a chunk of rows hold about this many numbers a layer (8 MiB as f32).
const CHUNK_NUMBERS: i64 = 1 << 21;

/// The mean loss and the accuracy of each trial, in ensemble order, in evaluation mode.
///
/// `labels` is `[E, rows]` (i64). Cross-entropy in nats, or the squared error's mean over rows
/// and classes; sums in f64. Argmax ties go to the lowest class, and a NaN logit is wrong.
pub fn evaluate(ensemble: &Ensemble, rows: &GroupedRows, labels: &Tensor) -> (Vec<f64>, Vec<f64>) {
    evaluate_with(ensemble, rows, labels, Statistics::Running)
}

/// The same with the statistics of your choice in batch norm; [`Statistics::OfRows`] takes
/// 1,000 rows at a time, in order.
pub fn evaluate_with(
    ensemble: &Ensemble,
    rows: &GroupedRows,
    labels: &Tensor,
    statistics: Statistics,
) -> (Vec<f64>, Vec<f64>) {
    tch::no_grad(|| {
        let (trials, count) = (ensemble.len() as i64, rows.rows());
        let chunk = match statistics {
            Statistics::OfRows => ROWS_OF_STATISTICS,
            Statistics::Running => (CHUNK_NUMBERS / (trials * ensemble.largest_width()).max(1))
                .clamp(32, count.max(32)),
        };
        let zeros = || Tensor::zeros([trials], (Kind::Double, ensemble.device()));
        let (mut loss, mut correct) = (zeros(), zeros());
        let mut start = 0;
        while start < count {
            let length = chunk.min(count - start);
            let logits = ensemble.logits_with(&rows.narrow(start, length), statistics);
            let own_labels = labels.narrow(1, start, length);
            loss += summed_loss(ensemble.loss, &logits, &own_labels);
            correct += correct_rows(&logits, &own_labels).sum_dim_intlist(
                &[1i64][..],
                false,
                Kind::Double,
            );
            start += length;
        }
        (host_f64(&(loss / count)), host_f64(&(correct / count)))
    })
}

/// Whether each row is classified as its label: logits `[E, K, rows]`, labels `[E, rows]`,
/// result `[E, rows]` (bool). Ties go to the lowest class, a NaN logit is wrong.
pub fn correct_rows(logits: &Tensor, labels: &Tensor) -> Tensor {
    // max gives NaN and its class if there is one among the logits, the first of equal ones.
    let (largest, class) = logits.max_dim(1, false);
    class.eq_tensor(labels).logical_and(&largest.isnan().logical_not())
}

/// Each trial's loss summed over rows (and averaged over classes for MSE), f64 `[E]`.
fn summed_loss(loss: Loss, logits: &Tensor, labels: &Tensor) -> Tensor {
    let index = labels.unsqueeze(1);
    match loss {
        Loss::CrossEntropy => {
            let log_softmax = logits.log_softmax(1, None);
            -log_softmax.gather(1, &index, false).sum_dim_intlist(
                &[1i64, 2][..],
                false,
                Kind::Double,
            )
        }
        // sum (z - target)² = sum z² - 2 z_label + 1 would cancel: subtract first.
        Loss::Mse => {
            let ones = Tensor::ones_like(&index).to_kind(logits.kind());
            let difference = logits.scatter_add(1, &index, &-ones);
            difference.square().sum_dim_intlist(&[1i64, 2][..], false, Kind::Double)
                / logits.size()[1]
        }
    }
}

/// The values of a tensor as f64 on the host.
fn host_f64(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor.to_device(Device::Cpu).to_kind(Kind::Double).contiguous().view([-1]);
    let mut values = vec![0.0; flat.numel()];
    let length = values.len();
    flat.copy_data(&mut values, length);
    values
}
