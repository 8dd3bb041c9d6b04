//! Networks under noise on the weights, of many trials and draws at a time.
//!
//! The first layer moved is affine in the amplitude: h = still + amplitude·scale·moving, whose
//! products serve every amplitude; where it is the network's first, the products of the noise
//! with the inputs serve every trial with these inputs.

use phasegrid_spec::Activation;
use tch::{Kind, Tensor};

use crate::affine::{Affine, activate, correct, counts};
use crate::basin::Scope;
use crate::basin_solver::Request;
use crate::context::Context;
use crate::error::MetricError;
use crate::host::budget_bytes;

/// The trials of a unit that have a row to lose, and their rows.
pub(crate) struct Rows {
    /// Positions in the unit.
    pub(crate) trials: Vec<usize>,
    /// The candidates, as many for each trial: rows of the probe.
    pub(crate) candidates: Vec<Vec<usize>>,
    /// Of each trial: which candidates are classified as their label without noise, and that
    /// label; at least one.
    pub(crate) kept: Vec<Vec<(usize, i64)>>,
}

impl Rows {
    /// Some of the trials at a time.
    pub(crate) fn batches(&self, length: usize) -> impl Iterator<Item = Rows> + '_ {
        let trials = self.trials.len();
        (0..trials).step_by(length).map(move |start| {
            let part = start..(start + length).min(trials);
            Rows {
                trials: self.trials[part.clone()].to_vec(),
                candidates: self.candidates[part.clone()].to_vec(),
                kept: self.kept[part].to_vec(),
            }
        })
    }
}

/// Rows of a trial, padded to those of the trial that has most.
struct Padded {
    rows: usize,
    /// Position among the candidates, [trials][rows]
    places: Vec<Vec<i64>>,
    /// [trials, rows]
    labels: Tensor,
    /// 1 where there is a row, [trials, rows]
    there: Tensor,
}

/// Where the weights of some trials go in one scope, one network a draw.
pub(crate) struct NoisyWeights<'a> {
    noise: &'a [Tensor],
    layers: &'a [Affine],
    activation: Activation,
    trials: &'a [usize],
    /// Index of the first layer moved.
    base: usize,
    /// Whether the layers after it are moved too.
    later: bool,
    padded: Padded,
    /// h of the base layer, [trials, rows, n].
    still: Tensor,
    moving: Moving,
    /// What a layer's noise is multiplied by beside the amplitude (with batch norm's scale),
    /// [trials, draws or 1, n]; by layer from `base`.
    scales: Vec<Tensor>,
}

