//! The coordinator over real loopback gRPC, with workers and clients played by the tests.

// Nothing outside a test program can reach what is pub here, and a test may panic.
#![allow(unreachable_pub, clippy::unwrap_used)]

mod auth;
mod faults;
mod folder;
mod harness;
mod lifecycle;
mod lossy;
mod refusals;
