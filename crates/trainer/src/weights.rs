//! Weights of one trial as safetensors, with the probe rows its metrics were measured on.

use anyhow::Context;
use safetensors::tensor::{Dtype, TensorView, serialize};

/// Bytes of a safetensors file: the network's tensors, and `probe_index`, `probe_label`.
pub(crate) fn encode(
    tensors: &[(String, Vec<i64>, Vec<f32>)],
    probe_index: &[i64],
    probe_label: &[i64],
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
    serialize(views, None).context("weights cannot be encoded")
}