impl<'a> NoisyWeights<'a> {
    /// `noise` of every layer, [_, n_l, n_{l-1}], of which the first `draws` are used.
    pub(crate) fn new(
        context: &Context<'_>,
        layers: &'a [Affine],
        rows: &'a Rows,
        scope: Scope,
        noise: &'a [Tensor],
        draws: usize,
    ) -> NoisyWeights<'a> {
        let trials = to_tensor(rows.trials.iter().map(|&trial| trial as i64), noise);
        let (base, later) = match scope {
            Scope::Layer(layer) => (layer - 1, false),
            _ => (0, true),
        };
        let padded = Padded::new(rows, noise);
        let own_noise = |index: usize| noise[index].narrow(0, 0, draws as i64);
        let (still, moving) = match base {
            0 => first_products(context, &layers[0], rows, &padded, &own_noise(0)),
            _ => {
                let activations = &context.forward.activations[base - 1];
                let samples = padded.select(rows, activations, noise);
                let moving = samples.unsqueeze(1).matmul(&own_noise(base).transpose(1, 2));
                let width = moving.size()[3];
                let at = |position: usize, draw: usize| (position * draws + draw) * padded.rows;
                let at = (0..rows.trials.len())
                    .map(|position| (0..draws).map(|draw| at(position, draw) as i64).collect());
                let moving = Moving {
                    products: moving.reshape([-1, width]),
                    at: at.collect(),
                    places: None,
                };
                (layers[base].apply(&trials, &samples), moving)
            }
        };
        let moved = if later { base..layers.len() } else { base..base + 1 };
        let scales = moved.map(|index| {
            let weight = context.ensemble.layers[index].weight.index_select(0, &trials);
            let scale = match scope {
                Scope::Filter => {
                    norms(&weight).unsqueeze(1) / norms(&own_noise(index)).unsqueeze(0)
                }
                _ => std_of(&weight).expand([-1, 1, weight.size()[1]], false),
            };
            let scale = scale.to_kind(weight.kind());
            match &layers[index].scale {
                None => scale,
                Some(norm) => scale * norm.index_select(0, &trials).transpose(1, 2),
            }
        });
        NoisyWeights {
            noise,
            layers,
            activation: context.ensemble.activation,
            trials: &rows.trials,
            base,
            later,
            scales: scales.collect(),
            padded,
            still,
            moving,
        }
    }

    /// Rows of each draw asked for that keep their label; `problem` is a position among the
    /// trials, `block` a draw.
    pub(crate) fn correct(&self, requests: &[Request]) -> Result<Vec<u32>, MetricError> {
        let numbers = self.layers[self.base..].iter().map(|layer| {
            let size = layer.weight.size();
            size[1] * (size[2] + 2 * self.padded.rows as i64)
        });
        let bytes = numbers.max().unwrap_or(1) * self.still.kind().elt_size_in_bytes() as i64;
        let together = (budget_bytes(self.still.device()) / bytes.max(1)).max(1) as usize;
        let mut answers = Vec::with_capacity(requests.len());
        for batch in requests.chunks(together) {
            answers.extend(self.batch(batch)?);
        }
        Ok(answers)
    }

    fn batch(&self, requests: &[Request]) -> Result<Vec<u32>, MetricError> {
        let index = |of: &dyn Fn(&Request) -> usize| {
            to_tensor(requests.iter().map(|request| of(request) as i64), self.noise)
        };
        let positions = index(&|request| request.problem);
        let draws = index(&|request| request.block);
        let trials = index(&|request| self.trials[request.problem]);
        let amplitudes: Vec<f64> = requests.iter().map(|request| request.amplitude).collect();
        let amplitudes = Tensor::from_slice(&amplitudes).to_kind(self.still.kind());
        let amplitudes = amplitudes.to_device(self.still.device()).view([-1, 1, 1]);
        // amplitude·scale of a layer, [requests, 1, n].
        let strength = |index: usize| {
            let scale = &self.scales[index - self.base];
            let own = match scale.size()[1] {
                1 => scale.index_select(0, &positions),
                draws_of_trial => {
                    let flat = scale.reshape([-1, 1, scale.size()[2]]);
                    flat.index_select(0, &(&positions * draws_of_trial + &draws))
                }
            };
            own * &amplitudes
        };
        let moving = self.moving.of(requests, self.padded.rows, self.noise);
        let still = self.still.index_select(0, &positions);
        let mut fields = still.addcmul(&moving, &strength(self.base));
        for (index, layer) in self.layers.iter().enumerate().skip(self.base + 1) {
            let outputs = activate(self.activation, fields);
            let weight = layer.weight.index_select(0, &trials);
            let weight = match self.later {
                false => weight,
                true => {
                    let noise = self.noise[index].index_select(0, &draws);
                    weight.addcmul(&noise, &strength(index).transpose(1, 2))
                }
            };
            fields = layer.with_weight(&trials, &weight, &outputs);
        }
        let labels = self.padded.labels.index_select(0, &positions);
        let there = self.padded.there.index_select(0, &positions);
        counts(&correct(&fields, &labels).logical_and(&there))
    }
}

/// The products of the base layer's noise with its inputs, a row each: [_, n].
struct Moving {
    products: Tensor,
    /// The row of a trial's and draw's first, [trials][draws].
    at: Vec<Vec<i64>>,
    /// Which rows from there on, [trials][rows]; `None`: one after the other.
    places: Option<Vec<Vec<i64>>>,
}

impl Moving {
    /// [requests, rows, n]
    fn of(&self, requests: &[Request], rows: usize, like: &[Tensor]) -> Tensor {
        let in_order: Vec<i64> = (0..rows as i64).collect();
        let index = requests.iter().flat_map(|request| {
            let start = self.at[request.problem][request.block];
            let places = self.places.as_ref().map_or(&in_order, |of| &of[request.problem]);
            places.iter().map(move |place| start + place)
        });
        let products = self.products.index_select(0, &to_tensor(index, like));
        products.view([requests.len() as i64, rows as i64, -1])
    }
}

