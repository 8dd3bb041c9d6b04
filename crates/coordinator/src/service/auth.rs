//! Bearer tokens.

use phasegrid_proto::ServiceError;
use phasegrid_proto::v1::ErrorKind;
use tonic::service::Interceptor;
use tonic::{Request, Status};

/// Lets requests through that carry the token, or all if there is none.
#[derive(Clone, Debug)]
pub(super) struct TokenCheck {
    /// Comparing hashes takes the same time wherever the tokens differ.
    expected: Option<blake3::Hash>,
}

impl TokenCheck {
    pub(super) fn new(token: Option<&str>) -> Self {
        Self { expected: token.map(|token| blake3::hash(token.as_bytes())) }
    }

    fn refusal(message: &str) -> Status {
        ServiceError::new(ErrorKind::BadToken, "authorization", message).into()
    }
}

impl Interceptor for TokenCheck {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(expected) = self.expected else { return Ok(request) };
        let header = request.metadata().get("authorization");
        let token = header.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        let Some(token) = token else {
            return Err(Self::refusal(
                "this coordinator wants a bearer token: set PHASEGRID_TOKEN",
            ));
        };
        if blake3::hash(token) != expected {
            return Err(Self::refusal("the bearer token is not this coordinator's"));
        }
        Ok(request)
    }
}
