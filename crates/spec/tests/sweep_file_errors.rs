//! Bad sweep files: one error each, with file, line, key, and what to do.

use phasegrid_spec::{SweepFile, TrainRows};

fn error(text: &str) -> String {
    let rows = TrainRows([("digits".to_owned(), 1_500)].into());
    let outcome = SweepFile::parse(text, "s.toml").and_then(|file| file.resolve(&rows));
    outcome.expect_err(text).to_string()
}

fn with(rest: &str) -> String {
    error(&format!("name = \"a\"\ntask = \"digits\"\n{rest}"))
}

#[test]
fn unknown_keys_name_the_nearest() {
    assert_eq!(
        with("[axis]\ndepth = [1]\n"),
        "s.toml:3: axis: unknown key (did you mean \"axes\"?)"
    );
    assert_eq!(
        with("[axes]\nlearning_rat = [1]\n"),
        "s.toml:4: axes.learning_rat: unknown key (did you mean \"learning_rate\"?)"
    );
    assert_eq!(
        with("[fixed]\nactivaton = \"relu\"\n"),
        "s.toml:4: fixed.activaton: unknown key (did you mean \"activation\"?)"
    );
    assert_eq!(
        with("[measure]\nprobe_sample = 3\n"),
        "s.toml:4: measure.probe_sample: unknown key (did you mean \"probe_samples\"?)"
    );
    assert_eq!(
        with("depth = 3\n"),
        "s.toml:3: depth: a hyperparameter belongs in [fixed] (one value) or [axes] (several)"
    );
}

#[test]
fn wrong_types_say_what_is_expected() {
    assert_eq!(
        with("[fixed]\ndepth = \"two\"\n"),
        "s.toml:4: fixed.depth: expected an integer from 1 to 1000, found a string (\"two\")"
    );
    assert_eq!(
        with("[axes]\ndepth = 3\n"),
        "s.toml:4: axes.depth: an axis takes a list such as [3] or a table such as { range = [0, 4] }; a single value belongs in [fixed]"
    );
    assert_eq!(
        with("[axes]\ndepth = [1.5]\n"),
        "s.toml:4: axes.depth: expected an integer from 1 to 1000, found a number (1.5)"
    );
    assert_eq!(
        with("[fixed]\noptimizer = \"sdg\"\n"),
        "s.toml:4: fixed.optimizer: \"sdg\" is not one of sgd, adam, adamw (did you mean \"sgd\"?)"
    );
    assert_eq!(
        with("[axes]\nactivation = { log2 = [1, 2] }\n"),
        "s.toml:4: axes.activation: activation is not a number: give a list of values"
    );
    assert_eq!(
        with("[fixed]\nseed = 2026-01-01\n"),
        "s.toml:4: fixed.seed: expected one value (several belong in [axes]), found a date"
    );
}

#[test]
fn values_out_of_range_are_refused_at_their_line() {
    assert_eq!(
        with("[axes]\nlearning_rate = [\n 0.1,\n 0,\n]\n"),
        "s.toml:6: axes.learning_rate: 0 is out of range: expected a finite number greater than 0"
    );
    assert_eq!(
        with("[fixed]\nwidth = 0\n"),
        "s.toml:4: fixed.width: 0 is out of range: expected an integer from 1 to 65536"
    );
    assert!(with("[fixed]\nlearning_rate = nan\n").contains("out of range"));
    assert!(with("[fixed]\nlearning_rate = inf\n").contains("out of range"));
}

