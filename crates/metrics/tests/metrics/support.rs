//! Small networks with known fields, and their measurement.

use phasegrid_metrics::{Cell, Context, MetricOutput, Probe, TestSet, metric};
use phasegrid_nn::{BatchNorm, Ensemble, GroupedRows, Layer};
use phasegrid_spec::{Activation, Loss};
use phasegrid_tasks::stream::Stream;
use tch::{Device, Kind, Tensor};

/// Networks, their start, and the rows they are measured on.
pub(crate) struct Case {
    pub(crate) ensemble: Ensemble,
    pub(crate) initial: Ensemble,
    pub(crate) probe: Probe,
    pub(crate) test_rows: GroupedRows,
    pub(crate) test_labels: Tensor,
}

impl Case {
    /// Networks that did not move, measured and tested on the same rows: inputs [P, n_0], labels
    /// the same for all trials.
    pub(crate) fn new(ensemble: Ensemble, inputs: Tensor, labels: &[i64], classes: i64) -> Case {
        let trials = ensemble.len();
        let labels = Tensor::from_slice(labels).unsqueeze(0).repeat([trials as i64, 1]);
        let rows = || GroupedRows::shared(trials, inputs.shallow_clone());
        Case {
            initial: ensemble.copy(),
            ensemble,
            probe: Probe { rows: rows(), labels: labels.copy(), classes, seed: 5 },
            test_rows: rows(),
            test_labels: labels,
        }
    }

    pub(crate) fn measure(&self, name: &str) -> MetricOutput {
        self.try_measure(name).unwrap()
    }

    pub(crate) fn try_measure(
        &self,
        name: &str,
    ) -> Result<MetricOutput, phasegrid_metrics::MetricError> {
        let forward = self.ensemble.forward(&self.probe.rows);
        metric(name).unwrap().measure(&Context {
            ensemble: &self.ensemble,
            initial: &self.initial,
            probe: &self.probe,
            test: TestSet { rows: &self.test_rows, labels: &self.test_labels },
            forward: &forward,
        })
    }
}

/// The cell of a column for a trial and layer (from 1).
pub(crate) fn cell<'a>(
    output: &'a MetricOutput,
    column: &str,
    trial: usize,
    layer: usize,
) -> &'a Cell {
    &output.layers.get(column).unwrap()[trial][layer - 1]
}

/// The number of a column for a trial and layer (from 1).
pub(crate) fn number(output: &MetricOutput, column: &str, trial: usize, layer: usize) -> f64 {
    cell(output, column, trial, layer).number().unwrap_or_else(|| panic!("{column} is null"))
}

/// The list of a column for a trial and layer (from 1).
pub(crate) fn list(
    output: &MetricOutput,
    column: &str,
    trial: usize,
    layer: usize,
) -> Vec<Option<f64>> {
    match cell(output, column, trial, layer) {
        Cell::List(list) => list.clone(),
        other => panic!("{column} is {other:?}"),
    }
}

/// Standard normals of that shape.
pub(crate) fn normal(seed: u64, shape: &[i64], kind: Kind) -> Tensor {
    let mut stream = Stream::new(seed, "test/normal", &[]);
    let values: Vec<f64> = (0..shape.iter().product::<i64>()).map(|_| stream.normal()).collect();
    Tensor::from_slice(&values).view(shape).to_kind(kind)
}

/// A tensor [rows][columns] as f64.
pub(crate) fn matrix(rows: &[Vec<f64>]) -> Tensor {
    let flat: Vec<f64> = rows.iter().flatten().copied().collect();
    Tensor::from_slice(&flat).view([rows.len() as i64, -1])
}

/// One network whose only hidden layer has the fields h [n, P] on the returned inputs (W^(1) = 1,
/// no bias) and the linear map M [K, n].
pub(crate) fn with_fields(
    fields: &Tensor,
    map: &Tensor,
    activation: Activation,
) -> (Ensemble, Tensor) {
    let options = (fields.kind(), Device::Cpu);
    let (units, classes) = (fields.size()[0], map.size()[0]);
    let layer = |weight: Tensor, outputs: i64| Layer {
        weight: weight.unsqueeze(0),
        bias: Tensor::zeros([1, outputs, 1], options),
        batch_norm: None,
    };
    let layers = vec![layer(Tensor::eye(units, options), units), layer(map.copy(), classes)];
    (Ensemble { layers, activation, loss: Loss::CrossEntropy }, fields.tr().contiguous())
}

/// E random networks: weights N(0, 2/fan_in), biases N(0, 0.1²), batch norm (if asked for) with
/// random statistics.
pub(crate) fn random_networks(
    seed: u64,
    trials: i64,
    sizes: &[i64],
    activation: Activation,
    batch_norm: bool,
    kind: Kind,
) -> Ensemble {
    let layers = sizes.windows(2).enumerate().map(|(index, pair)| {
        let (fan_in, units) = (pair[0], pair[1]);
        let draw =
            |part: u64, shape: &[i64]| normal(seed * 1_000 + index as u64 * 10 + part, shape, kind);
        let vector = |part: u64| draw(part, &[trials, units, 1]);
        let hidden = index + 2 < sizes.len();
        Layer {
            weight: draw(0, &[trials, units, fan_in]) * (2.0 / fan_in as f64).sqrt(),
            bias: vector(1) * 0.1,
            batch_norm: (batch_norm && hidden).then(|| BatchNorm {
                gamma: vector(2) * 0.3 + 1.0,
                beta: vector(3) * 0.2,
                mean: vector(4) * 0.2,
                var: vector(5).square() + 0.1,
            }),
        }
    });
    Ensemble { layers: layers.collect(), activation, loss: Loss::CrossEntropy }
}

/// Labels 0…K−1 in turn.
pub(crate) fn balanced(rows: usize, classes: i64) -> Vec<i64> {
    (0..rows as i64).map(|row| row % classes).collect()
}

/// Uniform random labels.
pub(crate) fn random_labels(seed: u64, rows: usize, classes: usize) -> Vec<i64> {
    let mut stream = Stream::new(seed, "test/labels", &[]);
    (0..rows).map(|_| stream.below(classes) as i64).collect()
}
