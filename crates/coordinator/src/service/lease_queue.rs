//! Workers that wait for a unit.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::log::WriteFailed;
use crate::scheduler::{LeaseAnswer, UnknownWorker};

/// A long poll.
pub(super) struct LeaseWaiter {
    pub(super) worker: String,
    pub(super) until: Duration,
    pub(super) reply: oneshot::Sender<Result<Result<LeaseAnswer, UnknownWorker>, WriteFailed>>,
}

impl LeaseWaiter {
    /// Gives the answer once the lease is durable. If the worker has gone meanwhile, its next
    /// heartbeat does not list the lease, which frees it.
    pub(super) fn answer(
        self,
        answer: Result<LeaseAnswer, UnknownWorker>,
    ) -> Box<dyn FnOnce(Result<(), WriteFailed>) + Send> {
        Box::new(move |outcome| {
            let _ = self.reply.send(outcome.map(|()| answer));
        })
    }
}

/// Waiters, the longest waiting first.
#[derive(Default)]
pub(super) struct LeaseQueue {
    waiters: VecDeque<LeaseWaiter>,
}

impl LeaseQueue {
    pub(super) fn push(&mut self, waiter: LeaseWaiter) {
        self.waiters.push_back(waiter);
    }

    pub(super) fn take(&mut self) -> VecDeque<LeaseWaiter> {
        std::mem::take(&mut self.waiters)
    }

    /// Takes those whose time is over.
    pub(super) fn overdue(&mut self, now: Duration) -> Vec<LeaseWaiter> {
        let (overdue, waiting) =
            self.take().into_iter().partition(|waiter: &LeaseWaiter| waiter.until <= now);
        self.waiters = waiting;
        VecDeque::into(overdue)
    }
}
