//! The coordinator as a process: gRPC on one side, the log and the store on the other.
//!
//! One task owns the scheduler; requests are closures sent to it. What it decides goes to the log's
//! thread, and only from there, durable, to whoever asked and to the jobs on the store.

mod auth;
mod bounds;
mod config;
mod convert;
mod core;
mod finished;
mod jobs;
mod lease_queue;
mod serve;
mod submission;
mod sweeps;
mod watch;
mod workers;

pub use config::{Config, Listen};
pub use serve::{Coordinator, serve};
