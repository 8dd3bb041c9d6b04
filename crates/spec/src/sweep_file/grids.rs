//! `[fixed]`, `[axes]`, `[where]`, `[[grid]]` and `[[points]]`.

use super::axes::{check, read as read_axis, target_of};
use super::is_text;
use super::task_keys::{self, TaskKey};
use crate::axis::{Axis, AxisTarget};
use crate::block::TrainRows;
use crate::condition::Condition;
use crate::error::SpecError;
use crate::grid::{Grid, ProductGrid};
use crate::hyperparameter::{HyperparameterId, Hyperparameters};
use crate::limits::Limits;
use crate::toml_reader::{Entry, Node, join};
use crate::value::Value;
use std::collections::BTreeMap;

/// The tables of a sweep file that define points.
pub(super) struct Sources<'a> {
    pub(super) task: Option<&'a Node>,
    pub(super) fixed: Option<&'a Node>,
    pub(super) axes: Option<&'a Node>,
    pub(super) conditions: Option<&'a Node>,
    pub(super) grid: Option<&'a Node>,
    pub(super) points: Option<&'a Node>,
}

/// A product grid before epochs are resolved.
#[derive(Clone, Debug)]
pub(super) struct GridDraft {
    pub(super) base: Hyperparameters,
    pub(super) epochs: Option<f64>,
    pub(super) axes: Vec<Axis>,
    pub(super) conditions: Vec<Condition>,
    lines: BTreeMap<String, usize>,
    task_keys: Vec<TaskKey>,
}

impl GridDraft {
    pub(super) fn tasks(&self) -> Vec<String> {
        let axis = self.axes.iter().find(|axis| axis.target.name() == "task");
        match axis {
            Some(axis) => axis.values.iter().filter_map(is_text).map(str::to_owned).collect(),
            None => vec![self.base.task.to_string()],
        }
    }

    /// Refuses parameters of tasks that the grid does not have.
    pub(super) fn check_task_keys(&self) -> Result<(), SpecError> {
        task_keys::check(&self.task_keys, &self.tasks())
    }

    /// The line of a key of this grid, 0 if it has none.
    pub(super) fn line_of(&self, key: &str) -> usize {
        self.lines.get(key).copied().unwrap_or(0)
    }
}

/// One of `[[points]]` before epochs are resolved.
#[derive(Clone, Debug)]
pub(super) struct PointDraft {
    pub(super) base: Hyperparameters,
    epochs: Option<f64>,
    line: usize,
    task_keys: Vec<TaskKey>,
}

impl PointDraft {
    /// Refuses parameters of another task than the point's.
    pub(super) fn check_task_keys(&self) -> Result<(), SpecError> {
        task_keys::check(&self.task_keys, &[self.base.task.to_string()])
    }

    pub(super) fn resolve(&self, train_rows: &TrainRows) -> Result<Hyperparameters, SpecError> {
        let place = |error: SpecError| SpecError { line: self.line, ..error };
        let single = ProductGrid::new(
            self.base.clone(),
            self.epochs,
            Vec::new(),
            Vec::new(),
            train_rows.clone(),
        )
        .map_err(place)?;
        let trial = Grid::Product(single).trial(0).ok_or_else(|| {
            place(SpecError::new("points", "epochs cannot be turned into steps for this point"))
        })?;
        trial.validate(train_rows).map_err(place)?;
        Ok(trial)
    }
}

/// Values fixed so far: those of the sweep, then those of a grid or point over them.
#[derive(Clone, Default)]
struct Fixed {
    values: BTreeMap<HyperparameterId, Value>,
    epochs: Option<f64>,
    lines: BTreeMap<String, usize>,
    task_keys: Vec<TaskKey>,
}

impl Fixed {
    fn base(&self) -> Hyperparameters {
        let mut base = Hyperparameters::default();
        for (id, value) in &self.values {
            base.set(*id, value);
        }
        base
    }

    /// A value written closer to the grid replaces one written for the whole sweep.
    fn overlay(&mut self, inner: Fixed) {
        let steps = HyperparameterId::from_name("steps");
        if inner.epochs.is_some() {
            self.epochs = inner.epochs;
            self.values.retain(|id, _| Some(*id) != steps);
        }
        if inner.values.keys().any(|id| Some(*id) == steps) {
            self.epochs = None;
        }
        self.values.extend(inner.values);
        self.lines.extend(inner.lines);
        self.task_keys.extend(inner.task_keys);
    }

