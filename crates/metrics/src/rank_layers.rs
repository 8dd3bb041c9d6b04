//! Rank statistics of one layer for all trials of a chunk, wherever the tensors are.

use tch::{Device, Kind, Tensor};

use crate::classes::Classes;
use crate::error::MetricError;
use crate::field::Field;
use crate::rank::{LayerRanks, Signs};
use crate::rank_device;
use crate::rank_host::layer_ranks;

/// Rank statistics by trial from h and y, both [E, n, P], and each trial's signs and
/// labelling; `None` for a trial with a value that is not finite.
pub(crate) fn rank_layers(
    fields: &Tensor,
    activations: &Tensor,
    signs: &[Signs],
    classes: &[&Classes],
) -> Result<Vec<Option<LayerRanks>>, MetricError> {
    if fields.device() != Device::Cpu {
        return rank_device::layer_ranks(fields, activations, signs, classes);
    }
    match fields.kind() {
        Kind::Double => on_host::<f64>(fields, activations, signs, classes),
        _ => on_host::<f32>(
            &fields.to_kind(Kind::Float),
            &activations.to_kind(Kind::Float),
            signs,
            classes,
        ),
    }
}

fn on_host<T: Field>(
    fields: &Tensor,
    activations: &Tensor,
    signs: &[Signs],
    classes: &[&Classes],
) -> Result<Vec<Option<LayerRanks>>, MetricError> {
    let length = (fields.size()[1] * fields.size()[2]) as usize;
    let (mut trial_fields, mut trial_activations) =
        (vec![T::default(); length], vec![T::default(); length]);
    let mut ranks = Vec::with_capacity(signs.len());
    for (trial, (signs, classes)) in signs.iter().zip(classes).enumerate() {
        copy_to_host(fields, trial, &mut trial_fields)?;
        copy_to_host(activations, trial, &mut trial_activations)?;
        ranks.push(layer_ranks(&trial_fields, &trial_activations, signs, classes));
    }
    Ok(ranks)
}

/// Copies one trial's [n, P] matrix.
fn copy_to_host<T: Field>(
    values: &Tensor,
    trial: usize,
    into: &mut [T],
) -> Result<(), MetricError> {
    let own = values.get(trial as i64).to_device(Device::Cpu).contiguous();
    Ok(own.f_copy_data(into, into.len())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rank::LayerRanks;
    use phasegrid_tasks::stream::Stream;

    /// Three trials of 4 units and 45 samples on few levels (ties), the second broken.
    fn fields(stream: &mut Stream) -> Tensor {
        let values: Vec<f32> = (0..3 * 4 * 45).map(|_| stream.below(20) as f32 - 10.0).collect();
        Tensor::from_slice(&values).view([3, 4, 45])
    }

    fn close(a: &LayerRanks, b: &LayerRanks) -> bool {
        let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-12,
            (a, b) => a == b,
        };
        let resampled = a.resampled.iter().flatten().zip(b.resampled.iter().flatten());
        a.sums == b.sums
            && a.histogram == b.histogram
            && a.dead_fraction == b.dead_fraction
            && near(a.inversion_rate, b.inversion_rate)
            && near(a.tie_rate, b.tie_rate)
            && resampled.into_iter().all(|(&a, &b)| near(a, b))
    }

    #[test]
    fn tensor_operations_and_host_walks_give_the_same_ranks() {
        let mut stream = Stream::new(1, "test", &[]);
        for activate in [
            |h: &Tensor| h.relu(),
            |h: &Tensor| -h.square(),
            |h: &Tensor| h.sin(),
            |h: &Tensor| h * 0.0,
        ] {
            let fields = fields(&mut stream);
            let activations = activate(&fields);
            let _ = fields.get(1).get(2).narrow(0, 7, 1).fill_(f64::NAN);
            let classes: Vec<Classes> = (0..3)
                .map(|trial| {
                    Classes::new((0..45).map(|_| [0, 1, 3][stream.below(3)]).collect(), 4, trial)
                })
                .collect();
            let classes: Vec<&Classes> = classes.iter().collect();
            let mut sign = || stream.below(3) as i8 - 1;
            let signs: Vec<Signs> = (0..3)
                .map(|_| (0..4).map(|_| (0..4).map(|_| sign()).collect()).collect())
                .collect();
            let on_host = on_host::<f32>(&fields, &activations, &signs, &classes).unwrap();
            let batched =
                rank_device::layer_ranks(&fields, &activations, &signs, &classes).unwrap();
            for (trial, (host, batched)) in on_host.iter().zip(&batched).enumerate() {
                match (host, batched) {
                    (Some(host), Some(batched)) => {
                        assert!(close(host, batched), "{host:?} {batched:?}")
                    }
                    (host, batched) => assert!(trial == 1 && host.is_none() && batched.is_none()),
                }
            }
        }
    }
}
