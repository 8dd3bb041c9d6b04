//! The noisy weights of [`crate::noisy_weights`] on the host: one network at a time, its rows in
//! tiles that stay in the cache from the first layer moved to the last.

use phasegrid_spec::Activation;
use pulp::{Arch, Simd, WithSimd};
use std::ffi::c_void;
use tch::Tensor;

use crate::affine::Affine;
use crate::basin::Scope;
use crate::basin_solver::Request;
use crate::context::Context;
use crate::error::MetricError;
use crate::host::{on_host, to_f64};
use crate::host_layers::{
    HostLayer, Packed, TILE, activate_in_place, classify, padded, product, to_f32,
};
use crate::noisy_weights::{Rows, norms, std_of};

/// More noise than this is not laid out a second time for the host's products.
const MOST_NUMBERS: usize = 1 << 26;

/// The noise, and what every network of a unit needs of it.
pub(crate) struct HostNoise<'a> {
    context: &'a Context<'a>,
    layers: &'a [Affine],
    /// Xi of each layer, [draws, n_l, n_{l-1}].
    noise: &'a [Tensor],
    /// The same by layer and draw; the first layer's is empty.
    packed: Vec<Vec<Packed>>,
    /// By layer.
    lengths: Vec<Lengths>,
    /// W·noise of the first layer by what it is made of.
    first_products: Vec<FirstProduct>,
}

/// What the noise of one layer is measured by.
struct Lengths {
    /// std(W) of each trial.
    std: Vec<f64>,
    /// |w_i|, [trials, n].
    units: Vec<f64>,
    /// |xi_i|, [draws, n].
    noise: Vec<f64>,
    /// Batch norm's scale, [trials, n].
    norm_scale: Option<Vec<f64>>,
}

/// Xi·x of the first layer for some rows.
struct FirstProduct {
    inputs: *mut c_void,
    candidates: Vec<usize>,
    /// [draws, n, candidates]
    values: Vec<f32>,
}