    /// An axis replaces what the sweep fixed.
    fn without(mut self, axes: &[Axis]) -> Fixed {
        for axis in axes {
            match axis.target {
                AxisTarget::Hyperparameter(id) => {
                    self.values.remove(&id);
                    if id.name() == "steps" {
                        self.epochs = None;
                    }
                }
                AxisTarget::Epochs => self.epochs = None,
            }
        }
        self
    }
}

/// Reads every grid and point of the file.
pub(super) fn read(sources: &Sources<'_>) -> Result<(Vec<GridDraft>, Vec<PointDraft>), SpecError> {
    let mut shared = Fixed::default();
    if let Some(task) = sources.task {
        shared.values.insert(id_of("task"), Value::Text(task.text("task")?.into()));
        shared.lines.insert("task".into(), task.line);
    }
    let top_fixed =
        sources.fixed.map_or_else(|| Ok(Fixed::default()), |node| read_fixed("fixed", node))?;
    if let (Some(_), Some(line)) = (sources.task, top_fixed.lines.get("task")) {
        let error = SpecError::new("fixed.task", "task is given above already");
        return Err(SpecError { line: *line, ..error });
    }
    shared.overlay(top_fixed);

    let axes = sources.axes.map_or_else(|| Ok(Vec::new()), |node| read_axes("axes", node))?;
    let conditions =
        sources.conditions.map_or_else(|| Ok(Vec::new()), |node| read_conditions("where", node))?;
    let grid_nodes = sources.grid.map_or_else(|| Ok(&[][..]), |node| node.array("grid"))?;
    let point_nodes = sources.points.map_or_else(|| Ok(&[][..]), |node| node.array("points"))?;

    let mut grids = Vec::new();
    let only_fixed = grid_nodes.is_empty() && point_nodes.is_empty();
    if sources.axes.is_some() || only_fixed {
        if let (Some(axes_node), Some(fixed_node)) = (sources.axes, sources.fixed) {
            refuse_overlap(&axes, axes_node, fixed_node)?;
        }
        let mut fixed = shared.clone();
        if let Some(axes_node) = sources.axes {
            fixed.task_keys.extend(task_keys::in_table("axes", axes_node)?);
        }
        grids.push(draft("axes", sources.axes, fixed, axes, conditions)?);
    } else if let Some(node) = sources.conditions {
        return Err(node.error(
            "where",
            "there is no [axes] for it to apply to; a [[grid]] has its own where",
        ));
    }
    for node in grid_nodes {
        grids.push(read_grid(node, &shared)?);
    }
    if point_nodes.len() > Limits::POINTS {
        return Err(SpecError::new(
            "points",
            format!("{} points; the limit is {}", point_nodes.len(), Limits::POINTS),
        ));
    }
    let points =
        point_nodes.iter().map(|node| read_point(node, &shared)).collect::<Result<Vec<_>, _>>()?;
    require_task(sources, &grids, &points)?;
    Ok((grids, points))
}

fn read_grid(node: &Node, shared: &Fixed) -> Result<GridDraft, SpecError> {
    let entries = node.table("grid")?;
    let known = ["fixed", "axes", "where"];
    if let Some(stray) = entries.iter().find(|entry| !known.contains(&entry.key.as_str())) {
        return Err(stray.unknown("grid", known));
    }
    let find = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value);
    let axes = find("axes").map_or_else(|| Ok(Vec::new()), |one| read_axes("grid.axes", one))?;
    let conditions =
        find("where").map_or_else(|| Ok(Vec::new()), |one| read_conditions("grid.where", one))?;
    let mut fixed = shared.clone().without(&axes);
    if let Some(axes_node) = find("axes") {
        fixed.task_keys.extend(task_keys::in_table("grid.axes", axes_node)?);
    }
    if let Some(own) = find("fixed") {
        if let Some(axes_node) = find("axes") {
            refuse_overlap(&axes, axes_node, own)?;
        }
        fixed.overlay(read_fixed("grid.fixed", own)?);
    }
    draft("grid", Some(node), fixed, axes, conditions)
}

