//! `phasegrid-trainer` as its worker drives it: units in, replies out, over pipes.

use phasegrid_proto::v1::trainer_reply::Body as Reply;
use phasegrid_proto::v1::{TrainerReply, TrainerRequest, Unit, trainer_request};
use phasegrid_tests::phasegrid_trainer;
use prost::Message;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// A trainer that runs; killed with the value.
pub(crate) struct Trainer {
    child: Child,
    requests: ChildStdin,
    replies: ChildStdout,
}

impl Trainer {
    /// Starts one and waits until it is ready.
    pub(crate) fn start() -> Trainer {
        let mut command = phasegrid_trainer();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().expect("the trainer starts");
        let requests = child.stdin.take().expect("its input is a pipe");
        let replies = child.stdout.take().expect("its output is a pipe");
        let mut trainer = Trainer { child, requests, replies };
        assert!(matches!(trainer.reply(), Reply::Ready(_)));
        trainer
    }

    /// Trains a unit to its end; asserts that every trial has its row.
    pub(crate) fn train(&mut self, unit: Unit) {
        let trials = unit.trials.len() as u64;
        let request = TrainerRequest { body: Some(trainer_request::Body::Unit(unit)) };
        let bytes = request.encode_to_vec();
        let length = u32::try_from(bytes.len()).expect("a small unit").to_be_bytes();
        self.requests.write_all(&length).expect("the trainer reads");
        self.requests.write_all(&bytes).expect("the trainer reads");
        loop {
            match self.reply() {
                Reply::Done(done) => {
                    assert_eq!(done.trials_ok + done.trials_diverged, trials);
                    return;
                }
                Reply::Progress(_) | Reply::Batch(_) | Reply::Weights(_) => {}
                other => panic!("the unit failed: {other:?}"),
            }
        }
    }

    /// What of its memory is in use, as the kernel counts it (VmRSS).
    pub(crate) fn resident_kibibytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("the trainer runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|text| text.split_whitespace().next());
        number.and_then(|text| text.parse().ok()).expect("Linux says VmRSS in kB")
    }

    fn reply(&mut self) -> Reply {
        let mut length = [0; 4];
        self.replies.read_exact(&mut length).expect("the trainer answers");
        let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
        self.replies.read_exact(&mut bytes).expect("the trainer answers");
        let reply = TrainerReply::decode(bytes.as_slice()).expect("it speaks our language");
        reply.body.expect("a reply says something")
    }
}

impl Drop for Trainer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
