//! Probe rows under noise on the inputs, of many trials at a time.
//!
//! The first layer is affine, so that its products with the rows and with the noise serve
//! every amplitude: h = still + amplitude·moving.

use phasegrid_spec::Activation;
use tch::Tensor;

use crate::affine::{Affine, activate, correct, counts};
use crate::basin_solver::Request;
use crate::context::Context;
use crate::error::MetricError;
use crate::host::{budget_bytes, on_host, to_flags};
use crate::host_rows::HostRows;
use crate::noise_shape::Shape;

/// Some trials' networks and their noisy rows.
pub(crate) struct NoisyRows {
    shape: Shape,
    activation: Activation,
    /// Layers 2…D+1 of all trials of the unit.
    later: Vec<Affine>,
    /// Positions in the unit.
    trials: Vec<usize>,
    rows: usize,
    /// Noises of a trial, in pieces.
    noises: usize,
    /// Label of each row, flat, trial by trial.
    labels: Vec<i64>,
    /// Which rows are classified as their label without noise, by trial; none of a trial with a
    /// logit that is not finite.
    pub(crate) kept: Vec<Vec<bool>>,
    /// h of the rows, [trials·rows, n].
    still: Tensor,
    /// W·noise, [trials·noises, copies·n].
    moving: Tensor,
    /// Who evaluates them, where that is the host.
    host: Option<HostRows>,
}

impl NoisyRows {
    /// `rows` of the probe for each of `trials`, as many for all; `noise` of rows, [_, n_0].
    pub(crate) fn new(
        context: &Context<'_>,
        trials: &[usize],
        labels: &[&[u32]],
        rows: &[Vec<usize>],
        noise: &dyn Fn(&[usize]) -> Tensor,
        shape: Shape,
    ) -> Result<NoisyRows, MetricError> {
        let mut layers = Affine::layers(context.ensemble);
        let later = layers.split_off(1);
        let first = &layers[0];
        let device = context.ensemble.device();
        let (mut still, mut moving) = (Vec::new(), Vec::new());
        let (mut kept, mut own_labels) = (Vec::new(), Vec::new());
        let mut same: Option<(&[usize], Tensor)> = None;
        for (position, &trial) in trials.iter().enumerate() {
            let own_rows = rows[position].as_slice();
            let index: Vec<i64> = own_rows.iter().map(|&row| row as i64).collect();
            let index = Tensor::from_slice(&index).to_device(device);
            let of_rows: Vec<i64> =
                own_rows.iter().map(|&row| i64::from(labels[position][row])).collect();
            let logits = context.forward.logits.get(trial as i64).index_select(1, &index).tr();
            let is_finite = logits.isfinite().all().int64_value(&[]) == 1;
            let row_labels = Tensor::from_slice(&of_rows).to_device(device);
            let flags = to_flags(&correct(&logits, &row_labels))?;
            kept.push(flags.into_iter().map(|flag| flag && is_finite).collect());
            own_labels.extend(of_rows);

            let probe = context.probe.rows.select(&[trial as i64]);
            let inputs = probe.groups[0].inputs.index_select(0, &index);
            let weight = first.weight.get(trial as i64).tr();
            let bias = first.bias.get(trial as i64);
            still.push(bias.addmm(&inputs, &weight));
            let values = match same.take() {
                Some((known, values)) if known == own_rows => values,
                _ => noise(own_rows),
            };
            moving.push(values.mm(&weight));
            same = Some((own_rows, values));
        }
        let (still, moving) = (Tensor::cat(&still, 0), Tensor::cat(&moving, 0));
        let activation = context.ensemble.activation;
        let host = match on_host(&still) {
            true => {
                let labels = own_labels.as_slice();
                Some(HostRows::new(shape, activation, &later, trials, &still, &moving, labels)?)
            }
            false => None,
        };
        let width = moving.size()[1];
        let moving = moving.view([-1, shape.copies() as i64 * width]);
        Ok(NoisyRows {
            shape,
            activation,
            later,
            trials: trials.to_vec(),
            rows: rows.first().map_or(0, Vec::len),
            noises: moving.size()[0] as usize / trials.len().max(1),
            labels: own_labels,
            kept,
            still,
            moving,
            host,
        })
    }

