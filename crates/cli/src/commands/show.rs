//! `phasegrid show`: one trial.

use crate::arguments::ShowOptions;
use crate::failure::Failure;
use crate::forms::TextForm;
use phasegrid_analyze::{RowFormat, TrialReport, open_store, show, write_rows};
use serde_json::{Map, Value, json};

pub(crate) fn run(options: &ShowOptions) -> Result<(), Failure> {
    let store = open_store(&options.store)?;
    let mut report = show(&store, &options.trial)?;
    match options.output {
        TextForm::Table => {
            print!("{}", report.to_text()?);
            Ok(())
        }
        TextForm::Json => {
            let json = json(&mut report)?;
            println!("{json}");
            Ok(())
        }
    }
}

fn json(report: &mut TrialReport) -> Result<Value, Failure> {
    let object = |pairs: &[(String, String)]| {
        let entries = pairs.iter().map(|(name, value)| (name.clone(), typed(value)));
        Value::Object(entries.collect::<Map<String, Value>>())
    };
    let mut layers = Vec::new();
    write_rows(&mut report.layers, RowFormat::Json, &mut layers)?;
    let layers: Value = serde_json::from_slice(&layers).unwrap_or(Value::Null);
    Ok(json!({
        "trial_id": report.trial_id,
        "sweep": report.sweep,
        "status": report.status,
        "error": report.error,
        "hyperparameters": object(&report.hyperparameters),
        "results": object(&report.results),
        "layers": layers,
    }))
}

/// Numbers and truth values as such, everything else as text.
fn typed(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => Value::String(text.to_owned()),
    }
}
