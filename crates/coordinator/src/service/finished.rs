//! Telling whoever wants to know that a sweep is done.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::core::Core;
use crate::scheduler::SweepState;

/// Shortest time between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// Sends the name of every sweep that is done, again when it grew and is done again, until the
/// coordinator stops or nobody listens.
pub(super) async fn announce(core: Core, listener: UnboundedSender<String>) {
    let mut revision = core.revision();
    // How many trials a sweep had, and how they had ended, when it was last announced.
    let mut announced: HashMap<String, [u64; 4]> = HashMap::new();
    loop {
        let Ok(statuses) = core.call(|scheduler, _, _| scheduler.statuses()).await else { return };
        for status in statuses.into_iter().filter(|status| status.state == SweepState::Done) {
            let counts = [
                status.trials_total,
                status.trials_ok,
                status.trials_diverged,
                status.trials_failed,
            ];
            let before = announced.insert(status.name.clone(), counts);
            if before != Some(counts) && listener.send(status.name).is_err() {
                return;
            }
        }
        tokio::select! {
            () = core.stopping().cancelled() => return,
            () = listener.closed() => return,
            changed = revision.changed() => if changed.is_err() { return },
        }
        tokio::select! {
            () = core.stopping().cancelled() => return,
            () = tokio::time::sleep(PAUSE) => revision.mark_unchanged(),
        }
    }
}
