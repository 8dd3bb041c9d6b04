//! Keys that are a task's parameters: they belong where that task is.

use super::axes::target_of;
use crate::axis::AxisTarget;
use crate::error::SpecError;
use crate::hyperparameter::HyperparameterId;
use crate::toml_reader::{Node, join};

/// A task's parameter, where it stands in the file.
#[derive(Clone, Debug)]
pub(super) struct TaskKey {
    id: HyperparameterId,
    key: String,
    line: usize,
}

/// The keys of a `[fixed]`, an `[axes]` or a point that are parameters of a task.
pub(super) fn in_table(path: &str, node: &Node) -> Result<Vec<TaskKey>, SpecError> {
    let mut keys = Vec::new();
    for entry in node.table(path)? {
        if let AxisTarget::Hyperparameter(id) = target_of(path, entry)?
            && !id.definition().tasks.is_empty()
        {
            keys.push(TaskKey { id, key: join(path, &entry.key), line: entry.line });
        }
    }
    Ok(keys)
}

/// Refuses a parameter that none of these tasks has.
pub(super) fn check(keys: &[TaskKey], tasks: &[String]) -> Result<(), SpecError> {
    let is_stray = |key: &&TaskKey| {
        let definition = key.id.definition();
        !tasks.iter().any(|task| definition.belongs_to(task))
    };
    let Some(stray) = keys.iter().find(is_stray) else { return Ok(()) };
    let message = format!(
        "a parameter of {}, but the task here is {}: remove it, or move it into a [[grid]] or [[points]] of that task",
        stray.id.definition().tasks_in_words(),
        tasks.join(" or "),
    );
    Err(SpecError { line: stray.line, ..SpecError::new(stray.key.clone(), message) })
}
