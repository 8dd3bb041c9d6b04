//! A channel that loses replies: the server has done its part, the client never hears of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::transport::Channel;

/// Loses the next replies, and counts those lost.
#[derive(Clone)]
pub struct LossyChannel {
    channel: Channel,
    to_lose: Arc<AtomicU32>,
    pub lost: Arc<AtomicU32>,
}

impl LossyChannel {
    pub fn new(channel: Channel, to_lose: u32) -> Self {
        Self {
            channel,
            to_lose: Arc::new(AtomicU32::new(to_lose)),
            lost: Arc::new(AtomicU32::new(0)),
        }
    }
}

impl Service<http::Request<Body>> for LossyChannel {
    type Response = http::Response<Body>;
    type Error = Status;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(context).map_err(|error| Status::unavailable(error.to_string()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answered = self.channel.call(request);
        let (to_lose, lost) = (Arc::clone(&self.to_lose), Arc::clone(&self.lost));
        Box::pin(async move {
            let answer = answered.await.map_err(|error| Status::unavailable(error.to_string()))?;
            let lose = to_lose
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_ok();
            if lose {
                lost.fetch_add(1, Ordering::SeqCst);
                return Err(Status::unavailable("the connection broke"));
            }
            Ok(answer)
        })
    }
}
