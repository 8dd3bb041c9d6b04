//! `phasegrid metrics`: what each metric and column means.

use crate::arguments::MetricsOptions;
use crate::failure::Failure;
use crate::forms::TextForm;
use crate::metric_text::{column_text, list_text, metric_text};
use anyhow::anyhow;
use phasegrid_store::tables::{Column, Mark, Table, columns};
use phasegrid_store::{METRICS, MetricDescription};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(crate) fn run(options: &MetricsOptions) -> Result<(), Failure> {
    let text = match (&options.name, options.output) {
        (None, TextForm::Table) => list_text(METRICS, &every_column()),
        (None, TextForm::Json) => json_of(METRICS.iter(), &every_column()),
        (Some(name), form) => of(name, form)?,
    };
    println!("{}", text.trim_end());
    Ok(())
}

/// What there is to say of one metric or column.
fn of(name: &str, form: TextForm) -> Result<String, Failure> {
    let metric = MetricDescription::from_name(name);
    let found: Vec<(Table, Column)> = match metric {
        Some(metric) => metric.columns().collect(),
        None => every_column().into_iter().filter(|(_, column)| column.name == name).collect(),
    };
    if found.is_empty() {
        return Err(unknown(name));
    }
    Ok(match (form, metric) {
        (TextForm::Json, metric) => json_of(metric.into_iter(), &found),
        (TextForm::Table, Some(metric)) => metric_text(metric),
        (TextForm::Table, None) => column_text(&found),
    })
}

fn unknown(name: &str) -> Failure {
    let columns = every_column();
    let names: BTreeSet<&str> = METRICS
        .iter()
        .map(|metric| metric.name)
        .chain(columns.iter().map(|(_, column)| column.name))
        .collect();
    let hint = phasegrid_spec::nearest(name, names)
        .map(|best| format!(" (did you mean {best}?)"))
        .unwrap_or_default();
    Failure::usage(anyhow!(
        "there is no metric or column \"{name}\"{hint}; `phasegrid metrics` lists them"
    ))
}

fn every_column() -> Vec<(Table, Column)> {
    let of_table =
        |table: &Table| columns(*table).iter().map(|column| (*table, *column)).collect::<Vec<_>>();
    Table::ALL.iter().flat_map(of_table).collect()
}

fn json_of<'a>(
    metrics: impl Iterator<Item = &'a MetricDescription>,
    columns: &[(Table, Column)],
) -> String {
    let metrics: Vec<Value> = metrics.map(metric_json).collect();
    let columns: Vec<Value> =
        columns.iter().map(|(table, column)| column_json(*table, column)).collect();
    json!({"metrics": metrics, "columns": columns}).to_string()
}

fn metric_json(metric: &MetricDescription) -> Value {
    let mut columns: Vec<&str> = metric
        .sections
        .iter()
        .flat_map(|section| section.quantities)
        .map(|quantity| quantity.name)
        .collect();
    columns.dedup();
    json!({
        "name": metric.name, "description": metric.description, "formula": metric.formula,
        "error": metric.error(), "null_where": metric.null_where(), "cost": metric.cost(),
        "mark": metric.mark.name(), "columns": columns,
    })
}

fn column_json(table: Table, column: &Column) -> Value {
    let quantity = column.quantity.as_ref();
    json!({
        "table": table.name(), "name": column.name, "type": column.kind.name(),
        "unit": column.unit, "range": column.range, "metric": column.metric,
        "description": column.sentence(),
        "formula": quantity.map(|one| one.formula), "error": quantity.map(|one| one.error),
        "null_where": quantity.map(|one| one.null_where), "cost": quantity.map(|one| one.cost),
        "mark": quantity.map(|one| Mark::name(one.mark)),
    })
}
