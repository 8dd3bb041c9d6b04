//! One module a command.

pub(crate) mod metrics;
pub(crate) mod phase;
pub(crate) mod query;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod tasks;
