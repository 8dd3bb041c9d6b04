//! Why a worker cannot go on. What only costs an attempt is no error here.

use phasegrid_proto::ServiceError;
use std::path::PathBuf;

/// A worker's end before its work was done.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The address is no URL.
    #[error("\"{url}\" is not a coordinator's address: expected http://HOST:PORT")]
    BadAddress {
        /// As given.
        url: String,
    },
    /// The coordinator could not be reached for as long as the worker is patient.
    #[error("no coordinator answers at {url}: {reason}")]
    Unreachable {
        /// Its address.
        url: String,
        /// The last failure.
        reason: String,
    },
    /// The coordinator refused the worker.
    #[error("the coordinator refuses this worker: {0}")]
    Refused(String),
    /// The coordinator answered with an error no retry mends.
    #[error("the coordinator answers: {0}")]
    Service(#[from] ServiceError),
    /// The store is not the coordinator's.
    #[error("the store at {url} cannot be used by this worker: {reason}")]
    Store {
        /// Where it was looked for.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The trainer program cannot be started at all.
    #[error("the trainer {program} cannot be used: {reason}")]
    Trainer {
        /// The program.
        program: PathBuf,
        /// Why not, and what to do.
        reason: String,
    },
}
