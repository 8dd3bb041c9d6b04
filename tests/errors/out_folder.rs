//! Output folders that cannot be used: they stay as they are.

use phasegrid_tests::{
    Folder, Outcome, Running, SweepText, can_mount, run_sweep, shards, skip, tree,
};
use std::process::Command;

#[test]
fn a_foreign_folder_is_left_alone() {
    let folder = Folder::new();
    folder.write("s.toml", SweepText::new("tiny").text());
    folder.write("thesis/chapter.tex", "\\section{}");
    let before = tree(&folder.join("thesis"));
    let message = Outcome::of(&mut run_sweep(folder.path(), "s.toml", "thesis", &[])).fails_with(2);
    let end = "is not empty and not a phasegrid store (it holds \"chapter.tex\"): choose an empty or new folder";
    assert!(message.ends_with(end), "{message}");
    assert!(message.contains(&folder.join("thesis").display().to_string()), "{message}");
    assert_eq!(tree(&folder.join("thesis")), before);
}

#[test]
fn a_folder_that_cannot_be_made_is_named_with_what_stands_in_the_way() {
    let folder = Folder::new();
    folder.write("s.toml", SweepText::new("tiny").text());
    folder.write("file", "mine");
    for out in ["file", "file/below"] {
        let message = Outcome::of(&mut run_sweep(folder.path(), "s.toml", out, &[])).fails_with(3);
        assert!(message.starts_with(&format!("phasegrid: cannot create {out}: ")), "{message}");
        let end = "(a file stands in the way: choose another folder)";
        assert!(message.ends_with(end), "{message}");
    }
    assert_eq!(tree(folder.path())["file"], b"mine");
}

#[test]
fn a_read_only_disk_is_an_error_of_the_machine() {
    if !can_mount() {
        return skip("a read-only disk", "no private mount namespace can be made here");
    }
    let folder = Folder::new();
    folder.write("s.toml", SweepText::new("tiny").text());
    std::fs::create_dir(folder.join("disk")).expect("a temporary folder is writable");
    let run = run_sweep(folder.path(), "s.toml", "disk/store", &[]);
    let mut command = Command::new("unshare");
    command
        .current_dir(folder.path())
        .args(["-m", "sh", "-c", "mount -t tmpfs -o ro tmpfs disk && exec \"$@\"", "sh"])
        .arg(run.get_program())
        .args(run.get_args());
    let message = Outcome::of(&mut command).fails_with(3);
    assert!(message.starts_with("phasegrid: cannot create disk/store: "), "{message}");
    assert!(message.ends_with("(choose a folder you may write to)"), "{message}");
}

#[test]
fn a_sweep_keeps_its_measure() {
    let folder = Folder::new();
    let sweep = SweepText::new("tiny");
    folder.write("s.toml", sweep.text());
    Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).exits_with(0);
    let (tables, document) =
        (shards(&folder.join("store"), "trials"), tree(&folder.join("store/_sweeps")));
    let changed = sweep.measure("at = \"last\"\nmetrics = []\nhistory = 0\nprobe_samples = 51\n");
    folder.write("changed.toml", changed.text());
    let message =
        Outcome::of(&mut run_sweep(folder.path(), "changed.toml", "store", &[])).fails_with(2);
    assert_eq!(
        message,
        "phasegrid: sweep tiny exists with another [measure]: probe_samples is 50 in the sweep and 51 here; give the file another name, or set [measure] back"
    );
    assert_eq!(shards(&folder.join("store"), "trials"), tables);
    assert_eq!(tree(&folder.join("store/_sweeps")), document);
}

#[test]
fn a_store_in_use_by_another_run_is_refused() {
    let folder = Folder::new();
    let long = SweepText::new("long").fixed("steps = 1000000\ndepth = 1\nwidth = 4\n");
    folder.write("s.toml", long.text());
    let mut first = Running::start(&mut run_sweep(folder.path(), "s.toml", "store", &[]));
    assert!(first.runs_until(|| folder.join("store/_sweeps/long.json").is_file()));
    let message = Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).fails_with(3);
    assert!(first.is_running(), "the first run ended before the second was refused");
    assert!(message.contains("_state") && message.contains("stop it"), "{message}");
    first.kill();
}

#[test]
fn results_that_cannot_be_published_end_the_run_with_the_reason_and_are_kept() {
    let folder = Folder::new();
    let tiny = |seeds: &str| SweepText::new("tiny").fixed("steps = 2\n").axes(seeds).text();
    folder.write("s.toml", tiny("seed = [0]\n"));
    Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).exits_with(0);
    let tables = folder.join("store/trials");
    std::fs::rename(&tables, folder.join("away")).expect("moved");
    folder.write("store/trials", "in the way");

    folder.write("s.toml", tiny("seed = [0, 1]\n"));
    let outcome = Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).exits_with(3);
    assert!(outcome.stderr.contains("results cannot be published"), "{}", outcome.stderr);

    std::fs::remove_file(&tables).expect("removed");
    std::fs::rename(folder.join("away"), &tables).expect("moved back");
    let again = Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).exits_with(0);
    assert!(again.stdout.contains("tiny: 2 trials done (2 ok)"), "{}", again.stdout);
    assert_eq!(shards(&folder.join("store"), "trials").len(), 2);
}
