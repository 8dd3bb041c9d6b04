//! What a worker is told at its start.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Where trainers compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The processor, one thread a trainer.
    Cpu,
    /// A CUDA device by number.
    Cuda(u32),
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "cpu" {
            return Ok(Device::Cpu);
        }
        if text == "cuda" {
            return Ok(Device::Cuda(0));
        }
        let number = text.strip_prefix("cuda:").and_then(|number| number.parse().ok());
        number
            .map(Device::Cuda)
            .ok_or_else(|| format!("\"{text}\" is not a device: expected cpu, cuda or cuda:N"))
    }
}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Device::Cpu => formatter.write_str("cpu"),
            Device::Cuda(number) => write!(formatter, "cuda:{number}"),
        }
    }
}

/// How to reach a coordinator.
#[derive(Clone)]
pub struct Connection {
    /// `http://host:port` of the coordinator.
    pub url: String,
    /// Bearer token, if the coordinator asks for one.
    pub token: Option<String>,
}

/// A worker's settings.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Name in tables and logs; unique among the coordinator's workers.
    pub name: String,
    /// Where trainers compute.
    pub device: Device,
    /// Trainers kept busy at once.
    pub slots: u32,
    /// Memory one trainer may use, bytes.
    pub slot_memory_bytes: u64,
    /// Folder of IDX data.
    pub data_dir: Option<PathBuf>,
    /// Tasks to offer; `None` offers every one whose data is there.
    pub tasks: Option<Vec<String>>,
    /// The program `phasegrid-trainer`.
    pub trainer: PathBuf,
    /// When its time is over, if limited: it gets no unit it could not finish by then, hands back
    /// what it holds then, and ends.
    pub ends: Option<Instant>,
    /// How long the coordinator may be away before the worker gives up.
    pub patience: Duration,
}

impl WorkerConfig {
    /// Seconds left to live as `Register` states them: 0 without a limit, else at least 1.
    pub(crate) fn seconds_left(&self) -> u64 {
        let left = self.ends.map(|ends| ends.saturating_duration_since(Instant::now()));
        left.map_or(0, |left| left.as_secs().max(1))
    }

    /// A name no other worker has: host, process id, random digits.
    pub fn unique_name() -> String {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = if host.trim().is_empty() { "host" } else { host.trim() };
        let random = getrandom::u32().unwrap_or_default();
        format!("{host}-{}-{random:08x}", std::process::id())
    }
}

/// `phasegrid-trainer` beside the running program.
pub fn default_trainer_path() -> PathBuf {
    let beside =
        std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_path_buf()));
    beside.unwrap_or_default().join("phasegrid-trainer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_read_back_as_written() {
        assert_eq!("cpu".parse(), Ok(Device::Cpu));
        assert_eq!("cuda".parse(), Ok(Device::Cuda(0)));
        assert_eq!("cuda:3".parse(), Ok(Device::Cuda(3)));
        assert_eq!(Device::Cuda(3).to_string(), "cuda:3");
        for bad in ["gpu", "cuda:", "cuda:x", "cuda:-1", ""] {
            assert!(bad.parse::<Device>().is_err(), "{bad}");
        }
    }
}
