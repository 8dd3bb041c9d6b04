//! A worker's settings from the options of a command.

use phasegrid_worker::{Device, WorkerConfig, default_slot_memory, default_trainer_path};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What the options of `run` and `worker` say of a worker; `None` takes the default.
pub(crate) struct WorkerSetup {
    pub(crate) slots: Option<u32>,
    pub(crate) device: Device,
    pub(crate) memory_mebibytes: Option<u64>,
    pub(crate) data: Option<PathBuf>,
    /// Tasks to offer; `None` offers every one whose data is there.
    pub(crate) tasks: Option<Vec<String>>,
    pub(crate) trainer: Option<PathBuf>,
    /// How long the worker may live; `None` has no limit.
    pub(crate) time_limit: Option<Duration>,
    /// How long the coordinator may be away.
    pub(crate) patience: Duration,
}

impl WorkerSetup {
    /// The settings. By default a trainer a processor, or one for a GPU, and an even share of the
    /// device's free memory.
    pub(crate) fn config(self) -> WorkerConfig {
        let slots = self.slots.unwrap_or_else(|| match self.device {
            Device::Cpu => {
                std::thread::available_parallelism().map_or(1, |count| count.get() as u32)
            }
            Device::Cuda(_) => 1,
        });
        WorkerConfig {
            name: WorkerConfig::unique_name(),
            device: self.device,
            slots,
            slot_memory_bytes: self.memory_mebibytes.map_or_else(
                || default_slot_memory(self.device, slots),
                |mebibytes| mebibytes << 20,
            ),
            data_dir: self.data,
            tasks: self.tasks,
            trainer: self.trainer.unwrap_or_else(default_trainer_path),
            // A limit no clock can tell is none.
            ends: self.time_limit.and_then(|limit| Instant::now().checked_add(limit)),
            patience: self.patience,
        }
    }
}
