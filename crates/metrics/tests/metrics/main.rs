//! The definitions of docs/metrics.md, checked on closed forms and hand-worked cases. No test
//! asserts what trained networks do.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod basins;
mod curvature;
mod degenerate;
mod fused;
mod initialisation;
mod linear_map;
mod order;
mod registry;
mod support;
