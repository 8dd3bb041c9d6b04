//! `phasegrid run`: a sweep on this machine, from file to figures.

use crate::arguments::RunOptions;
use crate::client::Client;
use crate::compaction;
use crate::embedded::{self, Embedded};
use crate::failure::Failure;
use crate::progress::{Progress, trials_done, trouble_of};
use crate::report;
use crate::signals;
use crate::sweep_source::{self, SweepSource};
use anyhow::anyhow;
use phasegrid_proto::ServiceError;
use phasegrid_proto::v1::{StatusRequest, SweepState, SweepStatus, WatchRequest};
use phasegrid_worker::WorkerError;
use std::time::Instant;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Failures of data or store in a row after which a run on one machine gives up: nobody else
/// is there who could do better.
const MOST_SETBACKS: u32 = 5;

/// How a run's training ended.
enum Ending {
    Done(SweepStatus),
    Interrupted(SweepStatus),
}

pub(crate) fn run(options: &RunOptions) -> Result<(), Failure> {
    let started = Instant::now();
    let source = sweep_source::read(&options.file, options.data.as_deref())?;
    source.check_weight_files(options.many_weight_files)?;
    for note in &source.notes {
        eprintln!("note: {note}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Failure::infrastructure)?;
    let ending = runtime.block_on(train(options, &source));
    // A trainer that does not stop must not keep the program.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    // From here on there is nothing to hand back: Ctrl-C ends the program.
    signals::restore_defaults();
    match ending? {
        Ending::Interrupted(status) => Err(Failure::work(anyhow!(
            "interrupted with {} of {} trials done; nothing done is lost: the same command goes on from there",
            trials_done(&status),
            status.trials_total
        ))),
        Ending::Done(status) => {
            report::print_outcome(&status, started.elapsed());
            compaction::after_sweep(&options.out, &source.name);
            let figures = match options.no_figures {
                true => Vec::new(),
                false => report::draw(&options.out, &source.name)?,
            };
            report::print_places(&options.out, &source.name, &figures);
            if status.trials_failed > 0 {
                return Err(Failure::work(anyhow!(
                    "{} trials failed; their rows say why: phasegrid query {} \"SELECT trial_id, error FROM trials WHERE status = 'failed'\"",
                    status.trials_failed,
                    options.out.display()
                )));
            }
            Ok(())
        }
    }
}

async fn train(options: &RunOptions, source: &SweepSource) -> Result<Ending, Failure> {
    let worker = embedded::start_worker(options, source).await?;
    let embedded = Embedded::start(&options.out, options.port).await?;
    let mut client = embedded.client().await?;
    let stop_worker = CancellationToken::new();
    let submitted = embedded::submit(&mut client, source, options.adopt).await;
    let ending = match submitted {
        Err(failure) => Err(failure),
        Ok(response) => {
            announce(options, &source.name, response.status.as_ref(), response.trials_added);
            let worker = embedded.employ(worker, stop_worker.clone());
            follow(&mut client, &source.name, worker, &stop_worker).await
        }
    };
    drop(client);
    // Where the coordinator could not go on, that is why everything else failed.
    embedded.stop().await?;
    ending
}

fn announce(options: &RunOptions, name: &str, status: Option<&SweepStatus>, added: u64) {
    let Some(status) = status else { return };
    let done = trials_done(status);
    let fresh =
        if added == status.trials_total { String::new() } else { format!(", {added} of them new") };
    let resumed = if done > 0 { format!(", {done} done already") } else { String::new() };
    eprintln!(
        "sweep {name}: {} trials{fresh}{resumed}, into {}",
        status.trials_total,
        options.out.display()
    );
}

/// Shows progress until the sweep is done, the user interrupts, or the worker cannot go on.
async fn follow(
    client: &mut Client,
    name: &str,
    mut worker: JoinHandle<Result<(), WorkerError>>,
    stop_worker: &CancellationToken,
) -> Result<Ending, Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::infrastructure)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::infrastructure)?;
    let request = WatchRequest { sweep: name.to_owned() };
    let mut statuses = client.watch(request).await.map_err(ServiceError::from)?.into_inner();
    let mut progress = Progress::new();
    let outcome = loop {
        tokio::select! {
            status = statuses.message() => match status.map_err(ServiceError::from)? {
                Some(status) => {
                    progress.show(&status);
                    if status.setbacks_in_a_row >= MOST_SETBACKS {
                        break Err(Failure::infrastructure(anyhow!(
                            "{} failures in a row that no trial is to blame for; the last: {}; what is done is kept, and the same command goes on once the cause is mended",
                            status.setbacks_in_a_row,
                            trouble_of(&status)
                        )));
                    }
                    if status.state() == SweepState::Done {
                        break Ok(Ending::Done(status));
                    }
                    if status.state() == SweepState::Cancelled {
                        break Err(Failure::work(anyhow!("the sweep was cancelled")));
                    }
                }
                None => break Err(Failure::infrastructure(anyhow!("the coordinator ended before the sweep"))),
            },
            ended = &mut worker => {
                progress.finish();
                return Err(match ended {
                    Ok(Err(error)) => error.into(),
                    Ok(Ok(())) => Failure::infrastructure(anyhow!("the worker ended before the sweep")),
                    Err(panic) => Failure::infrastructure(anyhow!("the worker crashed: {panic}")),
                });
            }
            _ = interrupt.recv() => break interrupted(client, name).await,
            _ = terminate.recv() => break interrupted(client, name).await,
        }
    };
    progress.finish();
    stop_worker.cancel();
    match (worker.await, outcome) {
        (_, Err(failure)) => Err(failure),
        (Ok(Err(error)), Ok(Ending::Interrupted(_))) => Err(error.into()),
        (_, Ok(ending)) => Ok(ending),
    }
}

async fn interrupted(client: &mut Client, name: &str) -> Result<Ending, Failure> {
    eprintln!("stopping: units in training are handed back (again to stop at once)");
    signals::restore_defaults();
    let request = StatusRequest { sweep: name.to_owned() };
    let status = client.status(request).await.map_err(ServiceError::from)?;
    Ok(Ending::Interrupted(status.into_inner()))
}
