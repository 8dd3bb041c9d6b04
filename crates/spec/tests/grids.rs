//! Grids: what is in them, each point once, and nothing stored.

use phasegrid_spec::{Shape, Sweep, SweepFile, TrainRows, TrialId, TrialIndex, TrialRange};
use proptest::prelude::*;
use std::collections::HashSet;

fn sweep(text: &str) -> Sweep {
    sweep_of(&[text])
}

fn sweep_of(texts: &[&str]) -> Sweep {
    let rows = TrainRows([("digits".to_owned(), 1_500)].into());
    let mut sweep: Option<Sweep> = None;
    for text in texts {
        let file = SweepFile::parse(text, "test.toml").unwrap_or_else(|error| panic!("{error}"));
        let (measure, block) = file.resolve(&rows).unwrap_or_else(|error| panic!("{error}"));
        match &mut sweep {
            None => sweep = Some(Sweep::new(file.name, measure, vec![block])),
            Some(sweep) => {
                sweep.append(block);
            }
        }
    }
    sweep.expect("at least one file")
}

fn ids(sweep: &Sweep) -> Vec<TrialId> {
    sweep.trials().map(|(_, trial)| TrialId::of(&trial)).collect()
}

const HEAD: &str = "name = \"test\"\ntask = \"digits\"\n";

#[test]
fn every_axis_form_gives_its_values() {
    let sweep = sweep(
        "name = \"a\"\ntask = \"digits\"\n[axes]\ndepth = [1, 2, 4]\nwidth = { log2 = [8, 64] }\n\
         learning_rate = { log = [1e-3, 1.0], points = 4 }\nseed = { range = [0, 4] }\n\
         label_noise = { linear = [0, 0.5], points = 3 }\n",
    );
    assert_eq!(sweep.count(), 3 * 4 * 4 * 4 * 3);
    let mut widths: Vec<i64> = sweep.trials().map(|(_, trial)| trial.width).collect();
    widths.sort_unstable();
    widths.dedup();
    assert_eq!(widths, [8, 16, 32, 64]);
    let rates: HashSet<String> =
        sweep.trials().map(|(_, trial)| trial.learning_rate.to_string()).collect();
    assert_eq!(rates, ["0.001", "0.01", "0.1", "1"].map(str::to_owned).into());
    let noises: HashSet<String> =
        sweep.trials().map(|(_, trial)| trial.label_noise.to_string()).collect();
    assert_eq!(noises, ["0", "0.25", "0.5"].map(str::to_owned).into());
}

#[test]
fn a_file_without_axes_is_one_trial() {
    let sweep = sweep(&format!("{HEAD}[fixed]\ndepth = 3\n"));
    assert_eq!(sweep.trials().map(|(_, trial)| trial.depth).collect::<Vec<_>>(), [3]);
}

#[test]
fn conditions_keep_the_points_for_which_all_hold() {
    let sweep = sweep(&format!(
        "{HEAD}[axes]\ndepth = [1, 2, 4]\nwidth = [8, 64]\n[where]\nconditions = [\"depth * width <= 128\", \"depth != 2\"]\n"
    ));
    let points: Vec<(i64, i64)> =
        sweep.trials().map(|(_, trial)| (trial.depth, trial.width)).collect();
    assert_eq!(points, [(1, 8), (1, 64), (4, 8)]);
}

#[test]
fn overlapping_grids_and_points_count_once() {
    let sweep = sweep(&format!(
        "{HEAD}[fixed]\nsteps = 10\n[axes]\ndepth = [1, 2]\nseed = [0, 1]\n\
         [[grid]]\nfixed = {{ steps = 10 }}\naxes = {{ depth = [2, 3], seed = [0, 1] }}\n\
         [[points]]\ndepth = 3\nseed = 1\n[[points]]\ndepth = 9\n[[points]]\ndepth = 9\n"
    ));
    let ids = ids(&sweep);
    assert_eq!(ids.len(), 4 + 2 + 1);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    assert!(sweep.trials().all(|(_, trial)| trial.steps == 10), "[fixed] reaches grids and points");
}

#[test]
fn an_appended_block_adds_only_new_points() {
    let first = format!("{HEAD}[axes]\nlearning_rate = {{ log = [1e-3, 1], points = 16 }}\n");
    let second = format!("{HEAD}[axes]\nlearning_rate = {{ log = [1e-3, 1], points = 31 }}\n");
    let before = sweep_of(&[&first]);
    let after = sweep_of(&[&first, &second]);
    assert_eq!((before.count(), after.count()), (16, 31));
    assert_eq!(ids(&before), ids(&after)[..16]);
}

#[test]
fn trials_of_one_shape_are_consecutive() {
    let sweep = sweep(&format!(
        "{HEAD}[axes]\nseed = [0, 1, 2]\ndepth = [1, 2]\nlearning_rate = [0.1, 0.2]\nwidth = [4, 8]\n"
    ));
    let mut start = 0;
    let mut shapes = HashSet::new();
    while start < sweep.raw_len(0) {
        let end = sweep.shape_end(0, start);
        let of_run: HashSet<Shape> = sweep
            .trials_in(TrialRange { grid: 0, start, end })
            .map(|(_, trial)| Shape::of(&trial))
            .collect();
        assert_eq!(of_run.len(), 1);
        shapes.extend(of_run);
        assert_eq!(end - start, 6);
        start = end;
    }
    assert_eq!(shapes.len(), 4);
}

