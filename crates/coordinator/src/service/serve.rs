//! Starting and stopping a coordinator.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use phasegrid_proto::v1::sweeps_server::SweepsServer;
use phasegrid_proto::v1::workers_server::WorkersServer;
use phasegrid_proto::{FILE_DESCRIPTOR_SET, limits};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use super::auth::TokenCheck;
use super::config::{Config, Listen};
use super::core::{CoreTask, LogFailure};
use super::finished::announce;
use super::jobs::{JobContext, run_jobs};
use super::sweeps::SweepsService;
use super::workers::WorkersService;
use crate::error::CoordinatorError;
use crate::log::{self, LogError};
use crate::scheduler::{Effects, Scheduler};

/// How long clients that hold on to their connection are waited for at the end.
const GRACE: Duration = Duration::from_secs(5);
/// And how long what they left is waited for.
const LAST_GRACE: Duration = Duration::from_secs(1);

/// A coordinator that runs.
#[derive(Debug)]
pub struct Coordinator {
    address: SocketAddr,
    id: String,
    running: JoinHandle<Result<(), CoordinatorError>>,
}

impl Coordinator {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients and workers connect to.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its id: that of its state directory.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Waits until it has ended: after the shutdown it was given, or because it cannot go on.
    pub async fn ended(self) -> Result<(), CoordinatorError> {
        self.running.await?
    }
}

/// Opens the log, goes on where it ends, and serves until `shutdown` is ready. Then no leases are
/// given any more, requests and jobs under way are finished, and the log is closed.
pub async fn serve(
    config: Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<Coordinator, CoordinatorError> {
    let listener = listen(config.listen).await?;
    let address = local_address(&listener)?;
    if !address.ip().is_loopback() && !config.allow_plaintext {
        return Err(CoordinatorError::PlainText { address });
    }
    let state_dir = config.state_dir.clone();
    let opened = tokio::task::spawn_blocking(move || log::open(&state_dir)).await??;
    let mut recovered = Effects::default();
    let scheduler =
        Scheduler::recover(opened.snapshot, config.scheduler, Duration::ZERO, &mut recovered)?;

    let stopping = CancellationToken::new();
    let failure = LogFailure::default();
    let (jobs, job_queue) = mpsc::unbounded_channel();
    let (core_task, core) =
        CoreTask::new(scheduler, opened.log, jobs, stopping.clone(), failure.clone());
    let context = JobContext {
        core,
        store: config.store,
        coordinator: opened.coordinator.as_str().into(),
        documents: Arc::new(Mutex::new(())),
        permits: Arc::new(Semaphore::new(config.store_jobs.max(1))),
    };
    let server = start_server(listener, &context, config.token.as_deref(), &stopping).await?;
    let mut core_running = tokio::spawn(core_task.run(recovered));
    let listened_to = config.finished.map(|listener| (context.core.clone(), listener));
    let announcing = listened_to.map(|(core, listener)| tokio::spawn(announce(core, listener)));
    let jobs_running = tokio::spawn(run_jobs(context, job_queue));
    let running = tokio::spawn(async move {
        let ended = run_until(server, shutdown, &stopping, &failure).await;
        if let Some(announcing) = announcing {
            announcing.await?;
        }
        jobs_running.await?;
        if let Ok(done) = tokio::time::timeout(LAST_GRACE, &mut core_running).await {
            done?;
        } else {
            // A connection that was cut off still holds a way to the core. What is durable is.
            core_running.abort();
            let _ = core_running.await;
        }
        ended
    });
    tracing::info!(%address, coordinator = opened.coordinator, "the coordinator listens");
    Ok(Coordinator { address, id: opened.coordinator, running })
}

type ServerTask = JoinHandle<Result<(), tonic::transport::Error>>;

/// Waits for the shutdown, a failing log or a failing server, and ends the server.
async fn run_until(
    mut server: ServerTask,
    shutdown: impl Future<Output = ()> + Send,
    stopping: &CancellationToken,
    failure: &LogFailure,
) -> Result<(), CoordinatorError> {
    let mut served = None;
    tokio::select! {
        () = shutdown => {}
        () = failure.happened.cancelled() => {}
        outcome = &mut server => served = Some(outcome),
    }
    stopping.cancel();
    if served.is_none() {
        served = tokio::time::timeout(GRACE, &mut server).await.ok();
    }
    match served {
        Some(outcome) => outcome??,
        // A client that does not let go is cut off.
        None => server.abort(),
    }
    match failure.reason() {
        Some(reason) => Err(LogError::Write(reason).into()),
        None => Ok(()),
    }
}

async fn start_server(
    listener: TcpListener,
    context: &JobContext,
    token: Option<&str>,
    stopping: &CancellationToken,
) -> Result<ServerTask, CoordinatorError> {
    let check = TokenCheck::new(token);
    let sweeps = SweepsServer::new(SweepsService { context: context.clone() })
        .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_MESSAGE_BYTES);
    let workers = WorkersServer::new(WorkersService { context: context.clone() })
        .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_MESSAGE_BYTES);
    // Health is open: probes carry no token.
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<SweepsServer<SweepsService>>().await;
    reporter.set_serving::<WorkersServer<WorkersService>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let router = Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(20)))
        .add_service(health)
        .add_service(InterceptedService::new(reflection, check.clone()))
        .add_service(InterceptedService::new(sweeps, check.clone()))
        .add_service(InterceptedService::new(workers, check));
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let stopped = stopping.clone().cancelled_owned();
    Ok(tokio::spawn(router.serve_with_incoming_shutdown(incoming, stopped)))
}

async fn listen(listen: Listen) -> Result<TcpListener, CoordinatorError> {
    match listen {
        Listen::Address(address) => {
            TcpListener::bind(address).await.map_err(|source| cannot_listen(address, source))
        }
        Listen::Bound(listener) => {
            let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
            let address = listener.local_addr().unwrap_or(unknown);
            listener
                .set_nonblocking(true)
                .and_then(|()| TcpListener::from_std(listener))
                .map_err(|source| cannot_listen(address, source))
        }
    }
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr, CoordinatorError> {
    let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
    listener.local_addr().map_err(|source| cannot_listen(unknown, source))
}

fn cannot_listen(address: SocketAddr, source: std::io::Error) -> CoordinatorError {
    match source.kind() {
        std::io::ErrorKind::AddrInUse => CoordinatorError::AddressInUse { address },
        _ => CoordinatorError::Listen { address, source },
    }
}