#[test]
fn axes_that_mean_nothing_are_refused() {
    assert_eq!(
        with("[axes]\nlearning_rate = { log = [0, 1], points = 3 }\n"),
        "s.toml:4: axes.learning_rate: a logarithmic axis cannot start at 0: its first value must be greater than 0"
    );
    assert_eq!(
        with("[axes]\ndepth = []\n"),
        "s.toml:4: axes.depth: the axis is empty: it must have at least one value"
    );
    assert_eq!(
        with("[axes]\nseed = { range = [4, 4] }\n"),
        "s.toml:4: axes.seed: the range [4, 4) is empty: its end is excluded"
    );
    assert_eq!(
        with("[axes]\nseed = { range = [4, 0] }\n"),
        "s.toml:4: axes.seed: the last value 0 is below the first 4"
    );
    assert_eq!(
        with("[axes]\nlearning_rate = { log = [0.1, 1] }\n"),
        "s.toml:4: axes.learning_rate: log needs points, such as points = 16"
    );
    assert_eq!(
        with("[axes]\ndepth = [1, 1.0]\n"),
        "s.toml:4: axes.depth: 1 stands twice in the list"
    );
    assert_eq!(
        with("[axes]\nseed = { range = [0, 1], log = [1, 2] }\n"),
        "s.toml:4: axes.seed: expected exactly one of range, log, log2, linear"
    );
    assert!(
        with("[fixed]\ndepth = 2\n[axes]\ndepth = [1, 2]\n")
            .starts_with("s.toml:4: fixed.depth: depth is fixed here and an axis")
    );
    assert_eq!(
        with("[fixed]\nsteps = 1\nepochs = 2\n"),
        "s.toml:3: fixed: give steps or epochs, not both"
    );
}

#[test]
fn conditions_are_checked() {
    assert_eq!(
        with("[axes]\ndepth = [1]\n[where]\nconditions = [\"dpth < 3\"]\n"),
        "s.toml:6: where.conditions: in \"dpth < 3\", column 1: \"dpth\" is not a hyperparameter (did you mean \"depth\"?)"
    );
    assert_eq!(
        with("[axes]\ndepth = [1]\n[where]\nconditions = [\"depth > 3\"]\n"),
        "s.toml:5: where: no grid point is left after the conditions"
    );
}

#[test]
fn combinations_without_meaning_are_refused() {
    let message = with("[fixed]\noptimizer = \"adam\"\n[axes]\nmomentum = [0.0, 0.9]\n");
    assert!(
        message.starts_with("s.toml:6: axes.momentum: momentum 0.9 with optimizer adam"),
        "{message}"
    );
    assert_eq!(
        with("[fixed]\nbatch_size = 2000\n"),
        "s.toml:4: fixed.batch_size: 2000 is more than the 1500 training rows"
    );
    assert_eq!(
        with("[fixed]\ntrain_samples = 2000\n"),
        "s.toml:4: fixed.train_samples: 2000 rows asked for, but task digits has 1500"
    );
}

#[test]
fn epochs_need_a_known_number_of_rows() {
    let text = "name = \"a\"\ntask = \"mnist\"\n[fixed]\nepochs = 2\n";
    assert_eq!(
        error(text),
        "s.toml:4: epochs: the number of training rows of task mnist is not known here: name train_samples, give steps instead of epochs, or say where its data is (--data DIR)"
    );
}

#[test]
fn grids_beyond_the_limit_are_refused_at_once() {
    let message =
        with("[axes]\nseed = { range = [0, 100000] }\ndata_seed = { range = [0, 10000] }\n");
    assert!(
        message.contains("1000000000 points before [where]; the limit is 20000000"),
        "{message}"
    );
    assert!(with("[axes]\nseed = { range = [0, 10000000] }\n").contains("the limit is 100000"));
}

#[test]
fn names_and_toml_are_checked() {
    assert_eq!(error("task = \"digits\"\n"), "s.toml: name: missing: every sweep needs a name");
    assert_eq!(
        error("name = \"a\"\n"),
        "s.toml: task: missing: say what is learned, such as task = \"digits\""
    );
    for name in ["", "A", "1a", "../x", "a/b", "a b", "é"] {
        assert!(
            error(&format!("name = \"{name}\"\ntask = \"digits\"\n")).contains("cannot be used"),
            "{name}"
        );
    }
    assert!(error("name = @\n").starts_with("s.toml:1: not valid TOML"));
    assert!(error("name = \"a\"\nname = \"b\"\n").starts_with("s.toml:2: not valid TOML"));
}

