//! The scheduler of phasegrid, its log, and the gRPC service around them.
//!
//! * [`scheduler`]: a state machine without I/O, network or clock. It cuts trials into units, leases
//!   them, decides who wins, and says what must be written and done.
//! * [`log`]: the SQLite file that survives a crash. What a handler decides is durable there before
//!   anybody is told.
//! * [`commit`]: what the coordinator asks of the store, as a narrow trait.
//! * [`service`]: [`serve`] ties them together behind tonic.
//!
//! ```text
//! request -> service -> core task: scheduler(state, event, now) -> answer, records, jobs
//!                            records -> log thread (group commit) -> answer sent, jobs started
//!                            jobs (verify, publish, clear) -> store, on blocking threads -> core task
//! ```
//!
//! This crate knows no libtorch, no Parquet and no worker processes.

pub mod commit;
mod error;
pub mod log;
pub mod model;
pub mod scheduler;
pub mod service;

pub use error::CoordinatorError;
pub use service::{Config, Coordinator, Listen, serve};
