//! From a fixed winner to visible rows: what the jobs on the store report back.

use std::sync::Arc;
use std::time::Duration;

use super::effects::{Effects, Job};
use super::state::Scheduler;
use super::unit::{Publishing, UnitState};
use crate::model::{Record, UnitKey};

impl Scheduler {
    /// Asks for the rows of a unit whose outcome is fixed to be made visible.
    pub(super) fn start_publishing(&self, key: UnitKey, effects: &mut Effects) {
        let Some(book) = self.book(key) else { return };
        let Some(unit) = book.unit(key.unit) else { return };
        match &unit.state {
            UnitState::Won { winner, manifest, .. } => effects.jobs.push(Job::Publish {
                unit: key,
                sweep: Arc::clone(&book.name),
                attempt: *winner,
                manifest: Arc::clone(manifest),
            }),
            UnitState::GivenUp { reason, .. } => effects.jobs.push(Job::PublishFailed {
                unit: key,
                plan: Arc::clone(&book.plan),
                range: unit.range,
                attempt: unit.attempt,
                reason: reason.clone(),
            }),
            _ => {}
        }
    }

    fn publishing_mut(&mut self, key: UnitKey) -> Option<&mut Publishing> {
        match &mut self.unit_mut(key)?.state {
            UnitState::Won { publishing, .. } | UnitState::GivenUp { publishing, .. } => {
                Some(publishing)
            }
            _ => None,
        }
    }

    /// Publishes again if that is due.
    pub(super) fn retry_publishing(&mut self, key: UnitKey, now: Duration, effects: &mut Effects) {
        let Some(publishing) = self.publishing_mut(key) else { return };
        if publishing.again_at.is_some_and(|again_at| again_at <= now) {
            publishing.again_at = None;
            self.start_publishing(key, effects);
        }
    }

    /// The rows are visible.
    pub fn published(&mut self, key: UnitKey, effects: &mut Effects) {
        let state = match self.unit(key).map(|unit| unit.state.clone()) {
            Some(UnitState::Won { winner, ok, diverged, .. }) => {
                UnitState::Published { winner, ok, diverged }
            }
            Some(UnitState::GivenUp { reason, .. }) => UnitState::PublishedFailed { reason },
            _ => return,
        };
        if let Some(unit) = self.unit_mut(key) {
            unit.failed_row = match &state {
                UnitState::PublishedFailed { reason } => Some(reason.clone()),
                _ => None,
            };
        }
        self.set_state(key, state);
        effects.record(Record::UnitPublished { unit: key });
        if let Some(book) = self.sweeps.get_mut(&key.sweep) {
            book.store_trouble = None;
            book.setbacks_in_a_row = 0;
            let sweep = Arc::clone(&book.name);
            effects.jobs.push(Job::ClearUnit { unit: key, sweep });
        }
        self.debug_check();
    }

    /// The store failed: the same again after a back-off.
    pub fn publish_failed(
        &mut self,
        key: UnitKey,
        message: String,
        now: Duration,
        effects: &mut Effects,
    ) {
        let config = self.config.clone();
        let Some(publishing) = self.publishing_mut(key) else { return };
        publishing.failures = publishing.failures.saturating_add(1);
        let again_at = now + config.backoff_after(publishing.failures);
        publishing.again_at = Some(again_at);
        self.alarms.insert((again_at, key));
        if let Some(book) = self.sweeps.get_mut(&key.sweep) {
            book.store_trouble = Some(message);
            book.setbacks_in_a_row = book.setbacks_in_a_row.saturating_add(1);
        }
        effects.status_changed = true;
    }

    /// The winner's files are lost: the unit reopens, for a higher attempt.
    pub fn publish_lost(
        &mut self,
        key: UnitKey,
        attempt: u64,
        how: &str,
        now: Duration,
        effects: &mut Effects,
    ) {
        let Some(unit) = self.unit(key) else { return };
        if !matches!(&unit.state, UnitState::Won { winner, .. } if *winner == attempt) {
            return;
        }
        effects.record(Record::UnitReopened { unit: key });
        self.reopen(key, now, effects);
        if let Some(book) = self.sweeps.get_mut(&key.sweep) {
            book.last_failure = Some(format!(
                "unit {}, attempt {attempt}: its staged files were lost after it won ({how}); it is trained again",
                key.unit
            ));
        }
        if self.is_cancelled(key.sweep) {
            self.close(key, effects);
        }
        self.debug_check();
    }

    /// Puts a unit back with a clean record.
    pub(super) fn reopen(&mut self, key: UnitKey, now: Duration, effects: &mut Effects) {
        self.set_state(key, UnitState::Waiting { not_before: now });
        if let Some(unit) = self.unit_mut(key) {
            unit.trouble = None;
        }
        effects.work_appeared = true;
    }

    /// Nothing of the unit is left in staging.
    pub fn cleared(&mut self, key: UnitKey, effects: &mut Effects) {
        let published = self.unit(key).is_some_and(|unit| {
            matches!(unit.state, UnitState::Published { .. } | UnitState::PublishedFailed { .. })
        });
        if published {
            effects.records.push(Record::UnitCleared { unit: key });
        }
    }
}
