//! One module a command.

pub(crate) mod cluster;
pub(crate) mod compact;
pub(crate) mod curve;
pub(crate) mod metrics;
pub(crate) mod phase;
pub(crate) mod query;
pub(crate) mod rpd;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod tasks;
