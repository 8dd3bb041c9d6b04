//! The first intact attempt wins, once, and everybody learns the same.

use super::rig::{Rig, key_of, name, one_shape, size};
use crate::model::Cause;
use crate::scheduler::{HeartbeatAnswer, Job, SweepState, Verdict};

#[test]
fn the_winner_may_ask_again_and_the_sweep_is_done_only_when_published() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(3));
    rig.register("w");
    let grant = rig.lease("w");
    assert_eq!(rig.complete("w", &grant), Verdict::Won);
    assert_eq!(rig.status().state, SweepState::Running, "won is not published");
    assert_eq!(rig.complete("w", &grant), Verdict::Won, "the reply was lost");
    let publications =
        |jobs: &[Job]| jobs.iter().filter(|job| matches!(job, Job::Publish { .. })).count();
    assert_eq!(publications(&rig.jobs), 1, "published once");
    rig.do_jobs();
    assert_eq!(rig.complete("w", &grant), Verdict::Won, "even after it was published");
    rig.drain("w");
    rig.assert_done(3, 0);
}

#[test]
fn a_late_attempt_of_an_open_unit_wins_and_the_other_is_told() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("zombie");
    rig.register("heir");
    let late = rig.lease("zombie");
    rig.pass(61);
    assert_eq!(rig.status().attempts_failed, 1, "the lease ran out");
    rig.pass(2);
    let current = rig.lease("heir");
    assert_eq!((current.unit, current.attempt), (late.unit, 2));
    assert_eq!(rig.complete("zombie", &late), Verdict::Won);
    let answer = rig.heartbeat("heir", &[&current]);
    assert_eq!(answer.cancelled, [name(&current)]);
    assert_eq!(rig.complete("heir", &current), Verdict::Lost("attempt 1 won".to_owned()));
    let cleared = rig
        .jobs
        .iter()
        .any(|job| matches!(job, Job::ClearAttempt { unit: 0, attempt: Some(2), .. }));
    assert!(cleared, "what the loser staged is removed");
    rig.do_jobs();
    rig.assert_done(1, 0);
}

#[test]
fn of_two_attempts_checked_at_once_the_first_to_settle_wins() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("a");
    rig.register("b");
    let first = rig.lease("a");
    rig.pass(61);
    rig.pass(2);
    let second = rig.lease("b");
    for grant in [&first, &second] {
        let lease = name(grant);
        rig.event(|scheduler, now, effects| scheduler.claim(&lease, now, effects));
    }
    assert_eq!(rig.settle("b", name(&second), 1), Verdict::Won);
    assert_eq!(rig.settle("a", name(&first), 1), Verdict::Lost("attempt 2 won".to_owned()));
}

#[test]
fn an_attempt_that_was_never_given_out_is_nobodys() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    let mut grant = rig.lease("w");
    grant.attempt = 7;
    assert_eq!(rig.complete("w", &grant), Verdict::Lost("no such attempt".to_owned()));
    grant.attempt = 0;
    assert_eq!(rig.complete("w", &grant), Verdict::Lost("no such attempt".to_owned()));
}

#[test]
fn heartbeats_keep_a_lease_and_a_missing_entry_frees_it() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    let grant = rig.lease("w");
    for _ in 0..10 {
        rig.pass(30);
        assert_eq!(rig.heartbeat("w", &[&grant]), HeartbeatAnswer::default());
    }
    assert_eq!(rig.status().running_progress, 0.5);
    rig.heartbeat("w", &[]);
    assert_eq!(rig.status().trials_running, 0);
    assert_eq!(rig.status().attempts_failed, 1);
}

#[test]
fn a_lease_younger_than_a_heartbeat_may_be_missing() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    rig.lease("w");
    rig.pass(9);
    rig.heartbeat("w", &[]);
    assert_eq!(rig.status().trials_running, 1);
    rig.pass(1);
    rig.heartbeat("w", &[]);
    assert_eq!(rig.status().trials_running, 0);
}

