//! How a command fails: the exit codes of the design.

use std::fmt;
use std::process::ExitCode;

/// A failed command: what it means, and the text for people.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Work failed or was cancelled: exit code 1.
    Work(anyhow::Error),
    /// The command line or a file is wrong: exit code 2.
    Usage(anyhow::Error),
    /// The machine, the network, the disk: exit code 3.
    Infrastructure(anyhow::Error),
}

impl Failure {
    pub(crate) fn work(error: impl Into<anyhow::Error>) -> Self {
        Failure::Work(error.into())
    }

    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Failure::Usage(error.into())
    }

    pub(crate) fn infrastructure(error: impl Into<anyhow::Error>) -> Self {
        Failure::Infrastructure(error.into())
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Work(_) => ExitCode::from(1),
            Failure::Usage(_) => ExitCode::from(2),
            Failure::Infrastructure(_) => ExitCode::from(3),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::Work(error) | Failure::Usage(error) | Failure::Infrastructure(error)) = self;
        let mut text = error.to_string();
        for cause in error.chain().skip(1).map(ToString::to_string) {
            // Many an error says its cause itself.
            if !text.contains(&cause) {
                text = format!("{text}: {cause}");
            }
        }
        formatter.write_str(&text)
    }
}

impl From<phasegrid_analyze::AnalyzeError> for Failure {
    fn from(error: phasegrid_analyze::AnalyzeError) -> Self {
        if error.is_usage() { Failure::usage(error) } else { Failure::infrastructure(error) }
    }
}

impl From<phasegrid_store::StoreError> for Failure {
    fn from(error: phasegrid_store::StoreError) -> Self {
        use phasegrid_store::StoreError::{BadName, Foreign, NotAStore, UnsupportedUrl};
        match error {
            NotAStore { .. } | Foreign { .. } | UnsupportedUrl { .. } | BadName { .. } => {
                Failure::usage(error)
            }
            _ => Failure::infrastructure(error),
        }
    }
}

impl From<phasegrid_coordinator::CoordinatorError> for Failure {
    fn from(error: phasegrid_coordinator::CoordinatorError) -> Self {
        Failure::infrastructure(error)
    }
}

impl From<phasegrid_worker::WorkerError> for Failure {
    fn from(error: phasegrid_worker::WorkerError) -> Self {
        Failure::infrastructure(error)
    }
}

impl From<phasegrid_proto::ServiceError> for Failure {
    fn from(error: phasegrid_proto::ServiceError) -> Self {
        use phasegrid_proto::v1::ErrorKind;
        match error.kind() {
            ErrorKind::BadField
            | ErrorKind::BadSweepFile
            | ErrorKind::MeasureChanged
            | ErrorKind::SweepOfAnother
            | ErrorKind::NoSuchSweep
            | ErrorKind::NoSuchTrial => Failure::usage(error),
            _ => Failure::infrastructure(error),
        }
    }
}
