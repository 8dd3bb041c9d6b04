//! From submission to published rows, across a restart.

use std::time::Duration;

use phasegrid_proto::v1::{
    ExplainRequest, ExtendRequest, ListRequest, SweepRequest, SweepState, Verdict, WatchRequest,
};
use phasegrid_spec::{Hyperparameters, TrialId};
use tokio_stream::StreamExt;

use crate::harness::{Running, SWEEP};

#[tokio::test]
async fn a_sweep_from_submission_to_done() {
    let running = Running::start().await;
    let mut worker = running.registered("w").await;
    // The worker waits before there is anything to do.
    let waiting = tokio::spawn(async move {
        let unit = worker.lease().await;
        (worker, unit)
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let submitted = running.submit(SWEEP).await.unwrap();
    assert_eq!(submitted.trials_added, 8);
    let (mut worker, mut unit) = waiting.await.unwrap();
    let mut sweeps = running.sweeps().await;
    let watch = sweeps.watch(WatchRequest { sweep: "s".to_owned() }).await.unwrap().into_inner();

    assert_eq!(worker.heartbeat(&[&unit]).await.cancelled, []);
    assert_eq!(running.status().await.running_progress, 0.5);
    let mut units = 0;
    let mut trials = Vec::new();
    loop {
        trials.extend(unit.trials.clone());
        assert_eq!(worker.complete(&unit).await.verdict(), Verdict::Won);
        units += 1;
        match worker.poll(0).await.unwrap().unit {
            Some(next) => unit = next,
            None => break,
        }
    }
    let statuses: Vec<_> = watch.collect::<Result<_, _>>().await.unwrap();
    let last = statuses.last().unwrap();
    assert_eq!(last.state(), SweepState::Done);
    assert_eq!((last.trials_ok, last.trials_diverged), (8 - units, units));
    assert_eq!(running.store.visible_units("s").len() as u64, units);
    running.until("cleared", |_| running.store.staged_paths().is_empty()).await;

    // Each trial exactly once, as the spec enumerates them.
    let read = |json: &String| Hyperparameters::from_canonical_json(json).unwrap();
    let ids: std::collections::BTreeSet<_> =
        trials.iter().map(|json| TrialId::of(&read(json))).collect();
    assert_eq!((trials.len(), ids.len()), (8, 8));
    let explained =
        ExplainRequest { sweep: "s".to_owned(), trial_id: ids.first().unwrap().to_string() };
    let reasons = sweeps.explain(explained).await.unwrap().into_inner().reasons;
    assert!(reasons[0].starts_with("it is done: its unit"), "{reasons:?}");
    let list = sweeps.list(ListRequest {}).await.unwrap().into_inner();
    assert_eq!(list.sweeps, [running.status().await]);
    assert_eq!(running.submit(SWEEP).await.unwrap().trials_added, 0);
}

#[tokio::test]
async fn workers_ride_out_a_restart_and_keep_what_they_trained() {
    let mut running = Running::start().await;
    running.submit(SWEEP).await.unwrap();
    let mut worker = running.registered("w").await;
    let unit = worker.lease().await;
    running.stop().await;
    assert!(worker.poll(0).await.is_err(), "it is really gone");
    running.start_again().await;
    let mut worker = running.worker("w").await;
    let answer = worker.heartbeat(&[&unit]).await;
    assert!(answer.register_again);
    assert_eq!(answer.cancelled, []);
    worker.register().await;
    assert!(!worker.heartbeat(&[&unit]).await.register_again);
    assert_eq!(worker.complete(&unit).await.verdict(), Verdict::Won);
    while let Some(unit) = worker.poll(0).await.unwrap().unit {
        worker.complete(&unit).await;
    }
    running.until_done().await;
}

#[tokio::test]
async fn extending_twice_with_one_key_extends_once() {
    let running = Running::start().await;
    running.submit(SWEEP).await.unwrap();
    let mut sweeps = running.sweeps().await;
    let longer = SWEEP.replace("[0, 4]", "[0, 6]");
    for _ in 0..2 {
        let request = ExtendRequest {
            sweep: "s".to_owned(),
            sweep_file: longer.clone(),
            idempotency_key: "k".to_owned(),
            ..Default::default()
        };
        let extended = sweeps.extend(request).await.unwrap().into_inner();
        assert_eq!(extended.trials_added, 4);
        assert_eq!(extended.status.unwrap().trials_total, 12);
    }
}

#[tokio::test]
async fn pause_resume_and_cancel() {
    let running = Running::start().await;
    running.submit(SWEEP).await.unwrap();
    let mut worker = running.registered("w").await;
    let unit = worker.lease().await;
    let mut sweeps = running.sweeps().await;
    let request = || SweepRequest { sweep: "s".to_owned() };
    let paused = sweeps.pause(request()).await.unwrap().into_inner();
    assert_eq!(paused.state(), SweepState::Paused);
    let nothing = worker.poll(0).await.unwrap();
    assert_eq!((nothing.unit, nothing.reason.as_str()), (None, "no sweep is running"));
    let resumed = sweeps.resume(request()).await.unwrap().into_inner();
    assert_eq!(resumed.state(), SweepState::Running);
    let cancelled = sweeps.cancel(request()).await.unwrap().into_inner();
    assert_eq!((cancelled.state(), cancelled.units_open), (SweepState::Cancelled, 0));
    assert_eq!(worker.heartbeat(&[&unit]).await.cancelled.len(), 1);
    assert_eq!(worker.complete(&unit).await.verdict(), Verdict::Cancelled);
}

#[tokio::test]
async fn stopping_answers_workers_that_wait_and_ends_watches() {
    let mut running = Running::start().await;
    running.submit(SWEEP).await.unwrap();
    let mut sweeps = running.sweeps().await;
    sweeps.pause(SweepRequest { sweep: "s".to_owned() }).await.unwrap();
    let mut worker = running.registered("w").await;
    let waiting = tokio::spawn(async move { worker.poll(60_000).await });
    let watch = sweeps.watch(WatchRequest { sweep: "s".to_owned() }).await.unwrap().into_inner();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let begun = std::time::Instant::now();
    running.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(4), "nobody had to be cut off");
    assert_eq!(waiting.await.unwrap().unwrap().reason, "the coordinator is stopping");
    let last = watch.collect::<Vec<_>>().await.pop().unwrap();
    assert_eq!(last.unwrap_err().code(), tonic::Code::Unavailable);
}

#[tokio::test]
async fn a_client_that_says_nothing_does_not_keep_the_coordinator() {
    let mut running = Running::start().await;
    let address = running.url().trim_start_matches("http://").to_owned();
    let silent = tokio::net::TcpStream::connect(&address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let begun = std::time::Instant::now();
    running.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    drop(silent);
    // The state directory is free again.
    running.start_again().await;
}

#[tokio::test]
async fn whoever_asked_is_told_of_each_finished_sweep_once_and_again_when_it_grew() {
    let mut running = Running::start().await;
    let mut worker = running.registered("w").await;
    running.submit(SWEEP).await.unwrap();
    assert!(running.nothing_else_finished(), "a sweep that runs is not finished");
    while let Some(unit) = worker.poll(0).await.unwrap().unit {
        worker.complete(&unit).await;
    }
    assert_eq!(running.finished().await, "s");
    // The same points again: a new revision, nothing new to say.
    running.submit(SWEEP).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(running.nothing_else_finished());

    running.submit(&SWEEP.replace("[0, 4]", "[0, 5]")).await.unwrap();
    while let Some(unit) = worker.poll(0).await.unwrap().unit {
        worker.complete(&unit).await;
    }
    assert_eq!(running.finished().await, "s");
    // Compacting may have been cut short by the end of the coordinator: it is said again.
    running.stop().await;
    running.start_again().await;
    assert_eq!(running.finished().await, "s");
}
