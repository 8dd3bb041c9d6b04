//! The worker: a supervisor without libtorch.
//!
//! [`Worker`] starts its trainers, registers with a coordinator and keeps every trainer busy: lease a unit, have a
//! trainer process train it, stage what it sends, complete the lease. A trainer that dies takes
//! one attempt with it, never the worker; a coordinator that goes away is waited for while the
//! trained results are kept.
//!
//! This crate knows no scheduler and no libtorch; it knows the coordinator only through
//! `phasegrid-proto` and the store only through `phasegrid-store`.

mod client;
mod config;
mod error;
mod exit;
mod heartbeat;
mod leases;
mod memory;
mod output;
mod slot;
mod trainer;
mod worker;

pub use config::{Connection, Device, WorkerConfig, default_trainer_path};
pub use error::WorkerError;
pub use memory::default_slot_memory;
pub use worker::Worker;