impl<'a> HostNoise<'a> {
    /// `None` where the networks are elsewhere, of another kind, or too large.
    pub(crate) fn new(
        context: &'a Context<'a>,
        layers: &'a [Affine],
        noise: &'a [Tensor],
    ) -> Result<Option<HostNoise<'a>>, MetricError> {
        let numbers: usize = noise.iter().skip(1).map(Tensor::numel).sum();
        if !on_host(&context.forward.logits) || numbers > MOST_NUMBERS {
            return Ok(None);
        }
        let mut packed = vec![Vec::new()];
        let mut lengths = Vec::with_capacity(layers.len());
        for (index, layer) in layers.iter().enumerate() {
            let weight = &context.ensemble.layers[index].weight;
            lengths.push(Lengths {
                std: to_f64(&std_of(weight))?,
                units: to_f64(&norms(weight))?,
                noise: to_f64(&norms(&noise[index]))?,
                norm_scale: layer.scale.as_ref().map(to_f64).transpose()?,
            });
            if index > 0 {
                let (units, inputs) = (weight.size()[1] as usize, weight.size()[2] as usize);
                let values = to_f32(&noise[index])?;
                let draws = values.chunks_exact(units * inputs);
                packed.push(draws.map(|values| Packed::new(values, units, inputs)).collect());
            }
        }
        let first_products = Vec::new();
        Ok(Some(HostNoise { context, layers, noise, packed, lengths, first_products }))
    }

    /// The network of the only trial of `rows`.
    pub(crate) fn network(&mut self, rows: &Rows) -> Result<HostNetwork, MetricError> {
        let (trial, kept) = (rows.trials[0], &rows.kept[0]);
        let candidates = &rows.candidates[0];
        let probe_rows: Vec<i64> =
            kept.iter().map(|&(place, _)| candidates[place] as i64).collect();
        let probe_rows = Tensor::from_slice(&probe_rows);
        let tiles = |values: &Tensor| -> Result<Vec<f32>, MetricError> {
            let own = values.get(trial as i64).index_select(1, &probe_rows);
            Ok(to_tiles(&to_f32(&own)?, kept.len()))
        };
        let forward = self.context.forward;
        let fields = forward.pre_activations.iter().chain([&forward.logits]);
        let layers = self.layers.iter().skip(1).map(|layer| HostLayer::new(layer, trial));
        Ok(HostNetwork {
            trial,
            activation: self.context.ensemble.activation,
            later: layers.collect::<Result<_, MetricError>>()?,
            fields: fields.map(tiles).collect::<Result<_, MetricError>>()?,
            outputs: forward.activations.iter().map(tiles).collect::<Result<_, MetricError>>()?,
            labels: kept.iter().map(|&(_, label)| label as u32).collect(),
            places: kept.iter().map(|&(place, _)| place).collect(),
            first_product: self.first_product(trial, candidates)?,
        })
    }

    fn first_product(&mut self, trial: usize, candidates: &[usize]) -> Result<usize, MetricError> {
        let probe = self.context.probe.rows.select(&[trial as i64]);
        let inputs = &probe.groups[0].inputs;
        let is_same =
            |one: &FirstProduct| one.inputs == inputs.data_ptr() && one.candidates == candidates;
        if let Some(known) = self.first_products.iter().position(is_same) {
            return Ok(known);
        }
        let rows: Vec<i64> = candidates.iter().map(|&row| row as i64).collect();
        let rows = inputs.index_select(0, &Tensor::from_slice(&rows));
        let width = self.noise[0].size()[2];
        let values = to_f32(&self.noise[0].reshape([-1, width]).matmul(&rows.tr()))?;
        self.first_products.push(FirstProduct {
            inputs: inputs.data_ptr(),
            candidates: candidates.to_vec(),
            values,
        });
        Ok(self.first_products.len() - 1)
    }

    /// What the noise of a layer is multiplied by beside the amplitude, one a unit (padded).
    fn scales(&self, scope: Scope, layer: usize, trial: usize, draw: usize) -> Vec<f64> {
        let lengths = &self.lengths[layer];
        let units = lengths.noise.len() / self.noise[layer].size()[0] as usize;
        let scale = |unit: usize| {
            let own = match scope {
                Scope::Filter => {
                    lengths.units[trial * units + unit] / lengths.noise[draw * units + unit]
                }
                _ => lengths.std[trial],
            };
            own * lengths.norm_scale.as_ref().map_or(1.0, |norm| norm[trial * units + unit])
        };
        let mut scales: Vec<f64> = (0..units).map(scale).collect();
        scales.resize(padded(units), 0.0);
        scales
    }
}

/// One trial's network with the rows it classifies as their label.
pub(crate) struct HostNetwork {
    trial: usize,
    activation: Activation,
    /// Layers 2…D+1.
    later: Vec<HostLayer>,
    /// h of every layer, then z, without noise: [tiles, n, 16].
    fields: Vec<Vec<f32>>,
    /// y of every hidden layer.
    outputs: Vec<Vec<f32>>,
    labels: Vec<u32>,
    /// Positions among the candidates.
    places: Vec<usize>,
    /// Position of Xi·x of the first layer.
    first_product: usize,
}

/// A network whose weights go in one scope.
pub(crate) struct HostWeights<'a> {
    noise: &'a HostNoise<'a>,
    network: &'a HostNetwork,
    /// Index of the first layer moved.
    base: usize,
    /// Whether the layers after it are moved too.
    later: bool,
    /// By draw: the base layer's noise times its inputs, [tiles, n, 16].
    moving: Vec<Vec<f32>>,
    /// By draw and layer from `base`.
    scales: Vec<Vec<Vec<f64>>>,
}

