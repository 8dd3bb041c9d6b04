//! The coordinator and the worker that `run` starts inside itself, over loopback gRPC.

use crate::arguments::RunOptions;
use crate::failure::Failure;
use crate::sweep_source::SweepSource;
use anyhow::anyhow;
use phasegrid_coordinator::{Config, Coordinator, Listen, serve};
use phasegrid_proto::ServiceError;
use phasegrid_proto::limits::MAX_MESSAGE_BYTES;
use phasegrid_proto::v1::sweeps_client::SweepsClient;
use phasegrid_proto::v1::{SubmitRequest, SubmitResponse};
use phasegrid_store::Store;
use phasegrid_worker::{WorkerConfig, WorkerError, default_trainer_path};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// Folder of the coordinator's state inside the store.
pub(crate) const STATE_FOLDER: &str = "_state";

/// A client that carries the run's token.
pub(crate) type Client = SweepsClient<InterceptedService<Channel, Token>>;

/// The run's bearer token.
#[derive(Clone)]
pub(crate) struct Token(MetadataValue<Ascii>);

impl tonic::service::Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Coordinator and worker of one run.
pub(crate) struct Embedded {
    coordinator: Coordinator,
    stop_coordinator: CancellationToken,
    token: String,
}

impl Embedded {
    /// Opens or creates the store and starts the coordinator on it.
    pub(crate) async fn start(out: &Path, port: u16) -> Result<Embedded, Failure> {
        let store = Store::open_or_create(&out.to_string_lossy(), &[STATE_FOLDER])?;
        let state = store.root().join(STATE_FOLDER);
        let token = random_token()?;
        let mut config = Config::embedded(state, Arc::new(store), Some(token.clone()));
        config.scheduler.registry_hash = phasegrid_store::registry_hash();
        config.listen = Listen::Address(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let stop_coordinator = CancellationToken::new();
        let coordinator = serve(config, stop_coordinator.clone().cancelled_owned()).await?;
        Ok(Embedded { coordinator, stop_coordinator, token })
    }

    /// A client of the coordinator.
    pub(crate) async fn client(&self) -> Result<Client, Failure> {
        let endpoint =
            Endpoint::from_shared(self.coordinator.url()).map_err(Failure::infrastructure)?;
        let channel = endpoint.connect().await.map_err(Failure::infrastructure)?;
        let mut header: MetadataValue<Ascii> = format!("Bearer {}", self.token)
            .parse()
            .map_err(|_| Failure::infrastructure(anyhow!("the run's token is not ASCII")))?;
        header.set_sensitive(true);
        Ok(SweepsClient::with_interceptor(channel, Token(header))
            .max_encoding_message_size(MAX_MESSAGE_BYTES))
    }

    /// Starts the worker; it ends with `shutdown`.
    pub(crate) fn start_worker(
        &self,
        options: &RunOptions,
        source: &SweepSource,
        shutdown: CancellationToken,
    ) -> JoinHandle<Result<(), WorkerError>> {
        let slots = options.workers.unwrap_or_else(processors);
        let config = WorkerConfig {
            coordinator: self.coordinator.url(),
            token: Some(self.token.clone()),
            name: WorkerConfig::unique_name(),
            device: options.device,
            slots,
            slot_memory_bytes: options.memory.map_or_else(
                || WorkerConfig::default_slot_memory(slots),
                |mebibytes| mebibytes << 20,
            ),
            data_dir: options.data.clone(),
            tasks: Some(source.tasks.clone()),
            trainer: options.trainer.clone().unwrap_or_else(default_trainer_path),
            patience: Duration::from_secs(30),
        };
        tokio::spawn(phasegrid_worker::run(config, shutdown))
    }

    /// Ends the coordinator; what it acknowledged is on disk.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        self.stop_coordinator.cancel();
        Ok(self.coordinator.ended().await?)
    }
}

/// Submits a sweep file.
pub(crate) async fn submit(
    client: &mut Client,
    source: &SweepSource,
) -> Result<SubmitResponse, Failure> {
    let request = SubmitRequest {
        sweep_file: source.text.clone(),
        train_rows: source.train_rows.clone().into_iter().collect(),
        adopt: false,
        owner: std::env::var("USER").unwrap_or_default(),
    };
    let response = client.submit(request).await.map_err(ServiceError::from)?;
    Ok(response.into_inner())
}

fn processors() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u32)
}

fn random_token() -> Result<String, Failure> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::infrastructure(anyhow!("the system gives no random bytes: {error}"))
    })?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
