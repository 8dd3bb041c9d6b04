//! Derivatives of every single row by every parameter, without writing one out.
//!
//! The derivative of row i by a weight matrix is delta_i y_iᵀ, so that inner products of two
//! rows' gradients are products of small Gram matrices. delta is the derivative at an offset
//! added to W y + b, taken by libtorch's autograd in evaluation mode.

use phasegrid_nn::{BATCH_NORM_EPSILON, Ensemble, apply_activation};
use tch::{Kind, Tensor};

use crate::error::MetricError;

/// A forward pass whose derivatives row by row can be asked for.
pub(crate) struct PerRow {
    /// z, [E, K, rows]
    pub(crate) logits: Tensor,
    /// Added to the input of each layer (and after its batch norm): the derivatives are at them.
    offsets: Vec<Tensor>,
    /// What the derivative at each offset is multiplied with.
    parts: Vec<Part>,
}

/// How the gradient by some parameters follows from the derivative at an offset.
enum Part {
    /// W and b: delta yᵀ and delta; y is [E, m, rows].
    Affine(Tensor),
    /// gamma and beta of batch norm: delta·x̂ and delta; x̂ is [E, n, rows].
    Norm(Tensor),
}

impl PerRow {
    /// `inputs` [E or 1, n_0, rows].
    pub(crate) fn new(ensemble: &Ensemble, inputs: &Tensor) -> PerRow {
        tch::with_grad(|| {
            let (mut offsets, mut parts) = (Vec::new(), Vec::new());
            let offset_at = |values: &Tensor| values.detach().zeros_like().set_requires_grad(true);
            let trials = ensemble.len() as i64;
            let mut samples = inputs.expand([trials, -1, -1], false);
            let mut fields = samples.shallow_clone();
            for (index, layer) in ensemble.layers.iter().enumerate() {
                let affine = layer.weight.matmul(&samples) + &layer.bias;
                let offset = offset_at(&affine);
                fields = affine + &offset;
                offsets.push(offset);
                parts.push(Part::Affine(samples.detach()));
                if let Some(norm) = &layer.batch_norm {
                    let normal = (fields - &norm.mean) / (&norm.var + BATCH_NORM_EPSILON).sqrt();
                    let after = offset_at(&normal);
                    fields = &normal * &norm.gamma + &norm.beta + &after;
                    offsets.push(after);
                    parts.push(Part::Norm(normal.detach()));
                }
                if index < ensemble.depth() {
                    samples = apply_activation(ensemble.activation, &fields);
                }
            }
            PerRow { logits: fields, offsets, parts }
        })
    }

    /// The derivatives of a sum over rows of what depends on the row alone, at every offset.
    fn derivatives(&self, sum: &Tensor) -> Result<Vec<Tensor>, MetricError> {
        Ok(Tensor::f_run_backward(&[sum], &self.offsets, true, false)?)
    }

    /// |gradient of row i|², [E, rows].
    pub(crate) fn squared_norms(&self, sum: &Tensor) -> Result<Tensor, MetricError> {
        let squares =
            |values: &Tensor| values.square().sum_dim_intlist(&[1i64][..], false, Kind::Double);
        let deltas = self.derivatives(sum)?;
        let of_part = |(delta, part): (&Tensor, &Part)| match part {
            Part::Affine(samples) => squares(delta) * (squares(samples) + 1.0),
            Part::Norm(normal) => squares(delta) + squares(&(delta * normal)),
        };
        let parts: Vec<Tensor> = deltas.iter().zip(&self.parts).map(of_part).collect();
        Ok(Tensor::stack(&parts, 0).sum_dim_intlist(&[0i64][..], false, Kind::Double))
    }

    /// <gradient of row i, gradient of row j>, [E, rows, rows].
    pub(crate) fn gram(&self, sum: &Tensor) -> Result<Tensor, MetricError> {
        let gram = |values: &Tensor| values.transpose(1, 2).matmul(values);
        let deltas = self.derivatives(sum)?;
        let of_part = |(delta, part): (&Tensor, &Part)| match part {
            Part::Affine(samples) => gram(delta) * (gram(samples) + 1.0),
            Part::Norm(normal) => gram(delta) + gram(&(delta * normal)),
        };
        let parts: Vec<Tensor> = deltas.iter().zip(&self.parts).map(of_part).collect();
        Ok(Tensor::stack(&parts, 0).sum_dim_intlist(&[0i64][..], false, Kind::Double))
    }
}
