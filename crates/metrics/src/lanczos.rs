//! The largest eigenvalue of symmetric operators, one for each trial, by Lanczos.

use tch::{Kind, Tensor};

use crate::error::MetricError;
use crate::host::to_f64;

/// A residual this small beside the operator ends the recurrence: the space is exhausted.
const BREAKDOWN: f64 = 1e-9;

/// The largest Ritz value of each trial after `steps` steps with full reorthogonalisation;
/// `None` where the operator gives numbers that are not finite. `start` is [E, N] f64; `apply`
/// maps unit vectors [E, N] to products, trial by trial.
pub(crate) fn largest_eigenvalues(
    start: &Tensor,
    steps: usize,
    mut apply: impl FnMut(&Tensor) -> Result<Tensor, MetricError>,
) -> Result<Vec<Option<f64>>, MetricError> {
    let norm = |vectors: &Tensor| {
        vectors.square().sum_dim_intlist(&[-1i64][..], true, Kind::Double).sqrt()
    };
    let trials = start.size()[0] as usize;
    let mut vector = start / norm(start);
    let mut basis: Vec<Tensor> = Vec::with_capacity(steps);
    let (mut diagonal, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..steps {
        let mut product = apply(&vector)?;
        let alpha = (&product * &vector).sum_dim_intlist(&[-1i64][..], false, Kind::Double);
        basis.push(vector);
        // Twice: once leaves what rounding let through.
        for known in basis.iter().chain(&basis) {
            let along = (&product * known).sum_dim_intlist(&[-1i64][..], true, Kind::Double);
            product = product.addcmul(&along.negative(), known);
        }
        let beta = norm(&product);
        diagonal.push(to_f64(&alpha)?);
        beside.push(to_f64(&beta)?);
        vector = product / beta.clamp_min(f64::MIN_POSITIVE);
    }
    (0..trials).map(|trial| largest_ritz_value(trial, &diagonal, &beside)).collect()
}

fn largest_ritz_value(
    trial: usize,
    diagonal: &[Vec<f64>],
    beside: &[Vec<f64>],
) -> Result<Option<f64>, MetricError> {
    let scale = diagonal.iter().chain(beside).map(|of| of[trial].abs()).fold(0.0, f64::max);
    let is_end = |step: &usize| beside[*step][trial] <= BREAKDOWN * scale;
    let size = (0..diagonal.len()).find(is_end).map_or(diagonal.len(), |step| step + 1);
    let mut entries = vec![0.0; size * size];
    for step in 0..size {
        entries[step * size + step] = diagonal[step][trial];
        if step + 1 < size {
            entries[step * size + step + 1] = beside[step][trial];
            entries[(step + 1) * size + step] = beside[step][trial];
        }
    }
    if entries.iter().any(|entry| !entry.is_finite()) {
        return Ok(None);
    }
    let matrix = Tensor::from_slice(&entries).view([size as i64, size as i64]);
    let values = to_f64(&matrix.f_linalg_eigvalsh("L")?)?;
    Ok(values.last().copied().filter(|value| value.is_finite()))
}
