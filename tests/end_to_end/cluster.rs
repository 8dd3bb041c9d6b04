//! Coordinator, workers and clients as separate processes.

use phasegrid_tests::{
    Folder, Outcome, Running, SweepText, phasegrid, planned_trial_ids, query, trainer,
};
use std::net::TcpListener;
use std::process::Command;

pub(crate) const TOKEN: &str = "a-token-for-this-test";
pub(crate) const SIGTERM: i32 = 15;

/// An address nobody listens on.
pub(crate) fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}

/// A phasegrid command that knows the coordinator and its token.
pub(crate) fn with_token(address: &str, token: &str, arguments: &[&str]) -> Command {
    let mut command = phasegrid();
    command.args(arguments);
    command.env("PHASEGRID_COORDINATOR", format!("http://{address}"));
    command.env("PHASEGRID_TOKEN", token);
    command
}

pub(crate) fn start_coordinator(folder: &Folder, address: &str) -> Running {
    let (state, store) = (folder.join("state"), folder.join("store"));
    let mut command = with_token(address, TOKEN, &["coordinator", "--listen", address]);
    command.arg("--state").arg(state).arg("--store").arg(store);
    let mut coordinator = Running::start(&mut command);
    let answers = coordinator.runs_until(|| {
        let mut list = with_token(address, TOKEN, &["list"]);
        list.output().is_ok_and(|output| output.status.success())
    });
    assert!(answers, "the coordinator answers");
    coordinator
}

pub(crate) fn start_worker(address: &str, options: &[&str]) -> Running {
    let mut command = with_token(address, TOKEN, &["worker", "--slots", "1"]);
    command.args(options);
    command.arg("--trainer").arg(trainer());
    Running::start(&mut command)
}

pub(crate) fn status(address: &str, sweep: &str) -> serde_json::Value {
    let arguments = ["status", sweep, "--output", "json"];
    let outcome = Outcome::of(&mut with_token(address, TOKEN, &arguments)).exits_with(0);
    serde_json::from_str(&outcome.stdout).expect("JSON")
}

#[test]
fn a_sweep_survives_a_restart_of_its_coordinator_without_its_worker_noticing() {
    let (folder, address) = (Folder::new(), free_address());
    let sweep = SweepText::new("cluster")
        .fixed("steps = 400\n")
        .axes("width = [4, 8, 16, 32]\nbatch_size = [8, 16, 32]\nseed = { range = [0, 4] }\n");
    let file = folder.write("s.toml", sweep.text());

    let coordinator = start_coordinator(&folder, &address);
    let submit = ["submit", &file.to_string_lossy(), "--output", "json"];
    let submitted = Outcome::of(&mut with_token(&address, TOKEN, &submit)).exits_with(0);
    let submitted: serde_json::Value = serde_json::from_str(&submitted.stdout).expect("JSON");
    assert_eq!(submitted["trials_added"], 48);
    let why = Outcome::of(&mut with_token(&address, TOKEN, &["explain", "cluster"])).exits_with(0);
    assert!(why.stdout.contains("no worker"), "{}", why.stdout);

    let mut worker = start_worker(&address, &[]);
    let some_are_done = worker.runs_until(|| status(&address, "cluster")["trials_ok"] != 0);
    assert!(some_are_done, "the worker commits");
    let done_before = status(&address, "cluster")["trials_ok"].as_u64().expect("a count");
    coordinator.kill();
    assert!(done_before < 48, "the coordinator was killed in the middle: {done_before} of 48 done");

    let coordinator = start_coordinator(&folder, &address);
    let wait = ["wait", "cluster", "--output", "json"];
    let waited = Outcome::of(&mut with_token(&address, TOKEN, &wait)).exits_with(0);
    let waited: serde_json::Value = serde_json::from_str(&waited.stdout).expect("JSON");
    assert_eq!((&waited["state"], &waited["trials_ok"]), (&"done".into(), &48.into()));
    assert!(worker.is_running(), "the worker was never restarted");
    let manifest = folder.join("store/_compact/trials/sweep=cluster/manifest.json");
    assert!(worker.runs_until(|| manifest.is_file()), "the coordinator compacts what is done");

    worker.signal(SIGTERM);
    worker.wait().exits_with(0);
    coordinator.signal(SIGTERM);
    coordinator.wait().exits_with(0);
    let rows = query(&folder.join("store"), "SELECT trial_id FROM trials ORDER BY trial_id");
    let ids: Vec<&str> = rows.iter().filter_map(|row| row["trial_id"].as_str()).collect();
    assert_eq!(ids, planned_trial_ids(&[&sweep]));
}

#[test]
fn a_wrong_token_is_refused_and_a_cancelled_sweep_ends_its_waiters() {
    let (folder, address) = (Folder::new(), free_address());
    let file = folder.write("s.toml", SweepText::new("idle").fixed("steps = 1\n").text());
    let coordinator = start_coordinator(&folder, &address);
    let message = Outcome::of(&mut with_token(&address, "guess", &["list"])).fails_with(3);
    assert!(message.contains("token"), "{message}");

    let submit = ["submit", &*file.to_string_lossy()];
    Outcome::of(&mut with_token(&address, TOKEN, &submit)).exits_with(0);
    Outcome::of(&mut with_token(&address, TOKEN, &["pause", "idle"])).exits_with(0);
    assert_eq!(status(&address, "idle")["state"], "paused");
    Outcome::of(&mut with_token(&address, TOKEN, &["resume", "idle"])).exits_with(0);
    Outcome::of(&mut with_token(&address, TOKEN, &["cancel", "idle"])).exits_with(0);
    let waited = Outcome::of(&mut with_token(&address, TOKEN, &["wait", "idle"]));
    waited.exits_with(1);
    let message =
        Outcome::of(&mut with_token(&address, TOKEN, &["status", "nothing"])).fails_with(2);
    assert!(message.contains("nothing"), "{message}");
    coordinator.signal(SIGTERM);
    coordinator.wait().exits_with(0);
}
