//! Failures: whose fault, and what becomes of the unit.

use super::rig::{Rig, one_shape, size};
use crate::model::Cause;
use crate::scheduler::{LeaseAnswer, Verdict};

/// Leases until a unit of the size comes, completing all others.
fn lease_alone(rig: &mut Rig, worker: &str) -> crate::scheduler::Grant {
    let grant = rig.lease(worker);
    assert_eq!(size(&grant), 1);
    grant
}

#[test]
fn a_crash_in_a_group_splits_it_until_the_culprit_is_alone_and_the_rest_completes() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(8));
    rig.register("w");
    let culprit = 5;
    let mut crashes = 0;
    for _ in 0..100 {
        let Ok(LeaseAnswer::Unit(grant)) = rig.ask("w") else { break };
        if super::rig::positions(&grant).iter().any(|position| position.index == culprit) {
            rig.fail("w", &grant, Cause::Crash);
            crashes += 1;
        } else {
            assert_eq!(rig.complete("w", &grant), Verdict::Won);
        }
        rig.do_jobs();
    }
    assert_eq!(crashes, 3 + 3, "8, 4, 2, then three times alone");
    rig.assert_done(7, 1);
    let sweep = rig.scheduler.sweep_id("s").unwrap();
    let trial = phasegrid_spec::TrialIndex { grid: 0, index: culprit };
    let reasons = rig.scheduler.explain_trial(sweep, trial, rig.now);
    assert!(reasons[0].contains("failed 3 times with no other trial in its unit"), "{reasons:?}");
}

#[test]
fn failed_takes_two_workers_where_there_are_two() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("a");
    let grant = lease_alone(&mut rig, "a");
    rig.fail("a", &grant, Cause::Crash);
    rig.register("b");
    assert_eq!(rig.refused("a"), "every unit left is leased", "it is b's turn");
    let grant = lease_alone(&mut rig, "b");
    rig.fail("b", &grant, Cause::Crash);
    // Both have tried: either may.
    let grant = lease_alone(&mut rig, "a");
    rig.fail("a", &grant, Cause::Crash);
    rig.do_jobs();
    rig.assert_done(0, 1);
}

#[test]
fn three_crashes_on_one_worker_wait_for_another_that_exists() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("a");
    for _ in 0..2 {
        let grant = lease_alone(&mut rig, "a");
        rig.fail("a", &grant, Cause::Crash);
    }
    let grant = lease_alone(&mut rig, "a");
    rig.register("b");
    rig.fail("a", &grant, Cause::Crash);
    assert_eq!(rig.status().units_open, 1, "not given up");
    let grant = lease_alone(&mut rig, "b");
    assert_eq!(rig.complete("b", &grant), Verdict::Won);
    rig.do_jobs();
    rig.assert_done(1, 0);
}

#[test]
fn out_of_memory_splits_at_once_and_alone_goes_to_the_largest_worker() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(2));
    rig.register_as("small", 1, 1 << 30);
    let pair = rig.lease("small");
    assert_eq!(size(&pair), 2);
    rig.fail("small", &pair, Cause::OutOfMemory);
    let alone = lease_alone(&mut rig, "small");
    rig.fail("small", &alone, Cause::OutOfMemory);
    rig.register_as("middle", 1, 1 << 31);
    rig.register_as("large", 1, 1 << 32);
    // Unit 2, the other half, has no trouble of its own and goes to anybody.
    let other_half = lease_alone(&mut rig, "middle");
    assert_ne!(other_half.unit, alone.unit);
    assert!(matches!(rig.ask("middle"), Ok(LeaseAnswer::Nothing(_))));
    assert_eq!(lease_alone(&mut rig, "large").unit, alone.unit);
}

#[test]
fn what_is_nobodys_fault_backs_off_and_never_fails_a_trial() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    for cause in [Cause::Killed, Cause::Store, Cause::Data, Cause::Lost].repeat(5) {
        let grant = lease_alone(&mut rig, "w");
        rig.fail("w", &grant, cause);
        assert!(matches!(rig.ask("w"), Ok(LeaseAnswer::Nothing(_))), "it backs off");
        rig.pass(60);
    }
    let grant = lease_alone(&mut rig, "w");
    assert_eq!(grant.attempt, 21);
    assert_eq!(rig.complete("w", &grant), Verdict::Won);
}

