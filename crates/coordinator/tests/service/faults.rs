//! Lost replies, late workers, failing stores. Every fault is seen to have fired.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use phasegrid_coordinator::commit::StoreFault;
use phasegrid_coordinator::scheduler::SchedulerConfig;
use phasegrid_proto::ServiceError;
use phasegrid_proto::v1::workers_client::WorkersClient;
use phasegrid_proto::v1::{ErrorKind, FailureCause, SweepRequest, SweepState, Verdict};

use tonic::transport::Channel;

use crate::harness::{ONE_TRIAL, Running, SWEEP, key};
use crate::lossy::LossyChannel;

fn short_leases() -> SchedulerConfig {
    SchedulerConfig {
        lease: Duration::from_millis(300),
        heartbeat: Duration::from_millis(50),
        backoff: Duration::from_millis(10),
        ..SchedulerConfig::default()
    }
}

#[tokio::test]
async fn a_lost_reply_to_complete_is_asked_for_again() {
    let running = Running::start().await;
    running.submit(ONE_TRIAL).await.unwrap();
    let mut worker = running.registered("w").await;
    let unit = worker.lease().await;
    let file = worker.stage(&unit);
    let request = worker.completion(&unit, &file);
    let channel = Channel::from_shared(running.url()).unwrap().connect().await.unwrap();
    let lossy = LossyChannel::new(channel, 2);
    let lost = Arc::clone(&lossy.lost);
    let mut client = WorkersClient::new(lossy);
    for _ in 0..2 {
        let error: ServiceError = client.complete(request.clone()).await.unwrap_err().into();
        assert!(error.is_transient());
    }
    assert_eq!(lost.load(Ordering::SeqCst), 2, "the replies were lost, not the requests");
    let again = client.complete(request).await.unwrap().into_inner();
    assert_eq!(again.verdict(), Verdict::Won);
    running.until_done().await;
    assert_eq!(running.store.publications(), 1, "published once");
}

#[tokio::test]
async fn a_zombie_that_completes_late_wins_if_nobody_has() {
    let running = Running::start_with(short_leases()).await;
    running.submit(ONE_TRIAL).await.unwrap();
    let mut zombie = running.registered("zombie").await;
    let late = zombie.lease().await;
    let mut heir = running.registered("heir").await;
    let current = heir.lease().await;
    assert_eq!((current.unit, current.attempt), (late.unit, 2), "the lease ran out");
    assert_eq!(zombie.complete(&late).await.verdict(), Verdict::Won);
    assert_eq!(heir.heartbeat(&[&current]).await.cancelled, [key(&current)]);
    let lost = heir.complete(&current).await;
    assert_eq!((lost.verdict(), lost.detail.as_str()), (Verdict::Lost, "attempt 1 won"));
    running.until_done().await;
    assert_eq!(running.store.visible("s", 0).unwrap().attempt, 1);
    running.until("cleared", |_| running.store.staged_paths().is_empty()).await;
}

#[tokio::test]
async fn a_zombie_that_completes_after_its_heir_loses() {
    let running = Running::start_with(short_leases()).await;
    running.submit(ONE_TRIAL).await.unwrap();
    let mut zombie = running.registered("zombie").await;
    let late = zombie.lease().await;
    let mut heir = running.registered("heir").await;
    let current = heir.lease().await;
    assert_eq!(current.attempt, 2, "the lease ran out");
    assert_eq!(heir.complete(&current).await.verdict(), Verdict::Won);
    assert_eq!(zombie.complete(&late).await.verdict(), Verdict::Lost);
    running.until_done().await;
    assert_eq!(running.store.visible("s", 0).unwrap().attempt, 2);
}

#[tokio::test]
async fn a_missing_file_is_to_be_staged_again() {
    let running = Running::start().await;
    running.submit(ONE_TRIAL).await.unwrap();
    let mut worker = running.registered("w").await;
    let unit = worker.lease().await;
    let file = worker.stage(&unit);
    running.store.lose(&file.path);
    let request = worker.completion(&unit, &file);
    let answer = worker.client.complete(request).await.unwrap().into_inner();
    assert_eq!(answer.verdict(), Verdict::StageAgain);
    assert!(answer.detail.contains(&file.path), "{}", answer.detail);
    assert_eq!(worker.complete(&unit).await.verdict(), Verdict::Won);
}

#[tokio::test]
async fn a_store_that_fails_while_files_are_checked_is_told_as_such() {
    let running = Running::start().await;
    running.submit(ONE_TRIAL).await.unwrap();
    let mut worker = running.registered("w").await;
    let unit = worker.lease().await;
    let file = worker.stage(&unit);
    running.store.arm(StoreFault::Verify, 1);
    let request = worker.completion(&unit, &file);
    let error: ServiceError = worker.client.complete(request).await.unwrap_err().into();
    assert_eq!(running.store.fired(StoreFault::Verify), 1);
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.is_transient());
    assert_eq!(worker.complete(&unit).await.verdict(), Verdict::Won);
}

