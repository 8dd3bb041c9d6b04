//! `phasegrid tasks`: what there is to learn.

use crate::arguments::TasksOptions;
use crate::failure::Failure;
use crate::forms::TextForm;
use phasegrid_spec::HyperparameterId;
use phasegrid_tasks::{TASKS, TaskDescription};
use serde_json::json;

pub(crate) fn run(options: &TasksOptions) -> Result<(), Failure> {
    let available = phasegrid_tasks::available(options.data.as_deref());
    match options.output {
        TextForm::Json => {
            let tasks: Vec<_> = TASKS.iter().map(as_json).collect();
            let available: Vec<_> = available
                .iter()
                .map(|(task, fingerprint)| json!({"task": task, "fingerprint": fingerprint}))
                .collect();
            println!("{}", json!({"tasks": tasks, "available": available}));
        }
        TextForm::Table => {
            for task in TASKS {
                println!("{}\n    {}", task.name, task.sentence);
                for parameter in task.parameters() {
                    let (kind, default) =
                        (parameter.definition().kind.in_words(), parameter.default_value());
                    println!("    {}: {kind}, default {default}", parameter.name());
                }
            }
            println!("\nusable here:");
            for (task, fingerprint) in &available {
                println!("  {task}  (data {})", &fingerprint[..16]);
            }
            if options.data.is_none() {
                println!("  tasks that read files need --data DIR or PHASEGRID_DATA");
            }
        }
    }
    Ok(())
}

fn as_json(task: &TaskDescription) -> serde_json::Value {
    let parameter = |id: HyperparameterId| {
        let definition = id.definition();
        json!({
            "name": definition.name,
            "expected": definition.kind.in_words(),
            "default": id.default_value(),
            "description": definition.description,
        })
    };
    json!({
        "name": task.name,
        "description": task.sentence,
        "needs_data": task.needs_data,
        "parameters": task.parameters().map(parameter).collect::<Vec<_>>(),
    })
}
