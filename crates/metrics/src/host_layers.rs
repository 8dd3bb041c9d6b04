//! Layers on the host, for networks that are evaluated on a few rows at a time, again and again.
//!
//! A *tile* is 16 columns, each a noisy copy of a row, as [units, 16]: it stays in the cache from
//! layer to layer, and a product of a layer with it needs no packing. Sums run over the inputs in
//! order, in f32. The instruction set is chosen when the program runs.

use phasegrid_spec::Activation;
use pulp::{Arch, Simd, WithSimd};
use tch::{Device, Kind, Tensor};

use crate::affine::{Affine, activate};
use crate::error::MetricError;

/// Columns of a tile.
pub(crate) const TILE: usize = 16;
/// Units whose weights stand together.
const ROWS: usize = 8;

/// W of one layer: blocks of eight units, of each block [inputs, 8]; missing units are 0.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    pub(crate) units: usize,
    pub(crate) inputs: usize,
    values: Vec<f32>,
}

impl Packed {
    /// From [units, inputs], row-major.
    pub(crate) fn new(values: &[f32], units: usize, inputs: usize) -> Packed {
        let mut packed = vec![0.0; padded(units) * inputs];
        for (unit, weights) in values.chunks_exact(inputs.max(1)).enumerate().take(units) {
            let block = unit / ROWS * ROWS * inputs;
            for (input, &weight) in weights.iter().enumerate() {
                packed[block + input * ROWS + unit % ROWS] = weight;
            }
        }
        Packed { units, inputs, values: packed }
    }
}

/// Units with the missing ones of the last block.
pub(crate) fn padded(units: usize) -> usize {
    units.next_multiple_of(ROWS)
}

/// One layer of one network.
#[derive(Debug)]
pub(crate) struct HostLayer {
    pub(crate) weight: Packed,
    /// One a unit, padded.
    bias: Vec<f32>,
}

impl HostLayer {
    /// The layer of one trial.
    pub(crate) fn new(layer: &Affine, trial: usize) -> Result<HostLayer, MetricError> {
        let weight = layer.weight.get(trial as i64);
        let (units, inputs) = (weight.size()[0] as usize, weight.size()[1] as usize);
        let mut bias = to_f32(&layer.bias.get(trial as i64))?;
        bias.resize(padded(units), 0.0);
        Ok(HostLayer { weight: Packed::new(&to_f32(&weight)?, units, inputs), bias })
    }

    /// W y + b of every tile: `input` [tiles, inputs, 16] to `output` [tiles, units, 16], through
    /// ReLU where asked for.
    pub(crate) fn apply(&self, input: &[f32], output: &mut Vec<f32>, relu: bool) {
        self.multiply(&self.weight.values, input, output, relu);
    }

    /// The same with the weights W + strength·noise, strength one a unit (padded).
    pub(crate) fn apply_moved(
        &self,
        noise: &Packed,
        strength: &[f32],
        scratch: &mut Vec<f32>,
        input: &[f32],
        output: &mut Vec<f32>,
        relu: bool,
    ) {
        scratch.resize(self.weight.values.len(), 0.0);
        let move_weights =
            Move { weight: &self.weight.values, noise: &noise.values, strength, moved: scratch };
        Arch::new().dispatch(move_weights);
        self.multiply(scratch, input, output, relu);
    }

    fn multiply(&self, weight: &[f32], input: &[f32], output: &mut Vec<f32>, relu: bool) {
        let Packed { units, inputs, .. } = self.weight;
        output.resize(input.len() / (inputs * TILE) * units * TILE, 0.0);
        let tiles = input.chunks_exact(inputs * TILE).zip(output.chunks_exact_mut(units * TILE));
        for (input, output) in tiles {
            let bias = &self.bias;
            Arch::new().dispatch(Multiply { weight, bias, inputs, input, output, relu });
        }
    }
}

/// noise·y without an offset: [tiles, units, 16].
pub(crate) fn product(noise: &Packed, input: &[f32], output: &mut Vec<f32>) {
    let layer = HostLayer { bias: vec![0.0; padded(noise.units)], weight: noise.clone() };
    layer.apply(input, output, false);
}

/// f(h) in place.
pub(crate) fn activate_in_place(activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::Identity => {}
        Activation::Relu => Arch::new().dispatch(Rectify(values)),
        other => {
            // SAFETY: the tensor borrows `values` and is gone before they are used again.
            let mut fields = unsafe {
                let pointer = values.as_mut_ptr().cast::<u8>();
                Tensor::from_blob(pointer, &[values.len() as i64], &[1], Kind::Float, Device::Cpu)
            };
            let outputs = activate(other, fields.shallow_clone());
            if outputs.data_ptr() != fields.data_ptr() {
                fields.copy_(&outputs);
            }
        }
    }
}

