//! What the tests of the programs share: starting them, sweep files, and reading what they
//! published without their help.
//!
//! The tests run `phasegrid` and `phasegrid-trainer` as a user does. Cargo does not build the
//! programs of other packages for a test: `make test` builds them first.

mod folder;
mod process;
mod program;
mod store;
mod sweep;

pub use folder::{Folder, tree};
pub use process::{Outcome, Running, children_of, send};
pub use program::{
    can_mount, data_folder, libtorch_folder, phasegrid, phasegrid_trainer, run_sweep, skip,
    target_folder, trainer,
};
pub use store::{PublishedTrial, query, shards, trials};
pub use sweep::{SweepText, planned_trial_ids};
