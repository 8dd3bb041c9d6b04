//! `teacher-student`: a random network labels Gaussian inputs.

use crate::dataset::{Dataset, Split};
use crate::stream::Stream;
use phasegrid_spec::{Hyperparameters, TaskSize};

pub(crate) const SENTENCE: &str = "x ~ N(0, I), labelled by the largest output of a random network: task_teacher_depth tanh layers of \
     task_teacher_width units, weights N(0, 2/fan_in), no biases; 8,000 rows train, 2,000 test. Drawn by data_seed.";

/// The inputs of both splits are drawn, then labelled.
pub(crate) fn draw(trial: &Hyperparameters, size: TaskSize) -> Dataset {
    let mut teacher = Teacher::new(trial, size);
    let mut split = |number: u64, rows: u64| {
        let seed = trial.data_seed as u64;
        let mut stream = Stream::new(seed, "teacher_student_inputs", &[number]);
        let inputs = stream.normals_f32((rows * size.inputs) as usize);
        let labels =
            inputs.chunks_exact(size.inputs as usize).map(|row| teacher.label(row)).collect();
        Split { inputs, labels }
    };
    let (train, test) = (split(0, size.train_rows), split(1, size.test_rows));
    Dataset::drawn(trial, size, train, test)
}

/// A network as `activation = "tanh"` and `init = "he_normal"` make it, in f64.
struct Teacher {
    layers: Vec<Layer>,
    before: Vec<f64>,
    after: Vec<f64>,
}

struct Layer {
    units: usize,
    /// `[fan_in, units]`: by input, so that a row's sums run over inputs in order, whatever the
    /// compiler makes of the loop.
    weights: Vec<f64>,
}

impl Teacher {
    fn new(trial: &Hyperparameters, size: TaskSize) -> Teacher {
        let mut sizes = vec![size.inputs as usize];
        sizes.resize(1 + trial.task_teacher_depth as usize, trial.task_teacher_width as usize);
        sizes.push(size.classes as usize);
        let layer = |(number, pair): (usize, &[usize])| {
            let (fan_in, units) = (pair[0], pair[1]);
            let seed = trial.data_seed as u64;
            let mut stream = Stream::new(seed, "teacher_student_weights", &[number as u64 + 1]);
            let scale = (2.0 / fan_in as f64).sqrt();
            Layer { units, weights: (0..fan_in * units).map(|_| scale * stream.normal()).collect() }
        };
        let layers = sizes.windows(2).enumerate().map(layer).collect();
        Teacher { layers, before: Vec::new(), after: Vec::new() }
    }

    /// The class of a row: its largest output, the lowest of equal ones.
    fn label(&mut self, row: &[f32]) -> i64 {
        self.before.clear();
        self.before.extend(row.iter().map(|number| f64::from(*number)));
        for (number, layer) in self.layers.iter().enumerate() {
            self.after.clear();
            self.after.resize(layer.units, 0.0);
            for (input, weights) in self.before.iter().zip(layer.weights.chunks_exact(layer.units))
            {
                let products = weights.iter().map(|weight| weight * input);
                self.after.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
            }
            if number + 1 < self.layers.len() {
                self.after.iter_mut().for_each(|number| *number = libm::tanh(*number));
            }
            std::mem::swap(&mut self.before, &mut self.after);
        }
        let mut best = 0;
        for class in 1..self.before.len() {
            if self.before[class] > self.before[best] {
                best = class;
            }
        }
        best as i64
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn trial(depth: i64, classes: i64) -> Hyperparameters {
        Hyperparameters {
            task: "teacher-student".into(),
            task_dimension: 12,
            task_classes: classes,
            task_teacher_depth: depth,
            task_teacher_width: 20,
            data_seed: 5,
            ..Hyperparameters::default()
        }
    }

    fn drawn(trial: &Hyperparameters) -> (Teacher, Dataset) {
        let size = trial.task_size().unwrap();
        let dataset = draw(trial, size);
        (Teacher::new(trial, size), dataset)
    }

    #[test]
    fn the_teacher_has_the_layers_asked_for() {
        let shape = |teacher: &Teacher| -> Vec<(usize, usize)> {
            let pair = |layer: &Layer| (layer.weights.len() / layer.units, layer.units);
            teacher.layers.iter().map(pair).collect()
        };
        assert_eq!(shape(&drawn(&trial(2, 4)).0), [(12, 20), (20, 20), (20, 4)]);
        assert_eq!(shape(&drawn(&trial(0, 4)).0), [(12, 4)]);
    }

    #[test]
    fn a_linear_teacher_labels_by_the_larger_product() {
        let (teacher, dataset) = drawn(&trial(0, 2));
        let weights = &teacher.layers[0].weights;
        for (row, label) in dataset.train.inputs.chunks_exact(12).zip(&dataset.train.labels) {
            let output = |class: usize| -> f64 {
                (0..12).map(|input| f64::from(row[input]) * weights[input * 2 + class]).sum()
            };
            assert_eq!(*label, i64::from(output(1) > output(0)));
        }
    }

    #[test]
    fn the_labels_are_those_of_the_formula() {
        let (mut teacher, dataset) = drawn(&trial(2, 4));
        let row = &dataset.test.inputs[..12];
        let mut outputs: Vec<f64> = row.iter().map(|number| f64::from(*number)).collect();
        for (number, layer) in teacher.layers.iter().enumerate() {
            let sum = |unit: usize| -> f64 {
                let at = |input: usize| layer.weights[input * layer.units + unit];
                outputs.iter().enumerate().map(|(input, value)| value * at(input)).sum()
            };
            let sums: Vec<f64> = (0..layer.units).map(sum).collect();
            outputs = if number < 2 { sums.iter().map(|sum| sum.tanh()).collect() } else { sums };
        }
        let largest = (0..4).max_by(|a, b| outputs[*a].total_cmp(&outputs[*b])).unwrap();
        assert_eq!(dataset.test.labels[0], largest as i64);
        assert_eq!(teacher.label(row), largest as i64);
    }

    #[test]
    fn the_weights_have_the_variance_of_he_and_the_inputs_that_of_noise() {
        let mut wide = trial(1, 4);
        wide.task_teacher_width = 256;
        let (teacher, dataset) = drawn(&wide);
        let check = |values: &mut dyn Iterator<Item = f64>, variance: f64| {
            let values: Vec<f64> = values.collect();
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let square = values.iter().map(|value| value * value).sum::<f64>() / count;
            assert!(mean.abs() < 4.0 * (variance / count).sqrt());
            assert!((square / variance - 1.0).abs() < 4.0 * (2.0 / count).sqrt());
        };
        check(&mut teacher.layers[0].weights.iter().copied(), 2.0 / 12.0);
        check(&mut teacher.layers[1].weights.iter().copied(), 2.0 / 256.0);
        check(&mut dataset.train.inputs.iter().map(|x| f64::from(*x)), 1.0);
    }

    #[test]
    fn the_teacher_is_odd_so_two_classes_are_equally_likely() {
        let (mut teacher, dataset) = drawn(&trial(3, 2));
        for row in dataset.train.inputs.chunks_exact(12).take(200) {
            let mirrored: Vec<f32> = row.iter().map(|number| -number).collect();
            assert_eq!(teacher.label(row) + teacher.label(&mirrored), 1);
        }
        let ones = dataset.train.labels.iter().filter(|label| **label == 1).count() as f64;
        assert!((ones / 8_000.0 - 0.5).abs() < 4.0 * (0.25f64 / 8_000.0).sqrt(), "{ones}");
    }
}