/// How many of the first `columns` columns of the tiles of logits [tiles, classes, 16] have their
/// label as the largest: ties go to the lowest class, a NaN logit is wrong. `correct` gets one
/// flag a column.
pub(crate) fn classify(logits: &[f32], classes: usize, labels: &[u32], correct: &mut Vec<bool>) {
    correct.clear();
    for (tile, labels) in logits.chunks_exact(classes * TILE).zip(labels.chunks(TILE)) {
        for (column, &label) in labels.iter().enumerate() {
            let label = label as usize;
            let own = tile[label * TILE + column];
            let is_below = |class: usize| tile[class * TILE + column] < own;
            let is_not_above = |class: usize| tile[class * TILE + column] <= own;
            correct.push((0..label).all(is_below) && (label..classes).all(is_not_above));
        }
    }
}

/// A tensor's numbers, row-major.
pub(crate) fn to_f32(values: &Tensor) -> Result<Vec<f32>, MetricError> {
    Ok(Vec::<f32>::try_from(values.to_kind(Kind::Float).contiguous().view([-1]))?)
}

struct Rectify<'a>(&'a mut [f32]);

impl WithSimd for Rectify<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (vectors, rest) = S::as_mut_simd_f32s(self.0);
        vectors.iter_mut().for_each(|vector| *vector = rectified(simd, *vector));
        rest.iter_mut().filter(|value| **value < 0.0).for_each(|value| *value = 0.0);
    }
}

/// max(h, 0), NaN where h is.
#[inline(always)]
fn rectified<S: Simd>(simd: S, values: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    simd.select_f32s(simd.less_than_f32s(values, zero), zero, values)
}

/// moved = weight + strength·noise, all packed.
struct Move<'a> {
    weight: &'a [f32],
    noise: &'a [f32],
    strength: &'a [f32],
    moved: &'a mut [f32],
}

impl WithSimd for Move<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let block = self.weight.len() / (self.strength.len() / ROWS).max(1);
        let blocks = self.weight.chunks_exact(block).zip(self.noise.chunks_exact(block));
        let strengths = self.strength.chunks_exact(ROWS);
        for ((weights, noise), (moved, strength)) in
            blocks.zip(self.moved.chunks_exact_mut(block).zip(strengths))
        {
            let (weights, _) = weights.as_chunks::<ROWS>();
            let (noise, _) = noise.as_chunks::<ROWS>();
            let (moved, _) = moved.as_chunks_mut::<ROWS>();
            for ((weights, noise), moved) in weights.iter().zip(noise).zip(moved) {
                for row in 0..ROWS {
                    moved[row] = strength[row] * noise[row] + weights[row];
                }
            }
        }
    }
}

/// One tile through one layer.
struct Multiply<'a> {
    weight: &'a [f32],
    bias: &'a [f32],
    inputs: usize,
    /// [inputs, 16]
    input: &'a [f32],
    /// [units, 16]
    output: &'a mut [f32],
    relu: bool,
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let blocks = self.weight.chunks_exact(self.inputs * ROWS).zip(self.bias.chunks_exact(ROWS));
        for ((weight, bias), output) in blocks.zip(self.output.chunks_mut(ROWS * TILE)) {
            // As many sums at a time as there are registers for.
            match (TILE / S::F32_LANES, output.len() > ROWS / 2 * TILE) {
                (1, true) => {
                    sums::<S, ROWS, 1>(simd, weight, bias, self.input, output, 0, self.relu)
                }
                (1, false) => sums::<S, 4, 1>(simd, weight, bias, self.input, output, 0, self.relu),
                (2, is_long) => {
                    let (first, second) = output.split_at_mut(output.len().min(4 * TILE));
                    sums::<S, 4, 2>(simd, weight, bias, self.input, first, 0, self.relu);
                    if is_long {
                        sums::<S, 4, 2>(simd, weight, bias, self.input, second, 4, self.relu);
                    }
                }
                (4, _) => {
                    for (half, output) in output.chunks_mut(2 * TILE).enumerate() {
                        let start = 2 * half;
                        sums::<S, 2, 4>(simd, weight, bias, self.input, output, start, self.relu);
                    }
                }
                _ => {
                    for (row, output) in output.chunks_mut(TILE).enumerate() {
                        plain_sums(weight, bias, self.input, output, row, self.relu);
                    }
                }
            }
        }
    }
}

