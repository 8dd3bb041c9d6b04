//! Weights of one trial as safetensors, with the probe rows its metrics were measured on.

use anyhow::Context;
use safetensors::tensor::{Dtype, TensorView, serialize};
use std::collections::HashMap;

/// Whose weights they are, and what probe was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) trial_id: &'a str,
    pub(crate) step: i64,
    /// Rows asked for; the probe has fewer where there are fewer training rows.
    pub(crate) probe_samples: u64,
    pub(crate) probe_seed: u64,
}

impl Origin<'_> {
    /// The file's metadata: `probe_rows` is the probe's size, `probe_cut` whether it was cut down
    /// to the training rows.
    fn metadata(&self, probe_rows: usize) -> HashMap<String, String> {
        let is_cut = self.probe_samples > probe_rows as u64;
        let entries = [
            ("trial_id", self.trial_id.to_owned()),
            ("step", self.step.to_string()),
            ("probe_samples", self.probe_samples.to_string()),
            ("probe_rows", probe_rows.to_string()),
            ("probe_cut", is_cut.to_string()),
            ("probe_seed", self.probe_seed.to_string()),
        ];
        entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

/// Bytes of a safetensors file: the network's tensors, and `probe_index`, `probe_label`.
pub(crate) fn encode(
    tensors: &[(String, Vec<i64>, Vec<f32>)],
    probe_index: &[i64],
    probe_label: &[i64],
    origin: &Origin<'_>,
) -> anyhow::Result<Vec<u8>> {
    let mut parts: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for (name, shape, values) in tensors {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let shape = shape.iter().map(|length| *length as usize).collect();
        parts.push((name.clone(), Dtype::F32, shape, bytes));
    }
    for (name, values) in [("probe_index", probe_index), ("probe_label", probe_label)] {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        parts.push((name.to_owned(), Dtype::I64, vec![values.len()], bytes));
    }
    let views: Result<Vec<(&str, TensorView<'_>)>, _> = parts
        .iter()
        .map(|(name, kind, shape, bytes)| {
            Ok((name.as_str(), TensorView::new(*kind, shape.clone(), bytes)?))
        })
        .collect();
    let views = views.map_err(|error: safetensors::SafeTensorError| anyhow::anyhow!("{error}"))?;
    let metadata = origin.metadata(probe_index.len());
    serialize(views, Some(metadata)).context("weights cannot be encoded")
}