impl<'a> HostWeights<'a> {
    pub(crate) fn new(
        noise: &'a HostNoise<'a>,
        network: &'a HostNetwork,
        scope: Scope,
        draws: usize,
    ) -> HostWeights<'a> {
        let (base, later) = match scope {
            Scope::Layer(layer) => (layer - 1, false),
            _ => (0, true),
        };
        let moving = |draw: usize| match base {
            0 => {
                let first = &noise.first_products[network.first_product];
                let units = noise.noise[0].size()[1] as usize;
                let candidates = first.candidates.len();
                let own = first.values[draw * units * candidates..].chunks_exact(candidates);
                let kept = own
                    .take(units)
                    .flat_map(|values| network.places.iter().map(|&place| values[place]));
                to_tiles(&kept.collect::<Vec<f32>>(), network.places.len())
            }
            _ => {
                let mut moving = Vec::new();
                product(&noise.packed[base][draw], &network.outputs[base - 1], &mut moving);
                moving
            }
        };
        let moved = if later { base..noise.layers.len() } else { base..base + 1 };
        let scales = |draw: usize| {
            moved.clone().map(|layer| noise.scales(scope, layer, network.trial, draw)).collect()
        };
        HostWeights {
            noise,
            network,
            base,
            later,
            moving: (0..draws).map(moving).collect(),
            scales: (0..draws).map(scales).collect(),
        }
    }

    /// Rows of each draw asked for that keep their label; `block` is a draw.
    pub(crate) fn correct(&self, requests: &[Request]) -> Vec<u32> {
        let mut buffers = Buffers::default();
        let mut count = |request: &Request| {
            self.classified(request, &mut buffers);
            buffers.correct.iter().map(|&flag| u32::from(flag)).sum()
        };
        requests.iter().map(&mut count).collect()
    }

    fn classified(&self, request: &Request, buffers: &mut Buffers) {
        let Buffers { fields, outputs, strength, scratch, correct } = buffers;
        let (draw, activation) = (request.block, self.network.activation);
        let strength_of = |layer: usize, strength: &mut Vec<f32>| {
            let scales = &self.scales[draw][layer - self.base];
            strength.clear();
            strength.extend(scales.iter().map(|scale| (request.amplitude * scale) as f32));
        };
        strength_of(self.base, strength);
        let still = &self.network.fields[self.base];
        fields.resize(still.len(), 0.0);
        let units = still.len() / self.network.labels.len().div_ceil(TILE) / TILE;
        let moving = &self.moving[draw];
        Arch::new().dispatch(Combine { still, moving, strength: &strength[..units], fields });
        for (index, layer) in self.network.later.iter().enumerate().skip(self.base) {
            activate_in_place(activation, fields);
            match self.later {
                true => {
                    strength_of(index + 1, strength);
                    let noise = &self.noise.packed[index + 1][draw];
                    layer.apply_moved(noise, strength, scratch, fields, outputs, false);
                }
                false => layer.apply(fields, outputs, false),
            }
            std::mem::swap(fields, outputs);
        }
        let classes = fields.len() / self.network.labels.len().div_ceil(TILE) / TILE;
        classify(fields, classes, &self.network.labels, correct);
    }
}

#[derive(Default)]
struct Buffers {
    fields: Vec<f32>,
    outputs: Vec<f32>,
    strength: Vec<f32>,
    scratch: Vec<f32>,
    correct: Vec<bool>,
}

/// fields = still + strength·moving, [tiles, n, 16], strength one a unit.
struct Combine<'a> {
    still: &'a [f32],
    moving: &'a [f32],
    strength: &'a [f32],
    fields: &'a mut [f32],
}

impl WithSimd for Combine<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (still, _) = self.still.as_chunks::<TILE>();
        let (moving, _) = self.moving.as_chunks::<TILE>();
        let (fields, _) = self.fields.as_chunks_mut::<TILE>();
        let units = still.iter().zip(moving).zip(self.strength.iter().cycle());
        for (((still, moving), &strength), fields) in units.zip(fields) {
            for column in 0..TILE {
                fields[column] = strength * moving[column] + still[column];
            }
        }
    }
}

/// [n, columns] as [tiles, n, 16]; the columns that are missing are 0.
fn to_tiles(values: &[f32], columns: usize) -> Vec<f32> {
    let columns = columns.max(1);
    let units = values.len() / columns;
    let mut tiles = vec![0.0; columns.div_ceil(TILE) * units * TILE];
    for (unit, row) in values.chunks_exact(columns).enumerate() {
        for (tile, part) in row.chunks(TILE).enumerate() {
            tiles[(tile * units + unit) * TILE..][..part.len()].copy_from_slice(part);
        }
    }
    tiles
}
