//! The scale to read radii in sample space against. docs/metrics.md, section 3.

use phasegrid_tasks::{Dataset, Split};
use tch::{Device, Kind, Tensor};

/// Test rows that are looked at; the first ones.
const ROWS: usize = 2_000;
/// Test rows compared with all training rows at a time.
const ROWS_AT_A_TIME: usize = 200;

/// Median over test rows (the first 2,000) of the rms distance to the nearest training row;
/// `None` without rows, or where one is not finite.
pub fn nearest_train_rms(dataset: &Dataset, device: Device) -> Option<f64> {
    let _no_grad = tch::no_grad_guard();
    let dimension = dataset.input_dimension;
    let rows = |split: &Split, count: usize| {
        let values = Tensor::from_slice(&split.inputs[..count * dimension]);
        values.view([count as i64, dimension as i64]).to_device(device)
    };
    let (train_rows, test_rows) = (dataset.train.rows(), dataset.test.rows().min(ROWS));
    if train_rows == 0 || test_rows == 0 || dimension == 0 {
        return None;
    }
    let (train, test) = (rows(&dataset.train, train_rows), rows(&dataset.test, test_rows));
    let train_squares = train.square().sum_dim_intlist(&[1i64][..], false, Kind::Float);
    let mut distances: Vec<f64> = Vec::with_capacity(test_rows);
    for start in (0..test_rows).step_by(ROWS_AT_A_TIME) {
        let length = ROWS_AT_A_TIME.min(test_rows - start);
        let own = test.narrow(0, start as i64, length as i64);
        // |a - b|² = |a|² - 2 a·b + |b|² finds the nearest row; its distance is taken directly.
        let nearest = (&train_squares - own.mm(&train.tr()) * 2.0).argmin(1, false);
        let difference = (own - train.index_select(0, &nearest)).to_kind(Kind::Double);
        let rms = difference.square().mean_dim(&[1i64][..], false, Kind::Double).sqrt();
        distances.extend(Vec::<f64>::try_from(rms.to_device(Device::Cpu)).ok()?);
    }
    if distances.iter().any(|distance| !distance.is_finite()) {
        return None;
    }
    distances.sort_unstable_by(f64::total_cmp);
    crate::basin::quantile(&distances, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use phasegrid_tasks::load;

    #[test]
    fn the_median_is_that_of_all_pairs() {
        let dataset = load("digits", None).unwrap();
        let row = |split: &Split, row: usize| {
            split.inputs[row * 64..(row + 1) * 64].iter().map(|x| f64::from(*x)).collect::<Vec<_>>()
        };
        let rms = |test: &[f64], train: &[f64]| {
            (test.iter().zip(train).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / 64.0).sqrt()
        };
        let train: Vec<Vec<f64>> =
            (0..dataset.train.rows()).map(|index| row(&dataset.train, index)).collect();
        let mut expected: Vec<f64> = (0..dataset.test.rows())
            .map(|index| {
                let test = row(&dataset.test, index);
                train.iter().map(|train| rms(&test, train)).fold(f64::INFINITY, f64::min)
            })
            .collect();
        expected.sort_unstable_by(f64::total_cmp);
        let median = expected[expected.len() / 2];
        assert_eq!(expected.len() % 2, 1);
        let found = nearest_train_rms(&dataset, Device::Cpu).unwrap();
        assert!((found / median - 1.0).abs() < 1e-6, "{found} {median}");
    }
}
