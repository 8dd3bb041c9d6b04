//! `docs/operations.md` against the program's own help and the protocol's limits.

use phasegrid_tests::{Outcome, phasegrid};
use std::collections::BTreeSet;
use std::path::Path;

const COMMANDS: [&str; 12] = [
    "coordinator",
    "worker",
    "submit",
    "list",
    "status",
    "watch",
    "wait",
    "pause",
    "resume",
    "cancel",
    "retry",
    "explain",
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every `--option` in a text.
fn options(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '-';
    let words = text.split(|letter| !is_part(letter));
    words.filter(|word| word.len() > 3 && word.starts_with("--")).map(str::to_owned).collect()
}

#[test]
fn every_flag_of_the_cluster_commands_is_documented_and_no_other() {
    let document = read("docs/operations.md");
    let (_, rest) = document.split_once("## Every flag").expect("a section of flags");
    let (section, _) = rest.split_once("\n## ").expect("a section after it");
    let mut known = BTreeSet::new();
    for command in COMMANDS {
        let help = Outcome::of(phasegrid().args([command, "--help"])).exits_with(0).stdout;
        known.extend(options(&help));
        assert!(section.contains(&format!("`{command}")), "{command} is not there");
    }
    known.remove("--help");
    let documented: BTreeSet<String> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| options(line.split('|').nth(1).unwrap_or_default()))
        .collect();
    assert_eq!(documented, known);
}

#[test]
fn the_limits_are_those_of_the_protocol() {
    let document = read("docs/operations.md");
    let source = read("crates/proto/src/limits.rs");
    let mut checked = 0;
    for line in source.lines().filter_map(|line| line.strip_prefix("pub const ")) {
        let (name, rest) = line.split_once(':').expect("a constant has a type");
        let (_, value) = rest.trim_end_matches(';').split_once('=').expect("and a value");
        let factors = value.split('*').map(|factor| factor.trim().replace('_', ""));
        let value: u64 = factors.map(|factor| factor.parse::<u64>().expect("a number")).product();
        let row = document.lines().find(|row| row.contains(&format!("`{name}`")));
        let row = row.unwrap_or_else(|| panic!("{name} is not there"));
        let stated: String = row.chars().filter(|letter| *letter != ',').collect();
        assert!(stated.contains(&format!("| {value} ")), "{name} is {value}: {row}");
        checked += 1;
    }
    assert!(checked >= 17, "{checked}");
}
