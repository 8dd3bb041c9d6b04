//! The typed tree of a condition.

use crate::hyperparameter::{HyperparameterId, Hyperparameters};
use crate::value::Value;
use std::sync::Arc;

/// A numeric expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Numeric {
    Constant(f64),
    Of(HyperparameterId),
    Negate(Box<Numeric>),
    Binary(Arithmetic, Box<Numeric>, Box<Numeric>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

/// A text: a choice, a task, or a quoted constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Textual {
    Constant(Arc<str>),
    Of(HyperparameterId),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

/// A logical expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Logical {
    Constant(bool),
    Of(HyperparameterId),
    Numbers(Comparison, Numeric, Numeric),
    Texts { equal: bool, left: Textual, right: Textual },
    Booleans { equal: bool, left: Box<Logical>, right: Box<Logical> },
    Not(Box<Logical>),
    And(Box<Logical>, Box<Logical>),
    Or(Box<Logical>, Box<Logical>),
}

impl Numeric {
    fn evaluate(&self, trial: &Hyperparameters) -> f64 {
        match self {
            Numeric::Constant(value) => *value,
            Numeric::Of(id) => trial.get(*id).as_number().unwrap_or(f64::NAN),
            Numeric::Negate(inner) => -inner.evaluate(trial),
            Numeric::Binary(operator, left, right) => {
                let (left, right) = (left.evaluate(trial), right.evaluate(trial));
                match operator {
                    Arithmetic::Add => left + right,
                    Arithmetic::Subtract => left - right,
                    Arithmetic::Multiply => left * right,
                    Arithmetic::Divide => left / right,
                    Arithmetic::Remainder => left.rem_euclid(right),
                    Arithmetic::Power => left.powf(right),
                }
            }
        }
    }
}

impl Textual {
    fn evaluate(&self, trial: &Hyperparameters) -> Arc<str> {
        match self {
            Textual::Constant(text) => Arc::clone(text),
            Textual::Of(id) => match trial.get(*id) {
                Value::Text(text) => text,
                other => other.canonical_json().into(),
            },
        }
    }
}

impl Comparison {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
        }
    }
}

impl Logical {
    pub(super) fn evaluate(&self, trial: &Hyperparameters) -> bool {
        match self {
            Logical::Constant(value) => *value,
            Logical::Of(id) => trial.get(*id) == Value::Boolean(true),
            Logical::Numbers(comparison, left, right) => {
                comparison.holds(left.evaluate(trial), right.evaluate(trial))
            }
            Logical::Texts { equal, left, right } => {
                (left.evaluate(trial) == right.evaluate(trial)) == *equal
            }
            Logical::Booleans { equal, left, right } => {
                (left.evaluate(trial) == right.evaluate(trial)) == *equal
            }
            Logical::Not(inner) => !inner.evaluate(trial),
            Logical::And(left, right) => left.evaluate(trial) && right.evaluate(trial),
            Logical::Or(left, right) => left.evaluate(trial) || right.evaluate(trial),
        }
    }
}
