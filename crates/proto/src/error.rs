//! [`ServiceError`]: a failure with its class, to and from [`tonic::Status`].

use std::fmt;

use prost::Message;
use tonic::{Code, Status};

use crate::v1::{ErrorDetail, ErrorKind};

/// A refusal or failure of a phasegrid service. The class travels in the status's details: callers
/// decide by [`ServiceError::kind`], never by the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    kind: ErrorKind,
    code: Code,
    subject: String,
    message: String,
}

impl ServiceError {
    /// A failure of class `kind` about `subject` (a field, a sweep, a setting), told by `message`.
    pub fn new(kind: ErrorKind, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, code: code_of(kind), subject: subject.into(), message: message.into() }
    }

    /// A request field out of bounds.
    pub fn bad_field(field: &str, problem: impl fmt::Display) -> Self {
        Self::new(ErrorKind::BadField, field, format!("`{field}` {problem}"))
    }

    /// The class; `Unspecified` for a status that no phasegrid service made (a lost connection, say).
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The gRPC code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What it is about: a field, a sweep, a setting. May be empty.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The text for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the same request may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self.kind {
            ErrorKind::Store | ErrorKind::Log | ErrorKind::Stopping | ErrorKind::UnknownWorker => {
                true
            }
            ErrorKind::Unspecified => matches!(
                self.code,
                Code::Unavailable
                    | Code::DeadlineExceeded
                    | Code::Aborted
                    | Code::Cancelled
                    | Code::Unknown
            ),
            _ => false,
        }
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ServiceError {}

impl From<ServiceError> for Status {
    fn from(error: ServiceError) -> Self {
        let detail = ErrorDetail { kind: error.kind as i32, subject: error.subject };
        Status::with_details(error.code, error.message, detail.encode_to_vec().into())
    }
}

impl From<&Status> for ServiceError {
    fn from(status: &Status) -> Self {
        // An empty or foreign detail decodes to nothing we know: class unspecified.
        let detail = ErrorDetail::decode(status.details()).unwrap_or_default();
        Self {
            kind: detail.kind(),
            code: status.code(),
            subject: detail.subject,
            message: status.message().to_owned(),
        }
    }
}

impl From<Status> for ServiceError {
    fn from(status: Status) -> Self {
        Self::from(&status)
    }
}

fn code_of(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Unspecified => Code::Internal,
        ErrorKind::BadField | ErrorKind::BadSweepFile => Code::InvalidArgument,
        ErrorKind::MeasureChanged | ErrorKind::SweepOfAnother | ErrorKind::UnknownWorker => {
            Code::FailedPrecondition
        }
        ErrorKind::NoSuchSweep | ErrorKind::NoSuchTrial => Code::NotFound,
        ErrorKind::BadToken => Code::Unauthenticated,
        ErrorKind::Store | ErrorKind::Log | ErrorKind::Stopping => Code::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_and_its_subject_survive_the_wire() {
        for number in 0..=11 {
            let kind = ErrorKind::try_from(number).unwrap();
            let sent = ServiceError::new(kind, "measure.at", "`measure.at` differs");
            let received = ServiceError::from(Status::from(sent.clone()));
            assert_eq!(received, sent);
        }
    }

    #[test]
    fn a_status_of_somebody_else_has_no_class() {
        let received = ServiceError::from(Status::unavailable("connection refused"));
        assert_eq!(received.kind(), ErrorKind::Unspecified);
        assert!(received.is_transient());
        assert!(!ServiceError::from(Status::unimplemented("no")).is_transient());
    }
}
