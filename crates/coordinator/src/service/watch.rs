//! A sweep's status, again and again, until nothing more happens to it.

use std::time::Duration;

use phasegrid_proto::v1::{SweepState, SweepStatus};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::core::{Core, stopping};
use super::{bounds, convert};

/// Shortest time between two messages.
const PAUSE: Duration = Duration::from_millis(100);
/// Progress comes with heartbeats, which do not count as changes: looked at this often.
const LOOK: Duration = Duration::from_secs(1);

pub(super) fn start(
    core: Core,
    name: String,
    first: SweepStatus,
) -> ReceiverStream<Result<SweepStatus, Status>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let ended = send_until_final(&core, &name, first, &sender).await;
        if let Err(status) = ended {
            // The client may have gone.
            let _ = sender.send(Err(status)).await;
        }
    });
    ReceiverStream::new(receiver)
}

async fn send_until_final(
    core: &Core,
    name: &str,
    first: SweepStatus,
    sender: &mpsc::Sender<Result<SweepStatus, Status>>,
) -> Result<(), Status> {
    let mut revision = core.revision();
    let mut latest = first.clone();
    if sender.send(Ok(first)).await.is_err() {
        return Ok(());
    }
    while !is_final(&latest) {
        tokio::select! {
            () = core.stopping().cancelled() => return Err(stopping().into()),
            () = sender.closed() => return Ok(()),
            _ = revision.changed() => tokio::time::sleep(PAUSE).await,
            () = tokio::time::sleep(LOOK) => {}
        }
        revision.mark_unchanged();
        let lookup = name.to_owned();
        let status = core
            .call(move |scheduler, _, _| scheduler.status(scheduler.sweep_id(&lookup)?))
            .await?
            .map(convert::status)
            .ok_or_else(|| bounds::no_such_sweep(name))?;
        if status == latest {
            continue;
        }
        latest = status;
        if sender.send(Ok(latest.clone())).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn is_final(status: &SweepStatus) -> bool {
    match status.state() {
        SweepState::Done => true,
        SweepState::Cancelled => status.units_publishing == 0,
        _ => false,
    }
}
