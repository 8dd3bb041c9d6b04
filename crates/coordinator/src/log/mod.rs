//! The log: one SQLite file (WAL, synchronous=FULL) that survives a crash.
//!
//! It keeps blocks, units and failures: index ranges, never a row a trial. One thread writes, many
//! events a transaction; whoever waits for a record is told once it is on disk. Reading happens
//! once, on opening. Nothing above this module knows SQL, so that another database can take its
//! place.

mod apply;
mod error;
mod filesystem;
mod load;
mod lock;
mod open;
mod schema;
mod writer;

#[cfg(test)]
mod memory;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use memory::apply_to_snapshot;

pub use error::LogError;
pub use open::{LOG_FILE, Opened, open};
pub use writer::{Log, WriteFailed};
