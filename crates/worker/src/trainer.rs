//! A trainer process: started once, given unit after unit, killed when it must not go on.

use crate::config::WorkerConfig;
use crate::error::WorkerError;
use crate::exit::{cause_of, oom_kills_so_far};
use crate::output::UnitOutput;
use futures_util::SinkExt;
use phasegrid_proto::v1::trainer_reply::Body as Reply;
use phasegrid_proto::v1::{
    FailureCause, Stop, TrainerReply, TrainerRequest, Unit, trainer_request,
};
use prost::Message;
use prost::bytes::Bytes;
use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};
use tokio_util::sync::CancellationToken;

/// Largest message on the pipe: the weights of one wide network.
const MAX_FRAME_BYTES: usize = 2 << 30;
/// Lines of standard error kept for a failure's message.
const KEPT_LINES: usize = 20;
/// How long a trainer may take to load libtorch: gigabytes, perhaps from a cold network disk.
const START_PATIENCE: Duration = Duration::from_secs(120);
/// How long the last lines of a dead trainer are waited for; a child of its own may keep the pipe.
const LAST_LINES_PATIENCE: Duration = Duration::from_secs(1);
/// How long a trainer may take to stop a unit before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// How a unit ended in its trainer.
pub(crate) enum UnitEnd {
    /// Trained and measured.
    Done(Box<UnitOutput>),
    /// Not done, and why.
    Failed(FailureCause, String),
    /// Given up on request.
    Stopped,
}

/// A running trainer.
pub(crate) struct Trainer {
    child: Child,
    requests: FramedWrite<ChildStdin, LengthDelimitedCodec>,
    replies: FramedRead<ChildStdout, LengthDelimitedCodec>,
    last_lines: Arc<Mutex<VecDeque<String>>>,
    line_reader: JoinHandle<()>,
    oom_kills_at_start: u64,
}

/// The dynamic loader's own words, and what to do about them.
fn with_loader_hint(message: String) -> String {
    let from_loader =
        ["error while loading shared libraries", "symbol lookup error", "undefined symbol"];
    if from_loader.iter().any(|phrase| message.contains(phrase)) {
        return format!(
            "{message} (libtorch is missing or of another version: run make setup, or point LD_LIBRARY_PATH at the lib folder of libtorch 2.11.0)"
        );
    }
    message
}

fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(MAX_FRAME_BYTES).new_codec()
}

