//! Bad sweep files: file, line, key, and what to do; nothing is created.

use phasegrid_tests::{Folder, Outcome, run_sweep};

const HEAD: &str = "name = \"bad\"\ntask = \"digits\"\n";

/// Runs a file that must be refused and returns the message, without the program's name.
#[track_caller]
fn refused(text: &str) -> String {
    let folder = Folder::new();
    folder.write("bad.toml", text);
    let outcome = Outcome::of(&mut run_sweep(folder.path(), "bad.toml", "new", &[]));
    let message = outcome.fails_with(2);
    assert!(!folder.join("new").exists(), "a refused sweep file left a store behind");
    message.strip_prefix("phasegrid: ").expect("messages name the program").to_owned()
}

#[track_caller]
fn body_refused(body: &str) -> String {
    refused(&format!("{HEAD}{body}"))
}

#[test]
fn an_unknown_key_names_the_nearest() {
    assert_eq!(
        body_refused("[axes]\nlearning_rat = [1]\n"),
        "bad.toml:4: axes.learning_rat: unknown key (did you mean \"learning_rate\"?)"
    );
    assert_eq!(
        body_refused("[axs]\ndepth = [1]\n"),
        "bad.toml:3: axs: unknown key (did you mean \"axes\"?)"
    );
}

#[test]
fn a_wrong_type_says_what_is_expected() {
    assert_eq!(
        body_refused("[fixed]\ndepth = \"two\"\n"),
        "bad.toml:4: fixed.depth: expected an integer from 1 to 1000, found a string (\"two\")"
    );
}

#[test]
fn a_value_out_of_range_says_the_range() {
    for value in ["0", "0.0", "-0.1", "nan"] {
        let message = body_refused(&format!("[axes]\nlearning_rate = [0.1, {value}]\n"));
        let start = "bad.toml:4: axes.learning_rate: ";
        let end = "is out of range: expected a finite number greater than 0";
        assert!(message.starts_with(start) && message.ends_with(end), "{message}");
    }
    assert_eq!(
        body_refused("[fixed]\nwidth = 0\n"),
        "bad.toml:4: fixed.width: 0 is out of range: expected an integer from 1 to 65536"
    );
}

#[test]
fn a_logarithmic_axis_cannot_start_at_0() {
    assert_eq!(
        body_refused("[axes]\nlearning_rate = { log = [0, 1], points = 3 }\n"),
        "bad.toml:4: axes.learning_rate: a logarithmic axis cannot start at 0: its first value must be greater than 0"
    );
}

#[test]
fn an_empty_axis_and_an_empty_grid_are_refused() {
    assert_eq!(
        body_refused("[axes]\ndepth = []\n"),
        "bad.toml:4: axes.depth: the axis is empty: it must have at least one value"
    );
    assert_eq!(
        body_refused("[axes]\ndepth = [1]\n[where]\nconditions = [\"depth > 3\"]\n"),
        "bad.toml:5: where: no grid point is left after the conditions"
    );
}

#[test]
fn a_bad_condition_says_where_in_it() {
    assert_eq!(
        body_refused("[axes]\ndepth = [1]\n[where]\nconditions = [\"depth >\"]\n"),
        "bad.toml:6: where.conditions: in \"depth >\", column 8: expected a hyperparameter, a number or a quoted text, found end of the condition"
    );
    assert_eq!(
        body_refused("[axes]\ndepth = [1]\n[where]\nconditions = [\"dpth < 3\"]\n"),
        "bad.toml:6: where.conditions: in \"dpth < 3\", column 1: \"dpth\" is not a hyperparameter (did you mean \"depth\"?)"
    );
}

#[test]
fn a_grid_beyond_the_limit_says_the_limit() {
    let axes = "[axes]\nseed = { range = [0, 100000] }\ndata_seed = { range = [0, 10000] }\n";
    assert_eq!(
        body_refused(axes),
        "bad.toml:3: axes: the grid has 1000000000 points before [where]; the limit is 20000000: use fewer values, or split it into several sweeps"
    );
}

#[test]
fn an_unknown_task_or_metric_names_the_nearest() {
    assert_eq!(
        refused("name = \"bad\"\ntask = \"digts\"\n"),
        "bad.toml:2: task: there is no task \"digts\" (did you mean \"digits\"?); `phasegrid tasks` lists them"
    );
    let message = body_refused("[measure]\nmetrics = [\"ordr\"]\n");
    let start = "bad.toml:4: measure.metrics: \"ordr\" is not a metric (did you mean \"order\"?)";
    assert!(message.starts_with(start), "{message}");
}

#[test]
fn a_file_that_is_no_sweep_file_is_named() {
    let folder = Folder::new();
    folder.write("latin.toml", b"name = \"\xe9\"\n");
    std::fs::create_dir(folder.join("folder.toml")).expect("a temporary folder is writable");
    for name in ["missing.toml", "latin.toml", "folder.toml"] {
        let outcome = Outcome::of(&mut run_sweep(folder.path(), name, "new", &[]));
        let message = outcome.fails_with(2);
        let start = format!("phasegrid: cannot read the sweep file {name}: ");
        assert!(message.starts_with(&start), "{message}");
    }
    assert!(!folder.join("new").exists());
    assert!(refused("name = \n").starts_with("bad.toml:1: not valid TOML"));
}

#[test]
fn more_weight_files_than_a_folder_takes_must_be_asked_for_by_name() {
    // Step 0 and the last of 50,001 trials.
    let message = body_refused(
        "[axes]\nseed = { range = [0, 50001] }\n[measure]\nat = [0]\nsave_weights = \"all\"\n",
    );
    assert!(message.contains("would write 100002 files, more than 100000"), "{message}");
    assert!(message.contains("--many-weight-files"), "{message}");
}
