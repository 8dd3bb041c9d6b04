//! What a trainer's exit says about the cause.

use phasegrid_proto::v1::FailureCause;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

const SIGKILL: i32 = 9;

/// Exit code of a trainer that found no memory for a unit.
pub(crate) const OUT_OF_MEMORY_EXIT: i32 = 77;

/// The cause of a trainer's death. `oom_kills` is how many processes the kernel killed for
/// memory in this worker's control group while the trainer ran: only that makes a SIGKILL an
/// out-of-memory failure.
pub(crate) fn cause_of(status: ExitStatus, oom_kills: u64) -> (FailureCause, String) {
    if let Some(signal) = status.signal() {
        if signal == SIGKILL && oom_kills > 0 {
            return (FailureCause::OutOfMemory, "the kernel killed the trainer for memory".into());
        }
        let cause = if signal == SIGKILL { FailureCause::Killed } else { FailureCause::Crash };
        return (cause, format!("the trainer was killed by signal {signal}"));
    }
    match status.code() {
        Some(OUT_OF_MEMORY_EXIT) => {
            (FailureCause::OutOfMemory, "the trainer ran out of memory".into())
        }
        Some(code) => (FailureCause::Crash, format!("the trainer exited with code {code}")),
        None => (FailureCause::Crash, "the trainer ended".into()),
    }
}

/// Processes the kernel has killed for memory in this control group so far; 0 where that is
/// not known.
pub(crate) fn oom_kills_so_far() -> u64 {
    let group = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let relative = group.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
    let path = format!("/sys/fs/cgroup{}/memory.events", relative.trim_end_matches('/'));
    let events = std::fs::read_to_string(path).unwrap_or_default();
    events
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill "))
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sigkill_is_out_of_memory_only_with_evidence() {
        let killed = ExitStatus::from_raw(SIGKILL);
        assert_eq!(cause_of(killed, 0).0, FailureCause::Killed);
        assert_eq!(cause_of(killed, 1).0, FailureCause::OutOfMemory);
        let segmentation_fault = ExitStatus::from_raw(11);
        assert_eq!(cause_of(segmentation_fault, 1).0, FailureCause::Crash);
        let code = |number: i32| ExitStatus::from_raw(number << 8);
        assert_eq!(cause_of(code(OUT_OF_MEMORY_EXIT), 0).0, FailureCause::OutOfMemory);
        assert_eq!(cause_of(code(101), 0).0, FailureCause::Crash);
    }
}
