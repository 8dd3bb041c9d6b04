//! Submitting again, cancelling, explaining.

use super::rig::{Rig, one_shape, size};
use crate::scheduler::{Job, SubmitRefusal, SweepState, Verdict, prepare};
use phasegrid_spec::{SweepFile, TrainRows, TrialIndex};

#[test]
fn the_same_file_again_adds_nothing_and_an_edited_one_only_what_is_missing() {
    let mut rig = Rig::new();
    assert_eq!(rig.submit(&one_shape(4)), 4);
    assert_eq!(rig.submit(&one_shape(4)), 0);
    assert_eq!(rig.durable.sweeps[0].blocks.len(), 1, "a no-op leaves no trace");
    assert_eq!(rig.submit(&one_shape(6)), 2);
    assert_eq!(rig.submit(&one_shape(2)), 0, "removing values removes nothing");
    assert_eq!(rig.status().trials_total, 6);
}

#[test]
fn an_idempotency_key_works_once() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(2));
    let extend = |rig: &mut Rig| {
        let prepared = rig.prepare(&one_shape(5));
        rig.event(|scheduler, _, effects| scheduler.submit(prepared, "", Some("k"), effects))
    };
    assert_eq!(extend(&mut rig), Some(3));
    assert_eq!(extend(&mut rig), Some(3), "the same answer, nothing added");
    rig.crash();
    assert_eq!(extend(&mut rig), Some(3));
    assert_eq!(rig.status().trials_total, 5);
}

#[test]
fn another_measure_is_refused_and_the_setting_named() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(2));
    let changed = format!("{}[measure]\nprobe_seed = 3\n", one_shape(2));
    let file = SweepFile::parse(&changed, "s.toml").unwrap();
    let (measure, block) = file.resolve(&TrainRows::default()).unwrap();
    let existing = rig.scheduler.plan("s").unwrap();
    let refusal = prepare(Some(&existing), "s", measure, block).unwrap_err();
    assert!(matches!(refusal, SubmitRefusal::MeasureChanged { .. }));
    assert!(refusal.to_string().contains("probe_seed is 0 in the sweep and 3 here"), "{refusal}");
}

#[test]
fn a_block_prepared_before_another_was_appended_is_not_taken() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(2));
    let stale = rig.prepare(&one_shape(9));
    rig.submit(&one_shape(3));
    let added = rig.event(|scheduler, _, effects| scheduler.submit(stale, "", None, effects));
    assert_eq!(added, None);
}

#[test]
fn cancel_closes_open_units_and_publishes_won_ones() {
    let mut rig = Rig::new();
    rig.submit("name = \"s\"\ntask = \"digits\"\n[axes]\ndepth = [1, 2, 3]\nseed = [0, 1]\n");
    rig.register_as("w", 4, 1 << 40);
    let won = rig.lease("w");
    rig.complete("w", &won);
    let open = rig.lease("w");
    let sweep = rig.scheduler.sweep_id("s").unwrap();
    rig.event(|scheduler, _, effects| scheduler.cancel(sweep, effects));
    assert_eq!(rig.heartbeat("w", &[&open]).cancelled.len(), 1);
    assert_eq!(rig.complete("w", &open), Verdict::Cancelled);
    rig.do_jobs();
    let status = rig.status();
    assert_eq!(status.state, SweepState::Cancelled);
    assert_eq!(status.trials_ok, size(&won) as u64);
    // Submitting again reopens it; what was published stays.
    rig.crash();
    assert_eq!(
        rig.submit("name = \"s\"\ntask = \"digits\"\n[axes]\ndepth = [1, 2, 3]\nseed = [0, 1]\n"),
        0
    );
    rig.register("w");
    rig.drain("w");
    rig.assert_done(6, 0);
    assert_eq!(rig.complete("w", &open), Verdict::Cancelled, "closed is closed");
}

#[test]
fn a_winner_lost_in_a_cancelled_sweep_is_closed() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(1));
    rig.register("w");
    let grant = rig.lease("w");
    rig.complete("w", &grant);
    let sweep = rig.scheduler.sweep_id("s").unwrap();
    rig.event(|scheduler, _, effects| scheduler.cancel(sweep, effects));
    let key = grant.unit;
    rig.event(|scheduler, now, effects| scheduler.publish_lost(key, 1, "gone", now, effects));
    assert_eq!(rig.status().units_open, 0);
    assert_eq!(rig.status().units_publishing, 0);
}

#[test]
fn explain_says_what_a_user_can_do() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(3));
    let sweep = rig.scheduler.sweep_id("s").unwrap();
    let explain = |rig: &Rig| rig.scheduler.explain_sweep(sweep, rig.now);
    assert_eq!(
        explain(&rig),
        ["no worker is there for task digits: start one", "3 trials are pending, in no unit yet"]
    );
    rig.register("w");
    let grant = rig.lease("w");
    let trial = TrialIndex { grid: 0, index: grant.range.start };
    let reasons = rig.scheduler.explain_trial(sweep, trial, rig.now);
    assert_eq!(reasons, ["its unit 0 is being trained by worker w, attempt 1, 0 % done"]);
    rig.event(|scheduler, _, effects| scheduler.pause(sweep, effects));
    assert_eq!(explain(&rig)[0], "the sweep is paused: resume it");
    rig.event(|scheduler, _, effects| scheduler.resume(sweep, effects));
    rig.complete("w", &grant);
    rig.do_jobs();
    rig.drain("w");
    assert_eq!(
        explain(&rig),
        ["the sweep is done: every one of its 3 trials has its published row"]
    );
    assert!(!rig.jobs.iter().any(|job| matches!(job, Job::Publish { .. })));
}
