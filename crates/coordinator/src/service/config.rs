//! What a coordinator is told when it starts.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use crate::commit::CommitStore;
use crate::scheduler::SchedulerConfig;

/// Where to listen.
#[derive(Debug)]
pub enum Listen {
    /// An address; port 0 takes a free one.
    Address(SocketAddr),
    /// A socket that listens already.
    Bound(TcpListener),
}

/// Everything [`serve`](super::serve) needs.
pub struct Config {
    /// Where to listen.
    pub listen: Listen,
    /// Directory of the log, on a local disk.
    pub state_dir: PathBuf,
    /// Where results go.
    pub store: Arc<dyn CommitStore>,
    /// What every request has to carry as its bearer token, if anything.
    pub token: Option<String>,
    /// Plain text beyond loopback.
    pub allow_plaintext: bool,
    /// Terms, limits and the registry hash workers must have.
    pub scheduler: SchedulerConfig,
    /// Jobs on the store at once.
    pub store_jobs: usize,
    /// Told the name of a sweep each time all of its trials have their published rows, those that
    /// were done when the coordinator started included.
    pub finished: Option<UnboundedSender<String>>,
}

impl Config {
    /// A coordinator on a free loopback port.
    pub fn embedded(
        state_dir: impl Into<PathBuf>,
        store: Arc<dyn CommitStore>,
        token: Option<String>,
    ) -> Self {
        Self {
            listen: Listen::Address(SocketAddr::from(([127, 0, 0, 1], 0))),
            state_dir: state_dir.into(),
            store,
            token,
            allow_plaintext: false,
            scheduler: SchedulerConfig::default(),
            store_jobs: 8,
            finished: None,
        }
    }
}
