//! Where a value lives: which table, layer and step a request means.

use crate::columns::radius_space;
use crate::diagram::ValueKind;
use crate::error::{AnalyzeError, Result};
use crate::request::{LayerPick, PhaseRequest, StepPick};
use crate::store::Store;
use polars::prelude::*;

/// Tables that a value may be measured in, beside `trials`, in order of preference.
const MEASURED: [&str; 2] = ["layers", "history"];

/// Where a value lives.
pub(crate) enum Source {
    /// A column of `trials`: one value a trial.
    Trials,
    /// A column of another table, from which layer and step pick.
    Measured {
        /// `layers` or `history`.
        table: &'static str,
        /// The table.
        scan: Box<LazyFrame>,
        /// Its columns.
        schema: SchemaRef,
        /// Which layer; none for `history`.
        layer: Option<LayerPick>,
        /// Which step.
        step: StepPick,
    },
}

impl Source {
    /// Finds the column: in `trials` unless a layer or step is asked for, else in `layers`,
    /// else in `history`.
    pub(crate) fn resolve(
        store: &Store,
        sweep: &str,
        request: &PhaseRequest,
        trials: &Schema,
    ) -> Result<Source> {
        let name = request.value.as_str();
        let in_trials = trials.contains(name);
        if in_trials && request.layer.is_none() && request.step.is_none() {
            return Ok(Source::Trials);
        }
        let mut known: Vec<String> = trials.iter_names().map(|name| name.to_string()).collect();
        for table in MEASURED {
            let Some(mut scan) = store.try_scan(table, sweep)? else { continue };
            let schema = scan.collect_schema()?;
            known.extend(schema.iter_names().map(|name| name.to_string()));
            if !schema.contains(name) || (table == "history" && request.layer.is_some()) {
                continue;
            }
            let layer = (table == "layers").then(|| request.layer.unwrap_or(LayerPick::Mean));
            let step = request.step.unwrap_or(StepPick::Last);
            return Ok(Source::Measured { table, scan: Box::new(scan), schema, layer, step });
        }
        if !known.iter().any(|column| column == name) {
            let tables = format!("trials, layers or history of sweep {sweep}");
            return Err(AnalyzeError::unknown_column(
                name,
                tables,
                known.iter().map(String::as_str),
            ));
        }
        let (option, given) = match (request.layer, request.step) {
            (Some(layer), _) => ("--layer", layer.to_string()),
            (None, step) => ("--step", step.unwrap_or(StepPick::Last).to_string()),
        };
        let reason = if option == "--layer" {
            format!("{name} has one value a network, not one a layer; leave --layer out")
        } else {
            format!("{name} is measured at the end only; leave --step out")
        };
        Err(AnalyzeError::BadPick { option, given, reason })
    }

    /// `layer 1, step 100`, as far as the source picks any.
    pub(crate) fn place(&self) -> String {
        let Source::Measured { layer, step, .. } = self else { return String::new() };
        let layer = layer.map(|layer| match layer {
            LayerPick::First => "layer 1".to_owned(),
            LayerPick::Last => "last layer".to_owned(),
            LayerPick::Mean => "mean over layers".to_owned(),
            LayerPick::Number(number) => format!("layer {number}"),
        });
        let step = match step {
            StepPick::Last => None,
            StepPick::Number(number) => Some(format!("step {number}")),
        };
        layer.into_iter().chain(step).collect::<Vec<_>>().join(", ")
    }
}

/// What a column of this type and name is; an error where it cannot be drawn.
pub(crate) fn value_kind(name: &str, data_type: &DataType, source: &Source) -> Result<ValueKind> {
    let refuse = |reason: String| AnalyzeError::NotDrawable { name: name.to_owned(), reason };
    if matches!(source, Source::Trials) && radius_space(name).is_some() {
        return Ok(ValueKind::Radius);
    }
    if data_type.is_primitive_numeric() || matches!(data_type, DataType::Boolean | DataType::Null) {
        return Ok(ValueKind::Number);
    }
    if !data_type.is_string() && !data_type.is_categorical() {
        return Err(refuse(format!(
            "the column holds {data_type}, not one number or name a row; read it with `phasegrid query`"
        )));
    }
    match source {
        Source::Measured { layer: Some(LayerPick::Mean), .. } => {
            Err(refuse("text has no mean over layers; choose one with --layer".to_owned()))
        }
        _ => Ok(ValueKind::Category),
    }
}
