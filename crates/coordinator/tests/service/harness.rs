//! A coordinator on a free port, and the clients to talk to it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use phasegrid_coordinator::commit::{CommitStore, MemoryStore, StagedFile};
use phasegrid_coordinator::scheduler::SchedulerConfig;
use phasegrid_coordinator::{Config, Coordinator, CoordinatorError, serve};
use phasegrid_proto::v1::sweeps_client::SweepsClient;
use phasegrid_proto::v1::workers_client::WorkersClient;
use phasegrid_proto::v1::{
    self, CompleteRequest, CompleteResponse, Dataset, HeartbeatRequest, HeartbeatResponse,
    LeaseKey, LeaseProgress, LeaseRequest, RegisterRequest, RegisterResponse, StatusRequest,
    SubmitRequest, SubmitResponse, SweepState, SweepStatus, Unit,
};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;
use tonic::transport::Channel;

pub const SWEEP: &str =
    "name = \"s\"\ntask = \"digits\"\n[axes]\ndepth = [1, 2]\nseed = { range = [0, 4] }\n";

/// A sweep of one trial.
pub const ONE_TRIAL: &str = "name = \"s\"\ntask = \"digits\"\n[axes]\nseed = [0]\n";

pub struct Running {
    pub store: MemoryStore,
    pub directory: TempDir,
    coordinator: Option<Coordinator>,
    stop: Option<oneshot::Sender<()>>,
    /// Names of sweeps as the coordinator finds them done.
    finished: mpsc::UnboundedReceiver<String>,
    scheduler: SchedulerConfig,
}

impl Running {
    pub async fn start() -> Self {
        Self::start_with(SchedulerConfig::default()).await
    }

    pub async fn start_with(scheduler: SchedulerConfig) -> Self {
        let mut running = Self {
            store: MemoryStore::new(),
            directory: tempfile::tempdir().unwrap(),
            coordinator: None,
            stop: None,
            finished: mpsc::unbounded_channel().1,
            scheduler,
        };
        running.start_again().await;
        running
    }

    pub async fn start_again(&mut self) {
        let (stop, stopped) = oneshot::channel();
        let mut config =
            Config::embedded(self.directory.path(), Arc::new(self.store.clone()), None);
        config.scheduler = self.scheduler.clone();
        let (sender, finished) = mpsc::unbounded_channel();
        config.finished = Some(sender);
        self.finished = finished;
        let shutdown = async move {
            let _ = stopped.await;
        };
        self.coordinator = Some(serve(config, shutdown).await.unwrap());
        self.stop = Some(stop);
    }

