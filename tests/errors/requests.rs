//! Requests on a store that make no sense: exit code 2, the option or name, what there is.

use phasegrid_tests::{Folder, Outcome, SweepText, phasegrid, query, run_sweep, tree};

/// A store with two depths, two widths and two seeds of the sweep `tiny`.
fn store() -> Folder {
    let folder = Folder::new();
    let axes = "depth = [1, 2]\nwidth = [2, 3]\nlearning_rate = [0.01, 0.1]\nseed = [0, 1]\n";
    folder.write("s.toml", SweepText::new("tiny").fixed("steps = 2\n").axes(axes).text());
    Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).exits_with(0);
    folder
}

#[track_caller]
fn refused(folder: &Folder, arguments: &[&str]) -> String {
    let outcome = Outcome::of(phasegrid().current_dir(folder.path()).args(arguments));
    let message = outcome.fails_with(2);
    message.strip_prefix("phasegrid: ").unwrap_or(&message).to_owned()
}

const PHASE: [&str; 8] =
    ["phase", "store", "--x", "learning_rate", "--y", "width", "--out", "figure.svg"];

#[track_caller]
fn phase_refused(folder: &Folder, options: &[&str]) -> String {
    let message = refused(folder, &[&PHASE, options].concat());
    assert!(!folder.join("figure.svg").exists(), "a refused figure was written");
    message
}

#[test]
fn a_phase_diagram_never_averages_silently() {
    let folder = store();
    assert_eq!(
        phase_refused(&folder, &["--value", "test_accuracy"]),
        "depth has 2 values in the selection (1 2): make it --x, --y or --facet, fix it with --where, or average over it with --over depth"
    );
    let named = ["--value", "test_accuracy", "--over", "depth"];
    Outcome::of(phasegrid().current_dir(folder.path()).args(PHASE).args(named)).exits_with(0);
}

#[test]
fn a_phase_diagram_of_what_is_not_there_says_what_is() {
    let folder = store();
    let over = |more: &[&'static str]| [&["--over", "depth"], more].concat();
    let message = phase_refused(&folder, &over(&["--value", "test_acuracy"]));
    assert!(message.starts_with("no column \"test_acuracy\""), "{message}");
    assert!(message.contains("did you mean test_accuracy?"), "{message}");
    let axis = ["phase", "store", "--x", "learning_rat", "--y", "width", "--value", "test_loss"];
    let message = refused(&folder, &[&axis[..], &["--out", "figure.svg"]].concat());
    let start = "--x learning_rat: is no hyperparameter (did you mean learning_rate?)";
    assert!(message.starts_with(start), "{message}");
    let value = over(&["--value", "test_accuracy"]);
    let sweep = phase_refused(&folder, &[&value[..], &["--sweep", "nope"]].concat());
    assert_eq!(sweep, "no sweep \"nope\" with published trials; the store holds tiny");
    let format = refused(&folder, &[&PHASE[..6], &value[..], &["--out", "figure.gif"]].concat());
    assert!(format.starts_with("figure.gif: the extension must be one of .svg"), "{format}");
}

#[test]
fn a_bad_condition_is_quoted_with_what_is_wrong() {
    let folder = store();
    let with = |condition: &'static str| {
        phase_refused(
            &folder,
            &["--value", "test_accuracy", "--over", "depth", "--where", condition],
        )
    };
    let unknown = with("dept = 1");
    assert!(unknown.starts_with("--where \"dept = 1\": no column \"dept\""), "{unknown}");
    assert!(unknown.contains("did you mean depth?"), "{unknown}");
    assert!(with("depth =").starts_with("--where \"depth =\": "));
    assert_eq!(with("depth = 7"), "no trial of sweep tiny satisfies --where \"depth = 7\"");
    assert!(with("depth").contains("compare it with something"));
}

#[test]
fn bad_sql_says_what_is_wrong() {
    let folder = store();
    let sql = |text: &str| refused(&folder, &["query", "store", text]);
    assert_eq!(
        sql("SELECT * FROM trails"),
        "SQL: no table \"trails\"; the store has trials, history"
    );
    assert!(sql("SELECT nope FROM trials").contains("\"nope\""));
    assert!(sql("SELECT * FROM trials WHERE").starts_with("SQL: "));
    for text in ["SELEC 1", "DROP TABLE trials", ""] {
        assert!(sql(text).starts_with("SQL: only queries that read are accepted"), "{text}");
    }
    assert_eq!(query(&folder.join("store"), "SELECT trial_id FROM trials").len(), 16);
}

#[test]
fn a_folder_that_is_no_store_is_named() {
    let folder = Folder::new();
    folder.write("docs/notes.txt", "");
    for arguments in [
        &["query", "docs", "SELECT 1"][..],
        &["show", "docs", "ab"],
        &[
            "phase",
            "docs",
            "--x",
            "width",
            "--y",
            "depth",
            "--value",
            "test_loss",
            "--out",
            "f.svg",
        ],
    ] {
        let message = refused(&folder, arguments);
        let start = "docs is not a phasegrid store: it has no _phasegrid.json; give the directory";
        assert!(message.starts_with(start), "{message}");
    }
    assert_eq!(tree(folder.path()).len(), 1);
}

#[test]
fn a_trial_must_be_there_and_be_one() {
    let folder = store();
    let unknown = refused(&folder, &["show", "store", "0123456789abcdef"]);
    assert!(unknown.starts_with("no trial 0123456789abcdef: give a trial_id"), "{unknown}");
    let ids = query(&folder.join("store"), "SELECT trial_id FROM trials ORDER BY trial_id");
    let ids: Vec<&str> = ids.iter().filter_map(|row| row["trial_id"].as_str()).collect();
    let twice = ids.windows(2).find(|pair| pair[0][..1] == pair[1][..1]);
    // Sixteen ids and sixteen first digits: these trials, whose ids never change, share one.
    let pair = twice.expect("two of the ids share their first digit");
    let ambiguous = refused(&folder, &["show", "store", &pair[0][..1]]);
    assert!(ambiguous.contains("is ambiguous") && ambiguous.contains(pair[1]), "{ambiguous}");
    assert!(ambiguous.ends_with("give more digits"), "{ambiguous}");
}

#[test]
fn a_bad_command_line_is_explained() {
    let folder = Folder::new();
    folder.write("s.toml", SweepText::new("tiny").text());
    let device = refused(&folder, &["run", "s.toml", "--out", "new", "--device", "gpu"]);
    assert!(device.contains("expected cpu, cuda or cuda:N"), "{device}");
    assert!(refused(&folder, &["run", "s.toml"]).contains("--out"));
    assert!(refused(&folder, &["frob"]).contains("frob"));
    assert!(refused(&folder, &["metrics", "rpd_gradien"]).contains("did you mean rpd_gradient?"));
    assert!(!folder.join("new").exists());
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_program_without_a_word() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;
    let mut command = phasegrid();
    let mut child = command
        .arg("metrics")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut first_line = String::new();
    let mut output = BufReader::with_capacity(16, child.stdout.take().expect("a pipe"));
    output.read_line(&mut first_line).expect("a line");
    assert!(first_line.starts_with("order: "), "{first_line}");
    drop(output);
    let mut complaints = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut complaints).expect("text");
    child.wait().expect("it ends");
    assert_eq!(complaints, "");
}
