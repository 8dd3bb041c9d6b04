//! The one task that owns the scheduler.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use phasegrid_proto::ServiceError;
use phasegrid_proto::v1::ErrorKind;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::lease_queue::{LeaseQueue, LeaseWaiter};
use crate::log::{Log, WriteFailed};
use crate::scheduler::{Effects, Job, LeaseAnswer, Scheduler, UnknownWorker};

/// How often time passes for the scheduler.
const TICK: Duration = Duration::from_millis(100);
/// Requests that may wait for the task.
const QUEUE: usize = 4_096;

type After = Box<dyn FnOnce(Result<(), WriteFailed>) + Send>;
type Action = Box<dyn FnOnce(&mut Scheduler, Duration, &mut Effects) -> After + Send>;

enum Command {
    Do(Action),
    Lease(LeaseWaiter),
}

/// A way to the scheduler, for any task.
#[derive(Clone)]
pub(super) struct Core {
    commands: mpsc::Sender<Command>,
    revision: watch::Receiver<u64>,
    started: Instant,
    stopping: CancellationToken,
}

/// Why the log stopped, once it has.
#[derive(Clone, Default)]
pub(super) struct LogFailure {
    reason: Arc<OnceLock<String>>,
    pub(super) happened: CancellationToken,
}

impl LogFailure {
    pub(super) fn reason(&self) -> Option<String> {
        self.reason.get().cloned()
    }

    fn set(&self, failed: &WriteFailed) {
        // The first reason is the one that tells.
        let _ = self.reason.set(failed.0.clone());
        self.happened.cancel();
    }
}

impl Core {
    /// Runs an action on the scheduler; its result comes back when it is durable.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        action: impl FnOnce(&mut Scheduler, Duration, &mut Effects) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let (reply, answer) = oneshot::channel();
        let action: Action = Box::new(move |scheduler, now, effects| {
            let value = action(scheduler, now, effects);
            Box::new(move |outcome| {
                // The caller may have gone; what it asked for is done all the same.
                let _ = reply.send(outcome.map(|()| value));
            })
        });
        self.commands.send(Command::Do(action)).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?.map_err(log_failed)
    }

    /// Asks for a unit, and waits up to `poll` for one.
    pub(super) async fn lease(
        &self,
        worker: String,
        poll: Duration,
    ) -> Result<Result<LeaseAnswer, UnknownWorker>, ServiceError> {
        let (reply, answer) = oneshot::channel();
        let until = self.started.elapsed() + poll;
        let waiter = LeaseWaiter { worker, until, reply };
        self.commands.send(Command::Lease(waiter)).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?.map_err(log_failed)
    }

    /// Changes whenever a sweep's status may have.
    pub(super) fn revision(&self) -> watch::Receiver<u64> {
        self.revision.clone()
    }

    /// Cancelled when the coordinator is going away.
    pub(super) fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }
}

pub(super) fn stopping() -> ServiceError {
    ServiceError::new(ErrorKind::Stopping, "", "the coordinator is stopping; try again")
}

fn log_failed(failed: WriteFailed) -> ServiceError {
    let message = format!("the coordinator cannot write its log and stops: {failed}");
    ServiceError::new(ErrorKind::Log, "", message)
}

/// Owns the scheduler and the log.
pub(super) struct CoreTask {
    scheduler: Scheduler,
    log: Log,
    commands: mpsc::Receiver<Command>,
    waiting: LeaseQueue,
    jobs: mpsc::UnboundedSender<Job>,
    revision: Arc<watch::Sender<u64>>,
    failure: LogFailure,
    started: Instant,
    stopping: CancellationToken,
}

impl CoreTask {
    /// The task and a way to it. Jobs go to `jobs` once what led to them is durable.
    pub(super) fn new(
        scheduler: Scheduler,
        log: Log,
        jobs: mpsc::UnboundedSender<Job>,
        stopping: CancellationToken,
        failure: LogFailure,
    ) -> (Self, Core) {
        let (sender, commands) = mpsc::channel(QUEUE);
        let (revision, changes) = watch::channel(0);
        let started = Instant::now();
        let core =
            Core { commands: sender, revision: changes, started, stopping: stopping.clone() };
        let task = Self {
            scheduler,
            log,
            commands,
            waiting: LeaseQueue::default(),
            jobs,
            revision: Arc::new(revision),
            failure,
            started,
            stopping,
        };
        (task, core)
    }

