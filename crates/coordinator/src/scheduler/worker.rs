//! A worker as the scheduler knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::sizing::WorkerCapacity;
use crate::model::{SweepId, UnitKey};

/// What a worker says of itself.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// Its name, unique to its process.
    pub worker: String,
    /// cpu, cuda or cuda:N.
    pub device: String,
    /// Units it trains at once.
    pub slots: u32,
    /// Memory one slot may use.
    pub slot_memory_bytes: u64,
    /// Fingerprints of the data it has, by task.
    pub datasets: BTreeMap<String, String>,
    /// Its build, for people.
    pub build: String,
    /// Hash of its registries.
    pub registry_hash: String,
    /// How long it has to live, if limited.
    pub time_limit: Option<Duration>,
}

/// A worker as the scheduler knows it.
#[derive(Clone, Debug)]
pub(super) struct Worker {
    pub(super) registration: Registration,
    /// False for one known only from the leases of before a restart.
    pub(super) registered: bool,
    /// Why it gets no leases, if so: a mismatch of versions.
    pub(super) refusal: Option<String>,
    /// Why it gets no more leases, if so: it crashed too often.
    pub(super) quarantine: Option<String>,
    pub(super) last_seen: Duration,
    pub(super) ends: Option<Duration>,
    pub(super) leases: BTreeSet<UnitKey>,
    /// Roots of the units it crashed on since its last success.
    pub(super) crashed_roots: BTreeSet<(SweepId, u64)>,
    /// Floating-point operations a second of one slot, on its latest unit.
    pub(super) speed: Option<f64>,
}

impl Worker {
    pub(super) fn unregistered(name: &str, now: Duration) -> Self {
        Self {
            registration: Registration { worker: name.to_owned(), ..Registration::default() },
            registered: false,
            refusal: None,
            quarantine: None,
            last_seen: now,
            ends: None,
            leases: BTreeSet::new(),
            crashed_roots: BTreeSet::new(),
            speed: None,
        }
    }

    pub(super) fn capacity(&self, now: Duration) -> WorkerCapacity {
        WorkerCapacity {
            slot_memory_bytes: self.registration.slot_memory_bytes,
            operations_per_second: self.speed,
            on_gpu: self.registration.device.starts_with("cuda"),
            time_left: self.ends.map(|ends| ends.saturating_sub(now)),
        }
    }

    /// Whether it may get leases at all.
    pub(super) fn may_work(&self) -> bool {
        self.registered && self.refusal.is_none() && self.quarantine.is_none()
    }
}
