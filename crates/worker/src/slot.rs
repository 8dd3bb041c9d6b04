//! One slot: lease, train, stage, complete, again.

use crate::client::Client;
use crate::config::WorkerConfig;
use crate::error::WorkerError;
use crate::leases::Leases;
use crate::output::UnitOutput;
use crate::trainer::{Trainer, UnitEnd};
use phasegrid_proto::ServiceError;
use phasegrid_proto::v1::{
    CompleteRequest, ErrorKind, FailRequest, FailureCause, LeaseKey, LeaseRequest, StagedFile,
    Unit, Verdict,
};
use phasegrid_store::{Store, UnitKey};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest wait for a unit in one call.
const POLL_MS: u64 = 20_000;
/// How often a result is staged before the store counts as failed.
const STAGE_TRIES: u32 = 3;

/// Why a result could not be staged.
struct StageFailure {
    message: String,
    /// The store takes no more: trying again does not help.
    is_full: bool,
}

/// What a slot works with.
#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) config: WorkerConfig,
    pub(crate) client: Client,
    pub(crate) store: Store,
    pub(crate) leases: Leases,
    /// Cancelled when the worker is to end.
    pub(crate) shutdown: CancellationToken,
}

impl Slot {
    /// Works until shutdown or an error that no retry mends.
    pub(crate) async fn run(self, trainer: Trainer) -> Result<(), WorkerError> {
        let mut trainer = Some(trainer);
        let mut rate = 0.0;
        while !self.shutdown.is_cancelled() {
            let leased = tokio::select! {
                leased = self.lease(rate) => leased?,
                () = self.shutdown.cancelled() => break,
            };
            let Some(unit) = leased else { continue };
            let key =
                LeaseKey { sweep: unit.sweep.clone(), unit: unit.unit, attempt: unit.attempt };
            let cancelled = self.leases.hold(&key);
            let result = self.work_on(&mut trainer, unit, &key, &cancelled, &mut rate).await;
            self.leases.drop_lease(&key);
            result?;
        }
        Ok(())
    }