#[test]
fn measure_settings_are_checked() {
    assert_eq!(
        with("[measure]\nsave_weights = \"finl\"\n"),
        "s.toml:4: measure.save_weights: \"finl\" is not one of none, final, all (did you mean \"final\"?)"
    );
    assert_eq!(
        with("[measure]\nat = 3\n"),
        "s.toml:4: measure.at: expected { log = N }, a list of steps, or \"last\""
    );
    assert_eq!(
        with("[measure]\nprobe_samples = 0\n"),
        "s.toml:4: measure.probe_samples: 0 is out of range: expected an integer from 1 to 1000000"
    );
    assert_eq!(
        with("[measure]\nmetrics = [\"order\", \"order\"]\n"),
        "s.toml:4: measure.metrics: \"order\" stands twice in the list"
    );
}

#[test]
fn parameters_of_another_task_are_refused_where_they_stand() {
    let stray = "a parameter of modular-addition, but the task here is digits: remove it, or move it into a [[grid]] or [[points]] of that task";
    assert_eq!(with("[fixed]\ntask_p = 97\n"), format!("s.toml:4: fixed.task_p: {stray}"));
    assert_eq!(
        with("[axes]\ndepth = [1]\ntask_p = [5, 7]\n"),
        format!("s.toml:5: axes.task_p: {stray}")
    );
    assert_eq!(
        with("[[grid]]\naxes = { depth = [1] }\n[[grid]]\nfixed = { task_p = 5 }\n"),
        format!("s.toml:6: grid.fixed.task_p: {stray}")
    );
    assert_eq!(
        with("[[grid]]\n[grid.axes]\ntask_p = [5]\n"),
        format!("s.toml:5: grid.axes.task_p: {stray}")
    );
    assert_eq!(
        with("[[points]]\ndepth = 1\n[[points]]\ntask_p = 5\n"),
        format!("s.toml:6: points.task_p: {stray}")
    );
    assert_eq!(
        error("name = \"a\"\ntask = \"gaussian-mixture\"\n[fixed]\ntask_teacher_depth = 1\n"),
        "s.toml:4: fixed.task_teacher_depth: a parameter of teacher-student, but the task here is gaussian-mixture: remove it, or move it into a [[grid]] or [[points]] of that task"
    );
    // What is fixed for the whole file holds for every grid of it.
    assert_eq!(
        error(
            "name = \"a\"\ntask = \"modular-addition\"\n[fixed]\ntask_p = 5\nbatch_size = 4\n[axes]\ndepth = [1]\n[[grid]]\nfixed = { task = \"digits\" }\n"
        ),
        format!("s.toml:4: fixed.task_p: {stray}")
    );
    assert_eq!(
        with("[axes]\ntask_q = [5]\n"),
        "s.toml:4: axes.task_q: unknown key (did you mean \"task_p\"?)"
    );
}

#[test]
fn on_a_grid_of_several_tasks_points_with_a_parameter_of_another_task_are_refused() {
    let head = "name = \"a\"\n[fixed]\nbatch_size = 4\n[axes]\ntask = [\"digits\", \"modular-addition\"]\ntask_p = [5, 97]\n";
    assert_eq!(
        error(head),
        "s.toml:6: axes.task_p: 5 with task digits: task_p is a parameter of modular-addition; give each task a [[grid]] of its own, or exclude these points with a condition"
    );
    let text =
        format!("{head}[where]\nconditions = [\"task == 'modular-addition' or task_p == 97\"]\n");
    let rows = TrainRows([("digits".to_owned(), 1_500)].into());
    let (_, block) = SweepFile::parse(&text, "s.toml").unwrap().resolve(&rows).unwrap();
    assert_eq!(block.grids[0].trials(0, 4).count(), 3);
}

#[test]
fn a_drawn_task_has_the_rows_its_parameters_say() {
    let modular = |rest: &str| error(&format!("name = \"a\"\ntask = \"modular-addition\"\n{rest}"));
    assert_eq!(
        modular("[fixed]\ntask_p = 7\nbatch_size = 32\n"),
        "s.toml:5: fixed.batch_size: 32 is more than the 25 training rows"
    );
    assert_eq!(
        modular("[fixed]\ntrain_samples = 4706\n"),
        "s.toml:4: fixed.train_samples: 4706 rows asked for, but task modular-addition has 4705"
    );
    assert_eq!(
        modular("[fixed]\ntask_train_share = 1.0\n"),
        "s.toml:4: fixed.task_train_share: 1 is out of range: expected a number greater than 0 and at most 0.99"
    );
}
