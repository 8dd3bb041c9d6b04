//! The leases a worker holds: shared by its slots and its heartbeat.

use phasegrid_proto::v1::{LeaseKey, LeaseProgress};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

struct Held {
    step: u64,
    steps: u64,
    cancelled: CancellationToken,
}

type ByLease = HashMap<(String, u64, u64), Held>;

/// Leases held now, by sweep, unit and attempt.
#[derive(Clone, Default)]
pub(crate) struct Leases {
    held: Arc<Mutex<ByLease>>,
}

fn identity(key: &LeaseKey) -> (String, u64, u64) {
    (key.sweep.clone(), key.unit, key.attempt)
}

impl Leases {
    fn lock(&self) -> MutexGuard<'_, ByLease> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds a lease from now on; the token is cancelled when the coordinator takes it back.
    pub(crate) fn hold(&self, key: &LeaseKey) -> CancellationToken {
        let cancelled = CancellationToken::new();
        let held = Held { step: 0, steps: 0, cancelled: cancelled.clone() };
        self.lock().insert(identity(key), held);
        cancelled
    }

    /// Notes how far a unit is.
    pub(crate) fn progress(&self, key: &LeaseKey, step: u64, steps: u64) {
        if let Some(held) = self.lock().get_mut(&identity(key)) {
            (held.step, held.steps) = (step, steps);
        }
    }

    /// Holds it no longer.
    pub(crate) fn drop_lease(&self, key: &LeaseKey) {
        self.lock().remove(&identity(key));
    }

    /// The coordinator took it back.
    pub(crate) fn cancel(&self, key: &LeaseKey) {
        if let Some(held) = self.lock().get(&identity(key)) {
            held.cancelled.cancel();
        }
    }

    /// Every lease held, for a heartbeat.
    pub(crate) fn list(&self) -> Vec<LeaseProgress> {
        let held = self.lock();
        let listed = held.iter().map(|((sweep, unit, attempt), held)| LeaseProgress {
            lease: Some(LeaseKey { sweep: sweep.clone(), unit: *unit, attempt: *attempt }),
            step: held.step,
            steps: held.steps,
        });
        listed.collect()
    }
}
