//! How much memory a device has free, so that units fit it.

use crate::config::Device;
use nvml_wrapper::Nvml;

/// Memory one of `slots` trainers may use on a device, bytes: an even share of 80 % of what is
/// free now. 0 = not known (a GPU whose driver does not say): units are then cut by time alone, and
/// one that does not fit is split when it runs out of memory.
pub fn default_slot_memory(device: Device, slots: u32) -> u64 {
    let free = match device {
        Device::Cpu => free_host_memory(),
        Device::Cuda(number) => free_gpu_memory(number).unwrap_or(0),
    };
    free / 10 * 8 / u64::from(slots.max(1))
}

fn free_host_memory() -> u64 {
    const FALLBACK_BYTES: u64 = 4 << 30;
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok())
        .map_or(FALLBACK_BYTES, |kilobytes| kilobytes * 1024)
}

/// `None` where the driver or the device is not there, or the device is a part of a GPU.
fn free_gpu_memory(number: u32) -> Option<u64> {
    let nvml = Nvml::init().ok()?;
    let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
    let device = match physical(number, visible.as_deref())? {
        Physical::Index(index) => nvml.device_by_index(index),
        Physical::Uuid(uuid) => nvml.device_by_uuid(uuid),
    };
    Some(device.ok()?.memory_info().ok()?.free)
}

/// How the driver names a GPU.
#[derive(Debug, PartialEq, Eq)]
enum Physical {
    Index(u32),
    Uuid(String),
}

/// The GPU that CUDA calls `number` where CUDA_VISIBLE_DEVICES is `visible`.
fn physical(number: u32, visible: Option<&str>) -> Option<Physical> {
    let Some(visible) = visible else { return Some(Physical::Index(number)) };
    let name = visible.split(',').nth(number as usize)?.trim();
    match name.parse() {
        Ok(index) => Some(Physical::Index(index)),
        Err(_) => name.starts_with("GPU-").then(|| Physical::Uuid(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_devices_are_counted_as_cuda_counts_them() {
        assert_eq!(physical(1, None), Some(Physical::Index(1)));
        assert_eq!(physical(1, Some("3, 2")), Some(Physical::Index(2)));
        assert_eq!(physical(0, Some("GPU-8932")), Some(Physical::Uuid("GPU-8932".into())));
        assert_eq!(physical(2, Some("0,1")), None);
        assert_eq!(physical(0, Some("MIG-1f")), None);
        assert_eq!(physical(0, Some("")), None);
    }

    #[test]
    fn slots_share_what_is_free() {
        let whole = default_slot_memory(Device::Cpu, 1);
        let quarter = default_slot_memory(Device::Cpu, 4);
        assert!(whole > 0 && quarter > 0 && quarter < whole);
    }
}
