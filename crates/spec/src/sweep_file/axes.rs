//! One axis of a sweep file: a list, or a table with `range`, `log`, `log2` or `linear`.

use crate::axis::{Axis, AxisKind, AxisTarget, doubling_points, linear_points, log_points};
use crate::error::SpecError;
use crate::hyperparameter::Kind;
use crate::limits::Limits;
use crate::toml_reader::{Content, Entry, Node, join};
use crate::value::{Value, round_to_12_digits};

const FORMS: &[&str] = &["range", "log", "log2", "linear", "points", "step"];

/// Reads and checks one axis.
pub(super) fn read(path: &str, entry: &Entry) -> Result<Axis, SpecError> {
    let key = join(path, &entry.key);
    let node = &entry.value;
    let target = target_of(path, entry)?;
    let (kind, values) = match &node.content {
        Content::Array(members) => (AxisKind::List, list(target, &key, members)?),
        Content::Table(entries) => spaced(target, &key, node, entries)?,
        Content::Scalar(value) => {
            return Err(node.error(
                &key,
                format!("an axis takes a list such as [{value}] or a table such as {{ range = [0, 4] }}; a single value belongs in [fixed]"),
            ));
        }
        Content::Date => {
            return Err(node.error(&key, "an axis takes a list or a table, found a date"));
        }
    };
    if values.is_empty() {
        return Err(node.error(&key, "the axis is empty: it must have at least one value"));
    }
    if values.len() as u64 > Limits::AXIS_VALUES {
        return Err(node.error(&key, too_many(values.len() as u64)));
    }
    Ok(Axis { target, kind, values })
}

/// The hyperparameter (or `epochs`) an entry is about.
pub(super) fn target_of(path: &str, entry: &Entry) -> Result<AxisTarget, SpecError> {
    AxisTarget::from_name(&entry.key).ok_or_else(|| {
        let known = crate::hyperparameter::HYPERPARAMETERS.iter().map(|known| known.name);
        entry.unknown(path, known.chain(["epochs"]))
    })
}

/// Checks one value against the type and range of its target.
pub(super) fn check(target: AxisTarget, value: &Value) -> Result<Value, String> {
    match target {
        AxisTarget::Hyperparameter(id) => id.check(value),
        AxisTarget::Epochs => match value.as_number().map(round_to_12_digits) {
            Some(epochs) if epochs > 0.0 && epochs.is_finite() => Ok(Value::Float(epochs)),
            _ => Err(format!("expected a number greater than 0, found {value}")),
        },
    }
}

fn list(target: AxisTarget, key: &str, members: &[Node]) -> Result<Vec<Value>, SpecError> {
    let mut values: Vec<Value> = Vec::with_capacity(members.len());
    for member in members {
        let raw = member.scalar(key, "a single value in the list")?;
        let value = check(target, raw).map_err(|message| member.error(key, message))?;
        if values.contains(&value) {
            return Err(member.error(key, format!("{value} stands twice in the list")));
        }
        values.push(value);
    }
    Ok(values)
}