    /// Correct copies of each block asked for; `problem` is a position among the trials.
    pub(crate) fn correct(&self, requests: &[Request]) -> Result<Vec<u32>, MetricError> {
        if let Some(host) = &self.host {
            return Ok(host.correct(requests));
        }
        let widest = self.later.iter().map(|layer| layer.weight.size()[2]).max().unwrap_or(1);
        let block_bytes =
            self.shape.copies() as i64 * widest * self.still.kind().elt_size_in_bytes() as i64;
        let budget = (budget_bytes(self.still.device()) / 8 / block_bytes.max(1)).max(1) as usize;
        // Pieces of one trial each, long ones first, so that pieces of a batch are padded little.
        let mut of_trial: Vec<Vec<usize>> = vec![Vec::new(); self.trials.len()];
        for (index, request) in requests.iter().enumerate() {
            of_trial[request.problem].push(index);
        }
        let mut pieces: Vec<&[usize]> =
            of_trial.iter().flat_map(|indices| indices.chunks(budget)).collect();
        pieces.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
        let mut answers = vec![0; requests.len()];
        let mut start = 0;
        while start < pieces.len() {
            let longest = pieces[start].len();
            let end = pieces.len().min(start + (budget / longest).max(1));
            self.batch(requests, &pieces[start..end], &mut answers)?;
            start = end;
        }
        Ok(answers)
    }

    /// Answers the requests of some pieces, each of one trial, padded to the length of the first.
    fn batch(
        &self,
        requests: &[Request],
        pieces: &[&[usize]],
        answers: &mut [u32],
    ) -> Result<(), MetricError> {
        let length = pieces[0].len();
        let padded = || {
            pieces.iter().flat_map(|piece| {
                (0..length).map(|place| requests[piece[place.min(piece.len() - 1)]])
            })
        };
        let device = self.still.device();
        let to_tensor = |values: Vec<i64>| Tensor::from_slice(&values).to_device(device);
        let row = |request: Request| request.problem * self.rows + self.shape.row(request.block);
        let noise =
            |request: Request| request.problem * self.noises + self.shape.noise(request.block);
        let row_index = to_tensor(padded().map(|request| row(request) as i64).collect());
        let noise_index = to_tensor(padded().map(|request| noise(request) as i64).collect());
        let labels = to_tensor(padded().map(|request| self.labels[row(request)]).collect());
        let amplitudes: Vec<f64> = padded().map(|request| request.amplitude).collect();
        let amplitudes = Tensor::from_slice(&amplitudes).to_kind(self.still.kind());
        let amplitudes = amplitudes.to_device(device).view([-1, 1, 1]);
        let trials: Vec<i64> =
            pieces.iter().map(|piece| self.trials[requests[piece[0]].problem] as i64).collect();
        let trials = to_tensor(trials);

        let (blocks, copies) = (pieces.len() * length, self.shape.copies() as i64);
        let still = self.still.index_select(0, &row_index).unsqueeze(1);
        let moving = self.moving.index_select(0, &noise_index).view([blocks as i64, copies, -1]);
        let fields = still.addcmul(&moving, &amplitudes);
        let mut fields = fields.view([pieces.len() as i64, length as i64 * copies, -1]);
        for layer in &self.later {
            let outputs = activate(self.activation, fields);
            fields = layer.apply(&trials, &outputs);
        }
        let labels = labels.view([pieces.len() as i64, -1, 1]).expand([-1, -1, copies], false);
        let correct = correct(&fields, &labels.reshape([pieces.len() as i64, -1]));
        let of_blocks = counts(&correct.view([blocks as i64, copies]))?;
        for (piece, counts) in pieces.iter().zip(of_blocks.chunks(length)) {
            for (&index, &count) in piece.iter().zip(counts) {
                answers[index] = count;
            }
        }
        Ok(())
    }
}
