//! What always holds between two events. Checked by the tests, and in debug builds while cheap.

use std::collections::BTreeSet;

use phasegrid_spec::{TrialIndex, TrialRange};

use super::state::Scheduler;
use super::sweep_book::{Counts, SweepBook};
use super::unit::{Unit, UnitState};
use crate::model::{Phase, SweepId, UnitKey};

/// Sweeps beyond this many trials are not enumerated.
const ENUMERATED_TRIALS: u64 = 5_000;
/// Beyond this many units, debug builds do not check after every event.
const CHECKED_UNITS: usize = 64;

/// Checks every invariant; the error names the first that is broken.
pub fn check(scheduler: &Scheduler) -> Result<(), String> {
    for (sweep, book) in &scheduler.sweeps {
        let context = |broken| format!("sweep {}: {broken}", book.name);
        ranges_are_disjoint(book).map_err(context)?;
        counts_add_up(book).map_err(context)?;
        every_trial_is_somewhere(book).map_err(context)?;
        indices_match_states(book).map_err(context)?;
        leases_are_known(scheduler, *sweep, book).map_err(context)?;
    }
    expiries_are_leases(scheduler)
}

impl Scheduler {
    /// In debug builds, and while that is cheap, checks that everything still holds.
    pub(super) fn debug_check(&self) {
        let units = || self.sweeps.values().map(|book| book.units.len()).sum::<usize>();
        if cfg!(debug_assertions) && units() <= CHECKED_UNITS {
            let broken = check(self);
            debug_assert!(broken.is_ok(), "{broken:?}");
        }
    }
}

fn ensure(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}

/// No raw index is in two units, nor in a unit and pending.
fn ranges_are_disjoint(book: &SweepBook) -> Result<(), String> {
    let units = book.units.iter().filter(|unit| unit.covers_its_trials()).map(|unit| unit.range);
    let mut ranges: Vec<TrialRange> = units.chain(book.pending.iter()).collect();
    ranges.sort_unstable();
    for pair in ranges.windows(2) {
        let apart = pair[0].grid != pair[1].grid || pair[0].end <= pair[1].start;
        ensure(apart, || format!("{:?} and {:?} overlap", pair[0], pair[1]))?;
    }
    let inside = |range: &TrialRange| range.end <= book.plan.raw_len(range.grid);
    match ranges.iter().find(|range| !inside(range)) {
        Some(range) => Err(format!("{range:?} is beyond its grid")),
        None => Ok(()),
    }
}

fn counts_add_up(book: &SweepBook) -> Result<(), String> {
    let mut expected = Counts { total: book.counts.total, ..Counts::default() };
    for unit in &book.units {
        ensure(unit.trials > 0, || format!("{:?} holds no trial", unit.range))?;
        if unit.covers_its_trials() {
            expected.in_units += u64::from(unit.trials);
        }
        match unit.state {
            UnitState::Published { ok, diverged, .. } => {
                expected.ok += u64::from(ok);
                expected.diverged += u64::from(diverged);
                expected.units_published += 1;
            }
            UnitState::PublishedFailed { .. } => {
                expected.failed += u64::from(unit.trials);
                expected.units_published += 1;
            }
            _ => {}
        }
    }
    ensure(book.counts == expected, || format!("{:?}, expected {expected:?}", book.counts))?;
    ensure(book.counts.in_units <= book.counts.total, || "more trials in units than in all".into())
}

/// Every trial is pending or in exactly one unit that covers its trials.
fn every_trial_is_somewhere(book: &SweepBook) -> Result<(), String> {
    if book.counts.total > ENUMERATED_TRIALS {
        return Ok(());
    }
    let mut found = 0;
    for (position, _) in book.plan.trials() {
        let TrialIndex { grid, index } = position;
        let holders = book.units.iter().filter(|unit| {
            unit.covers_its_trials() && unit.range.contains(TrialIndex { grid, index })
        });
        let places = holders.count() + usize::from(book.pending.contains(grid, index));
        ensure(places == 1, || format!("trial {position:?} is in {places} places"))?;
        found += 1;
    }
    ensure(found == book.counts.total, || {
        format!("the blocks say {} trials, the plan has {found}", book.counts.total)
    })
}

fn indices_match_states(book: &SweepBook) -> Result<(), String> {
    let having = |wanted: fn(&UnitState) -> bool| -> BTreeSet<u64> {
        (0..).zip(&book.units).filter(|(_, unit)| wanted(&unit.state)).map(|(n, _)| n).collect()
    };
    let waiting = having(|state| matches!(state, UnitState::Waiting { .. }));
    let leased = having(|state| matches!(state, UnitState::Leased(_)));
    let publishing =
        having(|state| matches!(state, UnitState::Won { .. } | UnitState::GivenUp { .. }));
    ensure(book.waiting == waiting, || "the waiting units are not those indexed".into())?;
    ensure(book.leased == leased, || "the leased units are not those indexed".into())?;
    ensure(book.publishing == publishing, || "the publishing units are not those indexed".into())?;
    let open = waiting.len() + leased.len();
    ensure(book.phase != Phase::Cancelled || open == 0, || "cancelled with open units".into())
}

fn leases_are_known(scheduler: &Scheduler, sweep: SweepId, book: &SweepBook) -> Result<(), String> {
    for number in &book.leased {
        let key = UnitKey { sweep, unit: *number };
        let Some(unit) = book.unit(*number) else { return Err("no such unit".into()) };
        let Some(lease) = unit.lease() else { return Err("no lease".into()) };
        ensure(unit.attempt > 0, || format!("unit {number} is leased as attempt 0"))?;
        let indexed = scheduler.expiries.contains(&(lease.expires, key));
        ensure(indexed, || format!("the lease of unit {number} never runs out"))?;
        let holds =
            scheduler.workers.get(&lease.worker).is_some_and(|worker| worker.leases.contains(&key));
        ensure(holds, || format!("worker {} does not hold unit {number}", lease.worker))?;
    }
    Ok(())
}

fn expiries_are_leases(scheduler: &Scheduler) -> Result<(), String> {
    let leased: usize = scheduler.sweeps.values().map(|book| book.leased.len()).sum();
    let held: usize = scheduler.workers.values().map(|worker| worker.leases.len()).sum();
    ensure(scheduler.expiries.len() == leased, || {
        format!("{leased} leases, {} expiries", scheduler.expiries.len())
    })?;
    ensure(held == leased, || format!("{leased} leases, {held} held by workers"))?;
    let is_lease = |key: &UnitKey| scheduler.unit(*key).and_then(Unit::lease).is_some();
    match scheduler.expiries.iter().find(|(_, key)| !is_lease(key)) {
        Some((_, key)) => Err(format!("{key:?} runs out but is not leased")),
        None => Ok(()),
    }
}
