//! The commands that stay: a coordinator, a worker.

use crate::cluster_arguments::{CoordinatorOptions, WorkerOptions};
use crate::commands::cluster::token;
use crate::failure::Failure;
use phasegrid_coordinator::{Config, CoordinatorError, Listen, serve};
use phasegrid_store::Store;
use phasegrid_worker::{Connection, Worker, WorkerConfig, default_trainer_path};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long a worker waits for a coordinator that does not answer.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Serves until SIGINT or SIGTERM.
pub(crate) async fn coordinator(options: &CoordinatorOptions) -> Result<(), Failure> {
    let store = Store::open_or_create(&options.store, &[])?;
    let mut config = Config::embedded(&options.state, Arc::new(store), token());
    config.listen = Listen::Address(options.listen);
    config.allow_plaintext = options.allow_plaintext;
    config.scheduler.registry_hash = phasegrid_store::registry_hash();
    let stop = stop_on_signal()?;
    let coordinator = serve(config, stop.cancelled_owned()).await.map_err(|error| match error {
        CoordinatorError::PlainText { .. } => Failure::usage(error),
        other => other.into(),
    })?;
    eprintln!("phasegrid coordinator {} listens on {}", coordinator.id(), coordinator.url());
    Ok(coordinator.ended().await?)
}

/// Works until SIGINT or SIGTERM; what is not done by then is handed back.
pub(crate) async fn worker(options: &WorkerOptions) -> Result<(), Failure> {
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
    let slots = options.slots.unwrap_or(processors);
    let config = WorkerConfig {
        name: WorkerConfig::unique_name(),
        device: options.device,
        slots,
        slot_memory_bytes: options
            .memory
            .map_or_else(|| WorkerConfig::default_slot_memory(slots), |mebibytes| mebibytes << 20),
        data_dir: options.data.clone(),
        tasks: None,
        trainer: options.trainer.clone().unwrap_or_else(default_trainer_path),
        patience: PATIENCE,
    };
    let stop = stop_on_signal()?;
    let worker = Worker::start(config).await?;
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
