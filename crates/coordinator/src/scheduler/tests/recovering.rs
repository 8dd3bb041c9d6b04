//! What survives a crash of the coordinator.

use super::rig::{Rig, name, one_shape};
use crate::model::Cause;
use crate::scheduler::{HeartbeatAnswer, Job, SchedulerConfig, UnknownWorker, Verdict};

#[test]
fn an_open_lease_gets_a_full_term_and_its_worker_is_asked_to_register_again() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    let grant = rig.lease("w");
    rig.crash();
    rig.pass(59);
    assert_eq!(rig.status().trials_running, 1, "still leased");
    let answer = rig.heartbeat("w", &[&grant]);
    assert_eq!(answer, HeartbeatAnswer { cancelled: vec![], register_again: true });
    assert_eq!(rig.ask("w").unwrap_err(), UnknownWorker);
    rig.register("w");
    rig.pass(59);
    assert!(!rig.heartbeat("w", &[&grant]).register_again);
    assert_eq!(rig.complete("w", &grant), Verdict::Won);
}

#[test]
fn a_worker_that_never_comes_back_loses_its_lease_after_a_term() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    rig.lease("w");
    rig.crash();
    rig.pass(61);
    rig.register("heir");
    rig.pass(2);
    assert_eq!(rig.lease("heir").attempt, 2);
}

#[test]
fn leases_that_cannot_have_outlived_the_coordinator_are_free_after_the_first_back_off() {
    let mut rig = Rig::with_config(SchedulerConfig {
        recovered_lease: std::time::Duration::ZERO,
        ..SchedulerConfig::default()
    });
    rig.submit(&one_shape(1));
    rig.register("w");
    rig.lease("w");
    rig.crash();
    rig.register("heir");
    rig.pass(0);
    rig.pass(1);
    assert_eq!(rig.lease("heir").attempt, 2);
}

#[test]
fn a_unit_won_but_not_published_is_published() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    let grant = rig.lease("w");
    rig.complete("w", &grant);
    rig.crash();
    assert!(matches!(rig.jobs[..], [Job::Publish { attempt: 1, .. }]));
    assert_eq!(rig.complete("w", &grant), Verdict::Won, "the lost reply, after the crash");
    rig.do_jobs();
    rig.assert_done(1, 0);
}

#[test]
fn a_unit_published_but_not_cleared_is_cleared() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    let grant = rig.lease("w");
    rig.complete("w", &grant);
    let key = grant.unit;
    rig.event(|scheduler, _, effects| scheduler.published(key, effects));
    rig.crash();
    assert!(matches!(rig.jobs[..], [Job::ClearUnit { .. }]));
    rig.do_jobs();
    rig.crash();
    assert!(rig.jobs.is_empty());
    rig.assert_done(1, 0);
}

#[test]
fn crashes_are_remembered() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    for _ in 0..2 {
        let grant = rig.lease("w");
        rig.fail("w", &grant, Cause::Crash);
    }
    rig.crash();
    rig.register("w");
    let grant = rig.lease("w");
    assert_eq!(grant.attempt, 3);
    rig.fail("w", &grant, Cause::Crash);
    rig.do_jobs();
    rig.assert_done(0, 1);
}

#[test]
fn a_given_up_trial_is_recorded_after_the_crash() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    for _ in 0..3 {
        let grant = rig.lease("w");
        rig.fail("w", &grant, Cause::Crash);
    }
    rig.crash();
    assert!(
        matches!(&rig.jobs[..], [Job::PublishFailed { reason, .. }] if reason.contains("3 times"))
    );
    rig.do_jobs();
    rig.assert_done(0, 1);
}

#[test]
fn a_lease_of_before_the_crash_is_not_taken_from_a_worker_that_has_yet_to_register() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    let grant = rig.lease("w");
    rig.pass(61);
    rig.crash();
    // The log says the lease was lost; the worker is asked to register, not to drop it.
    let answer = rig.heartbeat("w", &[&grant]);
    assert_eq!(answer, HeartbeatAnswer { cancelled: vec![], register_again: true });
    rig.register("w");
    rig.heartbeat("w", &[&grant]);
    assert_eq!(rig.status().trials_running, 1);
    assert_eq!(rig.complete("w", &grant), Verdict::Won);
    assert_eq!(name(&grant).attempt, 1);
}
