//! What phasegrid's programs say to each other: the messages and services of `proto/phasegrid/v1`,
//! the bounds every request keeps, and the error type that crosses the wire.
//!
//! This crate knows no scheduler, no store and no network beyond tonic's generated stubs.
//!
//! * [`v1`]: generated messages, clients and servers.
//! * [`limits`]: sizes, counts and names every request is held to.
//! * [`ServiceError`]: a failure with its class, to and from [`tonic::Status`].

mod error;
pub mod limits;

pub use error::ServiceError;

/// Messages, clients and servers generated from `proto/phasegrid/v1`.
#[allow(missing_docs, unreachable_pub, clippy::all, rustdoc::invalid_html_tags)]
pub mod v1 {
    tonic::include_proto!("phasegrid.v1");
}

/// The encoded `FileDescriptorSet` of all messages and services, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/phasegrid_descriptor.bin"));
