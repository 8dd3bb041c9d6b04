//! What `deploy/` holds and `docs/operations.md` says, checked as far as it goes without a cluster.

mod checks;
mod operations;
mod slurm;
