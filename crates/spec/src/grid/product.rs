//! The product of axes.

use crate::axis::{Axis, AxisTarget};
use crate::block::TrainRows;
use crate::condition::Condition;
use crate::drawn_task::DrawnTask;
use crate::error::SpecError;
use crate::hyperparameter::{HyperparameterId, Hyperparameters};
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// A grid: base values, axes, conditions. Raw index order: axes that belong to the shape vary
/// slowest, each in the order written, so that the trials of one shape are consecutive.
#[derive(Clone, Debug, PartialEq)]
pub struct ProductGrid {
    /// Boxed: it is many times larger than the rest of a grid.
    base: Box<Hyperparameters>,
    epochs: Option<f64>,
    axes: Vec<Axis>,
    conditions: Vec<Condition>,
    train_rows: TrainRows,
    /// Hyperparameters that equal the base in every point.
    constant: Vec<HyperparameterId>,
    /// Whether a task of the grid is drawn: `data_seed` then belongs to the shape.
    draws_data: bool,
}

impl ProductGrid {
    /// Orders the axes. `epochs` fixes the passes over the training rows; it and an `epochs`
    /// axis need `train_rows` for every task of the grid. Values must be checked before.
    pub fn new(
        base: Hyperparameters,
        epochs: Option<f64>,
        mut axes: Vec<Axis>,
        conditions: Vec<Condition>,
        train_rows: TrainRows,
    ) -> Result<Self, SpecError> {
        let draws_data = values_of(&base, &axes, "task")
            .iter()
            .any(|task| matches!(task, Value::Text(name) if DrawnTask::from_name(name).is_some()));
        axes.sort_by_key(|axis| is_fused(axis, draws_data));
        let uses_epochs =
            epochs.is_some() || axes.iter().any(|axis| axis.target == AxisTarget::Epochs);
        let varies = |id: HyperparameterId| {
            (uses_epochs && id.name() == "steps")
                || axes.iter().any(|axis| axis.target == AxisTarget::Hyperparameter(id))
        };
        let constant = HyperparameterId::all().filter(|id| !varies(*id)).collect();
        let base = Box::new(base);
        let grid = ProductGrid { base, epochs, axes, conditions, train_rows, constant, draws_data };
        if uses_epochs {
            grid.check_sizes()?;
        }
        Ok(grid)
    }

    /// The axes, those of the shape first.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Values of the hyperparameters that are no axis.
    pub fn base(&self) -> &Hyperparameters {
        &self.base
    }

    pub(super) fn raw_len(&self) -> u64 {
        self.axes.iter().map(|axis| axis.values.len() as u64).product()
    }

    pub(super) fn shape_end(&self, index: u64) -> u64 {
        let fused = self.axes.iter().filter(|axis| is_fused(axis, self.draws_data));
        let run: u64 = fused.map(|axis| axis.values.len() as u64).product();
        (index / run + 1) * run
    }

    pub(super) fn trial(&self, index: u64) -> Option<Hyperparameters> {
        let mut trial = (*self.base).clone();
        let mut epochs = self.epochs;
        let mut epochs_axis = None;
        let mut rest = index;
        for axis in self.axes.iter().rev() {
            let length = axis.values.len() as u64;
            let position = (rest % length) as usize;
            rest /= length;
            match axis.target {
                AxisTarget::Hyperparameter(id) => {
                    trial.set(id, &axis.values[position]);
                }
                AxisTarget::Epochs => {
                    epochs = axis.values[position].as_number();
                    epochs_axis = Some(&axis.values[..position]);
                }
            }
        }
        if let Some(epochs) = epochs {
            trial.steps = self.steps_of(epochs, &trial)?;
        }
        // Two numbers of epochs can mean the same number of steps: the first stands for both.
        let repeats = epochs_axis.is_some_and(|earlier| {
            let steps = |value: &Value| self.steps_of(value.as_number()?, &trial);
            earlier.iter().any(|value| steps(value) == Some(trial.steps))
        });
        (!repeats && self.conditions.iter().all(|condition| condition.holds(&trial)))
            .then_some(trial)
    }

