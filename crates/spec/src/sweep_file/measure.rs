//! `[measure]` of a sweep file.

use crate::error::SpecError;
use crate::limits::Limits;
use crate::measure::{AtSteps, Measure, SaveWeights, TrainEvaluation};
use crate::toml_reader::{Content, Node, join};
use crate::value::Value;

const KEYS: &[&str] =
    &["at", "metrics", "probe_samples", "probe_seed", "history", "train_rows", "save_weights"];

const MAX_STEP: i64 = 1_000_000_000;

/// Reads `[measure]`; what it does not name takes its default.
pub(super) fn read(node: &Node) -> Result<Measure, SpecError> {
    let mut measure = Measure::default();
    for entry in node.table("measure")? {
        let key = join("measure", &entry.key);
        let value = &entry.value;
        match entry.key.as_str() {
            "at" => measure.at = at_steps(&key, value)?,
            "metrics" => measure.metrics = metrics(&key, value)?,
            "probe_samples" => measure.probe_samples = value.integer(&key, 1, 1_000_000)? as u64,
            "probe_seed" => measure.probe_seed = value.integer(&key, 0, 1 << 53)? as u64,
            "history" => measure.history = value.integer(&key, 0, 10_000)? as u32,
            "train_rows" => {
                let choices = [("probe", TrainEvaluation::Probe), ("all", TrainEvaluation::All)];
                measure.train_rows = choice(&key, value, &choices)?;
            }
            "save_weights" => {
                let choices = [
                    ("none", SaveWeights::None),
                    ("final", SaveWeights::Final),
                    ("all", SaveWeights::All),
                ];
                measure.save_weights = choice(&key, value, &choices)?;
            }
            _ => return Err(entry.unknown("measure", KEYS.iter().copied())),
        }
    }
    Ok(measure)
}

fn at_steps(key: &str, node: &Node) -> Result<AtSteps, SpecError> {
    match &node.content {
        Content::Table(entries) => {
            if let Some(stray) = entries.iter().find(|entry| entry.key != "log") {
                return Err(stray.unknown(key, ["log"]));
            }
            let Some(log) = entries.first() else {
                return Err(node.error(key, "expected { log = N }, a list of steps, or \"last\""));
            };
            Ok(AtSteps::Log(log.value.integer(&join(key, "log"), 0, 1_000)? as u32))
        }
        Content::Array(members) => {
            if members.len() > Limits::AT_STEPS {
                return Err(node.error(
                    key,
                    format!("{} steps; the limit is {}", members.len(), Limits::AT_STEPS),
                ));
            }
            let mut steps = members
                .iter()
                .map(|member| member.integer(key, 0, MAX_STEP))
                .collect::<Result<Vec<i64>, _>>()?;
            steps.sort_unstable();
            steps.dedup();
            Ok(AtSteps::Steps(steps))
        }
        Content::Scalar(Value::Text(word)) if word.as_ref() == "last" => Ok(AtSteps::Last),
        _ => Err(node.error(key, "expected { log = N }, a list of steps, or \"last\"")),
    }
}

fn metrics(key: &str, node: &Node) -> Result<Vec<String>, SpecError> {
    let mut names: Vec<String> = Vec::new();
    for member in node.array(key)? {
        let name = member.text(key)?;
        if names.iter().any(|known| known == name) {
            return Err(member.error(key, format!("\"{name}\" stands twice in the list")));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

fn choice<T: Copy>(key: &str, node: &Node, choices: &[(&str, T)]) -> Result<T, SpecError> {
    let text = node.text(key)?;
    let found = choices.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let hint = crate::error::did_you_mean(text, names.iter().copied());
        node.error(key, format!("\"{text}\" is not one of {}{hint}", names.join(", ")))
    })
}
