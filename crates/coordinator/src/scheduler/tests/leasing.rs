//! Who gets which trials, and how many.

use std::collections::BTreeMap;
use std::time::Duration;

use phasegrid_spec::Shape;

use super::rig::{Rig, name, one_shape, positions, size};
use crate::scheduler::{
    Completion, LeaseAnswer, Registration, SchedulerConfig, SweepState, UnknownWorker,
};

#[test]
fn a_worker_must_register_first() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(2));
    assert_eq!(rig.ask("stranger").unwrap_err(), UnknownWorker);
}

#[test]
fn units_are_cut_in_grid_order_and_never_span_two_shapes() {
    let mut rig = Rig::new();
    let sweep = "name = \"s\"\ntask = \"digits\"\n[axes]\ndepth = [1, 2]\nlearning_rate = [0.1, 0.2, 0.3]\nseed = [0, 1]\n";
    assert_eq!(rig.submit(sweep), 12);
    rig.register("w");
    let mut seen = Vec::new();
    while let Ok(LeaseAnswer::Unit(grant)) = rig.ask("w") {
        let shapes: Vec<Shape> =
            grant.plan.trials_in(grant.range).map(|(_, trial)| Shape::of(&trial)).collect();
        assert!(shapes.windows(2).all(|pair| pair[0] == pair[1]));
        seen.extend(positions(&grant));
        rig.complete("w", &grant);
    }
    assert_eq!(seen.len(), 12);
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
    rig.do_jobs();
    rig.assert_done(12, 0);
}

#[test]
fn excluded_points_and_duplicates_are_never_leased() {
    let mut rig = Rig::new();
    let sweep = "name = \"s\"\ntask = \"digits\"\n[axes]\nseed = { range = [0, 10] }\n[where]\nconditions = [\"seed >= 4\"]\n";
    assert_eq!(rig.submit(sweep), 6);
    // Five more seeds, of which two are new.
    let edited = "name = \"s\"\ntask = \"digits\"\n[axes]\nseed = { range = [7, 12] }\n";
    assert_eq!(rig.submit(edited), 2);
    rig.register("w");
    rig.drain("w");
    rig.assert_done(8, 0);
}

#[test]
fn the_tail_is_shared_among_slots() {
    let mut rig = Rig::new();
    // About 1.5 s of work each: six fit into the first unit's 10 s, were they not shared.
    rig.submit(&format!("{}[fixed]\nsteps = 21000\n", one_shape(8)));
    rig.register_as("a", 2, 1 << 40);
    rig.register_as("b", 2, 1 << 40);
    let sizes: Vec<usize> = ["a", "b", "a", "b"].map(|worker| size(&rig.lease(worker))).into();
    assert_eq!(sizes, [2, 2, 1, 1]);
}

#[test]
fn a_unit_fits_the_workers_memory() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(64));
    let trial = rig.scheduler.plan("s").unwrap().trials().next().unwrap().1;
    let bytes =
        crate::scheduler::TrialCost::estimate(&trial, &phasegrid_spec::Measure::default()).bytes;
    rig.register_as("small", 1, bytes * 3);
    assert_eq!(size(&rig.lease("small")), 3);
}

#[test]
fn a_measured_speed_sizes_the_next_unit() {
    let mut rig = Rig::new();
    rig.submit(&format!("{}[fixed]\nsteps = 100000\n", one_shape(400)));
    rig.register("w");
    let first = rig.lease("w");
    let lease = name(&first);
    let trials = size(&first) as u32;
    let completion = Completion {
        worker: "w".to_owned(),
        manifest: vec![super::rig::file_of(&lease, trials)],
        lease,
        ok: trials,
        diverged: 0,
        // A trial takes a second.
        trial_steps_per_second: 100_000.0,
    };
    rig.event(|scheduler, now, effects| scheduler.settle(completion, now, effects));
    assert_eq!(size(&rig.lease("w")), 30, "30 s of work");
}

#[test]
fn sweeps_take_turns() {
    let mut rig = Rig::new();
    let shapes = "[axes]\ndepth = [1, 2, 3]\nseed = [0, 1]\n";
    for sweep in ["a", "b"] {
        rig.submit(&format!("name = \"{sweep}\"\ntask = \"digits\"\n{shapes}"));
    }
    rig.register_as("w", 4, 1 << 40);
    let turns: Vec<String> = (0..4).map(|_| rig.lease("w").sweep.to_string()).collect();
    assert_eq!(turns, ["a", "b", "a", "b"]);
}

#[test]
fn a_sweep_is_pinned_to_the_data_of_its_first_worker() {
    let mut rig = Rig::new();
    rig.submit("name = \"s\"\ntask = \"digits\"\n[axes]\ndepth = [1, 2]\nseed = [0, 1]\n");
    rig.register("first");
    let with_other_data = Registration {
        worker: "other".to_owned(),
        device: "cpu".to_owned(),
        slots: 1,
        datasets: BTreeMap::from([("digits".to_owned(), "another".to_owned())]),
        ..Registration::default()
    };
    rig.register_exactly(with_other_data);
    assert_eq!(rig.lease("first").dataset, "fingerprint");
    assert_eq!(
        rig.refused("other"),
        "sweep s: its data of task digits has fingerprint another, the sweep is pinned to fingerprint"
    );
    rig.crash();
    assert_eq!(rig.durable.sweeps[0].pins.len(), 1);
    rig.register("third");
    assert_eq!(rig.lease("third").dataset, "fingerprint");
}