fn spaced(
    target: AxisTarget,
    key: &str,
    node: &Node,
    entries: &[Entry],
) -> Result<(AxisKind, Vec<Value>), SpecError> {
    if let Some(stray) = entries.iter().find(|entry| !FORMS.contains(&entry.key.as_str())) {
        return Err(stray.unknown(key, FORMS.iter().copied()));
    }
    let forms: Vec<&Entry> =
        entries.iter().filter(|entry| !matches!(entry.key.as_str(), "points" | "step")).collect();
    let [form] = forms[..] else {
        return Err(node.error(key, "expected exactly one of range, log, log2, linear"));
    };
    let numeric = match target {
        AxisTarget::Hyperparameter(id) => id.definition().kind.is_numeric(),
        AxisTarget::Epochs => true,
    };
    if !numeric {
        return Err(
            node.error(key, format!("{} is not a number: give a list of values", target.name()))
        );
    }
    let (first, last) = ends(key, &form.value)?;
    let setting =
        |name: &str| entries.iter().find(|entry| entry.key == name).map(|entry| &entry.value);
    let (kind, numbers) = match form.key.as_str() {
        "range" => {
            refuse(key, setting("points"), "points belongs to log and linear")?;
            (AxisKind::Range, range(key, &form.value, first, last, setting("step"))?)
        }
        "log2" => {
            refuse(
                key,
                setting("points"),
                "log2 doubles from the first value to the last and takes no points",
            )?;
            refuse(key, setting("step"), "step belongs to range")?;
            positive(key, &form.value, first)?;
            (AxisKind::Log2, doubling_points(first, last))
        }
        spacing => {
            refuse(key, setting("step"), "step belongs to range")?;
            let Some(points_node) = setting("points") else {
                return Err(node.error(key, format!("{spacing} needs points, such as points = 16")));
            };
            let points = points_node.integer(key, 1, Limits::AXIS_VALUES as i64)? as u64;
            if spacing == "log" {
                positive(key, &form.value, first)?;
                (AxisKind::Log, log_points(first, last, points))
            } else {
                (AxisKind::Linear, linear_points(first, last, points))
            }
        }
    };
    Ok((kind, typed(target, key, &form.value, numbers)?))
}

fn ends(key: &str, node: &Node) -> Result<(f64, f64), SpecError> {
    let [first, last] = node.array(key)? else {
        return Err(node.error(key, "expected two numbers: [first, last]"));
    };
    let number = |one: &Node| {
        let value = one.scalar(key, "a number")?.as_number().filter(|value| value.is_finite());
        value.ok_or_else(|| one.error(key, "expected a finite number"))
    };
    let (first_value, last_value) = (number(first)?, number(last)?);
    if last_value < first_value {
        return Err(node
            .error(key, format!("the last value {last_value} is below the first {first_value}")));
    }
    Ok((first_value, last_value))
}

fn positive(key: &str, node: &Node, first: f64) -> Result<(), SpecError> {
    if first > 0.0 {
        return Ok(());
    }
    Err(node.error(
        key,
        format!(
            "a logarithmic axis cannot start at {first}: its first value must be greater than 0"
        ),
    ))
}

fn refuse(key: &str, node: Option<&Node>, message: &str) -> Result<(), SpecError> {
    node.map_or(Ok(()), |present| Err(present.error(key, message)))
}

fn range(
    key: &str,
    node: &Node,
    first: f64,
    end: f64,
    step: Option<&Node>,
) -> Result<Vec<f64>, SpecError> {
    if first.fract() != 0.0 || end.fract() != 0.0 {
        return Err(node.error(key, "a range takes whole numbers: [first, end), the end excluded"));
    }
    let step = step.map_or(Ok(1), |one| one.integer(key, 1, i64::MAX))?;
    let count = ((end - first) / step as f64).ceil() as u64;
    if count > Limits::AXIS_VALUES {
        return Err(node.error(key, too_many(count)));
    }
    if count == 0 {
        return Err(
            node.error(key, format!("the range [{first}, {end}) is empty: its end is excluded"))
        );
    }
    Ok((0..count).map(|index| first + (index as i64 * step) as f64).collect())
}

/// Rounds to the declared type; two neighbours that become the same integer count once.
fn typed(
    target: AxisTarget,
    key: &str,
    node: &Node,
    numbers: Vec<f64>,
) -> Result<Vec<Value>, SpecError> {
    let whole = matches!(target, AxisTarget::Hyperparameter(id) if matches!(id.definition().kind, Kind::Integer { .. }));
    let mut values: Vec<Value> = Vec::with_capacity(numbers.len());
    for number in numbers {
        let raw = if whole { Value::Integer(number.round() as i64) } else { Value::Float(number) };
        let value = check(target, &raw).map_err(|message| node.error(key, message))?;
        if values.last() != Some(&value) {
            values.push(value);
        }
    }
    Ok(values)
}

fn too_many(count: u64) -> String {
    format!("the axis has {count} values; the limit is {}", Limits::AXIS_VALUES)
}