    async fn lease(&self, rate: f64) -> Result<Option<Unit>, WorkerError> {
        let request = LeaseRequest {
            worker: self.config.name.clone(),
            poll_ms: POLL_MS,
            trial_steps_per_second: rate,
        };
        let response = self
            .client
            .call(|mut raw| {
                let request = request.clone();
                async move { raw.lease(request).await }
            })
            .await;
        match response {
            Ok(response) => Ok(response.unit),
            // The heartbeat registers again; until then there is nothing to lease.
            Err(WorkerError::Service(error)) if error.kind() == ErrorKind::UnknownWorker => {
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Trains and reports one unit. Only what ends the worker is an error.
    async fn work_on(
        &self,
        trainer: &mut Option<Trainer>,
        unit: Unit,
        key: &LeaseKey,
        cancelled: &CancellationToken,
        rate: &mut f64,
    ) -> Result<(), WorkerError> {
        let mut running = match trainer.take() {
            Some(running) => running,
            None => Trainer::start(&self.config).await?,
        };
        let trials = unit.trials.len();
        let steps = steps_of(&unit);
        // Stopped by the coordinator or by the end of this worker, whichever comes first.
        let stop = cancelled.child_token();
        let relay = tokio::spawn({
            let (stop, shutdown) = (stop.clone(), self.shutdown.clone());
            async move {
                shutdown.cancelled().await;
                stop.cancel();
            }
        });
        let end =
            running.train(unit, &stop, |step, steps| self.leases.progress(key, step, steps)).await;
        relay.abort();
        if !matches!(end, UnitEnd::Failed(..)) && running.is_alive() {
            *trainer = Some(running);
        }
        match end {
            UnitEnd::Done(output) if output.trial_rows() != trials => {
                let message =
                    format!("the trainer sent {} rows for {trials} trials", output.trial_rows());
                self.fail(key, FailureCause::Refused, message).await
            }
            UnitEnd::Done(output) => {
                let seconds = output.train_seconds + output.measure_seconds;
                if seconds > 0.0 {
                    *rate = trials as f64 * steps / seconds;
                }
                self.commit(key, &output, *rate).await
            }
            UnitEnd::Failed(cause, message) => self.fail(key, cause, message).await,
            UnitEnd::Stopped if cancelled.is_cancelled() => Ok(()),
            UnitEnd::Stopped => {
                self.fail(key, FailureCause::HandedBack, "the worker is ending".into()).await
            }
        }
    }

    /// Stages the result and completes the lease; stages again where the coordinator finds the
    /// files broken.
    async fn commit(
        &self,
        key: &LeaseKey,
        output: &UnitOutput,
        rate: f64,
    ) -> Result<(), WorkerError> {
        let mut problem = String::new();
        let mut is_full = false;
        for _ in 0..STAGE_TRIES {
            let manifest = match self.stage(key, output).await {
                Ok(manifest) => manifest,
                Err(failure) => {
                    is_full = failure.is_full;
                    problem = failure.message;
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    continue;
                }
            };
            let request = CompleteRequest {
                worker: self.config.name.clone(),
                lease: Some(key.clone()),
                manifest,
                trials_ok: output.trials_ok,
                trials_diverged: output.trials_diverged,
                trial_steps_per_second: rate,
            };
            let response = self
                .client
                .call(|mut raw| {
                    let request = request.clone();
                    async move { raw.complete(request).await }
                })
                .await;
            let response = match response {
                // The result cannot be told: the unit is too large, or this worker is at fault.
                Err(WorkerError::Service(error)) if error.kind() == ErrorKind::BadField => {
                    return self.fail(key, FailureCause::Refused, error.to_string()).await;
                }
                other => other?,
            };
            match response.verdict() {
                Verdict::StageAgain => problem = response.detail,
                verdict => {
                    tracing::debug!(sweep = key.sweep, unit = key.unit, ?verdict, "completed");
                    return Ok(());
                }
            }
        }
        let failed = self.fail(key, FailureCause::Store, problem.clone()).await;
        if is_full {
            // Training on would only throw the results away.
            let url = self.store.root().display().to_string();
            return Err(WorkerError::Store { url, reason: problem });
        }
        failed
    }

    async fn stage(
        &self,
        key: &LeaseKey,
        output: &UnitOutput,
    ) -> Result<Vec<StagedFile>, StageFailure> {
        let unit_key = UnitKey { sweep: key.sweep.clone(), unit: key.unit, attempt: key.attempt };
        let (store, output) = (self.store.clone(), output.clone());
        let staged = tokio::task::spawn_blocking(move || output.stage(&store, &unit_key)).await;
        let died = |error: tokio::task::JoinError| StageFailure {
            message: error.to_string(),
            is_full: false,
        };
        let manifest = staged.map_err(died)?.map_err(|error| StageFailure {
            message: error.to_string(),
            is_full: error.is_full(),
        })?;
        let to_message = |file: phasegrid_store::StagedFile| StagedFile {
            table: file.table,
            path: file.path,
            rows: file.rows,
            bytes: file.bytes,
            blake3: file.blake3,
        };
        Ok(manifest.into_iter().map(to_message).collect())
    }

    async fn fail(
        &self,
        key: &LeaseKey,
        cause: FailureCause,
        message: String,
    ) -> Result<(), WorkerError> {
        if cause != FailureCause::HandedBack {
            tracing::warn!(
                sweep = key.sweep,
                unit = key.unit,
                attempt = key.attempt,
                ?cause,
                "{message}"
            );
        }
        let request = FailRequest {
            worker: self.config.name.clone(),
            lease: Some(key.clone()),
            cause: cause as i32,
            message,
        };
        let answer = self
            .client
            .call(|mut raw| {
                let request = request.clone();
                async move { raw.fail(request).await }
            })
            .await;
        match answer {
            // A coordinator that no longer knows the worker has freed the lease already.
            Err(WorkerError::Service(error)) if is_about_worker(&error) => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

fn is_about_worker(error: &ServiceError) -> bool {
    error.kind() == ErrorKind::UnknownWorker
}

/// Steps of a unit's trials, 1 at least.
fn steps_of(unit: &Unit) -> f64 {
    let first = unit
        .trials
        .first()
        .and_then(|json| phasegrid_spec::Hyperparameters::from_canonical_json(json).ok());
    first.map_or(1.0, |trial| trial.steps.max(1) as f64)
}
