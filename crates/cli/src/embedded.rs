//! The coordinator and the worker that `run` starts inside itself, over loopback gRPC.

use crate::arguments::RunOptions;
use crate::client::{self, Client};
use crate::failure::Failure;
use crate::sweep_source::SweepSource;
use crate::worker_setup::WorkerSetup;
use anyhow::anyhow;
use phasegrid_coordinator::{Config, Coordinator, Listen, serve};
use phasegrid_proto::ServiceError;
use phasegrid_proto::v1::{SubmitRequest, SubmitResponse};
use phasegrid_store::Store;
use phasegrid_worker::{Connection, Worker, WorkerError};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Folder of the coordinator's state inside the store.
pub(crate) const STATE_FOLDER: &str = "_state";

/// Terms of the leases. The worker shares this process and the link is loopback, so silence soon
/// means death; and no lease outlives the run that crashed.
const LEASE: Duration = Duration::from_secs(10);
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Coordinator and worker of one run.
pub(crate) struct Embedded {
    coordinator: Coordinator,
    state: PathBuf,
    stop_coordinator: CancellationToken,
    token: String,
}

impl Embedded {
    /// Opens or creates the store and starts the coordinator on it. The port is taken first, so
    /// that a taken one leaves no store behind.
    pub(crate) async fn start(out: &Path, port: u16) -> Result<Embedded, Failure> {
        let listener = listen(port)?;
        let store = Store::open_or_create(&out.to_string_lossy(), &[STATE_FOLDER])?;
        let state = store.root().join(STATE_FOLDER);
        let token = random_token()?;
        let mut config = Config::embedded(state.clone(), Arc::new(store), Some(token.clone()));
        (config.scheduler.lease, config.scheduler.heartbeat) = (LEASE, HEARTBEAT);
        config.scheduler.recovered_lease = Duration::ZERO;
        config.scheduler.registry_hash = phasegrid_store::registry_hash();
        config.listen = Listen::Bound(listener);
        let stop_coordinator = CancellationToken::new();
        let coordinator = serve(config, stop_coordinator.clone().cancelled_owned()).await?;
        Ok(Embedded { coordinator, state, stop_coordinator, token })
    }

    /// A client of the coordinator.
    pub(crate) async fn client(&self) -> Result<Client, Failure> {
        client::connect(&self.coordinator.url(), Some(&self.token)).await
    }

    /// Sets the worker to work; it ends with `shutdown`.
    pub(crate) fn employ(
        &self,
        worker: Worker,
        shutdown: CancellationToken,
    ) -> JoinHandle<Result<(), WorkerError>> {
        let connection =
            Connection { url: self.coordinator.url(), token: Some(self.token.clone()) };
        tokio::spawn(worker.run(connection, shutdown))
    }

    /// Ends the coordinator; what it acknowledged is on disk.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        self.stop_coordinator.cancel();
        let state = self.state;
        self.coordinator
            .ended()
            .await
            .map_err(|error| Failure::infrastructure(anyhow!("{}: {error}", state.display())))
    }
}

/// The worker of a run, its trainers ready.
pub(crate) async fn start_worker(
    options: &RunOptions,
    source: &SweepSource,
) -> Result<Worker, Failure> {
    let config = WorkerSetup {
        slots: options.workers,
        device: options.device,
        memory_mebibytes: options.memory,
        data: options.data.clone(),
        tasks: Some(source.tasks.clone()),
        trainer: options.trainer.clone(),
        time_limit: None,
        patience: Duration::from_secs(30),
    }
    .config();
    Ok(Worker::start(config).await?)
}

fn listen(port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
        Failure::infrastructure(match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                anyhow!("port {port} of 127.0.0.1 is taken: choose another --port, or leave it out for a free one")
            }
            _ => anyhow!("cannot listen on port {port} of 127.0.0.1: {error}"),
        })
    })
}

/// Submits a sweep file.
pub(crate) async fn submit(
    client: &mut Client,
    source: &SweepSource,
    adopt: bool,
) -> Result<SubmitResponse, Failure> {
    let request = SubmitRequest {
        sweep_file: source.text.clone(),
        train_rows: source.train_rows.clone().into_iter().collect(),
        adopt,
        owner: std::env::var("USER").unwrap_or_default(),
    };
    let response = client.submit(request).await.map_err(ServiceError::from)?;
    Ok(response.into_inner())
}

fn random_token() -> Result<String, Failure> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::infrastructure(anyhow!("the system gives no random bytes: {error}"))
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
