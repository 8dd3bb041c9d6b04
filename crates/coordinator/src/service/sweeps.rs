//! The service for clients.

use std::time::Duration;

use phasegrid_proto::ServiceError;
use phasegrid_proto::v1::sweeps_server::Sweeps;
use phasegrid_proto::v1::{
    ErrorKind, ExplainRequest, ExplainResponse, ExtendRequest, ListRequest, ListResponse,
    StatusRequest, SubmitRequest, SubmitResponse, SweepRequest, SweepStatus, WatchRequest,
};
use phasegrid_spec::{Sweep, TrialId, TrialIndex};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::jobs::JobContext;
use super::submission::{Submission, blocking, submit};
use super::{bounds, convert, watch};
use crate::model::SweepId;
use crate::scheduler::{Effects, Scheduler};

/// `phasegrid.v1.Sweeps`.
pub(super) struct SweepsService {
    pub(super) context: JobContext,
}

impl SweepsService {
    /// Does something to a sweep and answers how it stands then.
    async fn on_sweep(
        &self,
        name: String,
        action: impl FnOnce(&mut Scheduler, SweepId, Duration, &mut Effects) + Send + 'static,
    ) -> Result<SweepStatus, ServiceError> {
        let name = bounds::sweep_name(name, "sweep")?;
        let lookup = name.clone();
        let status = self
            .context
            .core
            .call(move |scheduler, now, effects| {
                let sweep = scheduler.sweep_id(&lookup)?;
                action(scheduler, sweep, now, effects);
                scheduler.status(sweep)
            })
            .await?;
        status.map(convert::status).ok_or_else(|| bounds::no_such_sweep(&name))
    }

    async fn submitted(&self, submission: Submission) -> Result<SubmitResponse, ServiceError> {
        let (name, trials_added) = submit(&self.context, submission).await?;
        let status = self.on_sweep(name, |_, _, _, _| ()).await?;
        Ok(SubmitResponse { status: Some(status), trials_added })
    }

    async fn explain_trial(
        &self,
        name: String,
        trial_id: String,
    ) -> Result<Vec<String>, ServiceError> {
        let lookup = name.clone();
        let plan = self.context.core.call(move |scheduler, _, _| scheduler.plan(&lookup)).await?;
        let plan = plan.ok_or_else(|| bounds::no_such_sweep(&name))?;
        let wanted = trial_id.clone();
        let position = blocking(move || find_trial(&plan, &wanted)).await?;
        let position = position.ok_or_else(|| {
            let message = format!("sweep {name} has no trial {trial_id}");
            ServiceError::new(ErrorKind::NoSuchTrial, trial_id.as_str(), message)
        })?;
        let reasons = self.context.core.call(move |scheduler, now, _| {
            let sweep = scheduler.sweep_id(&name)?;
            Some(scheduler.explain_trial(sweep, position, now))
        });
        Ok(reasons.await?.unwrap_or_default())
    }
}

fn find_trial(plan: &Sweep, trial_id: &str) -> Option<TrialIndex> {
    let wanted = trial_id.to_ascii_lowercase();
    plan.trials()
        .find(|(_, trial)| TrialId::of(trial).as_str() == wanted)
        .map(|(position, _)| position)
}

#[tonic::async_trait]
impl Sweeps for SweepsService {
    async fn submit(
        &self,
        request: Request<SubmitRequest>,
    ) -> Result<Response<SubmitResponse>, Status> {
        let request = request.into_inner();
        bounds::sweep_file(&request.sweep_file)?;
        let submission = Submission {
            sweep_file: request.sweep_file,
            train_rows: bounds::train_rows(request.train_rows)?,
            owner: bounds::owner(request.owner)?,
            adopt: request.adopt,
            extends: None,
        };
        Ok(Response::new(self.submitted(submission).await?))
    }

    async fn extend(
        &self,
        request: Request<ExtendRequest>,
    ) -> Result<Response<SubmitResponse>, Status> {
        let request = request.into_inner();
        bounds::sweep_file(&request.sweep_file)?;
        let sweep = bounds::sweep_name(request.sweep, "sweep")?;
        let key = bounds::idempotency_key(request.idempotency_key)?;
        let submission = Submission {
            sweep_file: request.sweep_file,
            train_rows: bounds::train_rows(request.train_rows)?,
            owner: String::new(),
            adopt: false,
            extends: Some((sweep, key)),
        };
        Ok(Response::new(self.submitted(submission).await?))
    }

    async fn list(&self, _request: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        let statuses = self.context.core.call(|scheduler, _, _| scheduler.statuses()).await?;
        let sweeps = statuses.into_iter().map(convert::status).collect();
        Ok(Response::new(ListResponse { sweeps }))
    }

    async fn status(
        &self,
        request: Request<StatusRequest>,
    ) -> Result<Response<SweepStatus>, Status> {
        let status = self.on_sweep(request.into_inner().sweep, |_, _, _, _| ()).await?;
        Ok(Response::new(status))
    }

    type WatchStream = ReceiverStream<Result<SweepStatus, Status>>;

    async fn watch(
        &self,
        request: Request<WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let name = bounds::sweep_name(request.into_inner().sweep, "sweep")?;
        let first = self.on_sweep(name.clone(), |_, _, _, _| ()).await?;
        Ok(Response::new(watch::start(self.context.core.clone(), name, first)))
    }

    async fn pause(&self, request: Request<SweepRequest>) -> Result<Response<SweepStatus>, Status> {
        let name = request.into_inner().sweep;
        let status = self.on_sweep(name, |scheduler, sweep, _, effects| {
            scheduler.pause(sweep, effects);
        });
        Ok(Response::new(status.await?))
    }

    async fn resume(
        &self,
        request: Request<SweepRequest>,
    ) -> Result<Response<SweepStatus>, Status> {
        let name = request.into_inner().sweep;
        let status = self.on_sweep(name, |scheduler, sweep, _, effects| {
            scheduler.resume(sweep, effects);
        });
        Ok(Response::new(status.await?))
    }

    async fn cancel(
        &self,
        request: Request<SweepRequest>,
    ) -> Result<Response<SweepStatus>, Status> {
        let name = request.into_inner().sweep;
        let status = self.on_sweep(name, |scheduler, sweep, _, effects| {
            scheduler.cancel(sweep, effects);
        });
        Ok(Response::new(status.await?))
    }

    async fn retry(&self, request: Request<SweepRequest>) -> Result<Response<SweepStatus>, Status> {
        let name = request.into_inner().sweep;
        let status = self.on_sweep(name, |scheduler, sweep, now, effects| {
            scheduler.retry(sweep, now, effects);
        });
        Ok(Response::new(status.await?))
    }

    async fn explain(
        &self,
        request: Request<ExplainRequest>,
    ) -> Result<Response<ExplainResponse>, Status> {
        let request = request.into_inner();
        let name = bounds::sweep_name(request.sweep, "sweep")?;
        let trial_id = bounds::trial_id(request.trial_id)?;
        let reasons = if trial_id.is_empty() {
            let lookup = name.clone();
            let reasons = self.context.core.call(move |scheduler, now, _| {
                Some(scheduler.explain_sweep(scheduler.sweep_id(&lookup)?, now))
            });
            reasons.await?.ok_or_else(|| bounds::no_such_sweep(&name))?
        } else {
            self.explain_trial(name, trial_id).await?
        };
        Ok(Response::new(ExplainResponse { reasons }))
    }
}