#[test]
fn a_unit_handed_back_is_given_out_at_once() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("a");
    rig.register("b");
    let grant = lease_alone(&mut rig, "a");
    rig.fail("a", &grant, Cause::HandedBack);
    assert_eq!(lease_alone(&mut rig, "b").attempt, 2);
}

#[test]
fn beyond_ten_set_backs_a_group_is_split() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(4));
    rig.register("w");
    for _ in 0..10 {
        let grant = rig.lease("w");
        assert_eq!((grant.unit.unit, size(&grant)), (0, 4));
        rig.fail("w", &grant, Cause::Killed);
        rig.pass(61);
    }
    let grant = rig.lease("w");
    rig.fail("w", &grant, Cause::Killed);
    let half = rig.lease("w");
    assert_eq!((half.unit.unit, size(&half)), (1, 2));
}

#[test]
fn a_worker_that_crashes_on_three_units_in_a_row_is_quarantined_unless_it_is_the_last() {
    let mut rig = Rig::new();
    rig.submit("name = \"s\"\ntask = \"digits\"\n[axes]\ndepth = [1, 2, 3, 4, 5]\n");
    rig.register_as("bad", 4, 1 << 40);
    let alone: Vec<_> = (0..3).map(|_| lease_alone(&mut rig, "bad")).collect();
    rig.register_as("good", 4, 1 << 40);
    for grant in &alone {
        rig.fail("bad", grant, Cause::Crash);
    }
    assert!(rig.refused("bad").contains("quarantined"));
    let sweep = rig.scheduler.sweep_id("s").unwrap();
    let reasons = rig.scheduler.explain_sweep(sweep, rig.now);
    assert!(reasons[0].contains("worker bad gets no leases"), "{reasons:?}");
    rig.drain("good");
    rig.assert_done(5, 0);
}

#[test]
fn halves_of_one_unit_count_once_towards_quarantine() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(8));
    rig.register("a");
    rig.register("b");
    for _ in 0..3 {
        let grant = rig.lease("a");
        assert!(size(&grant) > 1 || grant.unit.unit > 0);
        rig.fail("a", &grant, Cause::Crash);
    }
    assert!(matches!(rig.ask("a"), Ok(LeaseAnswer::Unit(_))));
}

#[test]
fn failed_trials_can_be_tried_again_with_a_clean_record() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    for _ in 0..3 {
        let grant = lease_alone(&mut rig, "w");
        rig.fail("w", &grant, Cause::Refused);
    }
    rig.do_jobs();
    rig.assert_done(0, 1);
    rig.crash();
    rig.register("w");
    let sweep = rig.scheduler.sweep_id("s").unwrap();
    let retried = rig.event(|scheduler, now, effects| scheduler.retry(sweep, now, effects));
    assert_eq!(retried, 1);
    rig.crash();
    rig.register("w");
    let grant = lease_alone(&mut rig, "w");
    assert_eq!(grant.attempt, 4, "attempts only grow");
    rig.fail("w", &grant, Cause::Crash);
    assert_eq!(rig.status().units_open, 1, "one crash since the retry");
    let grant = lease_alone(&mut rig, "w");
    assert_eq!(rig.complete("w", &grant), Verdict::Won);
    rig.do_jobs();
    rig.assert_done(1, 0);
}

#[test]
fn cancelling_a_retried_trial_leaves_its_failed_row_as_its_only_one() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    for _ in 0..3 {
        let grant = lease_alone(&mut rig, "w");
        rig.fail("w", &grant, Cause::Crash);
    }
    rig.do_jobs();
    let sweep = rig.scheduler.sweep_id("s").unwrap();
    rig.event(|scheduler, now, effects| scheduler.retry(sweep, now, effects));
    rig.crash();
    rig.register("w");
    let grant = lease_alone(&mut rig, "w");
    rig.event(|scheduler, _, effects| scheduler.cancel(sweep, effects));
    rig.assert_done(0, 1);
    rig.crash();
    rig.assert_done(0, 1);
    rig.register("w");
    assert!(matches!(rig.complete("w", &grant), Verdict::Lost(_)));
    assert_eq!(rig.submit(&one_shape(1)), 0);
    assert!(matches!(rig.ask("w"), Ok(LeaseAnswer::Nothing(_))), "nothing is trained again");
}
