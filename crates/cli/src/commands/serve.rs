//! The commands that stay: a coordinator, a worker.

use crate::client::token;
use crate::cluster_arguments::{CoordinatorOptions, WorkerOptions};
use crate::compaction;
use crate::failure::Failure;
use crate::worker_setup::WorkerSetup;
use phasegrid_coordinator::{Config, CoordinatorError, Listen, serve};
use phasegrid_store::Store;
use phasegrid_worker::{Connection, Worker};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long a worker waits for a coordinator that does not answer.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Serves until SIGINT or SIGTERM.
pub(crate) async fn coordinator(options: &CoordinatorOptions) -> Result<(), Failure> {
    let store = Store::open_or_create(&options.store, &[])?;
    let folder = store.root().to_path_buf();
    let (finished, finished_sweeps) = mpsc::unbounded_channel();
    let mut config = Config::embedded(&options.state, Arc::new(store), token());
    config.listen = Listen::Address(options.listen);
    config.allow_plaintext = options.allow_plaintext;
    config.scheduler.registry_hash = phasegrid_store::registry_hash();
    config.finished = Some(finished);
    let stop = stop_on_signal()?;
    tokio::spawn(compaction::after_every_sweep(folder, finished_sweeps));
    let coordinator = serve(config, stop.cancelled_owned()).await.map_err(|error| match error {
        CoordinatorError::PlainText { .. } => Failure::usage(error),
        other => other.into(),
    })?;
    eprintln!("phasegrid coordinator {} listens on {}", coordinator.id(), coordinator.url());
    Ok(coordinator.ended().await?)
}

/// Works until SIGINT, SIGTERM or the end of its time; what is not done by then is handed back.
pub(crate) async fn worker(options: &WorkerOptions) -> Result<(), Failure> {
    let config = WorkerSetup {
        slots: options.slots,
        device: options.device,
        memory_mebibytes: options.memory,
        data: options.data.clone(),
        tasks: None,
        trainer: options.trainer.clone(),
        time_limit: options.time_limit,
        patience: PATIENCE,
    }
    .config();
    let stop = stop_on_signal()?;
    let worker = tokio::select! {
        started = Worker::start(config) => started?,
        () = stop.cancelled() => return Ok(()),
    };
    let connection = Connection { url: options.coordinator.clone(), token: token() };
    Ok(worker.run(connection, stop).await?)
}

fn stop_on_signal() -> Result<CancellationToken, Failure> {
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::infrastructure)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::infrastructure)?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        stopping.cancel();
    });
    Ok(stop)
}
