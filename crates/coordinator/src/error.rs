//! Why a coordinator cannot start, or had to stop.

use std::net::SocketAddr;

use crate::log::LogError;
use crate::scheduler::RecoveryError;

/// A coordinator that cannot run. All but [`CoordinatorError::PlainText`] are infrastructure
/// (exit code 3).
#[derive(Debug, thiserror::Error)]
pub enum CoordinatorError {
    /// The address is taken.
    #[error(
        "{address} is already in use: another coordinator may be running there; stop it or choose another --listen"
    )]
    AddressInUse {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Tokens and results would cross the network readable by anybody.
    #[error(
        "{address} is not on loopback: plain text there has to be allowed by name (--allow-plaintext)"
    )]
    PlainText {
        /// The address.
        address: SocketAddr,
    },
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log's contents.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// The server.
    #[error("the server stopped: {0}")]
    Serve(#[from] tonic::transport::Error),
    /// A task of the coordinator ended that never should.
    #[error("a task of the coordinator died: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// The reflection service.
    #[error("the reflection service cannot read its descriptors: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}
