//! Completion: the first attempt whose files are found intact wins, every other is told so.

use std::sync::Arc;
use std::time::Duration;

use super::effects::{Effects, Job};
use super::sizing::TrialCost;
use super::state::Scheduler;
use super::unit::{Publishing, UnitState};
use crate::commit::StagedFile;
use crate::model::{LeaseName, Record, UnitKey};

/// What a worker is told of its completed unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its rows are the unit's one visible result.
    Won,
    /// They are not, and why.
    Lost(String),
    /// The sweep was cancelled.
    Cancelled,
}

/// A first look at a completion, before its files are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It may win: check the files, then settle. The unit has this many trials.
    MayWin {
        /// Trials in the unit.
        trials: u32,
    },
    /// Nothing is left to decide.
    Decided(Verdict),
}

/// A completed unit whose files were found intact.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The worker.
    pub worker: String,
    /// The lease, which may have run out.
    pub lease: LeaseName,
    /// The staged files.
    pub manifest: Vec<StagedFile>,
    /// Trials that ended ok.
    pub ok: u32,
    /// Trials that diverged.
    pub diverged: u32,
    /// Trials times steps a second; 0 = not known.
    pub trial_steps_per_second: f64,
}

impl Scheduler {
    /// A worker says a unit is complete. The lease is kept alive while its files are checked.
    pub fn claim(&mut self, lease: &LeaseName, now: Duration, effects: &mut Effects) -> Claim {
        let (key, claim) = self.judge(lease);
        if let Some(key) = key {
            self.follow_up(key, lease.attempt, &claim, effects);
            let is_latest = self.unit(key).is_some_and(|unit| unit.attempt == lease.attempt);
            if is_latest && matches!(claim, Claim::MayWin { .. }) {
                self.extend(key, now, Some(1.0));
            }
        }
        claim
    }

    /// The files are intact: the first to get here wins.
    pub fn settle(
        &mut self,
        completion: Completion,
        now: Duration,
        effects: &mut Effects,
    ) -> Verdict {
        self.saw(&completion.worker, now);
        let (key, claim) = self.judge(&completion.lease);
        let key = match (key, claim) {
            (Some(key), Claim::MayWin { .. }) => key,
            (Some(key), Claim::Decided(verdict)) => {
                let claim = Claim::Decided(verdict.clone());
                self.follow_up(key, completion.lease.attempt, &claim, effects);
                return verdict;
            }
            (None, Claim::Decided(verdict)) => return verdict,
            (None, Claim::MayWin { .. }) => return Verdict::Lost("no such unit".to_owned()),
        };
        self.credit(key, &completion);
        let Completion { lease, manifest, ok, diverged, .. } = completion;
        effects.record(Record::UnitWon {
            unit: key,
            attempt: lease.attempt,
            ok,
            diverged,
            manifest: manifest.clone(),
        });
        let winner = lease.attempt;
        let manifest = manifest.into();
        let publishing = Publishing::default();
        self.set_state(key, UnitState::Won { winner, ok, diverged, manifest, publishing });
        self.start_publishing(key, effects);
        self.debug_check();
        Verdict::Won
    }

    /// Whether an attempt may still become the unit's result.
    pub(super) fn may_win(&self, lease: &LeaseName) -> bool {
        matches!(self.judge(lease).1, Claim::MayWin { .. })
    }

    fn judge(&self, lease: &LeaseName) -> (Option<UnitKey>, Claim) {
        let lost = |why: &str| Claim::Decided(Verdict::Lost(why.to_owned()));
        let Some(sweep) = self.sweep_id(&lease.sweep) else {
            return (None, lost("no such sweep"));
        };
        let key = UnitKey { sweep, unit: lease.unit };
        let Some(unit) = self.unit(key) else { return (None, lost("no such unit")) };
        if lease.attempt == 0 || lease.attempt > unit.attempt {
            return (None, lost("no such attempt"));
        }
        let claim = match &unit.state {
            UnitState::Waiting { .. } | UnitState::Leased(_) => {
                Claim::MayWin { trials: unit.trials }
            }
            UnitState::Won { winner, .. } | UnitState::Published { winner, .. } => {
                if *winner == lease.attempt {
                    Claim::Decided(Verdict::Won)
                } else {
                    lost(&format!("attempt {winner} won"))
                }
            }
            UnitState::GivenUp { .. } | UnitState::PublishedFailed { .. } => {
                lost("the trial was recorded as failed")
            }
            UnitState::Split => lost("the unit was split"),
            UnitState::Cancelled => Claim::Decided(Verdict::Cancelled),
        };
        (Some(key), claim)
    }

    /// What a loser staged is of no use to anybody.
    fn follow_up(&self, key: UnitKey, attempt: u64, claim: &Claim, effects: &mut Effects) {
        let is_over =
            matches!(claim, Claim::Decided(Verdict::Lost(_)) | Claim::Decided(Verdict::Cancelled));
        if let (true, Some(book)) = (is_over, self.book(key)) {
            let sweep = Arc::clone(&book.name);
            effects.jobs.push(Job::ClearAttempt { sweep, unit: key.unit, attempt: Some(attempt) });
        }
    }

    /// A success clears the worker's record of crashes, and tells its speed.
    fn credit(&mut self, key: UnitKey, completion: &Completion) {
        let cost = self.book(key).and_then(|book| {
            let trial = book.first_trial(book.unit(key.unit)?.range)?;
            Some(TrialCost::estimate(&trial, book.plan.measure()))
        });
        let Some(worker) = self.workers.get_mut(completion.worker.as_str()) else { return };
        worker.crashed_roots.clear();
        let rate = completion.trial_steps_per_second;
        if let (Some(cost), true) = (cost, rate.is_finite() && rate > 0.0) {
            worker.speed = Some(rate * cost.operations_per_step);
        }
    }
}
