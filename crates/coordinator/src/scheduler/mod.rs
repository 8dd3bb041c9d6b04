//! The scheduler: a state machine without I/O, network or clock.
//!
//! Every handler takes what happened and when (a monotonic duration), changes the state, answers,
//! and leaves in [`Effects`] what must be durable before the answer is given and what must be done
//! after. Nothing here fails: what a caller did wrong is an answer like any other.
//!
//! Words: the *pending* ranges of a sweep are raw indices in no unit. A unit is cut from their front
//! when it is leased, then *waiting* whenever nobody holds it. What must always hold is written once,
//! in [`invariants`].

mod complete;
mod config;
mod effects;
mod explain;
mod fail;
mod fitness;
mod heartbeat;
pub mod invariants;
mod lease;
mod operate;
mod pending;
mod publish;
mod recover;
mod register;
mod sizing;
mod state;
mod status;
mod submit;
mod sweep_book;
mod time_left;
mod unit;
mod worker;

#[cfg(test)]
mod tests;

pub use complete::{Claim, Completion, Verdict};
pub use config::SchedulerConfig;
pub use effects::{Effects, Job};
pub use heartbeat::{HeartbeatAnswer, ListedLease};
pub use lease::{Grant, LeaseAnswer, UnknownWorker};
pub use recover::RecoveryError;
pub use sizing::{TrialCost, WorkerCapacity, trials_for_unit};
pub use state::{DocumentParts, Scheduler};
pub use status::{SweepState, SweepStatus};
pub use submit::{Prepared, SubmitRefusal, prepare};
pub use worker::Registration;