#[test]
fn a_worker_that_comes_back_before_its_unit_is_given_out_goes_on() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    let grant = rig.lease("w");
    rig.pass(61);
    assert_eq!(rig.status().trials_running, 0);
    assert_eq!(rig.heartbeat("w", &[&grant]), HeartbeatAnswer::default());
    assert_eq!(rig.status().trials_running, 1);
    assert_eq!(rig.complete("w", &grant), Verdict::Won);
}

#[test]
fn a_failing_store_is_tried_again_and_explained() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    let grant = rig.lease("w");
    rig.complete("w", &grant);
    rig.jobs.clear();
    let key = key_of(&grant);
    let failure = || "disk full".to_owned();
    rig.event(|scheduler, now, effects| scheduler.publish_failed(key, failure(), now, effects));
    let sweep = rig.scheduler.sweep_id("s").unwrap();
    let reasons = rig.scheduler.explain_sweep(sweep, rig.now);
    assert_eq!(reasons[0], "1 units cannot be published, which is tried again: disk full");
    rig.pass(1);
    assert!(matches!(rig.jobs[..], [Job::Publish { attempt: 1, .. }]));
    rig.do_jobs();
    rig.assert_done(1, 0);
}

#[test]
fn a_winner_whose_files_are_lost_is_trained_again_as_a_higher_attempt() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(2));
    rig.register("w");
    let grant = rig.lease("w");
    rig.complete("w", &grant);
    rig.jobs.clear();
    let key = key_of(&grant);
    rig.event(|scheduler, now, effects| scheduler.publish_lost(key, 1, "gone", now, effects));
    let again = rig.lease("w");
    assert_eq!((again.unit, again.attempt, size(&again)), (grant.unit, 2, size(&grant)));
    assert_eq!(rig.complete("w", &again), Verdict::Won);
    assert_eq!(rig.complete("w", &grant), Verdict::Lost("attempt 2 won".to_owned()));
    rig.do_jobs();
    rig.drain("w");
    rig.assert_done(2, 0);
}

#[test]
fn a_failure_reported_by_somebody_else_changes_nothing() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    rig.register("other");
    let grant = rig.lease("w");
    rig.fail("other", &grant, Cause::Crash);
    assert_eq!(rig.status().trials_running, 1);
    assert_eq!(rig.status().attempts_failed, 0);
}

#[test]
fn the_end_of_an_old_back_off_does_not_publish_a_second_time() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    let grant = rig.lease("w");
    rig.pass(61);
    assert_eq!(rig.status().attempts_failed, 1, "the lease ran out: a back-off of 1 s begins");
    assert_eq!(rig.complete("w", &grant), Verdict::Won);
    rig.pass(1);
    rig.pass(60);
    let publishes = rig.jobs.iter().filter(|job| matches!(job, Job::Publish { .. })).count();
    assert_eq!(publishes, 1, "of two jobs, one might find lost what the other made visible");
}

/// The machine-independent side of `cargo bench`: what a commit costs the disk.
#[test]
fn a_unit_costs_the_log_as_many_records_however_many_trials_and_units_there_are() {
    let records_of = |shapes: u64, seeds: u64| {
        let mut rig = Rig::new();
        rig.register("w");
        rig.submit(&format!(
            "name = \"s\"\ntask = \"digits\"\n[fixed]\nsteps = 1\n[axes]\nbatch_size = {{ range = [1, {}] }}\nseed = {{ range = [0, {seeds}] }}\n[measure]\nmetrics = []\nhistory = 0\n",
            shapes + 1
        ));
        let before = rig.written;
        rig.drain("w");
        assert_eq!(rig.status().trials_ok, shapes * seeds);
        (rig.written - before, rig.status().units_published as usize)
    };
    // The first unit also pins the sweep's data.
    let (first, one) = records_of(1, 1);
    let (both, two) = records_of(2, 1);
    assert_eq!((one, two), (1, 2), "a unit a shape");
    let each = both - first;
    assert!(each <= 5, "cut, leased, won, published, cleared: {each}");
    for (shapes, seeds) in [(1, 2_000), (40, 1), (40, 50)] {
        let (records, units) = records_of(shapes, seeds);
        assert_eq!(records, first + each * (units - 1), "{shapes} shapes, {seeds} seeds");
    }
}
