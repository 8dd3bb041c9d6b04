//! The coordinator as a worker sees it: calls that wait out a restart.

use crate::error::WorkerError;
use phasegrid_proto::ServiceError;
use phasegrid_proto::limits::MAX_MESSAGE_BYTES;
use phasegrid_proto::v1::workers_client::WorkersClient;
use std::future::Future;
use std::time::{Duration, Instant};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const CALL_TIMEOUT: Duration = Duration::from_secs(90);

/// Adds the bearer token to every request.
#[derive(Clone)]
pub(crate) struct Bearer {
    header: Option<MetadataValue<Ascii>>,
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(header) = &self.header {
            request.metadata_mut().insert("authorization", header.clone());
        }
        Ok(request)
    }
}

/// The generated client with the token.
pub(crate) type RawClient = WorkersClient<InterceptedService<Channel, Bearer>>;

/// A connection that is made when first used, and again after it broke.
#[derive(Clone)]
pub(crate) struct Client {
    raw: RawClient,
    url: String,
    patience: Duration,
}

impl Client {
    pub(crate) fn new(
        url: &str,
        token: Option<&str>,
        patience: Duration,
    ) -> Result<Self, WorkerError> {
        let bad_address = || WorkerError::BadAddress { url: url.to_owned() };
        let endpoint = Endpoint::from_shared(url.to_owned())
            .map_err(|_| bad_address())?
            .connect_timeout(Duration::from_secs(5))
            .timeout(CALL_TIMEOUT)
            .tcp_nodelay(true);
        let header = match token {
            Some(token) => {
                let mut header: MetadataValue<Ascii> =
                    format!("Bearer {token}").parse().map_err(|_| {
                        WorkerError::Refused("the token has characters no header can carry".into())
                    })?;
                header.set_sensitive(true);
                Some(header)
            }
            None => None,
        };
        let raw = WorkersClient::with_interceptor(endpoint.connect_lazy(), Bearer { header })
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        Ok(Client { raw, url: url.to_owned(), patience })
    }

    /// Makes a call, and makes it again with growing pauses while its failure is transient and
    /// patience lasts. Every call of the worker service may be repeated.
    pub(crate) async fn call<T, F>(&self, call: impl Fn(RawClient) -> F) -> Result<T, WorkerError>
    where
        F: Future<Output = Result<tonic::Response<T>, Status>>,
    {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let status = match call(self.raw.clone()).await {
                Ok(response) => return Ok(response.into_inner()),
                Err(status) => status,
            };
            let error = ServiceError::from(&status);
            if !error.is_transient() {
                return Err(error.into());
            }
            if started.elapsed() > self.patience {
                return Err(WorkerError::Unreachable {
                    url: self.url.clone(),
                    reason: error.to_string(),
                });
            }
            tracing::debug!(reason = %error, "the coordinator does not answer; trying again");
            tokio::time::sleep(jittered(pause)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Half to all of a pause, so that workers do not come back in step.
fn jittered(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    pause.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}