    pub async fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(coordinator) = self.coordinator.take() {
            coordinator.ended().await.unwrap();
        }
    }

    /// Waits for the coordinator to end by itself.
    pub async fn ended(&mut self) -> Result<(), CoordinatorError> {
        self.coordinator.take().unwrap().ended().await
    }

    pub fn url(&self) -> String {
        self.coordinator.as_ref().unwrap().url()
    }

    pub async fn sweeps(&self) -> SweepsClient<Channel> {
        SweepsClient::connect(self.url()).await.unwrap()
    }

    pub async fn worker(&self, name: &str) -> FakeWorker {
        let client = WorkersClient::connect(self.url()).await.unwrap();
        FakeWorker { name: name.to_owned(), client, store: self.store.clone() }
    }

    pub async fn registered(&self, name: &str) -> FakeWorker {
        let mut worker = self.worker(name).await;
        assert_eq!(worker.register().await.refusal, "");
        worker
    }

    pub async fn submit(&self, text: &str) -> Result<SubmitResponse, Status> {
        let request = SubmitRequest { sweep_file: text.to_owned(), ..Default::default() };
        self.sweeps().await.submit(request).await.map(tonic::Response::into_inner)
    }

    pub async fn status(&self) -> SweepStatus {
        let request = StatusRequest { sweep: "s".to_owned() };
        self.sweeps().await.status(request).await.unwrap().into_inner()
    }

    /// Waits until a condition holds, at most 10 s.
    pub async fn until(&self, what: &str, holds: impl Fn(&SweepStatus) -> bool) -> SweepStatus {
        for _ in 0..500 {
            let status = self.status().await;
            if holds(&status) {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("never {what}: {:?}", self.status().await);
    }

    /// The next sweep that the coordinator says is done.
    pub async fn finished(&mut self) -> String {
        let next = tokio::time::timeout(Duration::from_secs(10), self.finished.recv()).await;
        next.expect("a sweep is finished within 10 s").expect("the coordinator runs")
    }

    /// Whether it has said no more since.
    pub fn nothing_else_finished(&mut self) -> bool {
        self.finished.try_recv().is_err()
    }

    pub async fn until_done(&self) -> SweepStatus {
        self.until("done", |status| status.state() == SweepState::Done).await
    }
}

/// A coordinator elsewhere, to be refused or to be another.
pub async fn serve_elsewhere(
    directory: &Path,
    store: Arc<dyn CommitStore>,
    change: impl FnOnce(&mut Config),
) -> Result<Coordinator, CoordinatorError> {
    let mut config = Config::embedded(directory, store, None);
    change(&mut config);
    serve(config, std::future::pending()).await
}

pub struct FakeWorker {
    pub name: String,
    pub client: WorkersClient<Channel>,
    pub store: MemoryStore,
}

impl FakeWorker {
    pub async fn register(&mut self) -> RegisterResponse {
        let request = RegisterRequest {
            worker: self.name.clone(),
            device: "cpu".to_owned(),
            slots: 1,
            slot_memory_bytes: 1 << 32,
            datasets: vec![Dataset { task: "digits".to_owned(), fingerprint: "f".to_owned() }],
            ..Default::default()
        };
        self.client.register(request).await.unwrap().into_inner()
    }

    pub async fn poll(&mut self, poll_ms: u64) -> Result<v1::LeaseResponse, Status> {
        let request =
            LeaseRequest { worker: self.name.clone(), poll_ms, trial_steps_per_second: 0.0 };
        self.client.lease(request).await.map(tonic::Response::into_inner)
    }

    pub async fn lease(&mut self) -> Unit {
        let response = self.poll(10_000).await.unwrap();
        response.unit.unwrap_or_else(|| panic!("no unit: {}", response.reason))
    }

    pub async fn heartbeat(&mut self, units: &[&Unit]) -> HeartbeatResponse {
        let leases = units
            .iter()
            .map(|unit| LeaseProgress { lease: Some(key(unit)), step: 1, steps: 2 })
            .collect();
        let request = HeartbeatRequest { worker: self.name.clone(), leases };
        self.client.heartbeat(request).await.unwrap().into_inner()
    }

    /// Stages a unit's files.
    pub fn stage(&self, unit: &Unit) -> StagedFile {
        let file = StagedFile {
            table: "trials".to_owned(),
            path: format!("_staging/{}/{}/{}/trials.parquet", unit.sweep, unit.unit, unit.attempt),
            rows: unit.trials.len() as u64,
            bytes: 1,
            blake3: "0".repeat(64),
        };
        self.store.stage(&file);
        file
    }

    /// What completing a staged unit says; the first trial diverged.
    pub fn completion(&self, unit: &Unit, file: &StagedFile) -> CompleteRequest {
        let manifest = v1::StagedFile {
            table: file.table.clone(),
            path: file.path.clone(),
            rows: file.rows,
            bytes: file.bytes,
            blake3: file.blake3.clone(),
        };
        CompleteRequest {
            worker: self.name.clone(),
            lease: Some(key(unit)),
            manifest: vec![manifest],
            trials_ok: unit.trials.len() as u64 - 1,
            trials_diverged: 1,
            trial_steps_per_second: 1e6,
        }
    }

    pub async fn complete(&mut self, unit: &Unit) -> CompleteResponse {
        let file = self.stage(unit);
        let request = self.completion(unit, &file);
        self.client.complete(request).await.unwrap().into_inner()
    }

    pub async fn fail(&mut self, unit: &Unit, cause: v1::FailureCause) {
        let request = v1::FailRequest {
            worker: self.name.clone(),
            lease: Some(key(unit)),
            cause: cause as i32,
            message: "boom".to_owned(),
        };
        self.client.fail(request).await.unwrap();
    }
}

pub fn key(unit: &Unit) -> LeaseKey {
    LeaseKey { sweep: unit.sweep.clone(), unit: unit.unit, attempt: unit.attempt }
}
