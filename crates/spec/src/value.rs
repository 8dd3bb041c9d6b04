//! Hyperparameter values and their canonical form.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A hyperparameter value of any type. Floats are finite and rounded to 12 significant digits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A finite real number with at most 12 significant digits.
    Float(f64),
    /// A name, such as an activation or a task.
    Text(Arc<str>),
}

impl Value {
    /// The number behind an integer or float, for comparisons and axes; `None` otherwise.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Integer(value) => Some(*value as f64),
            Value::Float(value) => Some(*value),
            Value::Boolean(_) | Value::Text(_) => None,
        }
    }

    /// Canonical JSON after RFC 8785: numbers as ECMAScript prints them, so 1 and 1.0 agree.
    pub fn canonical_json(&self) -> String {
        match self {
            Value::Boolean(value) => value.to_string(),
            Value::Integer(value) => value.to_string(),
            Value::Float(value) => ryu_js::Buffer::new().format(*value).to_owned(),
            Value::Text(value) => serde_json::Value::from(value.as_ref()).to_string(),
        }
    }

    /// What kind of value this is, in words for an error message.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Boolean(_) => "a boolean",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Text(_) => "a string",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(value) => write!(formatter, "\"{value}\""),
            other => formatter.write_str(&other.canonical_json()),
        }
    }
}

/// Rounds to 12 significant decimal digits, the precision at which trials are told apart.
/// Zero, infinities and NaN come back as they are (negative zero as zero).
pub fn round_to_12_digits(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    if !value.is_finite() {
        return value;
    }
    format!("{value:.11e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_keeps_twelve_significant_digits() {
        assert_eq!(round_to_12_digits(0.1 + 0.2), 0.3);
        assert_eq!(round_to_12_digits(1.0 / 3.0), 0.333333333333);
        assert_eq!(round_to_12_digits(123456789.0123456), 123456789.012);
        assert_eq!(round_to_12_digits(-0.0).to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn canonical_numbers_follow_ecmascript() {
        assert_eq!(Value::Float(1.0).canonical_json(), "1");
        assert_eq!(Value::Float(1e-7).canonical_json(), "1e-7");
        assert_eq!(Value::Float(0.00001).canonical_json(), "0.00001");
        assert_eq!(Value::Text("a\"b".into()).canonical_json(), "\"a\\\"b\"");
    }
}
