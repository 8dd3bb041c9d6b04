//! Axes: a hyperparameter and the values it takes.

use crate::hyperparameter::HyperparameterId;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// How an axis was written; figures take their scale from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AxisKind {
    /// A list of values.
    List,
    /// Consecutive integers, the end excluded.
    Range,
    /// Logarithmically spaced points, both ends included.
    Log,
    /// Powers of two times the first value, up to the last.
    Log2,
    /// Evenly spaced points, both ends included.
    Linear,
}

/// What an axis varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AxisTarget {
    /// A hyperparameter.
    Hyperparameter(HyperparameterId),
    /// Passes over the training rows; becomes `steps` point by point.
    Epochs,
}

impl AxisTarget {
    /// Name in sweep files.
    pub fn name(self) -> &'static str {
        match self {
            AxisTarget::Hyperparameter(id) => id.name(),
            AxisTarget::Epochs => "epochs",
        }
    }

    /// The target of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "epochs" {
            return Some(AxisTarget::Epochs);
        }
        HyperparameterId::from_name(name).map(AxisTarget::Hyperparameter)
    }

    /// Whether trials that differ in it may share a unit, whatever their task
    /// ([`Hyperparameters::is_fusable`](crate::Hyperparameters::is_fusable)).
    pub fn is_fusable(self) -> bool {
        match self {
            AxisTarget::Hyperparameter(id) => id.definition().fusable,
            AxisTarget::Epochs => false,
        }
    }
}

impl Serialize for AxisTarget {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for AxisTarget {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        AxisTarget::from_name(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown hyperparameter \"{name}\"")))
    }
}

/// One axis of a grid. Values are checked, of the declared type, and distinct.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// What varies.
    #[serde(rename = "name")]
    pub target: AxisTarget,
    /// How the axis was written.
    pub kind: AxisKind,
    /// Its values, in the order written.
    pub values: Vec<Value>,
}

/// `points` values from `first` to `last`, both included, evenly spaced in the logarithm.
pub(crate) fn log_points(first: f64, last: f64, points: u64) -> Vec<f64> {
    spaced(points, |share| if share == 1.0 { last } else { first * (last / first).powf(share) })
}

/// `points` values from `first` to `last`, both included, evenly spaced.
pub(crate) fn linear_points(first: f64, last: f64, points: u64) -> Vec<f64> {
    spaced(points, |share| if share == 1.0 { last } else { first + (last - first) * share })
}

/// `first`, `2·first`, `4·first` … up to and including `last`.
pub(crate) fn doubling_points(first: f64, last: f64) -> Vec<f64> {
    let slack = 1.0 + 1e-9;
    std::iter::successors(Some(first), |value| Some(value * 2.0))
        .take_while(|value| *value <= last * slack)
        .collect()
}

/// Shares i/(n-1) are correctly rounded quotients, so a grid refined from n to 2n-1 points
/// keeps the n values it had.
fn spaced(points: u64, value_at: impl Fn(f64) -> f64) -> Vec<f64> {
    if points == 1 {
        return vec![value_at(0.0)];
    }
    (0..points).map(|index| value_at(index as f64 / (points - 1) as f64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::round_to_12_digits;

    #[test]
    fn refining_a_log_axis_keeps_the_shared_points() {
        let round =
            |values: Vec<f64>| values.into_iter().map(round_to_12_digits).collect::<Vec<_>>();
        let coarse = round(log_points(1e-3, 1.0, 16));
        let fine = round(log_points(1e-3, 1.0, 31));
        let shared: Vec<f64> = fine.iter().copied().step_by(2).collect();
        assert_eq!(coarse, shared);
        assert_eq!((coarse[0], coarse[15]), (1e-3, 1.0));
    }

    #[test]
    fn doubling_includes_both_ends() {
        assert_eq!(doubling_points(8.0, 64.0), [8.0, 16.0, 32.0, 64.0]);
        assert_eq!(doubling_points(8.0, 63.0), [8.0, 16.0, 32.0]);
    }

    #[test]
    fn linear_includes_both_ends() {
        assert_eq!(linear_points(0.0, 1.0, 3), [0.0, 0.5, 1.0]);
    }
}
