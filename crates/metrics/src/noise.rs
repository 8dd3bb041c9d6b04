//! Noise that is drawn once and kept: it depends on keys, never on trials, and the units of a
//! process ask for the same again and again.

use std::sync::{Mutex, PoisonError};

use tch::{Device, Kind, Tensor};

/// Most bytes kept; the oldest go first.
const KEPT_BYTES: usize = 128 << 20;

/// What some noise is of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NoiseKey {
    /// The streams' purpose.
    pub(crate) purpose: &'static str,
    pub(crate) probe_seed: u64,
    /// Rows, sizes, numbers of draws: all that the values depend on beside.
    pub(crate) numbers: Vec<usize>,
    pub(crate) kind: Kind,
    pub(crate) device: Device,
}

static KEPT: Mutex<Vec<(NoiseKey, Vec<Tensor>)>> = Mutex::new(Vec::new());

/// The noise of that key, drawn by `draw` if it is not kept. Nobody may write to it.
pub(crate) fn kept_or_drawn(key: NoiseKey, draw: impl FnOnce() -> Vec<Tensor>) -> Vec<Tensor> {
    let handles = |tensors: &[Tensor]| tensors.iter().map(Tensor::shallow_clone).collect();
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(index) = kept.iter().position(|(known, _)| *known == key) {
        let found = kept.remove(index);
        let tensors = handles(&found.1);
        kept.push(found);
        return tensors;
    }
    let tensors: Vec<Tensor> =
        draw().iter().map(|values| values.to_kind(key.kind).to_device(key.device)).collect();
    let result = handles(&tensors);
    kept.push((key, tensors));
    let bytes = |(_, tensors): &(NoiseKey, Vec<Tensor>)| -> usize {
        tensors.iter().map(|one| one.numel() * one.kind().elt_size_in_bytes()).sum()
    };
    while kept.len() > 1 && kept.iter().map(bytes).sum::<usize>() > KEPT_BYTES {
        kept.remove(0);
    }
    result
}
