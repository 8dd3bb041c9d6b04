//! Running a program to its end, or until something happens to it.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A command that takes longer hangs, as far as a user can tell.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// How a program ended and what it wrote.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Outcome {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Outcome {
        Running::start(command).wait()
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn exits_with(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "exit code of {self:#?}");
        self
    }

    /// Asserts the exit code and that standard error is one message: no panic, no backtrace, no
    /// error said twice. Returns the message.
    #[track_caller]
    pub fn fails_with(self, code: i32) -> String {
        let outcome = self.exits_with(code);
        let message = outcome.stderr.trim_end().to_owned();
        let is_clap = message.starts_with("error: ");
        for word in ["panicked", "backtrace", "RUST_BACKTRACE", "unwrap"] {
            assert!(!message.contains(word), "{word:?} in {message}");
        }
        if !is_clap {
            assert_eq!(message.lines().count(), 1, "more than one line: {message}");
            assert!(message.starts_with("phasegrid: "), "{message}");
            for (index, _) in message.match_indices("(os error ") {
                let rest = &message[index + 1..];
                assert!(!rest.contains("(os error "), "the cause is said twice: {message}");
            }
        }
        message
    }
}

/// A program that runs. Killed with the value, so that a failed test leaves nothing behind.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts a command.
    pub fn start(command: &mut Command) -> Running {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = child.stdout.take().map(read_in_background);
        let stderr = child.stderr.take().map(read_in_background);
        Running { child, stdout, stderr }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: i32) {
        send(self.id(), signal);
    }

    /// Waits until a condition holds while it runs; false if it ended before.
    pub fn runs_until(&mut self, mut condition: impl FnMut() -> bool) -> bool {
        let started = Instant::now();
        while self.is_running() {
            if condition() {
                return true;
            }
            assert!(started.elapsed() < PATIENCE, "what was waited for did not happen");
            std::thread::sleep(POLL);
        }
        false
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Outcome {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                break status;
            }
            if started.elapsed() > PATIENCE {
                let _ = self.child.kill();
                let _ = self.child.wait();
                let written = text(self.stderr.take());
                panic!("it hangs: not done after {} s; it wrote: {written}", PATIENCE.as_secs());
            }
            std::thread::sleep(POLL);
        };
        Outcome { status, stdout: text(self.stdout.take()), stderr: text(self.stderr.take()) }
    }

    /// Kills it with SIGKILL and waits; asserts that the signal is what ended it.
    pub fn kill(self) -> Outcome {
        self.signal(libc::SIGKILL);
        let outcome = self.wait();
        assert_eq!(outcome.status.signal(), Some(libc::SIGKILL), "the kill came too late");
        outcome
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Process ids of the children of a process.
pub fn children_of(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("Linux has /proc").flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| parent_of(*id) == Some(parent)).collect()
}

fn parent_of(id: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// Sends a signal to a process this test started.
pub fn send(id: u32, signal: i32) {
    // SAFETY: kill takes no pointers; the process is a child of this one, or of a child.
    let sent = unsafe { libc::kill(id as libc::pid_t, signal) };
    assert_eq!(sent, 0, "no process {id} to send signal {signal} to");
}

fn read_in_background(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn text(reader: Option<JoinHandle<String>>) -> String {
    reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
}
