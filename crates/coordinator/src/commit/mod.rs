//! What the coordinator asks of the store, as a narrow trait, and who provides it.

mod contract;
mod folder_store;
mod memory;

pub use contract::{CommitStore, DocumentCreation, FailedTrials, StoreFailure, SweepDocument};
pub use memory::{MemoryStore, StoreFault, VisibleUnit};
pub use phasegrid_store::{Publication, StagedFile, Verification};
