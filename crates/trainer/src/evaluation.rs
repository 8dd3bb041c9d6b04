//! Loss and accuracy of a unit's living trials at one step.

use crate::rows::UnitRows;
use phasegrid_nn::{Ensemble, Statistics, evaluate, evaluate_with};
use phasegrid_store::Cell;
use tch::{Device, Kind, Tensor};

/// Loss and accuracy of every living trial at one step.
pub(crate) struct Evaluation {
    columns: Vec<(&'static str, Vec<f64>)>,
}

impl Evaluation {
    /// One value of one trial.
    pub(crate) fn of(&self, name: &str, position: usize) -> f64 {
        let column = self.columns.iter().find(|(known, _)| *known == name);
        column.map_or(f64::NAN, |(_, values)| values[position])
    }

    /// All values of one trial.
    pub(crate) fn cells(&self, position: usize) -> Vec<(&'static str, Cell)> {
        self.columns.iter().map(|(name, values)| (*name, Cell::Float(values[position]))).collect()
    }
}

/// Evaluates the living trials on the train and test rows.
pub(crate) fn evaluate_all(ensemble: &Ensemble, rows: &UnitRows) -> Evaluation {
    let (train_rows, trained, clean) = match &rows.training {
        Some(training) => (&training.rows, training.trained(), &training.labels),
        None => (&rows.probe.rows, &rows.probe.labels, &rows.probe_clean),
    };
    let (train_loss, train_accuracy) = evaluate(ensemble, train_rows, trained);
    let noisy = !trained.equal(clean);
    let clean_accuracy =
        if noisy { evaluate(ensemble, train_rows, clean).1 } else { train_accuracy.clone() };
    let (test_loss, test_accuracy) = evaluate(ensemble, &rows.test.rows, &rows.test.labels);
    let mut columns = vec![
        ("train_loss", train_loss),
        ("train_accuracy", train_accuracy),
        ("train_accuracy_clean", clean_accuracy),
        ("test_loss", test_loss),
        ("test_accuracy", test_accuracy),
    ];
    if ensemble.layers.iter().any(|layer| layer.batch_norm.is_some()) {
        let of_rows =
            |inputs, labels| evaluate_with(ensemble, inputs, labels, Statistics::OfRows).1;
        columns.push(("train_accuracy_batch", of_rows(train_rows, trained)));
        columns.push(("test_accuracy_batch", of_rows(&rows.test.rows, &rows.test.labels)));
    }
    Evaluation { columns }
}

/// Euclidean norm of all weights and biases of each trial.
pub(crate) fn weight_norms(ensemble: &Ensemble) -> Vec<f64> {
    let squares =
        ensemble.layers.iter().flat_map(|layer| [&layer.weight, &layer.bias]).map(|tensor| {
            tensor.to_kind(Kind::Double).square().sum_dim_intlist(
                &[1i64, 2][..],
                false,
                Kind::Double,
            )
        });
    let total: Option<Tensor> = squares.reduce(|sum, one| sum + one);
    let norms = total.map(|sum| sum.sqrt().to_device(Device::Cpu));
    norms.and_then(|norms| Vec::<f64>::try_from(norms).ok()).unwrap_or_default()
}
