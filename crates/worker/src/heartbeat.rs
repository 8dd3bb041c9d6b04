//! Heartbeats: leases and progress up, cancellation down.

use crate::client::Client;
use crate::config::WorkerConfig;
use crate::error::WorkerError;
use crate::leases::Leases;
use phasegrid_proto::ServiceError;
use phasegrid_proto::v1::{ErrorKind, HeartbeatRequest, RegisterRequest};
use std::time::Duration;

/// Beats until dropped. A coordinator that was restarted is told again who this worker is.
pub(crate) async fn beat(
    client: Client,
    config: WorkerConfig,
    registration: RegisterRequest,
    leases: Leases,
    interval: Duration,
) -> WorkerError {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let request =
            HeartbeatRequest { worker: registration.worker.clone(), leases: leases.list() };
        let answer = client
            .call(|mut raw| {
                let request = request.clone();
                async move { beat_once(&mut raw, request).await }
            })
            .await;
        match answer {
            Ok(response) => {
                response.cancelled.iter().for_each(|key| leases.cancel(key));
                if response.register_again
                    && let Err(error) = register(&client, &config, &registration).await
                {
                    return error;
                }
            }
            Err(error) => return error,
        }
    }
}

/// An unknown worker is an answer here, not a failure to wait out.
async fn beat_once(
    raw: &mut crate::client::RawClient,
    request: HeartbeatRequest,
) -> Result<tonic::Response<phasegrid_proto::v1::HeartbeatResponse>, tonic::Status> {
    match raw.heartbeat(request).await {
        Err(status) if ServiceError::from(&status).kind() == ErrorKind::UnknownWorker => {
            let register_again = phasegrid_proto::v1::HeartbeatResponse {
                register_again: true,
                ..Default::default()
            };
            Ok(tonic::Response::new(register_again))
        }
        other => other,
    }
}

/// Registers and returns the coordinator's reply; a refusal is an error.
pub(crate) async fn register(
    client: &Client,
    config: &WorkerConfig,
    registration: &RegisterRequest,
) -> Result<phasegrid_proto::v1::RegisterResponse, WorkerError> {
    let response = client
        .call(|mut raw| {
            let request = RegisterRequest {
                // As of now: a worker that registers again has aged.
                time_limit_seconds: config.seconds_left(),
                ..registration.clone()
            };
            async move { raw.register(request).await }
        })
        .await?;
    if response.refusal.is_empty() {
        Ok(response)
    } else {
        Err(WorkerError::Refused(response.refusal))
    }
}
