//! Small tensors on the host, and how many trials to work on at a time.

use tch::{Device, Kind, Tensor};

use crate::error::MetricError;

/// Memory that a metric's temporaries may take at a time on the host: they then stay in the
/// cache and are not handed back to the system in between (measured: faster than 64 MiB).
const HOST_BUDGET_BYTES: i64 = 16 << 20;
/// The same on an accelerator, where larger batches are faster.
const ACCELERATOR_BUDGET_BYTES: i64 = 1 << 30;

/// Memory that a metric's temporaries may take at a time. A metric works on as many trials at
/// once as fit, at least one.
pub(crate) fn budget_bytes(device: Device) -> i64 {
    match device {
        Device::Cpu => HOST_BUDGET_BYTES,
        _ => ACCELERATOR_BUDGET_BYTES,
    }
}

/// Whether a tensor is of the kind that networks are trained in, and on the host.
pub(crate) fn on_host(tensor: &Tensor) -> bool {
    tensor.device() == Device::Cpu && tensor.kind() == Kind::Float
}

/// The elements of a tensor in row-major order, as f64 on the host.
pub(crate) fn to_f64(tensor: &Tensor) -> Result<Vec<f64>, MetricError> {
    let flat = tensor.to_device(Device::Cpu).to_kind(Kind::Double).contiguous().view([-1]);
    Ok(Vec::<f64>::try_from(flat)?)
}

/// A boolean tensor on the host, flat.
pub(crate) fn to_flags(values: &Tensor) -> Result<Vec<bool>, MetricError> {
    let flat = values.to_device(Device::Cpu).to_kind(Kind::Bool).contiguous().view([-1]);
    Ok(Vec::<bool>::try_from(flat)?)
}

/// A tensor [a, b, c] as [a][b][c] on the host.
pub(crate) fn to_nested(tensor: &Tensor) -> Result<Vec<Vec<Vec<f64>>>, MetricError> {
    let size = tensor.size();
    let (outer, rows, columns) = (size[0] as usize, size[1] as usize, size[2] as usize);
    let flat = to_f64(tensor)?;
    let row = |index: usize| flat[index * columns..(index + 1) * columns].to_vec();
    Ok((0..outer).map(|block| (0..rows).map(|index| row(block * rows + index)).collect()).collect())
}

/// The finite ones of a tensor [E], by trial.
pub(crate) fn finite(values: &Tensor) -> Result<Vec<Option<f64>>, MetricError> {
    Ok(to_f64(values)?
        .into_iter()
        .map(|value| Some(value).filter(|value| value.is_finite()))
        .collect())
}

/// The kind to sum in: f64 where a sum runs over more than 1,000 terms, else that of `tensor`.
pub(crate) fn sum_kind(tensor: &Tensor, terms: i64) -> Kind {
    if terms > 1_000 { Kind::Double } else { tensor.kind() }
}

/// Trials to work on at a time if each takes `elements` numbers of `like`'s kind, on its device.
pub(crate) fn trials_at_a_time(elements: i64, like: &Tensor) -> usize {
    let bytes = elements.max(1) * like.kind().elt_size_in_bytes() as i64;
    (budget_bytes(like.device()) / bytes).max(1) as usize
}

/// The positions 0…trials−1 in chunks of at most `length`.
pub(crate) fn chunks(trials: usize, length: usize) -> impl Iterator<Item = Vec<i64>> {
    (0..trials)
        .step_by(length)
        .map(move |start| (start as i64..(start + length).min(trials) as i64).collect())
}
