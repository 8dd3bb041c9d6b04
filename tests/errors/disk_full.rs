//! A disk that fills up: exit code 3 with the reason; with more room the same command goes on.

use phasegrid_tests::{
    Folder, Outcome, SweepText, can_mount, phasegrid, planned_trial_ids, run_sweep, skip,
};
use serde_json::Value;
use std::fs;
use std::process::Command;

/// Runs on a disk of `$1`, with the log on it or elsewhere, notes what is there, makes room, runs
/// again and lists the trials.
const SCRIPT: &str = r#"
size=$1; log=$2; program=$3; shift 3
mount -t tmpfs -o "size=$size" tmpfs disk || exit 9
if [ "$log" = elsewhere ]; then mkdir state disk/store && ln -s "$PWD/state" disk/store/_state; fi
"$@" 2>first.err >first.out; echo $? >first.code
df disk >first.df
ls disk/store/trials/sweep=full >first.published 2>/dev/null
mount -o remount,size=64m disk || exit 9
"$@" 2>second.err >second.out; echo $? >second.code
"$program" query disk/store "SELECT trial_id FROM trials" --output json >trials.json
find disk/store/_staging -type f >leftover
"#;

fn a_full_disk_stops_the_run_and_more_room_lets_it_go_on(size: &str, log: &str) {
    if !can_mount() {
        return skip("a full disk", "no private mount namespace can be made here");
    }
    let sweep = SweepText::new("full")
        .fixed("steps = 20\ndepth = 2\n")
        .axes("width = [8, 16, 24]\nseed = { range = [0, 8] }\n")
        .measure("at = { log = 3 }\nmetrics = []\nprobe_samples = 50\nsave_weights = \"all\"\n");
    let folder = Folder::new();
    folder.write("s.toml", sweep.text());
    fs::create_dir(folder.join("disk")).expect("a temporary folder is writable");
    let run = run_sweep(folder.path(), "s.toml", "disk/store", &[]);
    let mut command = Command::new("unshare");
    command
        .current_dir(folder.path())
        .args(["-m", "sh", "-c", SCRIPT, "sh", size, log])
        .arg(phasegrid().get_program())
        .arg(run.get_program())
        .args(run.get_args());
    Outcome::of(&mut command).exits_with(0);

    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("the script wrote it");
    let (first, second) = (read("first.err"), read("second.err"));
    assert_eq!(read("first.code").trim(), "3", "{first}");
    let errors: Vec<&str> = first.lines().filter(|line| line.starts_with("phasegrid: ")).collect();
    assert_eq!(errors.len(), 1, "{first}");
    let is_clear =
        ["No space left on device", "disk is full"].iter().any(|words| errors[0].contains(words));
    assert!(
        is_clear && errors[0].contains("disk/store") && errors[0].contains("free space"),
        "{first}"
    );
    assert!(!first.contains("panicked"), "{first}");
    assert!(read("first.published").lines().count() < 3, "the disk was not full mid-run");

    assert_eq!(read("second.code").trim(), "0", "{second}");
    let rows: Vec<Value> = serde_json::from_str(&read("trials.json")).expect("query writes JSON");
    let mut ids: Vec<&str> = rows.iter().filter_map(|row| row["trial_id"].as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, planned_trial_ids(&[&sweep]));
    assert_eq!(read("leftover"), "", "staged files were left behind");
}

#[test]
fn a_disk_full_at_the_first_unit() {
    a_full_disk_stops_the_run_and_more_room_lets_it_go_on("400k", "there");
}

#[test]
fn a_disk_full_at_a_later_unit() {
    a_full_disk_stops_the_run_and_more_room_lets_it_go_on("700k", "there");
}

#[test]
fn a_disk_too_small_for_the_log() {
    a_full_disk_stops_the_run_and_more_room_lets_it_go_on("100k", "there");
}

#[test]
fn a_disk_full_under_the_tables_alone() {
    a_full_disk_stops_the_run_and_more_room_lets_it_go_on("500k", "elsewhere");
}
