//! `phasegrid tasks`: what there is to learn.

use crate::arguments::TasksOptions;
use crate::failure::Failure;
use crate::forms::TextForm;
use phasegrid_tasks::TASKS;
use serde_json::json;

pub(crate) fn run(options: &TasksOptions) -> Result<(), Failure> {
    let available = phasegrid_tasks::available(options.data.as_deref());
    match options.output {
        TextForm::Json => {
            let tasks: Vec<_> = TASKS
                .iter()
                .map(|task| json!({"name": task.name, "description": task.sentence, "needs_data": task.needs_data}))
                .collect();
            let available: Vec<_> = available
                .iter()
                .map(|(task, fingerprint)| json!({"task": task, "fingerprint": fingerprint}))
                .collect();
            println!("{}", json!({"tasks": tasks, "available": available}));
        }
        TextForm::Table => {
            for task in TASKS {
                println!("{}\n    {}", task.name, task.sentence);
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
