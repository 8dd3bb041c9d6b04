//! libtorch: its version, its threads, and CUDA where it is asked for.

use anyhow::{Context, bail};
use std::path::PathBuf;
use tch::Device;

/// The libtorch this program is built for.
const EXPECTED_VERSION: &str = "2.11.";

/// Makes libtorch ready for one thread on the named device. CUDA that is asked for and not
/// there is an error, never a silent run on the processor.
pub(crate) fn prepare(device: &str) -> anyhow::Result<Device> {
    let version = version();
    if version != "unknown" && !version.starts_with(EXPECTED_VERSION) {
        bail!(
            "libtorch is {version}, but this trainer is built for {EXPECTED_VERSION}x: run make setup, or point LD_LIBRARY_PATH at libtorch {EXPECTED_VERSION}0"
        );
    }
    let cuda = match device.split_once(':').unwrap_or((device, "0")) {
        ("cpu", _) => None,
        ("cuda", number) => Some(
            number.parse::<usize>().with_context(|| format!("device {device}: expected cuda:N"))?,
        ),
        _ => bail!("device {device}: expected cpu, cuda or cuda:N"),
    };
    // The CUDA backend registers when its library is loaded, which must come before the first
    // call into libtorch: the hooks are cached there.
    if cuda.is_some() {
        load_cuda_backend()?;
    }
    tch::set_num_threads(1);
    tch::set_num_interop_threads(1);
    let Some(number) = cuda else { return Ok(Device::Cpu) };
    if !tch::Cuda::is_available() {
        bail!(
            "--device {device}: CUDA is not available on this machine (no driver or no device); use --device cpu"
        );
    }
    let count = tch::Cuda::device_count();
    if number as i64 >= count {
        bail!("--device {device}: there are {count} CUDA devices, numbered from 0");
    }
    Ok(Device::Cuda(number))
}

fn load_cuda_backend() -> anyhow::Result<()> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // SAFETY: libtorch_cuda's initialisers only register its backend with libtorch_cpu, which is
    // loaded already; the library is never unloaded.
    let library = unsafe { Library::open(Some("libtorch_cuda.so"), RTLD_NOW | RTLD_GLOBAL) };
    let library = library.map_err(|error| {
        let reason = std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), ToString::to_string);
        anyhow::anyhow!("CUDA was asked for, but libtorch_cuda cannot be loaded ({reason}): install libtorch with CUDA (make setup CUDA=1), or use --device cpu")
    })?;
    std::mem::forget(library);
    Ok(())
}

/// The version of the libtorch that is loaded, "unknown" if it does not say.
pub(crate) fn version() -> String {
    let read =
        |relative: &str| std::fs::read_to_string(library_folder()?.parent()?.join(relative)).ok();
    // The Python package states it in version.py, the archive in build-version.
    let from_python = read("version.py").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
        Some(line.trim_matches(['\'', '"', ' ']).to_owned())
    });
    let version = from_python.or_else(|| read("build-version").map(|text| text.trim().to_owned()));
    version.unwrap_or_else(|| "unknown".to_owned())
}

/// Where the loaded libtorch_cpu.so lies.
fn library_folder() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|line| line.ends_with("/libtorch_cpu.so"))?;
    let path = PathBuf::from(&line[line.find('/')?..]);
    path.parent().map(PathBuf::from)
}