#[test]
fn epochs_become_steps_point_by_point_and_repetitions_count_once() {
    let sweep = sweep(&format!("{HEAD}[axes]\nepochs = [0.5, 0.6, 2]\nbatch_size = [32, 1500]\n"));
    let mut points: Vec<(i64, i64)> =
        sweep.trials().map(|(_, trial)| (trial.batch_size, trial.steps)).collect();
    points.sort_unstable();
    // ceil(0.5 · 1500 / 32) = 24, ceil(0.6 · 1500 / 32) = 29; both are one step of 1,500 rows.
    assert_eq!(points, [(32, 24), (32, 29), (32, 94), (1500, 1), (1500, 2)]);
    for (position, trial) in sweep.trials() {
        assert_eq!(sweep.trial(position), Some(trial));
    }
}

#[test]
fn blocks_survive_json() {
    let text = format!(
        "{HEAD}[axes]\ndepth = [1, 2]\nlearning_rate = [1, 0.5]\n[where]\nconditions = [\"depth < 2\"]\n[[points]]\ndepth = 5\n"
    );
    let (measure, block) = SweepFile::parse(&text, "")
        .and_then(|file| file.resolve(&TrainRows::default()))
        .expect("valid");
    let json = serde_json::to_string(&block).expect("serialises");
    let copy = serde_json::from_str(&json).expect("reads back");
    assert_eq!(block, copy);
    let (before, after) =
        (Sweep::new("a", measure.clone(), vec![block]), Sweep::new("a", measure, vec![copy]));
    assert_eq!(ids(&before), ids(&after));
    assert_eq!(before.count(), 3);
}

#[test]
fn a_million_points_are_enumerated_without_being_stored() {
    let sweep = sweep(&format!(
        "{HEAD}[axes]\ndepth = {{ range = [1, 11] }}\nseed = {{ range = [0, 10000] }}\nwidth = {{ range = [1, 11] }}\n[where]\nconditions = [\"width > depth\"]\n"
    ));
    assert_eq!(sweep.raw_len(0), 1_000_000);
    // Pairs width > depth among 10 x 10.
    assert_eq!(sweep.count(), 45 * 10_000);
    assert!(sweep.trial(TrialIndex { grid: 0, index: 999_999 }).is_none());
}

proptest! {
    #[test]
    fn index_and_enumeration_agree_whatever_the_grid(
        depths in 1..4_i64, seeds in 1..5_i64, rates in 1..4_u32, limit in 1..20_i64,
    ) {
        let text = format!(
            "{HEAD}[axes]\nseed = {{ range = [0, {seeds}] }}\ndepth = {{ range = [1, {}] }}\n\
             learning_rate = {{ log = [0.01, 1], points = {rates} }}\n\
             [where]\nconditions = [\"depth * (seed + 1) <= {limit}\"]\n", depths + 1);
        let expected = (1..=depths)
            .flat_map(|depth| (0..seeds).map(move |seed| depth * (seed + 1)))
            .filter(|product| *product <= limit)
            .count() as u64 * u64::from(rates);
        let sweep = sweep(&text);
        prop_assert_eq!(sweep.count(), expected);
        let distinct: HashSet<TrialId> = ids(&sweep).into_iter().collect();
        prop_assert_eq!(distinct.len() as u64, expected);
    }
}

#[test]
fn where_data_are_drawn_a_shape_has_one_data_seed() {
    let axes = "[axes]\nseed = [0, 1]\ndata_seed = [0, 1, 2]\nlearning_rate = [0.1, 0.2]\n";
    for (task, shapes, run) in [("digits", 1, 12), ("teacher-student", 3, 4)] {
        let sweep = sweep(&format!("name = \"a\"\ntask = \"{task}\"\n{axes}"));
        let distinct: HashSet<Shape> = sweep.trials().map(|(_, trial)| Shape::of(&trial)).collect();
        assert_eq!((distinct.len(), sweep.shape_end(0, 0)), (shapes, run), "{task}");
        let mut start = 0;
        while start < sweep.raw_len(0) {
            let end = sweep.shape_end(0, start);
            let of_run: HashSet<Shape> = sweep
                .trials_in(TrialRange { grid: 0, start, end })
                .map(|(_, trial)| Shape::of(&trial))
                .collect();
            assert_eq!(of_run.len(), 1, "{task}");
            start = end;
        }
    }
}

#[test]
fn parameters_of_a_task_are_axes_conditions_and_points_like_any_other() {
    let sweep = sweep(
        "name = \"a\"\ntask = \"modular-addition\"\n[fixed]\nepochs = 2\nbatch_size = 5\n\
         [axes]\ntask_p = { range = [5, 9] }\ntask_train_share = { linear = [0.2, 0.8], points = 4 }\n\
         [where]\nconditions = [\"task_p * task_train_share > 2\"]\n\
         [[points]]\ntask_p = 11\n[[points]]\ntask = \"gaussian-mixture\"\ntask_separation = 0\n",
    );
    let points: Vec<(i64, f64, i64)> = sweep
        .trials()
        .filter(|(_, trial)| trial.task.as_ref() == "modular-addition")
        .map(|(_, trial)| (trial.task_p, trial.task_train_share, trial.steps))
        .collect();
    // Two epochs of round(share p^2) rows in steps of 5.
    let steps = |p: i64, share: f64| (2.0 * (share * (p * p) as f64).round() / 5.0).ceil() as i64;
    let mut expected = Vec::new();
    for p in 5..9 {
        for share in [0.2, 0.4, 0.6, 0.8].into_iter().filter(|share| p as f64 * share > 2.0) {
            expected.push((p, share, steps(p, share)));
        }
    }
    expected.push((11, 0.5, steps(11, 0.5)));
    assert_eq!(points, expected);
    let mixtures: Vec<(f64, i64)> = sweep
        .trials()
        .filter(|(_, trial)| trial.task.as_ref() == "gaussian-mixture")
        .map(|(_, trial)| (trial.task_separation, trial.steps))
        .collect();
    assert_eq!(mixtures, [(0.0, 3_200)]);
}
