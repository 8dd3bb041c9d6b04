//! Trial identity and shapes.

use crate::hyperparameter::{HyperparameterId, Hyperparameters, Presence};
use crate::value::Value;
use std::fmt;
use std::sync::OnceLock;

/// 32 hex digits of BLAKE3 over the canonical JSON of a trial's hyperparameters. The same
/// hyperparameters have the same id in every sweep, on every machine, for ever.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TrialId(String);

impl TrialId {
    /// The id of a trial.
    pub fn of(trial: &Hyperparameters) -> TrialId {
        let digest = blake3::hash(trial.identity_json().as_bytes());
        TrialId(digest.to_hex()[..32].to_owned())
    }

    /// The 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrialId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Canonical JSON of the hyperparameters that trials of one unit must share.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Shape(String);

impl Shape {
    /// The shape of a trial.
    pub fn of(trial: &Hyperparameters) -> Shape {
        Shape(json_of(trial, |id| !trial.is_fusable(id)))
    }

    /// The canonical JSON.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Hyperparameters {
    /// JSON with every hyperparameter, keys sorted (RFC 8785): how trials travel.
    pub fn canonical_json(&self) -> String {
        json_of(self, |_| true)
    }

    /// What the trial id hashes: as [`Self::canonical_json`], but without hyperparameters that
    /// came after the first release and are at their default.
    pub fn identity_json(&self) -> String {
        json_of(self, |id| {
            enters_identity(id.definition().presence, &self.get(id), &id.default_value())
        })
    }

    /// Reads what [`Self::canonical_json`] wrote; absent hyperparameters take their default.
    /// The error names the key.
    pub fn from_canonical_json(text: &str) -> Result<Self, String> {
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))?;
        let mut trial = Hyperparameters::default();
        for (key, json) in object {
            let id = HyperparameterId::from_name(&key)
                .ok_or_else(|| format!("{key}: unknown hyperparameter"))?;
            let raw: Value = serde_json::from_value(json)
                .map_err(|_| format!("{key}: expected {}", id.definition().kind.in_words()))?;
            let value = id.check(&raw).map_err(|message| format!("{key}: {message}"))?;
            trial.set(id, &value);
        }
        Ok(trial)
    }
}

/// A hyperparameter added after the first release leaves the ids of older trials as they are.
fn enters_identity(presence: Presence, value: &Value, default: &Value) -> bool {
    presence == Presence::Always || value != default
}

fn json_of(trial: &Hyperparameters, include: impl Fn(HyperparameterId) -> bool) -> String {
    let mut json = String::with_capacity(512);
    json.push('{');
    for id in sorted_by_name().iter().copied().filter(|id| include(*id)) {
        if json.len() > 1 {
            json.push(',');
        }
        json.push('"');
        json.push_str(id.name());
        json.push_str("\":");
        json.push_str(&trial.get(id).canonical_json());
    }
    json.push('}');
    json
}

fn sorted_by_name() -> &'static [HyperparameterId] {
    static SORTED: OnceLock<Vec<HyperparameterId>> = OnceLock::new();
    SORTED.get_or_init(|| {
        let mut ids: Vec<HyperparameterId> = HyperparameterId::all().collect();
        ids.sort_by_key(|id| id.name());
        ids
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dummy hyperparameter added after the first release, seen through the same rule.
    fn identity_with_dummy(dummy: f64) -> String {
        let mut json = Hyperparameters::default().identity_json();
        if enters_identity(Presence::WhenNotDefault, &Value::Float(dummy), &Value::Float(0.5)) {
            json.insert_str(1, &format!("\"a_dummy\":{},", Value::Float(dummy).canonical_json()));
        }
        json
    }

    #[test]
    fn a_hyperparameter_added_later_counts_only_away_from_its_default() {
        assert_eq!(identity_with_dummy(0.5), Hyperparameters::default().identity_json());
        assert!(identity_with_dummy(0.25).starts_with("{\"a_dummy\":0.25,\"activation\""));
    }

    #[test]
    fn all_hyperparameters_of_the_first_release_are_always_present() {
        let always = HyperparameterId::all()
            .filter(|id| id.definition().presence == Presence::Always)
            .map(|id| id.name());
        assert_eq!(always.count(), 19);
    }
}
