//! What an operator asks of a sweep: pause, resume, cancel, retry.

use std::time::Duration;

use super::effects::Effects;
use super::state::Scheduler;
use super::unit::{Unit, UnitState};
use crate::model::{Phase, Record, SweepId, UnitKey};

impl Scheduler {
    /// No new leases; units already leased finish and publish. A cancelled sweep stays cancelled.
    pub fn pause(&mut self, sweep: SweepId, effects: &mut Effects) {
        if !self.is_cancelled(sweep) {
            self.set_phase(sweep, Phase::Paused, effects);
        }
    }

    /// Leases again. A cancelled sweep stays cancelled: submitting it again reopens it.
    pub fn resume(&mut self, sweep: SweepId, effects: &mut Effects) {
        if !self.is_cancelled(sweep) {
            self.set_phase(sweep, Phase::Running, effects);
        }
    }

    /// Closes open units for good; units whose winner is fixed still publish.
    pub fn cancel(&mut self, sweep: SweepId, effects: &mut Effects) {
        self.set_phase(sweep, Phase::Cancelled, effects);
        let Some(book) = self.sweeps.get(&sweep) else { return };
        let open: Vec<u64> = book.waiting.iter().chain(&book.leased).copied().collect();
        for unit in open {
            self.close(UnitKey { sweep, unit }, effects);
        }
        self.debug_check();
    }

    /// Makes failed trials pending again; answers how many.
    pub fn retry(&mut self, sweep: SweepId, now: Duration, effects: &mut Effects) -> u64 {
        if self.is_cancelled(sweep) {
            return 0;
        }
        let Some(book) = self.sweeps.get(&sweep) else { return 0 };
        let failed = |unit: &&Unit| matches!(unit.state, UnitState::PublishedFailed { .. });
        let trials = book.units.iter().filter(failed).map(|unit| u64::from(unit.trials)).sum();
        let numbers: Vec<u64> =
            (0..).zip(&book.units).filter(|(_, unit)| failed(unit)).map(|(n, _)| n).collect();
        for unit in numbers {
            let key = UnitKey { sweep, unit };
            effects.record(Record::UnitReopened { unit: key });
            self.reopen(key, now, effects);
        }
        self.debug_check();
        trials
    }

    pub(super) fn set_phase(&mut self, sweep: SweepId, phase: Phase, effects: &mut Effects) {
        let Some(book) = self.sweeps.get_mut(&sweep) else { return };
        if book.phase == phase {
            return;
        }
        book.phase = phase;
        effects.record(Record::PhaseSet { sweep, phase });
        effects.work_appeared |= phase == Phase::Running;
    }
}
