//! Second moments of a layer's fields and activations over the probe, and how far the layer
//! has moved from where it started. Batched over trials, on the tensors' own device.

use tch::{Kind, Tensor};

use crate::error::MetricError;
use crate::host::{finite, sum_kind, to_f64};

/// Moments of one layer for some trials.
#[derive(Debug)]
pub(crate) struct Moments {
    /// [trial][n]: std(y_i) over the probe, ddof 0.
    pub(crate) activation_std: Vec<Vec<f64>>,
    /// Per trial: mean over units of corr²(f(h_i), h_i), 0…1; units with constant h or y are
    /// left out, `None` where no unit remains. \[O\]
    pub(crate) linear_r2: Vec<Option<f64>>,
    /// Per trial: (tr C)²/|C|_F² of y's covariance over the probe, 1…min(n, P−1); `None` where
    /// no unit varies. \[O\]
    pub(crate) participation_ratio: Vec<Option<f64>>,
}

impl Moments {
    /// From h and y of one layer, both [E, n, P].
    pub(crate) fn new(fields: &Tensor, activations: &Tensor) -> Result<Self, MetricError> {
        let field_deviation = deviation(fields);
        let activation_deviation = deviation(activations);
        let rows = fields.size()[2];
        let field_sum = sum_of_products(&field_deviation, &field_deviation);
        let activation_sum = sum_of_products(&activation_deviation, &activation_deviation);
        let mixed_sum = sum_of_products(&field_deviation, &activation_deviation);

        let varies = field_sum.gt(0.0).logical_and(&activation_sum.gt(0.0));
        let r2 = (mixed_sum.square() / (&field_sum * &activation_sum)).clamp_max(1.0);
        let r2_sum =
            r2.where_self(&varies, &r2.zeros_like()).sum_dim_intlist(-1, false, Kind::Double);
        let r2_mean = r2_sum / varies.sum_dim_intlist(-1, false, Kind::Double);
        let broken = field_sum.sum_dim_intlist(-1, false, Kind::Double) * 0.0
            + activation_sum.sum_dim_intlist(-1, false, Kind::Double) * 0.0;

        let trace = activation_sum.sum_dim_intlist(-1, false, Kind::Double);
        let ratio = trace.square() / gram_norm_square(&activation_deviation);
        let std = (activation_sum / rows as f64).sqrt();
        let units = fields.size()[1].max(1) as usize;
        Ok(Moments {
            activation_std: to_f64(&std)?.chunks(units).map(<[f64]>::to_vec).collect(),
            linear_r2: finite(&(r2_mean + broken))?,
            participation_ratio: finite(&ratio)?,
        })
    }
}

/// `feature_change` |y_T − y_0|/|y_0| of one layer, for y [E, n, P] now and at step 0: >= 0,
/// one value a trial; `None` where y_0 = 0. \[O\]
pub(crate) fn relative_change(
    now: &Tensor,
    initial: &Tensor,
) -> Result<Vec<Option<f64>>, MetricError> {
    let change = norms(&(now - initial));
    finite(&(change / norms(initial)))
}

/// Frobenius norm of each trial's [n, m] matrix, f64 [E].
pub(crate) fn norms(values: &Tensor) -> Tensor {
    sum_of_products(values, values).sum_dim_intlist(-1, false, Kind::Double).sqrt()
}

/// Deviations from the mean over the last dimension; exactly 0 for a constant unit.
fn deviation(values: &Tensor) -> Tensor {
    let rows = values.size()[2];
    let values = values.to_kind(sum_kind(values, rows));
    let shifted = &values - values.narrow(2, 0, rows.min(1));
    let mean = shifted.mean_dim(-1, true, shifted.kind());
    shifted - mean
}

/// Σ over the last dimension of a·b, f64 [E, n].
fn sum_of_products(a: &Tensor, b: &Tensor) -> Tensor {
    let kind = sum_kind(a, a.size()[2]);
    (a * b).sum_dim_intlist(-1, false, kind).to_kind(Kind::Double)
}

/// |Y Yᵀ|_F² of each trial's deviations Y [n, P], by the smaller of the two Gram matrices.
fn gram_norm_square(deviations: &Tensor) -> Tensor {
    let transposed = deviations.transpose(1, 2);
    let size = deviations.size();
    let gram =
        if size[1] <= size[2] { deviations.bmm(&transposed) } else { transposed.bmm(deviations) };
    gram.to_kind(Kind::Double).square().sum_dim_intlist(&[1i64, 2][..], false, Kind::Double)
}
