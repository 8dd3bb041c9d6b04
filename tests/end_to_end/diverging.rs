//! Divergence is a result.

use phasegrid_tests::{Folder, Outcome, SweepText, query, run_sweep};

#[test]
fn diverging_trials_are_rows_and_their_neighbours_go_on() {
    let folder = Folder::new();
    let sweep = SweepText::new("edge")
        .fixed("steps = 60\ndepth = 2\nwidth = 8\nloss = \"mse\"\n")
        .axes("learning_rate = [0.01, 1e6]\nseed = [0, 1]\n");
    folder.write("s.toml", sweep.text());
    let outcome = Outcome::of(&mut run_sweep(folder.path(), "s.toml", "store", &[])).exits_with(0);
    let counts = "edge: 4 trials done (2 ok, 2 diverged)";
    assert!(outcome.stdout.contains(counts), "{}", outcome.stdout);
    let columns = "learning_rate, status, diverged_step, steps_done, train_loss, phase, unit";
    let sql = format!("SELECT {columns} FROM trials ORDER BY learning_rate, seed");
    let rows = query(&folder.join("store"), &sql);
    assert_eq!(rows.len(), 4);
    for row in &rows[..2] {
        assert_eq!(row["status"], "ok", "{row}");
        assert!(row["diverged_step"].is_null() && row["train_loss"].is_f64(), "{row}");
        assert_eq!(row["steps_done"], 60, "{row}");
    }
    for row in &rows[2..] {
        assert_eq!(row["status"], "diverged", "{row}");
        assert!(row["train_loss"].is_null(), "{row}");
        let step = row["diverged_step"].as_i64().expect("a diverged trial has its step");
        assert!((1..60).contains(&step), "{row}");
        assert_eq!(row["unit"], rows[0]["unit"], "trained beside the others");
    }
}
