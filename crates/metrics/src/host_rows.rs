//! The noisy rows of [`crate::noisy_rows`] on the host: tiles of copies that stay in the cache
//! from the first layer to the last.

use phasegrid_spec::Activation;
use pulp::{Arch, Simd, WithSimd};
use tch::Tensor;

use crate::affine::Affine;
use crate::basin_solver::Request;
use crate::error::MetricError;
use crate::host_layers::{HostLayer, TILE, activate_in_place, classify, to_f32};
use crate::noise_shape::Shape;

/// Numbers of a layer's tiles that go together: half of a second-level cache.
const SLAB_NUMBERS: usize = 1 << 16;

/// Some trials' networks, and their rows and noise after the first product.
pub(crate) struct HostRows {
    shape: Shape,
    activation: Activation,
    /// n of the first layer.
    width: usize,
    networks: Vec<Network>,
}

struct Network {
    /// Layers 2…D+1.
    later: Vec<HostLayer>,
    /// h of the rows, [rows, n].
    still: Vec<f32>,
    /// W·noise, [noises, n, copies].
    moving: Vec<f32>,
    /// Of each row.
    labels: Vec<u32>,
}

impl HostRows {
    /// `later` are the layers 2…D+1 of all trials of the unit, `still` [trials·rows, n], `moving`
    /// [trials·noises·copies, n], `labels` of each row, trial by trial.
    pub(crate) fn new(
        shape: Shape,
        activation: Activation,
        later: &[Affine],
        trials: &[usize],
        still: &Tensor,
        moving: &Tensor,
        labels: &[i64],
    ) -> Result<HostRows, MetricError> {
        let (width, copies) = (still.size()[1], shape.copies() as i64);
        let by_trial = trials.len() as i64;
        let still = still.view([by_trial, -1, width]);
        let moving = moving.view([by_trial, -1, copies, width]).transpose(2, 3);
        let rows = labels.len() / trials.len().max(1);
        let network = |(position, &trial): (usize, &usize)| {
            let layers = later.iter().map(|layer| HostLayer::new(layer, trial));
            let own = &labels[position * rows..(position + 1) * rows];
            Ok(Network {
                later: layers.collect::<Result<_, MetricError>>()?,
                still: to_f32(&still.get(position as i64))?,
                moving: to_f32(&moving.get(position as i64))?,
                labels: own.iter().map(|&label| label as u32).collect(),
            })
        };
        let networks =
            trials.iter().enumerate().map(network).collect::<Result<_, MetricError>>()?;
        Ok(HostRows { shape, activation, width: width as usize, networks })
    }

    /// Correct copies of each block asked for; `problem` is a position among the trials.
    pub(crate) fn correct(&self, requests: &[Request]) -> Vec<u32> {
        let mut of_trial: Vec<Vec<usize>> = vec![Vec::new(); self.networks.len()];
        for (index, request) in requests.iter().enumerate() {
            of_trial[request.problem].push(index);
        }
        let mut buffers = Buffers::default();
        let mut answers = vec![0; requests.len()];
        let tile_blocks = TILE / self.shape.copies();
        for (network, indices) in self.networks.iter().zip(&of_trial) {
            let layers = network.later.iter().map(|layer| layer.weight.units);
            let widest = layers.fold(self.width, usize::max);
            let tiles = (SLAB_NUMBERS / (widest * TILE)).max(1);
            for slab in indices.chunks(tiles * tile_blocks) {
                let asked: Vec<Request> = slab.iter().map(|&index| requests[index]).collect();
                let correct = self.slab(network, &asked, &mut buffers);
                for (&index, flags) in slab.iter().zip(correct.chunks(self.shape.copies())) {
                    answers[index] = flags.iter().map(|&flag| u32::from(flag)).sum();
                }
            }
        }
        answers
    }

    /// One flag a copy, request by request.
    fn slab<'a>(
        &self,
        network: &Network,
        requests: &[Request],
        buffers: &'a mut Buffers,
    ) -> &'a [bool] {
        let Buffers { fields, outputs, labels, correct } = buffers;
        let copies = self.shape.copies();
        let tile_blocks = TILE / copies;
        fields.clear();
        fields.resize(requests.len().div_ceil(tile_blocks) * self.width * TILE, 0.0);
        for (asked, tile) in
            requests.chunks(tile_blocks).zip(fields.chunks_exact_mut(self.width * TILE))
        {
            for (place, request) in asked.iter().enumerate() {
                let row = self.shape.row(request.block);
                let noise = self.shape.noise(request.block) * self.width * copies;
                Arch::new().dispatch(Combine {
                    still: &network.still[row * self.width..][..self.width],
                    moving: &network.moving[noise..][..self.width * copies],
                    amplitude: request.amplitude as f32,
                    copies,
                    tile,
                    column: place * copies,
                });
            }
        }
        labels.clear();
        for request in requests {
            let label = network.labels[self.shape.row(request.block)];
            labels.extend(std::iter::repeat_n(label, copies));
        }
        activate_in_place(self.activation, fields);
        for (index, layer) in network.later.iter().enumerate() {
            let is_hidden = index + 1 < network.later.len();
            let relu = is_hidden && self.activation == Activation::Relu;
            layer.apply(fields, outputs, relu);
            std::mem::swap(fields, outputs);
            if is_hidden && !relu {
                activate_in_place(self.activation, fields);
            }
        }
        let classes = network.later.last().map_or(0, |layer| layer.weight.units);
        classify(fields, classes, labels, correct);
        correct
    }
}

#[derive(Default)]
struct Buffers {
    fields: Vec<f32>,
    outputs: Vec<f32>,
    labels: Vec<u32>,
    correct: Vec<bool>,
}

/// still + amplitude·moving into some columns of a tile.
struct Combine<'a> {
    /// [n]
    still: &'a [f32],
    /// [n, copies]
    moving: &'a [f32],
    amplitude: f32,
    copies: usize,
    /// [n, 16]
    tile: &'a mut [f32],
    column: usize,
}

impl WithSimd for Combine<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        match self.copies {
            8 => self.columns::<8>(),
            1 => self.columns::<1>(),
            _ => {
                let Combine { still, moving, amplitude, copies, tile, column } = self;
                let units = still.iter().zip(moving.chunks_exact(copies));
                for ((&still, moving), tile) in units.zip(tile.chunks_exact_mut(TILE)) {
                    for (value, &moving) in tile[column..].iter_mut().zip(moving) {
                        *value = still + amplitude * moving;
                    }
                }
            }
        }
    }
}

impl Combine<'_> {
    #[inline(always)]
    fn columns<const COPIES: usize>(self) {
        let Combine { still, moving, amplitude, tile, column, .. } = self;
        let (moving, _) = moving.as_chunks::<COPIES>();
        let (tile, _) = tile.as_chunks_mut::<TILE>();
        for ((&still, moving), tile) in still.iter().zip(moving).zip(tile) {
            let target = &mut tile[column..column + COPIES];
            for copy in 0..COPIES {
                target[copy] = still + amplitude * moving[copy];
            }
        }
    }
}
