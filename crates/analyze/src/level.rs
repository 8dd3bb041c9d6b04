//! Values of an axis as they come out of a column, ordered and comparable.

use phasegrid_spec::{Value, round_to_12_digits};
use polars::prelude::*;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};

/// One value of an axis: a hyperparameter's value, or nothing where a sweep lacks the column.
/// Numbers compare by value to 12 digits, whatever their type; nothing, booleans, numbers and
/// text sort in this order.
#[derive(Clone, Debug)]
pub enum Level {
    /// The column is null there.
    Null,
    /// A boolean.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A real number.
    Float(f64),
    /// A name.
    Text(String),
}

impl Level {
    /// The number behind it, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Level::Integer(number) => Some(*number as f64),
            Level::Float(number) => Some(*number),
            _ => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Level::Null => 0,
            Level::Boolean(_) => 1,
            Level::Integer(_) | Level::Float(_) => 2,
            Level::Text(_) => 3,
        }
    }

    fn rounded(&self) -> f64 {
        match self {
            Level::Boolean(flag) => f64::from(*flag),
            // +0.0 turns -0 into 0, so that equal numbers have equal bits.
            other => round_to_12_digits(other.as_number().unwrap_or(0.0)) + 0.0,
        }
    }
}

impl Ord for Level {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Level::Text(one), Level::Text(two)) => one.cmp(two),
            _ => self
                .rank()
                .cmp(&other.rank())
                .then_with(|| self.rounded().total_cmp(&other.rounded())),
        }
    }
}

impl PartialOrd for Level {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Level {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Level {}

impl Hash for Level {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Level::Text(text) => text.hash(state),
            other => other.rounded().to_bits().hash(state),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Level::Null => formatter.write_str("null"),
            Level::Boolean(flag) => write!(formatter, "{flag}"),
            Level::Integer(number) => write!(formatter, "{number}"),
            Level::Float(number) => formatter.write_str(&Value::Float(*number).canonical_json()),
            Level::Text(text) => formatter.write_str(text),
        }
    }
}

impl From<&Value> for Level {
    fn from(value: &Value) -> Self {
        match value {
            Value::Boolean(flag) => Level::Boolean(*flag),
            Value::Integer(number) => Level::Integer(*number),
            Value::Float(number) => Level::Float(*number),
            Value::Text(text) => Level::Text(text.to_string()),
        }
    }
}

/// A column as codes into its distinct values, which are in order of first appearance.
pub(crate) struct CodedColumn {
    /// One code a row.
    pub(crate) codes: Vec<u32>,
    /// What the codes mean.
    pub(crate) levels: Vec<Level>,
}

impl CodedColumn {
    /// Codes a column of numbers, booleans or strings; other types are read as strings.
    pub(crate) fn new(column: &Column) -> PolarsResult<CodedColumn> {
        let series = column.as_materialized_series();
        let data_type = series.dtype();
        if data_type.is_integer() {
            let numbers = series.cast(&DataType::Int64)?;
            return Ok(code(numbers.i64()?.iter(), |number| number, Level::Integer));
        }
        if data_type.is_float() {
            let numbers = series.cast(&DataType::Float64)?;
            return Ok(code(numbers.f64()?.iter(), f64::to_bits, Level::Float));
        }
        if *data_type == DataType::Boolean {
            return Ok(code(series.bool()?.iter(), |flag| flag, Level::Boolean));
        }
        let text = series.cast(&DataType::String)?;
        let levels = |name: &str| Level::Text(name.to_owned());
        Ok(code(text.str()?.iter(), |name| name, levels))
    }
}

fn code<T: Copy, K: Hash + Eq>(
    values: impl Iterator<Item = Option<T>>,
    key: impl Fn(T) -> K,
    level: impl Fn(T) -> Level,
) -> CodedColumn {
    let mut code_of: HashMap<Option<K>, u32> = HashMap::new();
    let mut levels = Vec::new();
    let codes = values
        .map(|value| {
            *code_of.entry(value.map(&key)).or_insert_with(|| {
                levels.push(value.map_or(Level::Null, &level));
                levels.len() as u32 - 1
            })
        })
        .collect();
    CodedColumn { codes, levels }
}

/// A column of these values, typed as narrowly as they allow.
pub(crate) fn column_of_levels(name: &str, levels: &[Level]) -> Column {
    let name: PlSmallStr = name.into();
    if levels.iter().all(|level| matches!(level, Level::Integer(_) | Level::Null)) {
        let numbers: Vec<Option<i64>> = levels
            .iter()
            .map(|level| if let Level::Integer(number) = level { Some(*number) } else { None })
            .collect();
        return Column::new(name, numbers);
    }
    if levels.iter().all(|level| level.as_number().is_some() || *level == Level::Null) {
        let numbers: Vec<Option<f64>> = levels.iter().map(Level::as_number).collect();
        return Column::new(name, numbers);
    }
    if levels.iter().all(|level| matches!(level, Level::Boolean(_) | Level::Null)) {
        let flags: Vec<Option<bool>> = levels
            .iter()
            .map(|level| if let Level::Boolean(flag) = level { Some(*flag) } else { None })
            .collect();
        return Column::new(name, flags);
    }
    let text: Vec<Option<String>> =
        levels.iter().map(|level| (*level != Level::Null).then(|| level.to_string())).collect();
    Column::new(name, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value_to_twelve_digits() {
        assert_eq!(Level::Integer(1), Level::Float(1.0));
        assert_eq!(Level::Float(0.1 + 0.2), Level::Float(0.3));
        assert_ne!(Level::Float(0.3), Level::Float(0.301));
    }

    #[test]
    fn nothing_sorts_before_booleans_numbers_and_text() {
        let mut levels =
            [Level::Text("a".into()), Level::Integer(-1), Level::Boolean(true), Level::Null];
        levels.sort();
        let names: Vec<String> = levels.iter().map(Level::to_string).collect();
        assert_eq!(names, ["null", "true", "-1", "a"]);
    }

    #[test]
    fn coding_keeps_rows_and_nulls() {
        let coded =
            CodedColumn::new(&Column::new("a".into(), [Some(2_i64), None, Some(2)])).unwrap();
        assert_eq!(coded.codes, [0, 1, 0]);
        assert_eq!(coded.levels, [Level::Integer(2), Level::Null]);
    }
}
