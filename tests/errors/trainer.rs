//! Trainers that cannot train: no libtorch, another libtorch, no CUDA, another program. The run
//! says so before it makes a store.

use phasegrid_tests::{Folder, Outcome, SweepText, libtorch_folder, run_sweep, trainer};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// Runs with options that must fail as infrastructure, and returns the message.
#[track_caller]
fn refused(folder: &Folder, change: impl FnOnce(&mut Command)) -> String {
    folder.write("s.toml", SweepText::new("tiny").text());
    let mut command = run_sweep(folder.path(), "s.toml", "new", &[]);
    change(&mut command);
    let message = Outcome::of(&mut command).fails_with(3);
    assert!(!folder.join("new").exists(), "a run that cannot train left a store behind");
    message
}

fn executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is our file");
}

#[test]
fn a_trainer_that_is_not_there_is_named() {
    let folder = Folder::new();
    let message = refused(&folder, |command| {
        command.args(["--trainer", "nowhere/phasegrid-trainer"]);
    });
    let start = "phasegrid: the trainer nowhere/phasegrid-trainer cannot be used: No such file";
    assert!(message.starts_with(start), "{message}");
    assert!(message.ends_with("it lies beside phasegrid, or where --trainer says"), "{message}");
}

#[test]
fn without_libtorch_the_loader_is_quoted_and_make_setup_advised() {
    let folder = Folder::new();
    let mut bytes = fs::read(trainer()).expect("the trainer can be read");
    let wanted = b"/torch/lib";
    let places: Vec<usize> =
        (0..bytes.len() - wanted.len()).filter(|at| bytes[*at..].starts_with(wanted)).collect();
    assert!(!places.is_empty(), "the trainer has no run path to libtorch to break");
    for place in places {
        bytes[place..place + wanted.len()].copy_from_slice(b"/nowhere/l");
    }
    let path = folder.write("phasegrid-trainer", bytes);
    executable(&path);
    let message = refused(&folder, |command| {
        command.arg("--trainer").arg(&path);
    });
    assert!(message.contains("error while loading shared libraries: libtorch_cpu.so"), "{message}");
    assert!(message.contains("run make setup"), "{message}");
}

#[test]
fn a_libtorch_of_another_version_is_told_from_ours() {
    let folder = Folder::new();
    let (ours, other) = (libtorch_folder(), folder.join("torch"));
    fs::create_dir_all(other.join("lib")).expect("a temporary folder is writable");
    for entry in fs::read_dir(ours.join("lib")).expect("libtorch is installed").flatten() {
        if entry.path().is_file() {
            // A link by name would be resolved to where ours lies.
            let to = other.join("lib").join(entry.file_name());
            if fs::hard_link(entry.path(), &to).is_err() {
                fs::copy(entry.path(), &to).expect("a library can be copied");
            }
        }
    }
    let packages = ours.canonicalize().expect("libtorch is installed");
    let packages = packages.parent().expect("torch is a package among others");
    symlink(packages.join("nvidia"), folder.join("nvidia")).expect("a link can be made");
    folder.write("torch/version.py", "__version__ = '2.6.0+cpu'\n");
    let message = refused(&folder, |command| {
        command.env("LD_LIBRARY_PATH", other.join("lib"));
    });
    assert!(message.contains("libtorch is 2.6.0+cpu, but this trainer is built for 2.11."));
    assert!(message.contains("run make setup"), "{message}");
}

#[test]
fn a_libtorch_without_our_symbols_is_called_another_version() {
    let folder = Folder::new();
    fs::create_dir(folder.join("lib")).expect("a temporary folder is writable");
    folder.write("empty.c", "");
    for library in ["libtorch_cpu.so", "libc10.so"] {
        let mut compiler = Command::new("cc");
        compiler.current_dir(folder.path()).args(["-shared", "-o", &format!("lib/{library}")]);
        Outcome::of(compiler.arg("empty.c")).exits_with(0);
    }
    let message = refused(&folder, |command| {
        command.env("LD_LIBRARY_PATH", folder.join("lib"));
    });
    assert!(message.contains("missing or of another version: run make setup"), "{message}");
}

#[test]
fn cuda_that_is_not_there_is_never_replaced_by_the_processor() {
    if Path::new("/proc/driver/nvidia/version").exists() {
        return phasegrid_tests::skip("CUDA that is not there", "this machine has CUDA");
    }
    let folder = Folder::new();
    let message = refused(&folder, |command| {
        command.args(["--device", "cuda"]);
    });
    assert!(message.contains("CUDA"), "{message}");
    assert!(message.ends_with("use --device cpu"), "{message}");
}

#[test]
fn a_program_that_is_no_trainer_is_quoted() {
    let folder = Folder::new();
    let path = folder.write("other", "#!/bin/sh\necho what do you want >&2\nexit 5\n");
    executable(&path);
    let message = refused(&folder, |command| {
        command.arg("--trainer").arg(&path);
    });
    let end = "cannot be used: the trainer exited with code 5: what do you want";
    assert!(message.ends_with(end), "{message}");
}
