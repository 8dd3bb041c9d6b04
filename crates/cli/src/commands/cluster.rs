//! The commands that speak to a coordinator: submit, list, status and their like.

use crate::client::{Client, connect, token};
use crate::cluster_arguments::{
    ClusterCommand, CoordinatorAddress, ExplainOptions, ListOptions, SubmitOptions, SweepOptions,
};
use crate::commands::serve;
use crate::failure::Failure;
use crate::forms::TextForm;
use crate::progress::{Progress, trials_done};
use crate::sweep_source;
use anyhow::anyhow;
use phasegrid_proto::ServiceError;
use phasegrid_proto::v1::{
    ExplainRequest, ListRequest, StatusRequest, SubmitRequest, SweepRequest, SweepState,
    SweepStatus, WatchRequest,
};
use serde_json::{Value, json};

pub(crate) fn run(command: &ClusterCommand) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::infrastructure)?;
    let outcome = runtime.block_on(dispatch(command));
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome
}

async fn dispatch(command: &ClusterCommand) -> Result<(), Failure> {
    match command {
        ClusterCommand::Coordinator(options) => serve::coordinator(options).await,
        ClusterCommand::Worker(options) => serve::worker(options).await,
        ClusterCommand::Submit(options) => submit(options).await,
        ClusterCommand::List(options) => list(options).await,
        ClusterCommand::Status(options) => status(options).await,
        ClusterCommand::Watch(options) => follow(options, true).await,
        ClusterCommand::Wait(options) => follow(options, false).await,
        ClusterCommand::Explain(options) => explain(options).await,
        ClusterCommand::Pause(options) => steer(options, Steering::Pause).await,
        ClusterCommand::Resume(options) => steer(options, Steering::Resume).await,
        ClusterCommand::Cancel(options) => steer(options, Steering::Cancel).await,
        ClusterCommand::Retry(options) => steer(options, Steering::Retry).await,
    }
}

async fn client(address: &CoordinatorAddress) -> Result<Client, Failure> {
    connect(&address.url, token().as_deref()).await
}

async fn submit(options: &SubmitOptions) -> Result<(), Failure> {
    let source = sweep_source::read(&options.file, options.data.as_deref())?;
    source.check_weight_files(options.many_weight_files)?;
    for note in &source.notes {
        eprintln!("note: {note}");
    }
    let mut client = client(&options.coordinator).await?;
    let request = SubmitRequest {
        sweep_file: source.text,
        train_rows: source.train_rows.into_iter().collect(),
        adopt: options.adopt,
        owner: std::env::var("USER").unwrap_or_default(),
    };
    let response = client.submit(request).await.map_err(ServiceError::from)?.into_inner();
    let status = response.status.unwrap_or_default();
    match options.output {
        TextForm::Json => {
            let mut answer = status_json(&status);
            answer["trials_added"] = json!(response.trials_added);
            println!("{answer}");
        }
        TextForm::Table => {
            println!(
                "{}: {} trials added, {} in all",
                status.name, response.trials_added, status.trials_total
            );
        }
    }
    Ok(())
}

async fn list(options: &ListOptions) -> Result<(), Failure> {
    let mut client = client(&options.coordinator).await?;
    let response = client.list(ListRequest {}).await.map_err(ServiceError::from)?.into_inner();
    match options.output {
        TextForm::Json => println!("{}", Value::from_iter(response.sweeps.iter().map(status_json))),
        TextForm::Table => response.sweeps.iter().for_each(print_status),
    }
    Ok(())
}

async fn status(options: &SweepOptions) -> Result<(), Failure> {
    let mut client = client(&options.coordinator).await?;
    let request = StatusRequest { sweep: options.sweep.clone() };
    let status = client.status(request).await.map_err(ServiceError::from)?.into_inner();
    print(&status, options.output);
    Ok(())
}

/// Follows a sweep to its end; exit code 1 where work failed or was cancelled.
async fn follow(options: &SweepOptions, shows_progress: bool) -> Result<(), Failure> {
    let mut client = client(&options.coordinator).await?;
    let request = WatchRequest { sweep: options.sweep.clone() };
    let mut statuses = client.watch(request).await.map_err(ServiceError::from)?.into_inner();
    let mut progress = shows_progress.then(Progress::new);
    while let Some(status) = statuses.message().await.map_err(ServiceError::from)? {
        if let Some(progress) = &mut progress {
            progress.show(&status);
        }
        if !matches!(status.state(), SweepState::Done | SweepState::Cancelled) {
            continue;
        }
        if let Some(progress) = &progress {
            progress.finish();
        }
        print(&status, options.output);
        return match status.state() {
            SweepState::Cancelled => Err(Failure::work(anyhow!("the sweep was cancelled"))),
            _ if status.trials_failed > 0 => {
                Err(Failure::work(anyhow!("{} trials failed", status.trials_failed)))
            }
            _ => Ok(()),
        };
    }
    Err(Failure::infrastructure(anyhow!("the coordinator ended before the sweep")))
}

#[derive(Clone, Copy)]
enum Steering {
    Pause,
    Resume,
    Cancel,
    Retry,
}

async fn steer(options: &SweepOptions, steering: Steering) -> Result<(), Failure> {
    let mut client = client(&options.coordinator).await?;
    let request = SweepRequest { sweep: options.sweep.clone() };
    let answer = match steering {
        Steering::Pause => client.pause(request).await,
        Steering::Resume => client.resume(request).await,
        Steering::Cancel => client.cancel(request).await,
        Steering::Retry => client.retry(request).await,
    };
    print(&answer.map_err(ServiceError::from)?.into_inner(), options.output);
    Ok(())
}

async fn explain(options: &ExplainOptions) -> Result<(), Failure> {
    let mut client = client(&options.coordinator).await?;
    let trial_id = options.trial.clone().unwrap_or_default();
    let request = ExplainRequest { sweep: options.sweep.clone(), trial_id };
    let response = client.explain(request).await.map_err(ServiceError::from)?.into_inner();
    match options.output {
        TextForm::Json => println!("{}", json!({"reasons": response.reasons})),
        TextForm::Table => response.reasons.iter().for_each(|reason| println!("{reason}")),
    }
    Ok(())
}

fn print(status: &SweepStatus, form: TextForm) {
    match form {
        TextForm::Json => println!("{}", status_json(status)),
        TextForm::Table => print_status(status),
    }
}

fn print_status(status: &SweepStatus) {
    println!(
        "{}: {}, {}/{} trials ({} ok, {} diverged, {} failed), {} running",
        status.name,
        state_name(status.state()),
        trials_done(status),
        status.trials_total,
        status.trials_ok,
        status.trials_diverged,
        status.trials_failed,
        status.trials_running
    );
}

fn status_json(status: &SweepStatus) -> Value {
    json!({
        "name": status.name,
        "state": state_name(status.state()),
        "trials_total": status.trials_total,
        "trials_ok": status.trials_ok,
        "trials_diverged": status.trials_diverged,
        "trials_failed": status.trials_failed,
        "trials_running": status.trials_running,
        "units_open": status.units_open,
        "units_publishing": status.units_publishing,
        "units_published": status.units_published,
        "workers": status.workers,
        "attempts_failed": status.attempts_failed,
        "last_failure": status.last_failure,
    })
}

fn state_name(state: SweepState) -> &'static str {
    match state {
        SweepState::Running => "running",
        SweepState::Paused => "paused",
        SweepState::Done => "done",
        SweepState::Cancelled => "cancelled",
        SweepState::Unspecified => "unknown",
    }
}
