//! Tables, shards and the layout of a store.
//!
//! [`tables`] defines every column once: name, type, unit, sentence, and for a measured one all
//! that docs and command line say of it. [`TableBuilder`] turns values into record batches of
//! that schema, [`encode_shard`] into Parquet bytes, and [`Store`] knows where everything lies
//! and how it becomes visible: staged, verified, published, never half.
//!
//! This crate knows no network, no scheduler and no device.

mod builder;
mod document;
mod error;
mod layout;
mod local;
mod shard;
mod store;
pub mod tables;

pub use builder::{Cell, TableBuilder, UnknownColumn};
pub use document::{FORMAT_VERSION, SCHEMA_VERSION, StoreDocument, SweepDocument};
pub use error::StoreError;
pub use layout::{UnitKey, published_path, staging_path, sweep_document_path, weights_file_name};
pub use shard::{decode_ipc, encode_ipc, encode_shard};
pub use store::{Creation, Publication, StagedFile, Store, Verification};
pub use tables::{Column, ColumnKind, METRICS, MetricDescription, Table, registry_hash};