impl Trainer {
    /// Starts a trainer and waits until it has loaded libtorch.
    pub(crate) async fn start(config: &WorkerConfig) -> Result<Trainer, WorkerError> {
        let unusable =
            |reason: String| WorkerError::Trainer { program: config.trainer.clone(), reason };
        let mut command = Command::new(&config.trainer);
        command.args(["--device", &config.device.to_string(), "--worker", &config.name]);
        if let Some(folder) = &config.data_dir {
            command.arg("--data").arg(folder);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // A terminal's Ctrl-C reaches the whole process group; only the worker decides what stops.
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| {
            unusable(format!("{error}; it lies beside phasegrid, or where --trainer says"))
        })?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(unusable("it has no pipes".into()));
        };
        let last_lines = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&last_lines);
        let line_reader = tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                tracing::debug!(target: "phasegrid_trainer", "{line}");
                // What is worth knowing of the data is no cause of a failure.
                if line.starts_with("note: ") {
                    continue;
                }
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() == KEPT_LINES {
                    kept.pop_front();
                }
                kept.push_back(line);
            }
        });
        let mut trainer = Trainer {
            child,
            requests: FramedWrite::new(stdin, codec()),
            replies: FramedRead::new(stdout, codec()),
            last_lines,
            line_reader,
            oom_kills_at_start: oom_kills_so_far(),
        };
        let Ok(first) = tokio::time::timeout(START_PATIENCE, trainer.reply()).await else {
            let seconds = START_PATIENCE.as_secs();
            return Err(unusable(format!("it is not ready after {seconds} s")));
        };
        match first {
            Ok(Reply::Ready(ready)) => {
                tracing::debug!(
                    libtorch = ready.libtorch_version,
                    device = ready.device,
                    "trainer ready"
                );
                Ok(trainer)
            }
            Ok(Reply::Failed(failed)) => Err(unusable(failed.message)),
            Ok(_) => Err(unusable("it does not speak this phasegrid's language".into())),
            Err((_, message)) => Err(unusable(with_loader_hint(message))),
        }
    }

    /// Trains one unit. `progress` is told steps done and steps in all; `stop` gives the unit up.
    /// After [`UnitEnd::Failed`] the trainer must not be used again.
    pub(crate) async fn train(
        &mut self,
        unit: Unit,
        stop: &CancellationToken,
        mut progress: impl FnMut(u64, u64),
    ) -> UnitEnd {
        let request = TrainerRequest { body: Some(trainer_request::Body::Unit(unit)) };
        if self.send(request).await.is_err() {
            let (cause, message) = self.death().await;
            return UnitEnd::Failed(cause, message);
        }
        let mut output = UnitOutput::default();
        loop {
            let reply = tokio::select! {
                reply = self.reply() => reply,
                () = stop.cancelled() => return self.stop().await,
            };
            match reply {
                Ok(Reply::Progress(at)) => progress(at.step, at.steps),
                Ok(Reply::Batch(batch)) => {
                    if let Err(message) = output.add_batch(&batch) {
                        return UnitEnd::Failed(FailureCause::Refused, message);
                    }
                }
                Ok(Reply::Weights(weights)) => output.add_weights(weights),
                Ok(Reply::Done(done)) => {
                    output.trials_ok = done.trials_ok;
                    output.trials_diverged = done.trials_diverged;
                    output.train_seconds = done.train_seconds;
                    output.measure_seconds = done.measure_seconds;
                    return UnitEnd::Done(Box::new(output));
                }
                Ok(Reply::Failed(failed)) => {
                    return UnitEnd::Failed(failed.cause(), failed.message);
                }
                Ok(Reply::Stopped(_)) => return UnitEnd::Stopped,
                Ok(Reply::Ready(_)) => {
                    return UnitEnd::Failed(FailureCause::Crash, "the trainer started over".into());
                }
                Err((cause, message)) => return UnitEnd::Failed(cause, message),
            }
        }
    }

    /// Asks the trainer to give the unit up, and kills it if it does not.
    async fn stop(&mut self) -> UnitEnd {
        let request = TrainerRequest { body: Some(trainer_request::Body::Stop(Stop {})) };
        let asked = self.send(request).await.is_ok();
        let stopped =
            asked && tokio::time::timeout(STOP_PATIENCE, self.unit_given_up()).await == Ok(true);
        if !stopped {
            let _ = self.child.kill().await;
        }
        UnitEnd::Stopped
    }

    /// Reads replies until the unit is over; false if the process ended.
    async fn unit_given_up(&mut self) -> bool {
        loop {
            match self.reply().await {
                Ok(Reply::Stopped(_) | Reply::Done(_) | Reply::Failed(_)) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    /// Whether the process can take another unit.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    async fn send(&mut self, request: TrainerRequest) -> Result<(), std::io::Error> {
        self.requests.send(Bytes::from(request.encode_to_vec())).await
    }

    async fn reply(&mut self) -> Result<Reply, (FailureCause, String)> {
        use futures_util::StreamExt;
        let frame = self.replies.next().await;
        let Some(Ok(bytes)) = frame else { return Err(self.death().await) };
        let body = TrainerReply::decode(bytes).ok().and_then(|reply| reply.body);
        body.ok_or_else(|| (FailureCause::Crash, "the trainer sent what no trainer sends".into()))
    }

    /// The cause of the process's end, with the last lines it wrote.
    async fn death(&mut self) -> (FailureCause, String) {
        let ended = tokio::time::timeout(STOP_PATIENCE, self.child.wait()).await;
        let (cause, mut message) = match ended {
            Ok(Ok(status)) => cause_of(status, oom_kills_so_far() - self.oom_kills_at_start),
            _ => {
                let _ = self.child.kill().await;
                (FailureCause::Crash, "the trainer closed its pipe and had to be killed".into())
            }
        };
        let _ = tokio::time::timeout(LAST_LINES_PATIENCE, &mut self.line_reader).await;
        let lines = self.last_lines.lock().unwrap_or_else(PoisonError::into_inner);
        if !lines.is_empty() {
            let text: Vec<&str> = lines.iter().map(String::as_str).collect();
            message = format!("{message}: {}", text.join(" | "));
        }
        (cause, message)
    }
}