/// R units of a block from unit `start` on, for V vectors of columns.
#[inline(always)]
fn sums<S: Simd, const R: usize, const V: usize>(
    simd: S,
    weight: &[f32],
    bias: &[f32],
    input: &[f32],
    output: &mut [f32],
    start: usize,
    relu: bool,
) {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (row, sums) in sums.iter_mut().enumerate() {
        *sums = [simd.splat_f32s(bias[start + row]); V];
    }
    let (weights, _) = weight.as_chunks::<ROWS>();
    let (columns, _) = S::as_simd_f32s(input);
    let (columns, _) = columns.as_chunks::<V>();
    for (weights, columns) in weights.iter().zip(columns) {
        for row in 0..R {
            let factor = simd.splat_f32s(weights[start + row]);
            for vector in 0..V {
                sums[row][vector] = simd.mul_add_e_f32s(factor, columns[vector], sums[row][vector]);
            }
        }
    }
    let (outputs, _) = S::as_mut_simd_f32s(output);
    let (outputs, _) = outputs.as_chunks_mut::<V>();
    for (outputs, sums) in outputs.iter_mut().zip(&sums) {
        for (output, &sum) in outputs.iter_mut().zip(sums) {
            *output = if relu { rectified(simd, sum) } else { sum };
        }
    }
}

/// One unit of a block without vectors.
fn plain_sums(
    weight: &[f32],
    bias: &[f32],
    input: &[f32],
    output: &mut [f32],
    row: usize,
    relu: bool,
) {
    output.fill(bias[row]);
    let (weights, _) = weight.as_chunks::<ROWS>();
    for (weights, columns) in weights.iter().zip(input.chunks_exact(TILE)) {
        for (sum, &column) in output.iter_mut().zip(columns) {
            *sum += weights[row] * column;
        }
    }
    if relu {
        output.iter_mut().filter(|sum| **sum < 0.0).for_each(|sum| *sum = 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers: every sum is exact in any order.
    fn whole(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|index| ((index * 7 + seed * 5) % 11) as f32 - 5.0).collect()
    }

    #[test]
    fn products_are_those_of_the_definition() {
        for (units, inputs) in [(1, 1), (3, 5), (8, 2), (10, 32), (17, 9), (32, 20)] {
            let (weight, noise) = (whole(units * inputs, 1), whole(units * inputs, 2));
            let (bias, strength) = (whole(units, 3), whole(padded(units), 4));
            let input = whole(2 * inputs * TILE, 5);
            let mut padded_bias = bias.clone();
            padded_bias.resize(padded(units), 0.0);
            let layer =
                HostLayer { weight: Packed::new(&weight, units, inputs), bias: padded_bias };
            let noise_packed = Packed::new(&noise, units, inputs);
            let expected = |moved: bool, relu: bool| {
                let mut expected = Vec::new();
                for tile in 0..2 {
                    for unit in 0..units {
                        for column in 0..TILE {
                            let terms = (0..inputs).map(|index| {
                                let at = unit * inputs + index;
                                let own = match moved {
                                    true => weight[at] + strength[unit] * noise[at],
                                    false => weight[at],
                                };
                                own * input[(tile * inputs + index) * TILE + column]
                            });
                            let sum = bias[unit] + terms.sum::<f32>();
                            expected.push(if relu { sum.max(0.0) } else { sum });
                        }
                    }
                }
                expected
            };
            let (mut output, mut scratch) = (Vec::new(), Vec::new());
            for relu in [false, true] {
                layer.apply(&input, &mut output, relu);
                assert_eq!(output, expected(false, relu), "{units} x {inputs}");
                layer.apply_moved(
                    &noise_packed,
                    &strength,
                    &mut scratch,
                    &input,
                    &mut output,
                    relu,
                );
                assert_eq!(output, expected(true, relu), "{units} x {inputs}");
            }
        }
    }

    #[test]
    fn a_tie_goes_to_the_lowest_class_and_nan_is_wrong() {
        let columns =
            [[1.0, 1.0, 0.0], [0.0, 2.0, 2.0], [f32::NAN, 3.0, 1.0], [3.0, f32::NAN, 1.0]];
        let mut logits = vec![0.0; 3 * TILE];
        for (column, values) in columns.iter().enumerate() {
            values
                .iter()
                .enumerate()
                .for_each(|(class, &value)| logits[class * TILE + column] = value);
        }
        let mut correct = Vec::new();
        classify(&logits, 3, &[0, 2, 1, 0], &mut correct);
        assert_eq!(correct, [true, false, false, false]);
        classify(&logits, 3, &[1, 1], &mut correct);
        assert_eq!(correct, [false, true]);
    }

    #[test]
    fn relu_keeps_nan_and_activations_are_those_of_training() {
        let values = [-1.0, 2.0, f32::NAN, -0.0, 0.5];
        let mut rectified = values;
        activate_in_place(Activation::Relu, &mut rectified);
        assert!(rectified[2].is_nan() && rectified[..2] == [0.0, 2.0] && rectified[4] == 0.5);
        for activation in [Activation::Tanh, Activation::Gelu, Activation::Gauss] {
            let mut own = [-1.5f32, -0.2, 0.0, 0.7, 2.5];
            let expected = to_f32(&activate(activation, Tensor::from_slice(&own))).unwrap();
            activate_in_place(activation, &mut own);
            assert_eq!(own.as_slice(), expected);
        }
    }
}