#[tokio::test]
async fn a_store_that_fails_to_publish_and_to_clear_is_tried_again() {
    let running = Running::start_with(short_leases()).await;
    running.submit(ONE_TRIAL).await.unwrap();
    let mut worker = running.registered("w").await;
    let unit = worker.lease().await;
    running.store.arm(StoreFault::Publish, 3);
    running.store.arm(StoreFault::Clear, 2);
    assert_eq!(worker.complete(&unit).await.verdict(), Verdict::Won);
    running.until_done().await;
    running.until("cleared", |_| running.store.staged_paths().is_empty()).await;
    assert_eq!(running.store.fired(StoreFault::Publish), 3);
    assert_eq!(running.store.fired(StoreFault::Clear), 2);
}

#[tokio::test]
async fn publishing_goes_on_after_a_restart() {
    let mut running = Running::start().await;
    running.submit(ONE_TRIAL).await.unwrap();
    let mut worker = running.registered("w").await;
    let unit = worker.lease().await;
    running.store.arm(StoreFault::Publish, u32::MAX);
    assert_eq!(worker.complete(&unit).await.verdict(), Verdict::Won);
    running.until("publishing", |status| status.units_publishing == 1).await;
    running.stop().await;
    assert!(running.store.fired(StoreFault::Publish) > 0);
    assert_eq!(running.store.visible("s", 0), None);
    running.store.arm(StoreFault::Publish, 0);
    running.start_again().await;
    running.until_done().await;
}

#[tokio::test]
async fn a_winner_found_lost_is_trained_again() {
    let running = Running::start().await;
    running.submit(ONE_TRIAL).await.unwrap();
    let mut worker = running.registered("w").await;
    let unit = worker.lease().await;
    running.store.arm(StoreFault::LosePublished, 1);
    assert_eq!(worker.complete(&unit).await.verdict(), Verdict::Won);
    let again = worker.lease().await;
    assert_eq!(running.store.fired(StoreFault::LosePublished), 1);
    assert_eq!((again.unit, again.attempt), (unit.unit, 2));
    assert_eq!(worker.complete(&again).await.verdict(), Verdict::Won);
    running.until_done().await;
    assert_eq!(running.store.visible("s", 0).unwrap().attempt, 2);
}

#[tokio::test]
async fn a_trial_that_crashes_three_times_alone_gets_a_failed_row_and_may_be_retried() {
    let running = Running::start().await;
    running.submit(ONE_TRIAL).await.unwrap();
    let mut worker = running.registered("w").await;
    for _ in 0..3 {
        let unit = worker.lease().await;
        worker.fail(&unit, FailureCause::Crash).await;
    }
    let status = running.until_done().await;
    assert_eq!((status.trials_failed, status.attempts_failed), (1, 3));
    assert!(status.last_failure.contains("the trainer crashed: boom"), "{status:?}");
    assert_eq!(running.store.visible("s", 0).unwrap().failed.len(), 1);
    let mut sweeps = running.sweeps().await;
    let request = SweepRequest { sweep: "s".to_owned() };
    let retried = sweeps.retry(request).await.unwrap().into_inner();
    assert_eq!((retried.state(), retried.trials_failed), (SweepState::Running, 0));
    let unit = worker.lease().await;
    assert_eq!(unit.attempt, 4);
    assert_eq!(worker.complete(&unit).await.verdict(), Verdict::Won);
    running.until_done().await;
    assert_eq!(running.store.visible("s", 0).unwrap().failed.len(), 0, "replaced");
}

#[tokio::test]
async fn a_worker_that_hands_back_makes_room_for_one_that_waits() {
    let running = Running::start().await;
    running.submit(ONE_TRIAL).await.unwrap();
    let mut going = running.registered("going").await;
    let unit = going.lease().await;
    let mut waiting = running.registered("waiting").await;
    let polled = tokio::spawn(async move { waiting.lease().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    going.fail(&unit, FailureCause::HandedBack).await;
    assert_eq!(polled.await.unwrap().attempt, 2);
}

#[tokio::test]
async fn a_document_that_cannot_be_written_leaves_no_sweep() {
    let running = Running::start().await;
    running.store.arm(StoreFault::Document, 1);
    let error: ServiceError = running.submit(SWEEP).await.unwrap_err().into();
    assert_eq!(running.store.fired(StoreFault::Document), 1);
    assert_eq!(error.kind(), ErrorKind::Store);
    assert_eq!(running.submit(SWEEP).await.unwrap().trials_added, 8);
}

#[tokio::test]
async fn a_log_that_cannot_be_written_acknowledges_nothing_and_stops_the_coordinator() {
    let mut running = Running::start().await;
    running.submit(ONE_TRIAL).await.unwrap();
    let mut worker = running.registered("w").await;
    let path = running.directory.path().join(phasegrid_coordinator::log::LOG_FILE);
    let saboteur = rusqlite::Connection::open(path).unwrap();
    saboteur.execute_batch("ALTER TABLE units RENAME TO hidden").unwrap();
    let error: ServiceError = worker.poll(0).await.unwrap_err().into();
    assert_eq!(error.kind(), ErrorKind::Log, "the fault fired");
    let ended = running.ended().await.unwrap_err().to_string();
    assert!(ended.starts_with("the log could not be written"), "{ended}");
    saboteur.execute_batch("ALTER TABLE hidden RENAME TO units").unwrap();
    running.start_again().await;
    let mut worker = running.registered("w").await;
    assert_eq!(worker.lease().await.attempt, 1, "the lease that failed was never given");
}