    /// Runs until every way to it is dropped, then closes the log.
    pub(super) async fn run(mut self, recovered: Effects) {
        self.finish(recovered, Box::new(|_| ()));
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let stopping = self.stopping.clone();
        let mut told_waiters = false;
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.handle(command),
                    None => break,
                },
                _ = ticks.tick() => self.tick(),
                () = stopping.cancelled(), if !told_waiters => {
                    told_waiters = true;
                    self.dismiss_waiters();
                }
            }
        }
        // Writing what is queued may wait for the disk.
        let closing = tokio::task::spawn_blocking(move || drop(self.log));
        let _ = closing.await;
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn handle(&mut self, command: Command) {
        let now = self.now();
        match command {
            Command::Do(action) => {
                let mut effects = Effects::default();
                let after = action(&mut self.scheduler, now, &mut effects);
                self.finish(effects, after);
            }
            Command::Lease(waiter) => {
                if let Some(waiter) = self.try_lease(waiter, now) {
                    self.waiting.push(waiter);
                }
            }
        }
    }

    fn tick(&mut self) {
        let now = self.now();
        let mut effects = Effects::default();
        self.scheduler.tick(now, &mut effects);
        self.finish(effects, Box::new(|_| ()));
        for waiter in self.waiting.overdue(now) {
            // Its time is over: whatever the answer is now, it is given.
            self.answer_lease(waiter, now);
        }
    }

    /// Sends an event's records to the log; the rest follows from there.
    fn finish(&mut self, effects: Effects, after: After) {
        let Effects { records, jobs, work_appeared, status_changed } = effects;
        let queue = self.jobs.clone();
        let revision = Arc::clone(&self.revision);
        let failure = self.failure.clone();
        self.log.write(records, move |outcome| {
            match &outcome {
                Ok(()) => {
                    for job in jobs {
                        // The runner is gone only when the coordinator stops: recovery redoes it.
                        let _ = queue.send(job);
                    }
                }
                Err(failed) => failure.set(failed),
            }
            after(outcome);
            if status_changed {
                revision.send_modify(|revision| *revision += 1);
            }
        });
        if work_appeared {
            self.serve_waiters();
        }
    }

    fn serve_waiters(&mut self) {
        let now = self.now();
        for waiter in self.waiting.take() {
            if let Some(waiter) = self.try_lease(waiter, now) {
                self.waiting.push(waiter);
            }
        }
    }

    /// Answers a waiter if there is a unit for it or its time is over; else gives it back.
    fn try_lease(&mut self, waiter: LeaseWaiter, now: Duration) -> Option<LeaseWaiter> {
        if waiter.reply.is_closed() {
            return None;
        }
        if waiter.until <= now || self.stopping.is_cancelled() {
            self.answer_lease(waiter, now);
            return None;
        }
        let mut effects = Effects::default();
        match self.scheduler.lease(&waiter.worker, now, &mut effects) {
            Ok(LeaseAnswer::Nothing(_)) => {
                self.finish(effects, Box::new(|_| ()));
                Some(waiter)
            }
            answer => {
                self.finish(effects, waiter.answer(answer));
                None
            }
        }
    }

    fn answer_lease(&mut self, waiter: LeaseWaiter, now: Duration) {
        if waiter.reply.is_closed() {
            return;
        }
        let mut effects = Effects::default();
        let answer = if self.stopping.is_cancelled() {
            Ok(LeaseAnswer::Nothing("the coordinator is stopping".to_owned()))
        } else {
            self.scheduler.lease(&waiter.worker, now, &mut effects)
        };
        self.finish(effects, waiter.answer(answer));
    }

    fn dismiss_waiters(&mut self) {
        let now = self.now();
        for waiter in self.waiting.take() {
            self.answer_lease(waiter, now);
        }
    }
}
