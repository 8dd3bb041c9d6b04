//! Workers that go in good order: on SIGTERM, and at the end of the time they were given.

use crate::cluster::{
    SIGTERM, TOKEN, free_address, start_coordinator, start_worker, status, with_token,
};
use phasegrid_tests::{Folder, Outcome, SweepText, planned_trial_ids, trials};

fn submit(folder: &Folder, address: &str, name: &str, sweep: &SweepText) {
    let file = folder.write(&format!("{name}.toml"), sweep.text());
    let submit = ["submit", &*file.to_string_lossy()];
    Outcome::of(&mut with_token(address, TOKEN, &submit)).exits_with(0);
}

fn explained(address: &str, sweep: &str) -> String {
    Outcome::of(&mut with_token(address, TOKEN, &["explain", sweep])).exits_with(0).stdout
}

#[test]
fn a_worker_told_to_end_in_the_middle_of_a_unit_hands_it_back_and_another_goes_on() {
    let (folder, address) = (Folder::new(), free_address());
    let coordinator = start_coordinator(&folder, &address);
    let sweep = SweepText::new("drained")
        .fixed("steps = 8000\nwidth = 8\n")
        .axes("seed = { range = [0, 3] }\n");
    submit(&folder, &address, "drained", &sweep);

    let mut first = start_worker(&address, &[]);
    let in_training =
        first.runs_until(|| explained(&address, "drained").contains("are being trained"));
    assert!(in_training, "the worker ended before it trained anything");
    first.signal(SIGTERM);
    first.wait().exits_with(0);
    // Free at once, not after the minute that a lease lasts.
    let reasons = explained(&address, "drained");
    assert!(!reasons.contains("being trained"), "{reasons}");
    assert!(reasons.contains("3 trials are in units that wait for a worker"), "{reasons}");
    assert_eq!(status(&address, "drained")["trials_ok"], 0, "the signal came too late");

    let second = start_worker(&address, &[]);
    Outcome::of(&mut with_token(&address, TOKEN, &["wait", "drained"])).exits_with(0);
    second.signal(SIGTERM);
    second.wait().exits_with(0);
    coordinator.signal(SIGTERM);
    coordinator.wait().exits_with(0);
    let rows = trials(&folder.join("store"), "drained");
    let mut ids: Vec<String> = rows.iter().map(|row| row.trial_id.clone()).collect();
    ids.sort();
    assert_eq!(ids, planned_trial_ids(&[&sweep]));
    assert!(rows.iter().all(|row| row.attempt == 2), "{rows:?}");
}

#[test]
fn a_worker_with_little_time_trains_what_it_can_finish_and_ends_by_itself() {
    let (folder, address) = (Folder::new(), free_address());
    let coordinator = start_coordinator(&folder, &address);
    // Hours on any processor core.
    let endless = SweepText::new("endless").fixed("steps = 1000000000\n");
    let short = SweepText::new("short").fixed("steps = 10\n").axes("seed = { range = [0, 3] }\n");
    submit(&folder, &address, "endless", &endless);
    submit(&folder, &address, "short", &short);

    let mut worker = start_worker(&address, &["--time-limit", "25s"]);
    let is_done = worker.runs_until(|| status(&address, "short")["state"] == "done");
    assert!(is_done, "its time was over before it trained the short sweep");
    let reasons = explained(&address, "endless");
    assert!(reasons.contains("no worker has the time: worker "), "{reasons}");
    assert!(reasons.contains("start one with a longer --time-limit"), "{reasons}");
    assert!(!reasons.contains("being trained"), "{reasons}");
    worker.wait().exits_with(0);
    let reasons = explained(&address, "endless");
    assert!(reasons.contains("no worker is there for task digits"), "{reasons}");
    assert_eq!(trials(&folder.join("store"), "short").len(), 3);
    assert!(trials(&folder.join("store"), "endless").is_empty());
    coordinator.signal(SIGTERM);
    coordinator.wait().exits_with(0);
}

#[test]
fn a_time_limit_that_is_none_is_a_usage_error() {
    for bad in ["0", "soon", "1h30"] {
        let worker = ["worker", "--time-limit", bad];
        let message = Outcome::of(&mut with_token("127.0.0.1:1", TOKEN, &worker)).fails_with(2);
        assert!(message.contains("--time-limit"), "{message}");
    }
}
