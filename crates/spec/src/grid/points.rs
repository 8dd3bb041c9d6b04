//! `[[points]]`: trials given one by one.

use crate::hyperparameter::Hyperparameters;
use crate::identity::Shape;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Distinct trials, those of one shape together.
#[derive(Clone, Debug, PartialEq)]
pub struct PointList {
    points: Vec<Hyperparameters>,
    canonical: HashSet<String>,
}

impl PointList {
    /// Drops repetitions and brings trials of one shape together, in order of first appearance.
    pub fn new(points: impl IntoIterator<Item = Hyperparameters>) -> Self {
        let mut canonical = HashSet::new();
        let mut shapes: Vec<(Shape, Vec<Hyperparameters>)> = Vec::new();
        let mut position_of = std::collections::HashMap::new();
        for point in points {
            if !canonical.insert(point.canonical_json()) {
                continue;
            }
            let shape = Shape::of(&point);
            let position = *position_of.entry(shape.clone()).or_insert_with(|| {
                shapes.push((shape, Vec::new()));
                shapes.len() - 1
            });
            shapes[position].1.push(point);
        }
        let points = shapes.into_iter().flat_map(|(_, members)| members).collect();
        PointList { points, canonical }
    }

    /// Number of trials.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    pub(super) fn get(&self, index: u64) -> Option<&Hyperparameters> {
        self.points.get(usize::try_from(index).ok()?)
    }

    pub(super) fn contains(&self, trial: &Hyperparameters) -> bool {
        self.canonical.contains(&trial.canonical_json())
    }

    pub(super) fn shape_end(&self, index: u64) -> u64 {
        let shape = self.get(index).map(Shape::of);
        let mut end = index + 1;
        while self.get(end).is_some() && self.get(end).map(Shape::of) == shape {
            end += 1;
        }
        end
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    points: Vec<serde_json::Value>,
}

impl Serialize for PointList {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let points: Result<Vec<_>, _> =
            self.points.iter().map(|point| serde_json::from_str(&point.canonical_json())).collect();
        Stored { points: points.map_err(serde::ser::Error::custom)? }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PointList {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let points: Result<Vec<_>, String> = stored
            .points
            .iter()
            .map(|point| Hyperparameters::from_canonical_json(&point.to_string()))
            .collect();
        Ok(PointList::new(points.map_err(serde::de::Error::custom)?))
    }
}
