//! The sweep file: TOML in, a validated measure and block out.

mod axes;
mod grids;
mod measure;
mod task_keys;

use crate::block::{Block, TrainRows};
use crate::error::SpecError;
use crate::grid::{Grid, PointList, ProductGrid};
use crate::limits::Limits;
use crate::measure::Measure;
use crate::sweep::Sweep;
use crate::toml_reader::{self, Entry, Node, join};
use crate::value::Value;
use grids::{GridDraft, PointDraft};
use std::collections::{BTreeMap, BTreeSet};

const TOP_LEVEL: &[&str] = &["name", "task", "fixed", "axes", "where", "grid", "points", "measure"];

/// A parsed sweep file. What depends on the size of a data set waits for [`SweepFile::resolve`].
#[derive(Clone, Debug)]
pub struct SweepFile {
    /// The sweep's name.
    pub name: String,
    /// What is measured.
    pub measure: Measure,
    grids: Vec<GridDraft>,
    points: Vec<PointDraft>,
    file: String,
    lines: BTreeMap<String, usize>,
}

impl SweepFile {
    /// Parses and checks a sweep file; `file` is its name in errors. Metric and task names are
    /// checked by whoever knows them (see [`Self::error_at`]).
    pub fn parse(text: &str, file: &str) -> Result<SweepFile, SpecError> {
        parse(text).map_err(|error| SpecError { file: file.to_owned(), ..error }).map(
            |mut parsed| {
                parsed.file = file.to_owned();
                parsed
            },
        )
    }

    /// Turns epochs into steps, drops repeated points, and checks every point.
    pub fn resolve(&self, train_rows: &TrainRows) -> Result<(Measure, Block), SpecError> {
        let block = self.block(train_rows).map_err(|error| self.place(error))?;
        let empty = Sweep::new(self.name.clone(), self.measure.clone(), Vec::new());
        empty.check_limits(&block).map_err(|error| self.place(error))?;
        block.validate(train_rows).map_err(|error| self.place(error))?;
        Ok((self.measure.clone(), block))
    }

    /// Names of the tasks the file mentions.
    pub fn tasks(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> = self.grids.iter().flat_map(GridDraft::tasks).collect();
        names.extend(self.points.iter().map(|point| point.base.task.to_string()));
        names
    }

    /// An error about a key of this file, with its line where the key stands in the file.
    pub fn error_at(&self, key: &str, message: impl Into<String>) -> SpecError {
        self.place(SpecError::new(key, message))
    }

    fn block(&self, train_rows: &TrainRows) -> Result<Block, SpecError> {
        let mut grids = Vec::new();
        for draft in &self.grids {
            draft.check_task_keys()?;
            let product = ProductGrid::new(
                draft.base.clone(),
                draft.epochs,
                draft.axes.clone(),
                draft.conditions.clone(),
                train_rows.clone(),
            )
            .map_err(|error| SpecError { line: draft.line_of(&error.key), ..error })?;
            grids.push(Grid::Product(product));
        }
        let mut points = Vec::new();
        for draft in &self.points {
            draft.check_task_keys()?;
            points.push(draft.resolve(train_rows)?);
        }
        if !points.is_empty() {
            grids.push(Grid::Points(PointList::new(points)));
        }
        Ok(Block { grids })
    }

    /// Fills in file and line where the error has none: the first mention of its key.
    fn place(&self, mut error: SpecError) -> SpecError {
        error.file = self.file.clone();
        if error.line == 0 {
            let last = error.key.rsplit('.').next().unwrap_or_default();
            let by_suffix = || {
                let suffix = format!(".{last}");
                self.lines.iter().find(|(key, _)| *key == last || key.ends_with(&suffix))
            };
            let exact = self.lines.get_key_value(&error.key);
            if let Some((key, line)) = exact.or_else(by_suffix) {
                error.line = *line;
                error.key = key.clone();
            }
        }
        error
    }
}

/// Checks a sweep's name: `[a-z][a-z0-9_.-]{0,63}`.
pub fn validate_sweep_name(name: &str) -> Result<(), SpecError> {
    let rule =
        "a sweep's name starts with a letter a-z and goes on with up to 63 of a-z, 0-9, _ . -";
    let mut characters = name.chars();
    let starts_well = characters.next().is_some_and(|first| first.is_ascii_lowercase());
    let goes_on_well = characters.all(|one| {
        one.is_ascii_lowercase() || one.is_ascii_digit() || matches!(one, '_' | '.' | '-')
    });
    if starts_well && goes_on_well && name.len() <= Limits::NAME_LENGTH {
        return Ok(());
    }
    let shown: String = name.chars().take(80).collect();
    Err(SpecError::new("name", format!("{shown:?} cannot be used: {rule}")))
}

fn parse(text: &str) -> Result<SweepFile, SpecError> {
    if text.len() > Limits::FILE_BYTES {
        return Err(SpecError::new(
            "",
            format!("the file has {} bytes; the limit is {}", text.len(), Limits::FILE_BYTES),
        ));
    }
    let root = toml_reader::read(text)?;
    let entries = root.table("")?;
    if let Some(stray) = entries.iter().find(|entry| !TOP_LEVEL.contains(&entry.key.as_str())) {
        return Err(stray_key(stray));
    }
    let find = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value);

    let name_node =
        find("name").ok_or_else(|| SpecError::new("name", "missing: every sweep needs a name"))?;
    let name = name_node.text("name")?.to_owned();
    validate_sweep_name(&name).map_err(|error| SpecError { line: name_node.line, ..error })?;
    let measure = find("measure").map_or_else(|| Ok(Measure::default()), measure::read)?;

    let sources = grids::Sources {
        task: find("task"),
        fixed: find("fixed"),
        axes: find("axes"),
        conditions: find("where"),
        grid: find("grid"),
        points: find("points"),
    };
    let (grids, points) = grids::read(&sources)?;
    let mut lines = BTreeMap::new();
    index_lines(&root, "", &mut lines);
    Ok(SweepFile { name, measure, grids, points, file: String::new(), lines })
}

/// A hyperparameter at top level is the likeliest mistake: say where it belongs.
fn stray_key(entry: &Entry) -> SpecError {
    if crate::axis::AxisTarget::from_name(&entry.key).is_some() {
        let message = "a hyperparameter belongs in [fixed] (one value) or [axes] (several)";
        return SpecError { line: entry.line, ..SpecError::new(&entry.key, message) };
    }
    entry.unknown("", TOP_LEVEL.iter().copied())
}

fn index_lines(node: &Node, path: &str, lines: &mut BTreeMap<String, usize>) {
    match &node.content {
        toml_reader::Content::Table(entries) => {
            for entry in entries {
                let key = join(path, &entry.key);
                index_lines(&entry.value, &key, lines);
                lines.entry(key).or_insert(entry.line);
            }
        }
        toml_reader::Content::Array(members) => {
            members.iter().for_each(|member| index_lines(member, path, lines));
        }
        toml_reader::Content::Scalar(_) | toml_reader::Content::Date => {}
    }
}

/// Whether a value is the text `name`.
fn is_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}