#[test]
fn another_registry_gets_no_leases_and_is_told_why() {
    let config = SchedulerConfig { registry_hash: "ours".to_owned(), ..Default::default() };
    let mut rig = Rig::with_config(config);
    rig.submit(&one_shape(2));
    let refusal = rig.register_exactly(Registration {
        worker: "old".to_owned(),
        registry_hash: "theirs".to_owned(),
        ..Registration::default()
    });
    assert!(refusal.unwrap().contains("its registry hash is theirs, expected ours"));
    assert!(rig.refused("old").contains("run the same release on both"));
}

#[test]
fn a_worker_at_the_end_of_its_time_gets_nothing() {
    let mut rig = Rig::new();
    rig.submit(&one_shape(2));
    rig.register_exactly(Registration {
        worker: "w".to_owned(),
        slots: 1,
        datasets: BTreeMap::from([("digits".to_owned(), "fingerprint".to_owned())]),
        time_limit: Some(Duration::from_secs(10)),
        ..Registration::default()
    });
    rig.pass(10);
    assert_eq!(rig.refused("w"), "its time is over");
}

/// A worker with so many seconds to live, of the guessed speed.
fn mortal(worker: &str, seconds: u64) -> Registration {
    Registration {
        worker: worker.to_owned(),
        slots: 1,
        datasets: BTreeMap::from([("digits".to_owned(), "fingerprint".to_owned())]),
        time_limit: Some(Duration::from_secs(seconds)),
        ..Registration::default()
    }
}

#[test]
fn a_trial_longer_than_a_workers_life_is_not_given_to_it() {
    let mut rig = Rig::new();
    // Some 1,500 s at the guessed speed, 150 s if it is ten times that.
    rig.submit(&format!("{}[fixed]\nsteps = 21000000\n", one_shape(2)));
    rig.register_exactly(mortal("short", 60));
    let reason = rig.refused("short");
    assert!(reason.contains("worker short has 60 s left to live"), "{reason}");
    let sweep = rig.scheduler.sweep_id("s").unwrap();
    let explained = rig.scheduler.explain_sweep(sweep, rig.now).join("\n");
    assert!(explained.contains("no worker has the time: worker short has 60 s"), "{explained}");
    rig.register("long");
    assert!(!rig.scheduler.explain_sweep(sweep, rig.now).join("").contains("no worker has"));
    assert_eq!(size(&rig.lease("long")), 1);
}

#[test]
fn a_unit_too_long_for_every_worker_left_is_halved_until_a_part_fits() {
    let mut rig = Rig::new();
    // About 1.5 s of work each at the guessed speed: six make the first unit's 10 s.
    rig.submit(&format!("{}[fixed]\nsteps = 21000\n", one_shape(6)));
    rig.register("long");
    let whole = rig.lease("long");
    let trials = size(&whole);
    assert!(trials >= 4, "{trials}");
    rig.fail("long", &whole, crate::model::Cause::HandedBack);
    // The other goes, and nobody left has the time for the whole.
    rig.pass(2_000);
    rig.register_exactly(mortal("short", 1));
    let part = rig.lease("short");
    assert!((1..trials).contains(&size(&part)), "{} of {trials}", size(&part));
    rig.register("another");
    rig.complete("short", &part);
    rig.drain("another");
    rig.do_jobs();
    rig.assert_done(6, 0);
}

#[test]
fn a_paused_sweep_is_not_leased_but_finishes_what_is() {
    let mut rig = Rig::new();
    rig.submit("name = \"s\"\ntask = \"digits\"\n[axes]\ndepth = [1, 2]\nseed = [0, 1]\n");
    rig.register("w");
    let grant = rig.lease("w");
    let sweep = rig.scheduler.sweep_id("s").unwrap();
    rig.event(|scheduler, _, effects| scheduler.pause(sweep, effects));
    assert_eq!(rig.refused("w"), "no sweep is running");
    assert_eq!(rig.status().state, SweepState::Paused);
    rig.complete("w", &grant);
    rig.do_jobs();
    assert_eq!(rig.status().trials_ok, size(&grant) as u64);
    rig.work_appeared = false;
    rig.event(|scheduler, _, effects| scheduler.resume(sweep, effects));
    assert!(rig.work_appeared, "waiting workers are told");
    rig.drain("w");
    rig.assert_done(4, 0);
}

#[test]
fn a_unit_saves_no_more_weights_than_a_manifest_can_tell() {
    let mut rig = Rig::new();
    // 1,001 measured steps a trial: (65,536 - 64) / 1,001 = 65 trials.
    let steps = "[fixed]\nsteps = 1000\n[measure]\nat = { log = 0 }\nmetrics = []\nhistory = 0\n";
    let every_step: Vec<String> = (0..=999).map(|step| step.to_string()).collect();
    let at = format!("at = [{}]\nsave_weights = \"all\"", every_step.join(", "));
    rig.submit(&format!("{}{}", one_shape(100), steps.replace("at = { log = 0 }", &at)));
    rig.register("w");
    assert_eq!(size(&rig.lease("w")), 65);
}