    pub(super) fn contains(&self, trial: &Hyperparameters) -> bool {
        if self.constant.iter().any(|id| self.base.get(*id) != trial.get(*id)) {
            return false;
        }
        let on_axes = self.axes.iter().all(|axis| match axis.target {
            AxisTarget::Hyperparameter(id) => axis.values.contains(&trial.get(id)),
            AxisTarget::Epochs => axis.values.iter().any(|value| {
                value.as_number().and_then(|epochs| self.steps_of(epochs, trial))
                    == Some(trial.steps)
            }),
        });
        let fixed_epochs =
            self.epochs.is_none_or(|epochs| self.steps_of(epochs, trial) == Some(trial.steps));
        on_axes && fixed_epochs && self.conditions.iter().all(|condition| condition.holds(trial))
    }

    /// steps = ceil(epochs · training rows / batch size).
    fn steps_of(&self, epochs: f64, trial: &Hyperparameters) -> Option<i64> {
        let rows = self.train_rows.of(trial)?;
        let exact = epochs * rows as f64 / trial.batch_size as f64;
        // A product such as 0.1 · 30 must not become one step more by rounding.
        Some((exact * (1.0 - 1e-12)).ceil() as i64)
    }

    fn check_sizes(&self) -> Result<(), SpecError> {
        let tasks = values_of(&self.base, &self.axes, "task");
        let samples = values_of(&self.base, &self.axes, "train_samples");
        let every_subset = samples.iter().all(|value| *value != Value::Integer(0));
        for task in tasks {
            let Value::Text(name) = task else { continue };
            let of_task = Hyperparameters { task: name.clone(), ..(*self.base).clone() };
            if !every_subset && self.train_rows.available(&of_task).is_none() {
                return Err(SpecError::new(
                    "epochs",
                    format!(
                        "the number of training rows of task {name} is not known here: name train_samples, give steps instead of epochs, or say where its data is (--data DIR)"
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// Values a hyperparameter has on the grid.
fn values_of(base: &Hyperparameters, axes: &[Axis], name: &str) -> Vec<Value> {
    let Some(id) = HyperparameterId::from_name(name) else { return Vec::new() };
    let axis = axes.iter().find(|axis| axis.target == AxisTarget::Hyperparameter(id));
    axis.map_or_else(|| vec![base.get(id)], |axis| axis.values.clone())
}

/// Whether trials that differ on this axis may share a unit.
fn is_fused(axis: &Axis, draws_data: bool) -> bool {
    axis.target.is_fusable() && !(draws_data && axis.target.name() == "data_seed")
}

#[derive(Serialize, Deserialize)]
struct Stored {
    axes: Vec<Axis>,
    fixed: serde_json::Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epochs: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<Condition>,
    #[serde(default, skip_serializing_if = "rows_are_empty")]
    train_rows: TrainRows,
}

fn rows_are_empty(rows: &TrainRows) -> bool {
    rows.0.is_empty()
}

impl Serialize for ProductGrid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fixed =
            serde_json::from_str(&self.base.canonical_json()).map_err(serde::ser::Error::custom)?;
        Stored {
            axes: self.axes.clone(),
            fixed,
            epochs: self.epochs,
            conditions: self.conditions.clone(),
            train_rows: self.train_rows.clone(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ProductGrid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let stored = Stored::deserialize(deserializer)?;
        let base = Hyperparameters::from_canonical_json(&stored.fixed.to_string())
            .map_err(Error::custom)?;
        let axes = stored
            .axes
            .into_iter()
            .map(checked)
            .collect::<Result<_, _>>()
            .map_err(Error::custom)?;
        ProductGrid::new(base, stored.epochs, axes, stored.conditions, stored.train_rows)
            .map_err(Error::custom)
    }
}

/// JSON does not tell 1 from 1.0: values take their declared type again.
fn checked(mut axis: Axis) -> Result<Axis, String> {
    if let AxisTarget::Hyperparameter(id) = axis.target {
        let values: Result<Vec<Value>, String> =
            axis.values.iter().map(|value| id.check(value)).collect();
        axis.values = values?;
    }
    Ok(axis)
}
