//! The analyzer from the outside: stores written to disk, read back, aggregated and drawn.
#![allow(clippy::unwrap_used)]

mod aggregation;
mod compaction;
mod curves;
mod figures;
mod fixture;
mod paired;
mod real_store;
mod selection;
mod synthetic;
mod tables;
