//! Figures at the end of a run, and phase diagrams in every format.

use phasegrid_tests::{Folder, Outcome, SweepText, phasegrid, tree};
use std::fs;

#[track_caller]
fn begins_with(path: &std::path::Path, magic: &[u8]) {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(bytes.starts_with(magic), "{} does not begin as such a file", path.display());
    assert!(bytes.len() > 200, "{} is empty", path.display());
}

fn store() -> Folder {
    let folder = Folder::new();
    let sweep = SweepText::new("map")
        .fixed("steps = 10\n")
        .axes("depth = [1, 2]\nwidth = [4, 8]\nlearning_rate = { log = [0.01, 1], points = 3 }\n")
        .measure("at = \"last\"\nmetrics = [\"order\", \"lmap\"]\nprobe_samples = 60\n");
    folder.write("s.toml", sweep.text());
    let mut command = phasegrid();
    command.current_dir(folder.path()).args(["run", "s.toml", "--out", "store"]);
    let outcome = Outcome::of(command.args(["--workers", "1"])).exits_with(0);
    assert!(outcome.stdout.contains("figures: store/_figures/map/"), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("try next:"), "{}", outcome.stdout);
    folder
}

#[test]
fn a_run_draws_its_phase_diagrams_as_png_and_svg() {
    let folder = store();
    let figures = tree(&folder.join("store/_figures/map"));
    let stems =
        ["test-accuracy", "phase", "opt-excess", "opt-fraction", "rpd-gradient", "lmap-accuracy"];
    for stem in stems {
        for extension in ["png", "svg"] {
            let is_it = |name: &&String| name.starts_with(stem) && name.ends_with(extension);
            let name = figures.keys().find(is_it);
            let name = name.unwrap_or_else(|| panic!("no {stem} in {:?}", figures.keys()));
            let magic: &[u8] = if extension == "png" { b"\x89PNG\r\n\x1a\n" } else { b"<" };
            begins_with(&folder.join("store/_figures/map").join(name), magic);
        }
    }
}

#[test]
fn a_phase_diagram_is_written_in_every_format() {
    let folder = store();
    let formats: [(&str, &[u8]); 5] =
        [("svg", b"<"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("csv", b""), ("parquet", b"PAR1")];
    let mut command = phasegrid();
    command.current_dir(folder.path()).args(["phase", "store", "--x", "learning_rate"]);
    command.args(["--y", "width", "--facet", "depth", "--value", "lmap_accuracy", "--layer", "1"]);
    for (extension, _) in formats {
        command.args(["--out", &format!("map.{extension}")]);
    }
    Outcome::of(&mut command).exits_with(0);
    for (extension, magic) in formats {
        begins_with(&folder.join(&format!("map.{extension}")), magic);
    }
    let csv = fs::read_to_string(folder.join("map.csv")).expect("it was just written");
    assert_eq!(csv.lines().count(), 1 + 2 * 2 * 3, "a row a cell: {csv}");
    for column in ["learning_rate", "width", "depth", "n_ok", "n_diverged", "n_null", "n_censored"]
    {
        assert!(csv.lines().next().is_some_and(|head| head.contains(column)), "{column}: {csv}");
    }
}

#[test]
fn curves_rank_distributions_and_differences_are_written_too() {
    let folder = store();
    let one = "width = 8 AND learning_rate = 0.1";
    let commands: [&[&str]; 4] = [
        &["curve", "--value", "rpd_gradient", "--facet", "depth", "--where", one],
        &["curve", "--value", "test_loss", "--by", "depth", "--where", one, "--y-scale", "log"],
        &["rpd", "--by", "step", "--where", "depth = 2 AND width = 8 AND learning_rate = 0.1"],
        &[
            "phase",
            "--x",
            "learning_rate",
            "--y",
            "depth",
            "--value",
            "test_loss",
            "--against",
            "width=4",
        ],
    ];
    for options in commands {
        let mut command = phasegrid();
        command.current_dir(folder.path()).arg(options[0]).arg("store").args(&options[1..]);
        Outcome::of(command.args(["--out", "f.png", "--out", "f.csv"])).exits_with(0);
        begins_with(&folder.join("f.png"), b"\x89PNG");
        let csv = fs::read_to_string(folder.join("f.csv")).expect("it was just written");
        assert!(csv.lines().count() > 2, "{options:?}: {csv}");
        fs::remove_file(folder.join("f.png")).expect("it was just written");
    }
}
