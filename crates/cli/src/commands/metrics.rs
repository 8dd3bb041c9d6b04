//! `phasegrid metrics`: what each metric and column means.

use crate::arguments::MetricsOptions;
use crate::failure::Failure;
use crate::forms::TextForm;
use anyhow::anyhow;
use phasegrid_store::tables::{Column, Table, columns};
use phasegrid_store::{METRICS, MetricDescription};
use serde_json::json;
use std::collections::BTreeSet;

pub(crate) fn run(options: &MetricsOptions) -> Result<(), Failure> {
    let chosen = match &options.name {
        None => Chosen { metrics: METRICS.iter().collect(), columns: every_column() },
        Some(name) => choose(name)?,
    };
    match options.output {
        TextForm::Json => println!("{}", chosen.json()),
        TextForm::Table => chosen.print(),
    }
    Ok(())
}

struct Chosen {
    metrics: Vec<&'static MetricDescription>,
    columns: Vec<(Table, Column)>,
}

fn every_column() -> Vec<(Table, Column)> {
    let of_table =
        |table: &Table| columns(*table).iter().map(|column| (*table, *column)).collect::<Vec<_>>();
    Table::ALL.iter().flat_map(of_table).collect()
}

fn choose(name: &str) -> Result<Chosen, Failure> {
    if let Some(metric) = MetricDescription::from_name(name) {
        return Ok(Chosen { metrics: vec![metric], columns: metric.columns().collect() });
    }
    let matching: Vec<(Table, Column)> =
        every_column().into_iter().filter(|(_, column)| column.name == name).collect();
    if !matching.is_empty() {
        return Ok(Chosen { metrics: Vec::new(), columns: matching });
    }
    let columns = every_column();
    let names: BTreeSet<&str> = METRICS
        .iter()
        .map(|metric| metric.name)
        .chain(columns.iter().map(|(_, column)| column.name))
        .collect();
    let hint = phasegrid_spec::nearest(name, names)
        .map(|best| format!(" (did you mean {best}?)"))
        .unwrap_or_default();
    Err(Failure::usage(anyhow!(
        "there is no metric or column \"{name}\"{hint}; `phasegrid metrics` lists them"
    )))
}

impl Chosen {
    fn print(&self) {
        for metric in &self.metrics {
            println!("{}: {}\n    cost: {}\n", metric.name, metric.description, metric.cost);
        }
        let mut last_table = None;
        for (table, column) in &self.columns {
            if last_table != Some(*table) {
                println!("table {}: {}", table.name(), table.description());
                last_table = Some(*table);
            }
            let mut facts = vec![column.kind.name().to_owned()];
            facts.extend((!column.unit.is_empty()).then(|| format!("in {}", column.unit)));
            facts.extend((!column.range.is_empty()).then(|| column.range.to_owned()));
            facts.extend(
                column.metric.map(|metric| format!("from {metric} {}", column.mark.text())),
            );
            println!("  {} ({})\n      {}", column.name, facts.join("; "), column.description);
        }
    }

    fn json(&self) -> serde_json::Value {
        let metrics: Vec<_> = self
            .metrics
            .iter()
            .map(|metric| json!({"name": metric.name, "description": metric.description, "cost": metric.cost}))
            .collect();
        let columns: Vec<_> = self
            .columns
            .iter()
            .map(|(table, column)| {
                json!({
                    "table": table.name(), "name": column.name, "type": column.kind.name(), "unit": column.unit,
                    "range": column.range, "metric": column.metric, "description": column.description,
                    "mark": column.metric.map(|_| column.mark.text()),
                })
            })
            .collect();
        json!({"metrics": metrics, "columns": columns})
    }
}
