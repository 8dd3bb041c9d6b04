//! The L-map: the layers after hidden layer l with every activation replaced by the identity.
//!
//! M^(l) = W^(D+1) · S^(D) W^(D) ··· S^(l+1) W^(l+1), with S^(j) = diag(gamma_j / sqrt(var_j +
//! eps)) under batch norm (evaluation mode), else the identity \[P\]. The affine tail keeps the
//! offsets: z_l = M^(l) y^(l) + c^(l).

use phasegrid_nn::{BATCH_NORM_EPSILON, Ensemble, Layer};
use tch::Tensor;

/// The linear tails of all trials after one hidden layer.
#[derive(Debug)]
pub(crate) struct Tail {
    /// M^(l), [E, K, n_l]
    pub(crate) map: Tensor,
    /// c^(l), [E, K, 1]
    pub(crate) offset: Tensor,
}

impl Tail {
    /// z_l [E, K, rows] from y^(l) [E, n_l, rows].
    pub(crate) fn logits(&self, activation: &Tensor) -> Tensor {
        self.map.bmm(activation) + &self.offset
    }

    /// The tails of these trials.
    pub(crate) fn select(&self, trials: &Tensor) -> Tail {
        Tail { map: self.map.index_select(0, trials), offset: self.offset.index_select(0, trials) }
    }

    /// The tail that starts one layer earlier, `layer` being the first it then contains.
    fn before(&self, layer: &Layer) -> Tail {
        let (map, offset) = match &layer.batch_norm {
            None => (self.map.shallow_clone(), layer.bias.shallow_clone()),
            Some(norm) => {
                let scale = &norm.gamma / (&norm.var + BATCH_NORM_EPSILON).sqrt();
                let offset = &norm.beta + (&layer.bias - &norm.mean) * &scale;
                (&self.map * scale.transpose(1, 2), offset)
            }
        };
        Tail { map: map.bmm(&layer.weight), offset: &self.offset + self.map.bmm(&offset) }
    }
}

/// The tails after hidden layers 1…D, in that order.
pub(crate) fn linear_tails(ensemble: &Ensemble) -> Vec<Tail> {
    let mut tails = Vec::with_capacity(ensemble.depth());
    if let Some((output, hidden)) = ensemble.layers.split_last() {
        let mut tail =
            Tail { map: output.weight.shallow_clone(), offset: output.bias.shallow_clone() };
        for layer in hidden.iter().skip(1).rev() {
            let earlier = tail.before(layer);
            tails.push(std::mem::replace(&mut tail, earlier));
        }
        if !hidden.is_empty() {
            tails.push(tail);
        }
    }
    tails.reverse();
    tails
}

#[cfg(test)]
mod tests {
    use super::*;
    use phasegrid_nn::{BatchNorm, GroupedRows};
    use phasegrid_spec::{Activation, Loss};
    use phasegrid_tasks::stream::Stream;
    use tch::Kind;

    fn network(stream: &mut Stream, sizes: &[i64], kind: Kind) -> Ensemble {
        let mut normal = |shape: [i64; 3]| {
            let values: Vec<f64> =
                (0..shape.iter().product::<i64>()).map(|_| stream.normal()).collect();
            Tensor::from_slice(&values).view(shape).to_kind(kind)
        };
        let mut layers = Vec::new();
        for (index, pair) in sizes.windows(2).enumerate() {
            let mut vector = || normal([2, pair[1], 1]);
            let norm = BatchNorm {
                gamma: vector() * 0.5 + 1.0,
                beta: vector(),
                mean: vector(),
                var: vector().square() + 0.1,
            };
            layers.push(Layer {
                bias: vector(),
                weight: normal([2, pair[1], pair[0]]) / (pair[0] as f64).sqrt(),
                batch_norm: (index + 2 < sizes.len()).then_some(norm),
            });
        }
        Ensemble { layers, activation: Activation::Identity, loss: Loss::CrossEntropy }
    }

    #[test]
    fn every_tail_reproduces_an_identity_network_with_batch_norm() {
        for kind in [Kind::Float, Kind::Double] {
            let ensemble = network(&mut Stream::new(1, "test", &[]), &[6, 30, 20, 25, 4], kind);
            let inputs =
                network(&mut Stream::new(2, "test", &[]), &[6, 100], kind).layers[0].weight.get(0);
            let forward = ensemble.forward(&GroupedRows::shared(2, inputs));
            let tails = linear_tails(&ensemble);
            assert_eq!(tails.len(), 3);
            let scale = forward.logits.abs().max().double_value(&[]);
            for (tail, activation) in tails.iter().zip(&forward.activations) {
                let error =
                    (tail.logits(activation) - &forward.logits).abs().max().double_value(&[]);
                assert!(error <= 1e-5 * scale, "{error} of {scale}");
            }
        }
    }
}
