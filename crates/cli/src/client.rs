//! A client of a coordinator, with its bearer token.

use crate::failure::Failure;
use anyhow::anyhow;
use phasegrid_proto::limits::MAX_MESSAGE_BYTES;
use phasegrid_proto::v1::sweeps_client::SweepsClient;
use std::time::Duration;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// A client that carries its token with every request.
pub(crate) type Client = SweepsClient<InterceptedService<Channel, Token>>;

/// A bearer token, or none.
#[derive(Clone)]
pub(crate) struct Token(Option<MetadataValue<Ascii>>);

impl Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(header) = &self.0 {
            request.metadata_mut().insert("authorization", header.clone());
        }
        Ok(request)
    }
}

/// Environment variable of the bearer token: secrets never stand in argument lists.
const TOKEN_VARIABLE: &str = "PHASEGRID_TOKEN";

/// The token of this environment, if there is one.
pub(crate) fn token() -> Option<String> {
    std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty())
}

/// Connects to a coordinator.
pub(crate) async fn connect(url: &str, token: Option<&str>) -> Result<Client, Failure> {
    let endpoint = Endpoint::from_shared(url.to_owned())
        .ok()
        .filter(|endpoint| endpoint.uri().host().is_some())
        .ok_or_else(|| {
            Failure::usage(anyhow!(
                "\"{url}\" is not a coordinator's address: expected http://HOST:PORT"
            ))
        })?;
    let endpoint = endpoint.connect_timeout(Duration::from_secs(5)).tcp_nodelay(true);
    let channel = endpoint.connect().await.map_err(|error| {
        let reason = std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), ToString::to_string);
        Failure::infrastructure(anyhow!("no coordinator answers at {url}: {reason}"))
    })?;
    let header = token.map(bearer).transpose()?;
    Ok(SweepsClient::with_interceptor(channel, Token(header))
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
        .max_decoding_message_size(MAX_MESSAGE_BYTES))
}

fn bearer(token: &str) -> Result<MetadataValue<Ascii>, Failure> {
    let mut header: MetadataValue<Ascii> = format!("Bearer {token}")
        .parse()
        .map_err(|_| Failure::usage(anyhow!("the token has characters no header can carry")))?;
    header.set_sensitive(true);
    Ok(header)
}
