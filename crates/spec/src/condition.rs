//! `[where]` conditions: comparisons of arithmetic over hyperparameters.
//!
//! `depth * width <= 128 and (optimizer == "sgd" or learning_rate < 0.01)`. Types are checked
//! when the condition is parsed, so that evaluating it cannot fail.

mod evaluate;
mod parse;

use crate::hyperparameter::Hyperparameters;
use serde::{Deserialize, Serialize};

/// A parsed condition; it serialises as the text it was parsed from.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    expression: evaluate::Logical,
}

impl Condition {
    /// Parses a condition. The error names the column of the text and what was expected.
    pub fn parse(text: &str) -> Result<Condition, String> {
        let expression = parse::parse(text)?;
        Ok(Condition { text: text.to_owned(), expression })
    }

    /// Whether a trial satisfies it.
    pub fn holds(&self, trial: &Hyperparameters) -> bool {
        self.expression.evaluate(trial)
    }

    /// The text it was parsed from.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Serialize for Condition {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Condition::parse(&text).map_err(serde::de::Error::custom)
    }
}
