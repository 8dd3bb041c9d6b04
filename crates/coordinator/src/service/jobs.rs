//! Jobs on the store: on blocking threads, several at once, reported back to the scheduler.

use std::sync::Arc;
use std::time::Duration;

use phasegrid_spec::{Block, Sweep, TrialRange};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::task::JoinSet;

use super::core::Core;
use crate::commit::{
    CommitStore, FailedTrials, Publication, StagedFile, StoreFailure, SweepDocument,
};
use crate::model::{SweepId, UnitKey};
use crate::scheduler::{DocumentParts, Job};

/// How often clearing and documents are tried again before they are left to the next start.
const RETRIES: u32 = 6;

/// What the jobs need.
#[derive(Clone)]
pub(super) struct JobContext {
    pub(super) core: Core,
    pub(super) store: Arc<dyn CommitStore>,
    /// This coordinator's id, for documents.
    pub(super) coordinator: Arc<str>,
    /// Documents are written one after the other, each with what holds then.
    pub(super) documents: Arc<Mutex<()>>,
    pub(super) permits: Arc<Semaphore>,
}

/// Starts jobs until the coordinator stops, then waits for those that run. What is still queued is
/// found again in the log at the next start.
pub(super) async fn run_jobs(context: JobContext, mut queue: mpsc::UnboundedReceiver<Job>) {
    let mut running = JoinSet::new();
    let stopping = context.core.stopping().clone();
    loop {
        let job = tokio::select! {
            biased;
            () = stopping.cancelled() => break,
            job = queue.recv() => job,
            Some(_) = running.join_next() => continue,
        };
        let Some(job) = job else { break };
        let context = context.clone();
        running.spawn(async move { run_job(&context, job).await });
    }
    while running.join_next().await.is_some() {}
}

async fn run_job(context: &JobContext, job: Job) {
    match job {
        Job::Publish { unit, sweep, attempt, manifest } => {
            publish(context, unit, sweep, attempt, manifest).await;
        }
        Job::PublishFailed { unit, plan, range, attempt, reason } => {
            publish_failed(context, unit, plan, range, attempt, reason).await;
        }
        Job::ClearUnit { unit, sweep } => {
            if clear(context, &sweep, unit.unit, None).await {
                let _ = context
                    .core
                    .call(move |scheduler, _, effects| scheduler.cleared(unit, effects))
                    .await;
            }
        }
        Job::ClearAttempt { sweep, unit, attempt } => {
            clear(context, &sweep, unit, attempt).await;
        }
        Job::ReplaceDocument { sweep } => replace_document(context, sweep).await,
    }
}

async fn publish(
    context: &JobContext,
    unit: UnitKey,
    sweep: Arc<str>,
    attempt: u64,
    manifest: Arc<[StagedFile]>,
) {
    let outcome =
        on_store(context, move |store| store.publish(&sweep, unit.unit, attempt, &manifest)).await;
    // A report that does not get through finds the coordinator stopping: publishing is redone.
    let _ = context
        .core
        .call(move |scheduler, now, effects| match outcome {
            Ok(Publication::Visible) => scheduler.published(unit, effects),
            Ok(Publication::Lost(how)) => {
                tracing::error!(unit = unit.unit, attempt, how, "a winner's files are lost");
                scheduler.publish_lost(unit, attempt, &how, now, effects);
            }
            Err(failure) => {
                tracing::warn!(unit = unit.unit, %failure, "publishing is tried again");
                scheduler.publish_failed(unit, failure.0, now, effects);
            }
        })
        .await;
}

async fn publish_failed(
    context: &JobContext,
    unit: UnitKey,
    plan: Arc<Sweep>,
    range: TrialRange,
    attempt: u64,
    reason: String,
) {
    let outcome = on_store(context, move |store| {
        let trials = plan.trials_in(range).map(|(_, trial)| trial).collect();
        let sweep = plan.name().to_owned();
        store.publish_failed(&FailedTrials { sweep, unit: unit.unit, attempt, trials, reason })
    })
    .await;
    let _ = context
        .core
        .call(move |scheduler, now, effects| match outcome {
            Ok(()) => scheduler.published(unit, effects),
            Err(failure) => scheduler.publish_failed(unit, failure.0, now, effects),
        })
        .await;
}

async fn clear(context: &JobContext, sweep: &Arc<str>, unit: u64, attempt: Option<u64>) -> bool {
    let sweep = Arc::clone(sweep);
    retried(context, "staging is not cleared", move |store| {
        store.clear_staging(&sweep, unit, attempt)
    })
    .await
}

async fn replace_document(context: &JobContext, sweep: SweepId) {
    let _one_at_a_time = context.documents.lock().await;
    let parts = context.core.call(move |scheduler, _, _| scheduler.document_parts(sweep)).await;
    let Ok(Some(DocumentParts { plan, blocks, owner, datasets })) = parts else { return };
    let coordinator = Arc::clone(&context.coordinator);
    retried(context, "a sweep's document is out of date", move |store| {
        let blocks = blocks_from_json(&blocks)?;
        store.replace_sweep_document(&SweepDocument {
            sweep: &plan,
            blocks: &blocks,
            coordinator: &coordinator,
            owner: &owner,
            datasets: &datasets,
        })
    })
    .await;
}

pub(super) fn blocks_from_json(blocks: &[Arc<str>]) -> Result<Vec<Block>, StoreFailure> {
    let read = |block: &Arc<str>| serde_json::from_str(block);
    let blocks: Result<Vec<Block>, _> = blocks.iter().map(read).collect();
    blocks.map_err(|error| StoreFailure(format!("a block cannot be read back: {error}")))
}

/// Tries a few times, with growing pauses; says so if that was not enough.
async fn retried(
    context: &JobContext,
    complaint: &str,
    work: impl Fn(&dyn CommitStore) -> Result<(), StoreFailure> + Clone + Send + 'static,
) -> bool {
    let mut pause = Duration::from_millis(100);
    for _ in 0..RETRIES {
        let failure = match on_store(context, work.clone()).await {
            Ok(()) => return true,
            Err(failure) => failure,
        };
        tracing::warn!(%failure, "{complaint}");
        tokio::select! {
            () = tokio::time::sleep(pause) => pause *= 3,
            () = context.core.stopping().cancelled() => return false,
        }
    }
    false
}

/// Runs blocking work on the store, a few at once. What waits for its turn when the coordinator stops
/// is not begun.
pub(super) async fn on_store<T: Send + 'static>(
    context: &JobContext,
    work: impl FnOnce(&dyn CommitStore) -> Result<T, StoreFailure> + Send + 'static,
) -> Result<T, StoreFailure> {
    let stopping = || StoreFailure("the coordinator is stopping".to_owned());
    let _permit = tokio::select! {
        biased;
        permit = context.permits.acquire() => permit.map_err(|_| stopping())?,
        () = context.core.stopping().cancelled() => return Err(stopping()),
    };
    let store = Arc::clone(&context.store);
    let outcome = tokio::task::spawn_blocking(move || work(store.as_ref())).await;
    outcome.unwrap_or_else(|died| Err(StoreFailure(format!("the store's thread died: {died}"))))
}
