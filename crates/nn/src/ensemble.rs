//! A fused ensemble: E networks of one shape as batched tensors.
//!
//! Samples come last: activations are `[E, n_l, rows]`, weights `[E, n_l, n_{l-1}]` (each
//! trial's as in PyTorch), biases and batch-norm vectors `[E, n_l, 1]`. Code here works in any
//! floating-point type and on any device; training is f32, tests of metrics use f64.

use crate::activation;
use crate::rows::GroupedRows;
use phasegrid_spec::{Activation, Loss};
use tch::{Device, Kind, Tensor};

/// Added to the variance in batch norm (metrics.md, section 0).
pub const BATCH_NORM_EPSILON: f64 = 1e-5;

/// Batch normalisation of one layer, all `[E, n_l, 1]`.
#[derive(Debug)]
pub struct BatchNorm {
    /// Scale.
    pub gamma: Tensor,
    /// Offset.
    pub beta: Tensor,
    /// Running mean.
    pub mean: Tensor,
    /// Running variance (ddof 1).
    pub var: Tensor,
}

/// One affine layer, with the batch norm that follows it.
#[derive(Debug)]
pub struct Layer {
    /// `[E, n_l, n_{l-1}]`
    pub weight: Tensor,
    /// `[E, n_l, 1]`
    pub bias: Tensor,
    /// Between W and f; never in the output layer.
    pub batch_norm: Option<BatchNorm>,
}

/// E networks of one shape.
#[derive(Debug)]
pub struct Ensemble {
    /// Hidden layers l = 1…D, then the output layer D+1.
    pub layers: Vec<Layer>,
    /// The hidden units' nonlinearity.
    pub activation: Activation,
    /// What the trials were trained on, and what an evaluation reports.
    pub loss: Loss,
}

/// Everything a forward pass computes.
#[derive(Debug)]
pub struct Forward {
    /// h^(l), the input of f, after batch norm: `[E, n_l, rows]` for l = 1…D.
    pub pre_activations: Vec<Tensor>,
    /// y^(l) = f(h^(l)).
    pub activations: Vec<Tensor>,
    /// z, `[E, K, rows]`
    pub logits: Tensor,
}

/// Which statistics batch norm uses in an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistics {
    /// The running ones: evaluation mode.
    Running,
    /// Those of the evaluated rows themselves (ddof 0).
    OfRows,
}

