//! What a sweep set out to run: axis kinds, and which points it has, from `_sweeps/<name>.json`.

use crate::error::Result;
use crate::level::Level;
use crate::store::{Store, read_json};
use phasegrid_spec::TrainRows;
use phasegrid_spec::{AxisKind, AxisTarget, Grid, HyperparameterId, Hyperparameters, ProductGrid};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

/// Grids with more raw points than this are not enumerated; their missing cells stay unknown.
const MOST_POINTS: u64 = 4_000_000;

/// A sweep as submitted. Empty where the store has no document of it: figures then know
/// neither scales nor missing cells, but draw what there is.
#[derive(Debug, Default)]
pub(crate) struct SweepPlan {
    kinds: BTreeMap<String, AxisKind>,
    /// Names on text axes, in the order written.
    names: BTreeMap<String, Vec<String>>,
    grids: Vec<PlannedGrid>,
    complete: bool,
}

#[derive(Debug)]
struct PlannedGrid {
    grid: Grid,
    /// Neither conditions nor epochs: the projection of the product is the product of the axes.
    plain: bool,
}

impl SweepPlan {
    /// Reads the document of a sweep. Grids this program does not understand (of a newer
    /// release, say) are left out and their missing cells not known.
    pub(crate) fn read(store: &Store, sweep: &str) -> Result<SweepPlan> {
        let path = store.root().join("_sweeps").join(format!("{sweep}.json"));
        if !path.is_file() {
            return Ok(SweepPlan::default());
        }
        let document = read_json(&path)?;
        let mut plan = SweepPlan { complete: true, ..SweepPlan::default() };
        for grid in document.get("grids").and_then(|grids| grids.as_array()).into_iter().flatten() {
            plan.add(grid);
        }
        Ok(plan)
    }

    fn add(&mut self, document: &serde_json::Value) {
        for axis in document.get("axes").and_then(|axes| axes.as_array()).into_iter().flatten() {
            let name = axis.get("name").and_then(|name| name.as_str());
            let values = axis.get("values").and_then(|values| values.as_array());
            for text in values.into_iter().flatten().filter_map(|value| value.as_str()) {
                self.names
                    .entry(name.unwrap_or_default().to_owned())
                    .or_default()
                    .push(text.to_owned());
            }
            let kind = axis.get("kind").cloned().and_then(|kind| serde_json::from_value(kind).ok());
            let (Some(name), Some(kind)) = (name, kind) else { continue };
            // A list in one block and a log axis in another: the scale that was named wins.
            let known = self.kinds.entry(name.to_owned()).or_insert(kind);
            if *known == AxisKind::List {
                *known = kind;
            }
        }
        let is_empty = |key: &str| match document.get(key) {
            None | Some(serde_json::Value::Null) => true,
            Some(value) => value.as_array().is_some_and(Vec::is_empty),
        };
        let plain = is_empty("conditions") && is_empty("epochs");
        match serde_json::from_value::<Grid>(document.clone()) {
            Ok(grid) if plain || grid.raw_len() <= MOST_POINTS => {
                self.grids.push(PlannedGrid { grid, plain });
            }
            _ => self.complete = false,
        }
    }

    /// How the axis was written, if it is one.
    pub(crate) fn kind(&self, name: &str) -> Option<AxisKind> {
        self.kinds.get(name).copied()
    }

    /// Whether the sweep varies it by intent: it is an axis, or steps that follow from epochs.
    /// Everything is, where nothing is known of the sweep.
    pub(crate) fn is_axis(&self, name: &str) -> bool {
        let kinds = &self.kinds;
        kinds.is_empty()
            || kinds.contains_key(name)
            || (name == "steps" && kinds.contains_key("epochs"))
    }

    /// Sorts the values of an axis: text as the sweep file lists it, everything else ascending.
    pub(crate) fn sort(&self, name: &str, levels: &mut [Level]) {
        levels.sort_by(|one, two| self.compare(name, one, two));
    }

    /// How two values of an axis are sorted.
    pub(crate) fn compare(&self, name: &str, one: &Level, two: &Level) -> Ordering {
        let written = self.names.get(name);
        let place = |level: &Level| match (level, written) {
            (Level::Text(text), Some(written)) => {
                written.iter().position(|one| one == text).unwrap_or(written.len())
            }
            _ => 0,
        };
        place(one).cmp(&place(two)).then_with(|| one.cmp(two))
    }

    /// Whether the sweep is one product of axes: hyperparameters then vary independently.
    pub(crate) fn is_one_product(&self) -> bool {
        matches!(self.grids.as_slice(), [PlannedGrid { grid: Grid::Product(_), plain: true }])
    }

    /// Distinct combinations that the sweep's points have of these hyperparameters; `None`
    /// where that is not known.
    pub(crate) fn combinations(&self, names: &[&str]) -> Option<Vec<Vec<Level>>> {
        let ids: Option<Vec<HyperparameterId>> =
            names.iter().map(|name| HyperparameterId::from_name(name)).collect();
        let ids = ids.filter(|_| self.complete && !self.grids.is_empty())?;
        let mut seen = HashSet::new();
        let mut combinations = Vec::new();
        for planned in &self.grids {
            let projected = planned.project(&ids)?;
            for index in 0..projected.raw_len() {
                let Some(trial) = projected.trial(index) else { continue };
                let level = |id: &HyperparameterId| match trial.has(*id) {
                    true => Level::from(&trial.get(*id)),
                    false => Level::Null,
                };
                let combination: Vec<Level> = ids.iter().map(level).collect();
                if seen.insert(combination.clone()) {
                    combinations.push(combination);
                }
            }
        }
        Some(combinations)
    }
}

impl PlannedGrid {
    /// The grid, without the axes that do not matter where leaving them out changes nothing.
    fn project(&self, ids: &[HyperparameterId]) -> Option<Grid> {
        let product = match &self.grid {
            Grid::Product(product) if self.plain => product,
            other => return Some(other.clone()),
        };
        if product.axes().iter().any(|axis| axis.target == AxisTarget::Epochs) {
            return (self.grid.raw_len() <= MOST_POINTS).then(|| self.grid.clone());
        }
        let axes = product.axes().iter().filter(|axis| match axis.target {
            // The task says which hyperparameters a trial has.
            AxisTarget::Hyperparameter(id) => ids.contains(&id) || id.name() == "task",
            AxisTarget::Epochs => true,
        });
        let base: Hyperparameters = product.base().clone();
        ProductGrid::new(base, None, axes.cloned().collect(), Vec::new(), TrainRows::default())
            .ok()
            .map(Grid::Product)
            .filter(|grid| grid.raw_len() <= MOST_POINTS)
    }
}
