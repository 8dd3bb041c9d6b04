//! A worker's life: register, work, end.

use crate::client::Client;
use crate::config::{Connection, WorkerConfig};
use crate::error::WorkerError;
use crate::heartbeat;
use crate::leases::Leases;
use crate::slot::Slot;
use crate::trainer::Trainer;
use phasegrid_proto::v1::{Dataset, RegisterRequest};
use phasegrid_store::{Store, registry_hash};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long a worker that ends waits for what it trained to be staged and its coordinator to be
/// told. Below the two minutes that the Slurm scripts and Kubernetes manifests give it.
const DRAIN_PATIENCE: Duration = Duration::from_secs(90);

/// A worker whose trainers run.
pub struct Worker {
    config: WorkerConfig,
    trainers: Vec<Trainer>,
}

impl Worker {
    /// Starts every trainer and waits until libtorch is loaded in each: a machine that cannot
    /// train finds out before anything is asked of a coordinator or written to a store.
    pub async fn start(config: WorkerConfig) -> Result<Worker, WorkerError> {
        let mut starting = JoinSet::new();
        for _ in 0..config.slots {
            let config = config.clone();
            starting.spawn(async move { Trainer::start(&config).await });
        }
        let mut trainers = Vec::new();
        while let Some(started) = starting.join_next().await {
            let started =
                started.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
            trainers.push(started?);
        }
        Ok(Worker { config, trainers })
    }

    /// Works for a coordinator until `shutdown` or the end of its time, then takes no more leases,
    /// commits what is trained and hands back what is not. An error is
    /// what no retry mends: a refusal, another store, a trainer that cannot start again.
    pub async fn run(
        self,
        connection: Connection,
        shutdown: CancellationToken,
    ) -> Result<(), WorkerError> {
        let Worker { config, trainers } = self;
        work(config, trainers, connection, shutdown).await
    }
}

async fn work(
    config: WorkerConfig,
    trainers: Vec<Trainer>,
    connection: Connection,
    shutdown: CancellationToken,
) -> Result<(), WorkerError> {
    let client = Client::new(&connection.url, connection.token.as_deref(), config.patience)?;
    let registration = registration(&config).await;
    let response = tokio::select! {
        response = heartbeat::register(&client, &config, &registration) => response?,
        () = time_is_over(&config) => return Ok(()),
        () = shutdown.cancelled() => return Ok(()),
    };
    let store = open_store(&response.store_url, &response.store_id)?;
    let leases = Leases::default();
    let interval = Duration::from_millis(response.heartbeat_ms.max(50));

    let ending = shutdown.child_token();
    let mut slots = JoinSet::new();
    for trainer in trainers {
        let slot = Slot {
            config: config.clone(),
            client: client.clone(),
            store: store.clone(),
            leases: leases.clone(),
            shutdown: ending.clone(),
        };
        slots.spawn(slot.run(trainer));
    }
    let mut heart =
        tokio::spawn(heartbeat::beat(client, config.clone(), registration, leases, interval));
    let mut outcome = Ok(());
    let drained = async {
        ending.cancelled().await;
        tokio::time::sleep(DRAIN_PATIENCE).await;
    };
    tokio::pin!(drained);
    loop {
        tokio::select! {
            () = time_is_over(&config), if !ending.is_cancelled() => ending.cancel(),
            () = &mut drained => {
                tracing::warn!("leases could not be handed back in time; they end by themselves");
                break;
            }
            finished = slots.join_next() => match finished {
                None => break,
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => {
                    outcome = outcome.and(Err(error));
                    ending.cancel();
                }
                // A panic in a slot must not leave a worker that looks alive and does nothing.
                Some(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
            },
            error = &mut heart, if !ending.is_cancelled() => {
                outcome = outcome.and(Err(error.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))));
                ending.cancel();
            }
        }
    }
    heart.abort();
    outcome
}

/// Waits for the end of a worker's time, for ever if it has none.
async fn time_is_over(config: &WorkerConfig) {
    match config.ends {
        Some(ends) => tokio::time::sleep_until(ends.into()).await,
        None => std::future::pending().await,
    }
}

async fn registration(config: &WorkerConfig) -> RegisterRequest {
    let (tasks, data_dir) = (config.tasks.clone(), config.data_dir.clone());
    let offered = tokio::task::spawn_blocking(move || match tasks {
        None => phasegrid_tasks::available(data_dir.as_deref()),
        Some(tasks) => {
            let load = |task: String| {
                let dataset = phasegrid_tasks::load(&task, data_dir.as_deref()).ok()?;
                Some((task, dataset.fingerprint))
            };
            tasks.into_iter().filter_map(load).collect()
        }
    });
    let datasets = offered.await.unwrap_or_default();
    RegisterRequest {
        worker: config.name.clone(),
        device: config.device.to_string(),
        slots: config.slots,
        slot_memory_bytes: config.slot_memory_bytes,
        datasets: datasets
            .into_iter()
            .map(|(task, fingerprint)| Dataset { task, fingerprint })
            .collect(),
        build: env!("CARGO_PKG_VERSION").to_owned(),
        registry_hash: registry_hash(),
        time_limit_seconds: 0,
    }
}

fn open_store(url: &str, id: &str) -> Result<Store, WorkerError> {
    let unusable = |reason: String| WorkerError::Store { url: url.to_owned(), reason };
    let store = Store::open(url).map_err(|error| unusable(error.to_string()))?;
    if store.id() != id {
        return Err(unusable(format!(
            "its id is {}, the coordinator's store has {id}",
            store.id()
        )));
    }
    Ok(store)
}
