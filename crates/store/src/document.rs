//! The JSON documents of a store.

use phasegrid_spec::{Grid, Measure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the store's layout, in `_phasegrid.json`.
pub const FORMAT_VERSION: u32 = 1;

/// Version of the tables' schema, in `_sweeps/<name>.json` and every shard.
pub const SCHEMA_VERSION: u32 = 1;

/// `_phasegrid.json`: which store this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreDocument {
    /// Layout version.
    pub format_version: u32,
    /// Random, for ever: a worker must find the id its coordinator named.
    pub store_id: String,
}

/// `_sweeps/<name>.json`: what a sweep is, for the analyzer and for other coordinators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepDocument {
    /// The sweep's name.
    pub name: String,
    /// Version of the tables' schema.
    pub schema_version: u32,
    /// The coordinator that runs it.
    pub coordinator: String,
    /// Who submitted it; may be empty.
    pub owner: String,
    /// `[measure]`, resolved.
    pub measure: Measure,
    /// Every grid of every block, resolved: axes with kind and values, fixed values, conditions.
    pub grids: Vec<Grid>,
    /// Fingerprint of each task's data, as far as pinned.
    pub datasets: BTreeMap<String, String>,
}
