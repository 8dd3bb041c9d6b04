//! Layers as affine maps of samples that come first, `[E, rows, n]`: what the basins evaluate
//! again and again, with few passes over memory.

use phasegrid_nn::{BATCH_NORM_EPSILON, Ensemble, Layer, apply_activation};
use phasegrid_spec::Activation;
use tch::{Kind, Tensor};

use crate::error::MetricError;
use crate::host::to_f64;

/// Units below which a product with the samples last is faster (measured: a product with ten
/// columns takes a slow path).
const FEW_UNITS: i64 = 16;

/// h = y Wᵀ + b of all trials, batch norm (in evaluation mode) folded in.
#[derive(Debug)]
pub(crate) struct Affine {
    /// [E, n, m]
    pub(crate) weight: Tensor,
    /// [E, 1, n]
    pub(crate) bias: Tensor,
    /// gamma/sqrt(var + eps) of batch norm, already in `weight`: [E, n, 1].
    pub(crate) scale: Option<Tensor>,
}

impl Affine {
    fn new(layer: &Layer) -> Affine {
        match &layer.batch_norm {
            None => Affine {
                weight: layer.weight.shallow_clone(),
                bias: layer.bias.transpose(1, 2),
                scale: None,
            },
            Some(norm) => {
                let scale = &norm.gamma / (&norm.var + BATCH_NORM_EPSILON).sqrt();
                let offset = (&layer.bias - &norm.mean) * &scale + &norm.beta;
                Affine {
                    weight: &layer.weight * &scale,
                    bias: offset.transpose(1, 2),
                    scale: Some(scale),
                }
            }
        }
    }

    /// The layers of an ensemble.
    pub(crate) fn layers(ensemble: &Ensemble) -> Vec<Affine> {
        ensemble.layers.iter().map(Affine::new).collect()
    }

    /// h of these trials from y [trials, rows, m].
    pub(crate) fn apply(&self, trials: &Tensor, samples: &Tensor) -> Tensor {
        let weight = self.weight.index_select(0, trials);
        self.with_weight(trials, &weight, samples)
    }

    /// The same with other weights [trials, n, m].
    pub(crate) fn with_weight(&self, trials: &Tensor, weight: &Tensor, samples: &Tensor) -> Tensor {
        let bias = self.bias.index_select(0, trials);
        if weight.size()[1] < FEW_UNITS {
            let fields = weight.bmm(&samples.transpose(1, 2));
            return (fields + bias.transpose(1, 2)).transpose(1, 2);
        }
        bias.baddbmm(samples, &weight.transpose(1, 2), 1, 1)
    }
}

/// f(h), in the memory of h where f allows.
pub(crate) fn activate(activation: Activation, mut fields: Tensor) -> Tensor {
    match activation {
        Activation::Relu => fields.relu_(),
        Activation::Tanh => fields.tanh_(),
        other => apply_activation(other, &fields),
    }
}

/// Which samples are classified as their label: logits [.., K], labels of the shape before K (or
/// broadcast to it). Ties go to the lowest class, a NaN logit is wrong.
pub(crate) fn correct(logits: &Tensor, labels: &Tensor) -> Tensor {
    let (largest, class) = logits.max_dim(-1, false);
    class.eq_tensor(labels).logical_and(&largest.isnan().logical_not())
}

/// Trues along the last axis, flat on the host.
pub(crate) fn counts(correct: &Tensor) -> Result<Vec<u32>, MetricError> {
    let sums = correct.sum_dim_intlist(&[-1i64][..], false, Kind::Int64);
    Ok(to_f64(&sums)?.into_iter().map(|count| count as u32).collect())
}
