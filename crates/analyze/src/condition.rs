//! `--where`: an SQL condition, split by the table each part can be asked of.

use crate::columns::is_hyperparameter;
use crate::error::{AnalyzeError, Result};
use crate::level::{Level, column_of_levels};
use polars::prelude::*;
use polars::sql::sql_expr;

/// A parsed condition. Its parts are joined by AND; each part asks one table only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Condition {
    text: String,
    /// Parts over hyperparameters alone: they hold for a trial, and for every row of it.
    on_hyperparameters: Vec<Expr>,
    /// Parts over columns of `trials`.
    on_trials: Vec<Expr>,
    /// Parts over columns that only the measured table has.
    on_rows: Vec<Expr>,
}

/// The table a value is measured in, if it is not `trials`.
pub(crate) struct MeasuredTable<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its columns.
    pub(crate) schema: &'a Schema,
}

impl Condition {
    /// Parses `text` and assigns its parts to `trials` or, failing that, to the measured table.
    pub(crate) fn parse(
        text: &str,
        trials: &Schema,
        measured: Option<&MeasuredTable>,
    ) -> Result<Condition> {
        let bad = |reason: String| AnalyzeError::BadWhere { expression: text.to_owned(), reason };
        let whole = sql_expr(text).map_err(|error| bad(one_line(&error)))?;
        let mut condition = Condition { text: text.to_owned(), ..Condition::default() };
        let mut parts = Vec::new();
        split(whole, &mut parts);
        for part in parts {
            let names = columns_of(&part);
            let in_measured =
                |name: &String| measured.is_some_and(|table| table.schema.contains(name));
            let unknown = names.iter().find(|name| !trials.contains(name) && !in_measured(name));
            if let Some(name) = unknown {
                return Err(bad(describe_unknown(name, trials, measured)));
            }
            let (schema, target) = if names.iter().all(|name| is_hyperparameter(name)) {
                (trials, &mut condition.on_hyperparameters)
            } else if names.iter().all(|name| trials.contains(name)) {
                (trials, &mut condition.on_trials)
            } else if let Some(table) = measured.filter(|_| names.iter().all(in_measured)) {
                (table.schema, &mut condition.on_rows)
            } else {
                let table = measured.map_or("", |table| table.name);
                return Err(bad(format!(
                    "one comparison mixes columns of trials and of {table} ({}): compare them apart, joined by AND",
                    names.join(", ")
                )));
            };
            check_type(&part, schema).map_err(bad)?;
            target.push(part);
        }
        Ok(condition)
    }

    /// The condition as given; empty if there is none.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Keeps the trials that satisfy it.
    pub(crate) fn filter_trials(&self, mut trials: LazyFrame) -> LazyFrame {
        for part in self.on_hyperparameters.iter().chain(&self.on_trials) {
            trials = trials.filter(part.clone());
        }
        trials
    }

    /// Keeps the measured rows that satisfy it.
    pub(crate) fn filter_rows(&self, mut rows: LazyFrame) -> LazyFrame {
        for part in self.on_hyperparameters.iter().chain(&self.on_rows) {
            rows = rows.filter(part.clone());
        }
        rows
    }

    /// Whether it can be asked of measured rows alone: no part is about results in `trials`.
    pub(crate) fn holds_for_rows(&self) -> bool {
        self.on_trials.is_empty()
    }

    /// Names of the hyperparameters its first parts ask about.
    pub(crate) fn hyperparameters(&self) -> Vec<String> {
        let mut names: Vec<String> = self.on_hyperparameters.iter().flat_map(columns_of).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The parts about hyperparameters, in two: those that involve the coordinates, directly or
    /// through another part, and those that have nothing to do with them.
    pub(crate) fn split_by(&self, coordinates: &[&str]) -> (Condition, Condition) {
        let mut involved: Vec<String> = coordinates.iter().map(|name| (*name).to_owned()).collect();
        let mut near = Vec::new();
        let mut far = self.on_hyperparameters.clone();
        loop {
            let touches = |part: &Expr| columns_of(part).iter().any(|name| involved.contains(name));
            let (touching, rest): (Vec<Expr>, Vec<Expr>) = far.into_iter().partition(touches);
            far = rest;
            if touching.is_empty() {
                break;
            }
            involved.extend(touching.iter().flat_map(columns_of));
            near.extend(touching);
        }
        let of = |parts| Condition { on_hyperparameters: parts, ..Condition::default() };
        (of(near), of(far))
    }

    /// Keeps the combinations of hyperparameter values that satisfy the parts about them.
    pub(crate) fn filter_combinations(
        &self,
        names: &[&str],
        combinations: Vec<Vec<Level>>,
    ) -> Result<Vec<Vec<Level>>> {
        if self.on_hyperparameters.is_empty() || combinations.is_empty() {
            return Ok(combinations);
        }
        let column = |(position, name): (usize, &&str)| {
            let levels: Vec<Level> =
                combinations.iter().map(|combination| combination[position].clone()).collect();
            column_of_levels(name, &levels)
        };
        let columns: Vec<Column> = names.iter().enumerate().map(column).collect();
        let mut frame = DataFrame::new(combinations.len(), columns)?.lazy();
        let mut all = lit(true);
        for part in &self.on_hyperparameters {
            all = all.and(part.clone());
        }
        frame = frame.select([all.alias("keep")]);
        let keep = frame.collect()?;
        let keep = keep.column("keep")?.bool()?.clone();
        let kept = combinations.into_iter().zip(keep.iter());
        Ok(kept
            .filter(|(_, flag)| *flag == Some(true))
            .map(|(combination, _)| combination)
            .collect())
    }
}

fn split(expression: Expr, parts: &mut Vec<Expr>) {
    match expression {
        Expr::BinaryExpr { left, op: Operator::And | Operator::LogicalAnd, right } => {
            split((*left).clone(), parts);
            split((*right).clone(), parts);
        }
        other => parts.push(other),
    }
}

fn columns_of(expression: &Expr) -> Vec<String> {
    let mut names: Vec<String> = expression
        .into_iter()
        .filter_map(|node| match node {
            Expr::Column(name) => Some(name.to_string()),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

fn describe_unknown(name: &str, trials: &Schema, measured: Option<&MeasuredTable>) -> String {
    let measured_names = measured.into_iter().flat_map(|table| table.schema.iter_names());
    let known = trials.iter_names().chain(measured_names).map(|name| name.as_str());
    let tables = match measured {
        Some(table) => format!("trials or {}", table.name),
        None => "trials".to_owned(),
    };
    let hint = match phasegrid_spec::nearest(name, known) {
        Some(best) => format!("did you mean {best}? "),
        None => String::new(),
    };
    format!("no column \"{name}\" in {tables}; {hint}(text is written in single quotes: '{name}')")
}

fn check_type(part: &Expr, schema: &Schema) -> std::result::Result<(), String> {
    let empty = DataFrame::empty_with_schema(schema);
    let result = empty.lazy().select([part.clone().alias("condition")]).collect();
    let frame = result.map_err(|error| one_line(&error))?;
    let data_type = frame.column("condition").map_err(|error| one_line(&error))?.dtype().clone();
    if data_type == DataType::Boolean {
        return Ok(());
    }
    Err(format!("is not true or false but {data_type}: compare it with something"))
}

/// The first line of a polars error, without the query plan it appends.
pub(crate) fn one_line(error: &PolarsError) -> String {
    let text = error.to_string();
    let text = text.trim_start_matches("sql parser error: ");
    text.lines().next().unwrap_or_default().to_owned()
}
