//! A real MNIST sweep, where the data are.

use phasegrid_tests::{Folder, Outcome, data_folder, query, run_sweep, skip};

#[test]
fn mnist_is_learned() {
    let Some(data) = data_folder() else {
        return skip("the MNIST sweep", "set PHASEGRID_DATA to a folder with mnist/ in it");
    };
    let folder = Folder::new();
    folder.write(
        "s.toml",
        "name = \"mnist\"\ntask = \"mnist\"\n[fixed]\nwidth = 32\nsteps = 200\n[axes]\ndepth = [1, 2]\nlearning_rate = [0.001, 0.1]\n[measure]\nat = \"last\"\nmetrics = [\"order\", \"lmap\"]\nhistory = 2\nprobe_samples = 200\n",
    );
    let data = data.canonicalize().expect("it is there");
    let data = data.to_string_lossy();
    let mut command = run_sweep(folder.path(), "s.toml", "store", &["--data", &data]);
    Outcome::of(&mut command).exits_with(0);
    let sql =
        "SELECT depth, learning_rate, test_accuracy FROM trials ORDER BY depth, learning_rate";
    let rows = query(&folder.join("store"), sql);
    let accuracies: Vec<f64> =
        rows.iter().filter_map(|row| row["test_accuracy"].as_f64()).collect();
    assert_eq!(accuracies.len(), 4);
    for pair in accuracies.chunks(2) {
        assert!(pair[0] < 0.5 && pair[1] > 0.75, "slow and fast learning: {accuracies:?}");
    }
    assert_eq!(query(&folder.join("store"), "SELECT layer FROM layers").len(), 2 * (1 + 2));
}
