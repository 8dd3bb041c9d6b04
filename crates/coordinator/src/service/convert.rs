//! From the scheduler's answers to messages.

use phasegrid_proto::v1;

use crate::model::LeaseName;
use crate::scheduler::{Grant, SweepState, SweepStatus};

pub(super) fn status(status: SweepStatus) -> v1::SweepStatus {
    let state = match status.state {
        SweepState::Running => v1::SweepState::Running,
        SweepState::Paused => v1::SweepState::Paused,
        SweepState::Done => v1::SweepState::Done,
        SweepState::Cancelled => v1::SweepState::Cancelled,
    };
    v1::SweepStatus {
        name: status.name,
        state: state as i32,
        trials_total: status.trials_total,
        trials_ok: status.trials_ok,
        trials_diverged: status.trials_diverged,
        trials_failed: status.trials_failed,
        trials_running: status.trials_running,
        running_progress: status.running_progress,
        units_open: status.units_open,
        units_published: status.units_published,
        workers: status.workers,
        last_failure: status.last_failure,
        setbacks_in_a_row: status.setbacks_in_a_row,
        store_trouble: status.store_trouble,
        attempts_failed: status.attempts_failed,
        units_publishing: status.units_publishing,
    }
}

/// Enumerates a unit's trials: milliseconds for thousands of them.
pub(super) fn unit(grant: &Grant) -> v1::Unit {
    let trials = grant.plan.trials_in(grant.range).map(|(_, trial)| trial.canonical_json());
    v1::Unit {
        sweep: grant.sweep.to_string(),
        unit: grant.unit.unit,
        attempt: grant.attempt,
        trials: trials.collect(),
        measure: grant.measure.to_string(),
        dataset: grant.dataset.clone(),
        lease_ms: milliseconds(grant.lease),
    }
}

pub(super) fn lease_key(lease: LeaseName) -> v1::LeaseKey {
    v1::LeaseKey { sweep: lease.sweep, unit: lease.unit, attempt: lease.attempt }
}

pub(super) fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
