//! The service for workers.

use std::sync::Arc;

use phasegrid_proto::ServiceError;
use phasegrid_proto::v1::workers_server::Workers;
use phasegrid_proto::v1::{
    CompleteRequest, CompleteResponse, ErrorKind, FailRequest, FailResponse, HeartbeatRequest,
    HeartbeatResponse, LeaseRequest, LeaseResponse, RegisterRequest, RegisterResponse,
    Verdict as WireVerdict,
};
use tonic::{Request, Response, Status};

use super::jobs::{JobContext, on_store};
use super::submission::blocking;
use super::{bounds, convert};
use crate::commit::{StagedFile, Verification};
use crate::model::LeaseName;
use crate::scheduler::{Claim, Completion, LeaseAnswer, ListedLease, UnknownWorker, Verdict};

/// `phasegrid.v1.Workers`.
pub(super) struct WorkersService {
    pub(super) context: JobContext,
}

fn answer(verdict: Verdict) -> CompleteResponse {
    let (verdict, detail) = match verdict {
        Verdict::Won => (WireVerdict::Won, String::new()),
        Verdict::Lost(why) => (WireVerdict::Lost, why),
        Verdict::Cancelled => (WireVerdict::Cancelled, "the sweep was cancelled".to_owned()),
    };
    CompleteResponse { verdict: verdict as i32, detail }
}

#[tonic::async_trait]
impl Workers for WorkersService {
    async fn register(
        &self,
        request: Request<RegisterRequest>,
    ) -> Result<Response<RegisterResponse>, Status> {
        let registration = bounds::registration(request.into_inner())?;
        let registered = self.context.core.call(move |scheduler, now, effects| {
            let refusal = scheduler.register(registration, now, effects);
            (refusal, scheduler.config().lease, scheduler.config().heartbeat)
        });
        let (refusal, lease, heartbeat) = registered.await?;
        Ok(Response::new(RegisterResponse {
            store_url: self.context.store.url(),
            store_id: self.context.store.id(),
            lease_ms: convert::milliseconds(lease),
            heartbeat_ms: convert::milliseconds(heartbeat),
            refusal: refusal.unwrap_or_default(),
        }))
    }

    async fn lease(
        &self,
        request: Request<LeaseRequest>,
    ) -> Result<Response<LeaseResponse>, Status> {
        let request = request.into_inner();
        let worker = bounds::worker(request.worker)?;
        let poll = bounds::poll(request.poll_ms);
        let leased = self.context.core.lease(worker.clone(), poll).await?;
        match leased {
            Ok(LeaseAnswer::Unit(grant)) => {
                let unit = blocking(move || convert::unit(&grant)).await?;
                Ok(Response::new(LeaseResponse { unit: Some(unit), reason: String::new() }))
            }
            Ok(LeaseAnswer::Nothing(reason)) => {
                Ok(Response::new(LeaseResponse { unit: None, reason }))
            }
            Err(UnknownWorker) => {
                let message = format!("worker {worker} is not registered here: register (again)");
                Err(ServiceError::new(ErrorKind::UnknownWorker, worker, message).into())
            }
        }
    }

    async fn heartbeat(
        &self,
        request: Request<HeartbeatRequest>,
    ) -> Result<Response<HeartbeatResponse>, Status> {
        let request = request.into_inner();
        let worker = bounds::worker(request.worker)?;
        bounds::listed_leases(request.leases.len())?;
        let mut listed = Vec::with_capacity(request.leases.len());
        for one in request.leases {
            let lease = bounds::lease(one.lease, "leases.lease")?;
            let progress = one.step as f64 / one.steps.max(1) as f64;
            listed.push(ListedLease { lease, progress });
        }
        let beat = self.context.core.call(move |scheduler, now, effects| {
            scheduler.heartbeat(&worker, &listed, now, effects)
        });
        let beat = beat.await?;
        let cancelled = beat.cancelled.into_iter().map(convert::lease_key).collect();
        Ok(Response::new(HeartbeatResponse { cancelled, register_again: beat.register_again }))
    }

    async fn complete(
        &self,
        request: Request<CompleteRequest>,
    ) -> Result<Response<CompleteResponse>, Status> {
        let request = request.into_inner();
        let worker = bounds::worker(request.worker)?;
        let lease = bounds::lease(request.lease, "lease")?;
        let claimed = lease.clone();
        let claim = self
            .context
            .core
            .call(move |scheduler, now, effects| scheduler.claim(&claimed, now, effects))
            .await?;
        let trials = match claim {
            Claim::Decided(verdict) => return Ok(Response::new(answer(verdict))),
            Claim::MayWin { trials } => trials,
        };
        let (ok, diverged) = bounds::outcomes(request.trials_ok, request.trials_diverged, trials)?;
        let manifest = bounds::manifest(request.manifest, &lease, trials)?;
        let manifest = match self.verify(&lease, manifest).await? {
            Ok(manifest) => manifest,
            Err(detail) => {
                let verdict = WireVerdict::StageAgain as i32;
                return Ok(Response::new(CompleteResponse { verdict, detail }));
            }
        };
        let trial_steps_per_second = request.trial_steps_per_second;
        let completion =
            Completion { worker, lease, manifest, ok, diverged, trial_steps_per_second };
        let settled = self
            .context
            .core
            .call(move |scheduler, now, effects| scheduler.settle(completion, now, effects));
        Ok(Response::new(answer(settled.await?)))
    }

    async fn fail(&self, request: Request<FailRequest>) -> Result<Response<FailResponse>, Status> {
        let request = request.into_inner();
        let worker = bounds::worker(request.worker)?;
        let lease = bounds::lease(request.lease, "lease")?;
        let cause = bounds::cause(request.cause)?;
        let message = bounds::failure_message(request.message);
        let failed = self.context.core.call(move |scheduler, now, effects| {
            scheduler.fail(&worker, &lease, cause, &message, now, effects);
        });
        failed.await?;
        Ok(Response::new(FailResponse {}))
    }
}

impl WorkersService {
    /// Checks staged files; the inner error says which is broken.
    async fn verify(
        &self,
        lease: &LeaseName,
        manifest: Vec<StagedFile>,
    ) -> Result<Result<Vec<StagedFile>, String>, ServiceError> {
        let lease = lease.clone();
        let files: Arc<[StagedFile]> = manifest.as_slice().into();
        let verified = on_store(&self.context, move |store| {
            store.verify(&lease.sweep, lease.unit, lease.attempt, &files)
        });
        match verified.await {
            Ok(Verification::Intact) => Ok(Ok(manifest)),
            Ok(Verification::Broken(how)) => Ok(Err(how)),
            Err(failure) => Err(ServiceError::new(ErrorKind::Store, "", failure.to_string())),
        }
    }
}
