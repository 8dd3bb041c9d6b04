//! Where the programs and their data are.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::Outcome;

/// `phasegrid`, with none of this shell's settings for it.
pub fn phasegrid() -> Command {
    clean(Command::new(program("phasegrid")))
}

/// `phasegrid-trainer`, with none of this shell's settings for it.
pub fn phasegrid_trainer() -> Command {
    clean(Command::new(trainer()))
}

/// Path of `phasegrid-trainer`.
pub fn trainer() -> PathBuf {
    program("phasegrid-trainer")
}

/// `phasegrid run FILE --out OUT --no-figures --workers 1` in a folder, and the rest of the options.
pub fn run_sweep(folder: &Path, file: &str, out: &str, options: &[&str]) -> Command {
    let mut command = phasegrid();
    command.current_dir(folder).args(["run", file, "--out", out]).args(options);
    for default in [&["--no-figures"][..], &["--workers", "1"]] {
        if !options.contains(&default[0]) {
            command.args(default);
        }
    }
    command
}

fn clean(mut command: Command) -> Command {
    for name in ["PHASEGRID_DATA", "PHASEGRID_LOG", "PHASEGRID_COORDINATOR", "LD_LIBRARY_PATH"] {
        command.env_remove(name);
    }
    command
}

fn program(name: &str) -> PathBuf {
    let this = std::env::current_exe().expect("a test knows its own path");
    let profile = this.parent().and_then(Path::parent).expect("it lies in target/<profile>/deps");
    let path = profile.join(name);
    assert!(
        path.is_file(),
        "{} is missing: build it with `cargo build -p phasegrid-cli -p phasegrid-trainer`, or run `make test`",
        path.display()
    );
    path
}

/// The folder cargo builds into.
pub fn target_folder() -> PathBuf {
    let this = std::env::current_exe().expect("a test knows its own path");
    let target = this.ancestors().nth(3).expect("it lies in target/<profile>/deps");
    target.to_path_buf()
}

/// The folder `torch` of libtorch, with `lib` in it.
pub fn libtorch_folder() -> PathBuf {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let set = std::env::var_os("LIBTORCH").map(PathBuf::from);
    set.unwrap_or_else(|| checkout.join(".libtorch/torch"))
}

/// The folder of real IDX data: PHASEGRID_DATA, or `../shared/data` beside the checkout.
pub fn data_folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("PHASEGRID_DATA").map_or(beside, PathBuf::from);
    folder.join("mnist").is_dir().then_some(folder)
}

/// Says loudly that a test did not run, and why.
pub fn skip(what: &str, why: &str) {
    eprintln!("SKIPPED {what}: {why}");
}

/// Whether a private mount namespace may be made here, for disks that fill up.
pub fn can_mount() -> bool {
    let mut probe = Command::new("unshare");
    probe.args(["-m", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"]);
    std::process::Command::new("sh")
        .args(["-c", "command -v unshare >/dev/null"])
        .status()
        .is_ok_and(|status| status.success())
        && Outcome::of(&mut probe).status.success()
}
