//! The scheduler's settings.

use std::time::Duration;

/// Durations and limits of the scheduler.
#[derive(Clone, Debug)]
pub struct SchedulerConfig {
    /// How long a lease lasts without a heartbeat.
    pub lease: Duration,
    /// How long a lease that was open when the coordinator ended lasts after it is back; zero
    /// where no worker can have outlived the coordinator, because they shared its process.
    pub recovered_lease: Duration,
    /// How often workers are asked to send heartbeats.
    pub heartbeat: Duration,
    /// Hash of the hyperparameter and column registries workers must have; empty = not checked.
    pub registry_hash: String,
    /// Crashes of a trial alone after which it is failed.
    pub crashes_to_fail: u32,
    /// Crashes on different units, without a success between, after which a worker gets no more.
    pub crashes_to_quarantine: usize,
    /// Set-backs that blame nobody after which a unit is split.
    pub setbacks_to_split: u32,
    /// First back-off; doubles with each set-back.
    pub backoff: Duration,
    /// Longest back-off.
    pub longest_backoff: Duration,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(60),
            recovered_lease: Duration::from_secs(60),
            heartbeat: Duration::from_secs(10),
            registry_hash: String::new(),
            crashes_to_fail: 3,
            crashes_to_quarantine: 3,
            setbacks_to_split: 10,
            backoff: Duration::from_secs(1),
            longest_backoff: Duration::from_secs(60),
        }
    }
}

impl SchedulerConfig {
    /// Back-off after the `count`-th set-back (from 1).
    pub(super) fn backoff_after(&self, count: u32) -> Duration {
        let doublings = count.saturating_sub(1).min(16);
        self.backoff.saturating_mul(1 << doublings).min(self.longest_backoff)
    }
}
