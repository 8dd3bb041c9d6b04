//! The one thread that writes: many events a transaction, callers told once it is on disk.

use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::apply::apply;
use super::lock::StateLock;
use crate::model::Record;

/// Most events one transaction takes.
const EVENTS_PER_COMMIT: usize = 1_024;

/// The records are not on disk, nor will any later ones be: the log has stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WriteFailed(pub String);

/// Called once an event's records are on disk, in the order of events, on the log's thread.
type After = Box<dyn FnOnce(Result<(), WriteFailed>) + Send>;

struct Event {
    records: Vec<Record>,
    after: After,
}

/// An open log. Dropping it writes what is queued, then lets go of the state directory.
pub struct Log {
    events: Option<Sender<Event>>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}

impl Log {
    pub(super) fn start(connection: Connection, lock: StateLock) -> std::io::Result<Self> {
        let (events, queue) = channel();
        let thread =
            std::thread::Builder::new().name("phasegrid-log".to_owned()).spawn(move || {
                write_until_closed(connection, &queue);
                drop(lock);
            })?;
        Ok(Self { events: Some(events), thread: Some(thread) })
    }

    /// Writes one event's records, all or none. `after` is called once they are on disk; for an
    /// event without records, once all before it are.
    pub fn write(
        &self,
        records: Vec<Record>,
        after: impl FnOnce(Result<(), WriteFailed>) + Send + 'static,
    ) {
        let event = Event { records, after: Box::new(after) };
        let Some(events) = &self.events else { return };
        if let Err(unsent) = events.send(event) {
            (unsent.0.after)(Err(WriteFailed("the log's thread is gone".to_owned())));
        }
    }

    /// Writes one event's records and waits until they are on disk.
    pub fn write_and_wait(&self, records: Vec<Record>) -> Result<(), WriteFailed> {
        let (done, waiting) = channel();
        self.write(records, move |outcome| {
            // Nobody waits any more only if the caller's thread died.
            let _ = done.send(outcome);
        });
        waiting.recv().unwrap_or_else(|_| Err(WriteFailed("the log's thread is gone".to_owned())))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.events = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported where it happened.
            let _ = thread.join();
        }
    }
}

fn write_until_closed(mut connection: Connection, queue: &Receiver<Event>) {
    let mut stopped: Option<WriteFailed> = None;
    while let Ok(first) = queue.recv() {
        let mut events = vec![first];
        events.extend(queue.try_iter().take(EVENTS_PER_COMMIT - 1));
        if stopped.is_none() {
            stopped =
                commit(&mut connection, &events).err().map(|error| WriteFailed(error.to_string()));
        }
        for event in events {
            (event.after)(stopped.clone().map_or(Ok(()), Err));
        }
    }
}

fn commit(connection: &mut Connection, events: &[Event]) -> rusqlite::Result<()> {
    if events.iter().all(|event| event.records.is_empty()) {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for record in events.iter().flat_map(|event| &event.records) {
        apply(&transaction, record)?;
    }
    transaction.commit()
}