fn draft(
    path: &str,
    node: Option<&Node>,
    fixed: Fixed,
    axes: Vec<Axis>,
    conditions: Vec<Condition>,
) -> Result<GridDraft, SpecError> {
    let points = axes.iter().map(|axis| axis.values.len() as u64).fold(1, u64::saturating_mul);
    if points > Limits::GRID_POINTS {
        let message = format!(
            "the grid has {points} points before [where]; the limit is {}: use fewer values, or split it into several sweeps",
            Limits::GRID_POINTS
        );
        let line = node.map_or(0, |present| present.line);
        return Err(SpecError { line, ..SpecError::new(path, message) });
    }
    let names = |name: &str| axes.iter().any(|axis| axis.target.name() == name);
    if names("epochs") && (names("steps") || fixed.values.contains_key(&id_of("steps")))
        || names("steps") && fixed.epochs.is_some()
    {
        let line = node.map_or(0, |present| present.line);
        return Err(SpecError { line, ..SpecError::new(path, "give steps or epochs, not both") });
    }
    Ok(GridDraft {
        base: fixed.base(),
        epochs: fixed.epochs,
        axes,
        conditions,
        lines: fixed.lines,
        task_keys: fixed.task_keys,
    })
}

fn read_point(node: &Node, shared: &Fixed) -> Result<PointDraft, SpecError> {
    let mut fixed = shared.clone();
    fixed.overlay(read_fixed("points", node)?);
    let (base, epochs) = (fixed.base(), fixed.epochs);
    Ok(PointDraft { base, epochs, line: node.line, task_keys: fixed.task_keys })
}

fn read_fixed(path: &str, node: &Node) -> Result<Fixed, SpecError> {
    let mut fixed = Fixed { task_keys: task_keys::in_table(path, node)?, ..Fixed::default() };
    for entry in node.table(path)? {
        let key = join(path, &entry.key);
        let target = target_of(path, entry)?;
        let raw = entry.value.scalar(&key, "one value (several belong in [axes])")?;
        let value = check(target, raw).map_err(|message| entry.value.error(&key, message))?;
        fixed.lines.insert(entry.key.clone(), entry.line);
        match target {
            AxisTarget::Hyperparameter(id) => {
                fixed.values.insert(id, value);
            }
            AxisTarget::Epochs => fixed.epochs = value.as_number(),
        }
    }
    if fixed.epochs.is_some() && fixed.values.contains_key(&id_of("steps")) {
        return Err(node.error(path, "give steps or epochs, not both"));
    }
    Ok(fixed)
}

fn read_axes(path: &str, node: &Node) -> Result<Vec<Axis>, SpecError> {
    node.table(path)?.iter().map(|entry| read_axis(path, entry)).collect()
}

fn read_conditions(path: &str, node: &Node) -> Result<Vec<Condition>, SpecError> {
    let entries = node.table(path)?;
    if let Some(stray) = entries.iter().find(|entry| entry.key != "conditions") {
        return Err(stray.unknown(path, ["conditions"]));
    }
    let key = join(path, "conditions");
    let list: Vec<&Entry> = entries.iter().collect();
    let Some(entry) = list.first() else { return Ok(Vec::new()) };
    let parse = |member: &Node| {
        let text = member.text(&key)?;
        Condition::parse(text)
            .map_err(|message| member.error(&key, format!("in \"{text}\", {message}")))
    };
    entry.value.array(&key)?.iter().map(parse).collect()
}

/// The same hyperparameter as one value and as an axis, side by side, is a contradiction.
fn refuse_overlap(axes: &[Axis], axes_node: &Node, fixed_node: &Node) -> Result<(), SpecError> {
    let fixed = fixed_node.table("fixed")?;
    let overlap =
        fixed.iter().find(|entry| axes.iter().any(|axis| axis.target.name() == entry.key));
    match overlap {
        Some(entry) => {
            let message =
                format!("{} is fixed here and an axis at line {}", entry.key, axes_node.line);
            Err(SpecError {
                line: entry.line,
                ..SpecError::new(join("fixed", &entry.key), message)
            })
        }
        None => Ok(()),
    }
}

fn require_task(
    sources: &Sources<'_>,
    grids: &[GridDraft],
    points: &[PointDraft],
) -> Result<(), SpecError> {
    let named = sources.task.is_some()
        || (grids.iter().all(|grid| {
            grid.lines.contains_key("task")
                || grid.axes.iter().any(|axis| axis.target.name() == "task")
        }) && points.is_empty());
    if named {
        return Ok(());
    }
    Err(SpecError::new("task", "missing: say what is learned, such as task = \"digits\""))
}

fn id_of(name: &str) -> HyperparameterId {
    match HyperparameterId::from_name(name) {
        Some(id) => id,
        None => unreachable!("{name} is a hyperparameter"),
    }
}