/// h of the network's first layer, [trials, rows, n], and the products of its noise [draws, n,
/// n_0]. Trials with the same inputs and candidates share the latter.
fn first_products(
    context: &Context<'_>,
    first: &Affine,
    rows: &Rows,
    padded: &Padded,
    noise: &Tensor,
) -> (Tensor, Moving) {
    let (draws, width) = (noise.size()[0], noise.size()[1]);
    let matrix = noise.reshape([draws * width, -1]);
    let like = std::slice::from_ref(noise);
    let mut known: Vec<(*mut std::ffi::c_void, &[usize])> = Vec::new();
    let (mut products, mut inputs) = (Vec::new(), Vec::new());
    let (mut still, mut at) = (Vec::new(), Vec::new());
    for (position, &trial) in rows.trials.iter().enumerate() {
        let probe = context.probe.rows.select(&[trial as i64]);
        let probe = &probe.groups[0].inputs;
        let candidates = rows.candidates[position].as_slice();
        let key = (probe.data_ptr(), candidates);
        let group = known.iter().position(|one| *one == key).unwrap_or_else(|| {
            let index = to_tensor(candidates.iter().map(|&row| row as i64), like);
            let own = probe.index_select(0, &index);
            let product = matrix.matmul(&own.tr()).view([draws, width, -1]);
            products.push(product.transpose(1, 2).reshape([-1, width]));
            inputs.push(own);
            known.push(key);
            known.len() - 1
        });
        let first_row = (group * candidates.len()) as i64 * draws;
        at.push((0..draws).map(|draw| first_row + draw * candidates.len() as i64).collect());
        let places = to_tensor(padded.places[position].iter().copied(), like);
        let own = inputs[group].index_select(0, &places);
        let weight = first.weight.get(trial as i64).tr();
        still.push(first.bias.get(trial as i64).addmm(&own, &weight));
    }
    let products = Tensor::cat(&products, 0);
    let moving = Moving { products, at, places: Some(padded.places.clone()) };
    (Tensor::stack(&still, 0), moving)
}

impl Padded {
    fn new(rows: &Rows, like: &[Tensor]) -> Padded {
        let most = rows.kept.iter().map(Vec::len).max().unwrap_or(0);
        let padded = |kept: &Vec<(usize, i64)>| -> Vec<(usize, i64)> {
            (0..most).map(|row| kept[row.min(kept.len() - 1)]).collect()
        };
        let all: Vec<Vec<(usize, i64)>> = rows.kept.iter().map(padded).collect();
        let labels = all.iter().flatten().map(|&(_, label)| label);
        let there =
            rows.kept.iter().flat_map(|kept| (0..most).map(|row| i64::from(row < kept.len())));
        let shape = [rows.kept.len() as i64, most as i64];
        Padded {
            rows: most,
            labels: to_tensor(labels, like).view(shape),
            there: to_tensor(there, like).view(shape),
            places: all
                .iter()
                .map(|kept| kept.iter().map(|&(place, _)| place as i64).collect())
                .collect(),
        }
    }

    /// The rows of each trial from `values` [E, n, P]: [trials, rows, n].
    fn select(&self, rows: &Rows, values: &Tensor, like: &[Tensor]) -> Tensor {
        let of_trial = |(position, &trial): (usize, &usize)| {
            let probe_rows = self.places[position]
                .iter()
                .map(|&place| rows.candidates[position][place as usize] as i64);
            values.get(trial as i64).index_select(1, &to_tensor(probe_rows, like)).tr()
        };
        let of_trials: Vec<Tensor> = rows.trials.iter().enumerate().map(of_trial).collect();
        Tensor::stack(&of_trials, 0)
    }
}

/// Integers on the device of `like`.
fn to_tensor(values: impl Iterator<Item = i64>, like: &[Tensor]) -> Tensor {
    let values: Vec<i64> = values.collect();
    let device = like.first().map_or(tch::Device::Cpu, Tensor::device);
    Tensor::from_slice(&values).to_device(device)
}

/// Length of each unit's weights: [_, n, m] to [_, n], f64.
pub(crate) fn norms(weights: &Tensor) -> Tensor {
    weights.square().sum_dim_intlist(&[-1i64][..], false, Kind::Double).sqrt()
}

/// std of each trial's weights about their mean, ddof 0: [E, 1, 1], f64.
pub(crate) fn std_of(weights: &Tensor) -> Tensor {
    let values = weights.to_kind(Kind::Double);
    let axes = &[1i64, 2][..];
    let deviation = &values - values.mean_dim(axes, true, Kind::Double);
    deviation.square().mean_dim(axes, true, Kind::Double).sqrt()
}
