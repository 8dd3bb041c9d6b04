//! `gaussian-mixture`: classes are Gaussian clouds around means of equal distance.

use crate::dataset::{Dataset, Split};
use crate::stream::Stream;
use phasegrid_spec::{Hyperparameters, TaskSize};

pub(crate) const SENTENCE: &str = "Gaussian clouds: x = mean of the class + N(0, I), any two means task_separation apart; \
     8,000 rows train, 2,000 test, classes of equal size. Drawn by data_seed.";

/// Row r is of class r mod K, so classes differ by at most one row; its noise is N(0, 1) in
/// every direction.
pub(crate) fn draw(trial: &Hyperparameters, size: TaskSize) -> Dataset {
    let means = means(trial, size);
    let split = |number: u64, rows: u64| {
        let seed = trial.data_seed as u64;
        let mut noise = Stream::new(seed, "gaussian_mixture_noise", &[number]);
        let mut split = Split::default();
        for row in 0..rows {
            let class = (row % size.classes) as usize;
            split.inputs.extend(means[class].iter().map(|mean| (mean + noise.normal()) as f32));
            split.labels.push(class as i64);
        }
        split
    };
    let (train, test) = (split(0, size.train_rows), split(1, size.test_rows));
    Dataset::drawn(trial, size, train, test)
}

/// Means `[K, n_0]`. With K <= n_0, s/sqrt(2) times orthonormal directions, drawn uniformly:
/// any two means are s = task_separation apart. With more classes than dimensions that cannot
/// be: independent N(0, s²/(2 n_0)) in every direction, s apart in root mean square.
fn means(trial: &Hyperparameters, size: TaskSize) -> Vec<Vec<f64>> {
    let radius = trial.task_separation * std::f64::consts::FRAC_1_SQRT_2;
    let scale = radius / (size.inputs as f64).sqrt();
    let mut directions: Vec<Vec<f64>> = Vec::new();
    for class in 0..size.classes {
        let seed = trial.data_seed as u64;
        let mut stream = Stream::new(seed, "gaussian_mixture_mean", &[class]);
        let mut direction: Vec<f64> = (0..size.inputs).map(|_| stream.normal()).collect();
        if size.classes <= size.inputs {
            // Twice, so that rounding leaves no overlap.
            for _ in 0..2 {
                directions.iter().for_each(|other| remove_part_along(&mut direction, other));
            }
            let norm = dot(&direction, &direction).sqrt();
            direction.iter_mut().for_each(|number| *number /= norm);
        }
        directions.push(direction);
    }
    let factor = if size.classes <= size.inputs { radius } else { scale };
    for direction in &mut directions {
        direction.iter_mut().for_each(|number| *number *= factor);
    }
    directions
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// `unit` has length 1.
fn remove_part_along(vector: &mut [f64], unit: &[f64]) {
    let part = dot(vector, unit);
    vector.iter_mut().zip(unit).for_each(|(number, along)| *number -= part * along);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn trial(classes: i64, dimension: i64, separation: f64) -> Hyperparameters {
        Hyperparameters {
            task: "gaussian-mixture".into(),
            task_classes: classes,
            task_dimension: dimension,
            task_separation: separation,
            data_seed: 3,
            ..Hyperparameters::default()
        }
    }

    fn drawn(trial: &Hyperparameters) -> (Vec<Vec<f64>>, Dataset) {
        let size = trial.task_size().unwrap();
        let dataset = draw(trial, size);
        (means(trial, size), dataset)
    }

    fn distance(one: &[f64], other: &[f64]) -> f64 {
        one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    }

    /// Accuracy of the nearest mean, which is Bayes' rule here, over both splits.
    fn bayes_accuracy(means: &[Vec<f64>], dataset: &Dataset) -> f64 {
        let (mut correct, mut rows) = (0, 0);
        for split in [&dataset.train, &dataset.test] {
            for (row, label) in
                split.inputs.chunks_exact(dataset.input_dimension).zip(&split.labels)
            {
                let row: Vec<f64> = row.iter().map(|number| f64::from(*number)).collect();
                let nearest = means
                    .iter()
                    .enumerate()
                    .min_by(|one, two| distance(one.1, &row).total_cmp(&distance(two.1, &row)));
                correct += i32::from(nearest.unwrap().0 as i64 == *label);
                rows += 1;
            }
        }
        f64::from(correct) / f64::from(rows)
    }

    fn normal_below(x: f64) -> f64 {
        0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
    }

    #[test]
    fn any_two_means_are_the_separation_apart() {
        for (classes, dimension) in [(2, 2), (10, 64), (100, 100), (3, 1_000)] {
            let trial = trial(classes, dimension, 4.0);
            let means = means(&trial, trial.task_size().unwrap());
            for (index, one) in means.iter().enumerate() {
                for other in &means[..index] {
                    let found = distance(one, other);
                    assert!((found - 4.0).abs() < 1e-9, "{classes} {dimension}: {found}");
                }
            }
        }
    }

    #[test]
    fn with_more_classes_than_dimensions_they_are_so_in_the_mean_square() {
        let trial = trial(100, 3, 4.0);
        let means = means(&trial, trial.task_size().unwrap());
        // The sum of squares of 300 numbers N(0, 16/6), relative standard error sqrt(2/300).
        let squares = means.iter().flatten().map(|number| number * number).sum::<f64>();
        let mean_square = 2.0 * squares / 100.0;
        assert!((mean_square / 16.0 - 1.0).abs() < 4.0 * (2.0f64 / 300.0).sqrt(), "{mean_square}");
    }

    #[test]
    fn two_classes_are_told_apart_as_often_as_bayes_says() {
        for (dimension, separation) in [(2, 1.0), (16, 2.0), (64, 4.0)] {
            let (means, dataset) = drawn(&trial(2, dimension, separation));
            let expected = normal_below(separation / 2.0);
            let error = (expected * (1.0 - expected) / 10_000.0).sqrt();
            let found = bayes_accuracy(&means, &dataset);
            assert!((found - expected).abs() < 4.0 * error, "{found} {expected}");
        }
    }

    #[test]
    fn ten_classes_are_told_apart_as_often_as_bayes_says() {
        // Along the ten directions a row is N(0, 1), shifted by s/sqrt(2) along its own: correct
        // where that is the largest, with probability ∫ phi(t - s/sqrt(2)) Phi(t)^9 dt.
        let shift = 4.0 * std::f64::consts::FRAC_1_SQRT_2;
        let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let step = 1e-3;
        let expected: f64 = (-10_000..15_000)
            .map(|index| f64::from(index) * step)
            .map(|t| density(t - shift) * normal_below(t).powi(9) * step)
            .sum();
        assert!((0.85..0.95).contains(&expected), "{expected}");
        let (means, dataset) = drawn(&trial(10, 64, 4.0));
        let error = (expected * (1.0 - expected) / 10_000.0).sqrt();
        let found = bayes_accuracy(&means, &dataset);
        assert!((found - expected).abs() < 4.0 * error, "{found} {expected}");
    }

    #[test]
    fn a_separation_of_zero_leaves_nothing_to_learn() {
        let (_, dataset) = drawn(&trial(2, 1, 0.0));
        let count = dataset.train.inputs.len() as f64;
        let mean = dataset.train.inputs.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
        let square = dataset.train.inputs.iter().map(|x| f64::from(x * x)).sum::<f64>() / count;
        assert!(mean.abs() < 4.0 / count.sqrt());
        assert!((square - 1.0).abs() < 4.0 * (2.0 / count).sqrt());
    }
}