impl Ensemble {
    /// E, the number of networks.
    pub fn len(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.weight.size()[0] as usize)
    }

    /// Whether there are no networks.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// D, the number of hidden layers.
    pub fn depth(&self) -> usize {
        self.layers.len() - 1
    }

    /// K, the number of classes.
    pub fn classes(&self) -> i64 {
        self.layers.last().map_or(0, |layer| layer.weight.size()[1])
    }

    /// Units in the widest layer.
    pub fn largest_width(&self) -> i64 {
        self.layers.iter().map(|layer| layer.weight.size()[1]).max().unwrap_or(0)
    }

    /// Where the tensors are.
    pub fn device(&self) -> Device {
        self.layers.first().map_or(Device::Cpu, |layer| layer.weight.device())
    }

    /// Handles on all trainable tensors, each `[E, n, m]`: weight and bias of layer 1, its gamma
    /// and beta if it has batch norm, then layer 2 …
    pub fn parameters(&self) -> Vec<Tensor> {
        let mut parameters = Vec::new();
        for layer in &self.layers {
            parameters.extend([layer.weight.shallow_clone(), layer.bias.shallow_clone()]);
            if let Some(batch_norm) = &layer.batch_norm {
                parameters
                    .extend([batch_norm.gamma.shallow_clone(), batch_norm.beta.shallow_clone()]);
            }
        }
        parameters
    }

    /// A forward pass in evaluation mode that keeps every layer.
    pub fn forward(&self, rows: &GroupedRows) -> Forward {
        tch::no_grad(|| {
            let mut pre_activations = Vec::with_capacity(self.depth());
            let mut activations = Vec::with_capacity(self.depth());
            let logits = self.propagate(rows, Statistics::Running, |pre_activation, output| {
                pre_activations.push(pre_activation.shallow_clone());
                activations.push(output.shallow_clone());
            });
            Forward { pre_activations, activations, logits }
        })
    }

    /// z, `[E, K, rows]`, in evaluation mode.
    pub fn logits(&self, rows: &GroupedRows) -> Tensor {
        self.logits_with(rows, Statistics::Running)
    }

    /// z with the statistics of your choice in batch norm.
    pub fn logits_with(&self, rows: &GroupedRows, statistics: Statistics) -> Tensor {
        tch::no_grad(|| self.propagate(rows, statistics, |_, _| ()))
    }

    /// z^(l+1)… from y^(l): the layers after hidden layer `layer` (1…D) in evaluation mode,
    /// activation `[E, n_l, rows]`.
    pub fn logits_after(&self, layer: usize, activation: &Tensor) -> Tensor {
        tch::no_grad(|| {
            let product = self.layers[layer].weight.bmm(activation);
            self.propagate_from(layer, product, Statistics::Running, |_, _| ())
        })
    }

    fn propagate(
        &self,
        rows: &GroupedRows,
        statistics: Statistics,
        see: impl FnMut(&Tensor, &Tensor),
    ) -> Tensor {
        let product = rows.first_products(&self.layers[0].weight);
        self.propagate_from(0, product, statistics, see)
    }

    /// From W y of layer index `start` (0-based) to the logits; `see` gets h and y of every
    /// hidden layer on the way.
    fn propagate_from(
        &self,
        start: usize,
        first_product: Tensor,
        statistics: Statistics,
        mut see: impl FnMut(&Tensor, &Tensor),
    ) -> Tensor {
        let mut product = first_product;
        for index in start..self.depth() {
            let layer = &self.layers[index];
            let _ = product.g_add_(&layer.bias);
            let pre_activation = match &layer.batch_norm {
                Some(batch_norm) => batch_norm.normalise(&product, statistics),
                None => product,
            };
            let output = activation::apply(self.activation, &pre_activation);
            see(&pre_activation, &output);
            let next = &self.layers[index + 1];
            product = next.weight.bmm(&output);
        }
        product + &self.layers[self.depth()].bias
    }

    /// The networks at these positions, in this order, as an ensemble of their own.
    pub fn select(&self, trials: &[i64]) -> Ensemble {
        let index = Tensor::from_slice(trials).to_device(self.device());
        self.map(|tensor| tensor.index_select(0, &index))
    }

    /// The same networks with every tensor replaced by `change` of it.
    pub fn map(&self, change: impl Fn(&Tensor) -> Tensor) -> Ensemble {
        let layers = self.layers.iter().map(|layer| Layer {
            weight: change(&layer.weight),
            bias: change(&layer.bias),
            batch_norm: layer.batch_norm.as_ref().map(|batch_norm| BatchNorm {
                gamma: change(&batch_norm.gamma),
                beta: change(&batch_norm.beta),
                mean: change(&batch_norm.mean),
                var: change(&batch_norm.var),
            }),
        });
        Ensemble { layers: layers.collect(), activation: self.activation, loss: self.loss }
    }

    /// A copy that shares no memory with this one.
    pub fn copy(&self) -> Ensemble {
        self.map(Tensor::copy)
    }

    /// One trial's tensors as saved in safetensors files: name, shape, values. Weights
    /// `[n_l, n_{l-1}]`, vectors `[n_l]`, l = 1…D+1.
    pub fn trial_tensors(&self, trial: usize) -> Vec<(String, Vec<i64>, Vec<f32>)> {
        let mut tensors = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let prefix = format!("layers.{}", index + 1);
            let mut push = |name: &str, tensor: &Tensor, is_vector: bool| {
                let own = tensor.get(trial as i64);
                let own = if is_vector { own.squeeze_dim(1) } else { own };
                tensors.push((format!("{prefix}.{name}"), own.size(), host_f32(&own)));
            };
            push("weight", &layer.weight, false);
            push("bias", &layer.bias, true);
            if let Some(batch_norm) = &layer.batch_norm {
                push("bn_gamma", &batch_norm.gamma, true);
                push("bn_beta", &batch_norm.beta, true);
                push("bn_mean", &batch_norm.mean, true);
                push("bn_var", &batch_norm.var, true);
            }
        }
        tensors
    }
}

impl BatchNorm {
    /// gamma (h − mean)/sqrt(var + eps) + beta, a new tensor.
    fn normalise(&self, values: &Tensor, statistics: Statistics) -> Tensor {
        let scaled = |mean: &Tensor, var: &Tensor| {
            let scale = &self.gamma / (var + BATCH_NORM_EPSILON).sqrt();
            let offset = &self.beta - mean * &scale;
            values * scale + offset
        };
        match statistics {
            Statistics::Running => scaled(&self.mean, &self.var),
            Statistics::OfRows => {
                let (var, mean) = values.var_mean_correction(&[-1i64][..], 0, true);
                scaled(&mean, &var)
            }
        }
    }
}

/// The values of a tensor in row-major order, on the host.
pub(crate) fn host_f32(tensor: &Tensor) -> Vec<f32> {
    let flat = tensor.to_device(Device::Cpu).to_kind(Kind::Float).contiguous().view([-1]);
    let mut values = vec![0.0; flat.numel()];
    let length = values.len();
    flat.copy_data(&mut values, length);
    values
}
