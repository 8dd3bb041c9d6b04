//! Digits, subsets, label noise and probe sets.

#![allow(clippy::unwrap_used)]

use phasegrid_tasks::{Dataset, TASKS, TaskError, load, noisy_labels, probe_rows, training_rows};

fn digits() -> Dataset {
    load("digits", None).unwrap()
}

fn class_counts(labels: &[i64], rows: &[usize], classes: usize) -> Vec<usize> {
    let count = |class| rows.iter().filter(|&&row| labels[row] == class as i64).count();
    (0..classes).map(count).collect()
}

fn is_increasing(rows: &[usize]) -> bool {
    rows.windows(2).all(|pair| pair[0] < pair[1])
}

#[test]
fn digits_are_the_uci_ones() {
    let digits = digits();
    assert_eq!((digits.train.rows(), digits.test.rows()), (1_500, 297));
    assert_eq!((digits.input_dimension, digits.classes), (64, 10));
    assert_eq!(
        digits.train.inputs[..8],
        [0.0, 0.0, 5.0 / 16.0, 13.0 / 16.0, 9.0 / 16.0, 1.0 / 16.0, 0.0, 0.0]
    );
    assert_eq!(digits.train.labels[..5], [0, 1, 2, 3, 4]);
    assert_eq!(digits.test.labels[292..], [9, 0, 8, 9, 8]);
    assert!(digits.train.inputs.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
    // Pinned: stores written with these data must stay extendable.
    assert_eq!(
        digits.fingerprint,
        "98b688863a90b05ee91145105e912d6b1aa982bedd0d56578e8e763398fbecb1"
    );
}

#[test]
fn unknown_tasks_name_the_nearest() {
    let message = load("digit", None).unwrap_err().to_string();
    assert_eq!(
        message,
        "there is no task \"digit\" (did you mean \"digits\"?); `phasegrid tasks` lists them"
    );
    assert!(matches!(load("zzzzzzzz", None), Err(TaskError::Unknown { .. })));
    assert!(TASKS.iter().all(|task| task.sentence.ends_with('.')));
}

#[test]
fn zero_train_samples_takes_every_row_in_order() {
    assert!(training_rows(&digits(), 0, 3).unwrap().into_iter().eq(0..1_500));
}

#[test]
fn subsets_are_balanced_nested_and_keyed_by_the_seed() {
    let digits = digits();
    let large = training_rows(&digits, 505, 3).unwrap();
    let small = training_rows(&digits, 203, 3).unwrap();
    let counts = class_counts(&digits.train.labels, &large, 10);
    assert_eq!(large.len(), 505);
    assert!(counts.iter().all(|count| (50..=51).contains(count)), "{counts:?}");
    assert!(is_increasing(&large) && small.iter().all(|row| large.contains(row)));
    assert_ne!(large, training_rows(&digits, 505, 4).unwrap());
    assert_eq!(large, training_rows(&digits, 505, 3).unwrap());
}

#[test]
fn a_class_that_is_used_up_leaves_its_share_to_the_others() {
    let labels = [vec![0; 3], vec![1; 40], vec![2; 40]].concat();
    let all: Vec<usize> = (0..labels.len()).collect();
    let probe = probe_rows(&labels, &all, 24, 0);
    let counts = class_counts(&labels, &probe, 3);
    assert_eq!(counts[0], 3);
    assert_eq!(counts[1] + counts[2], 21);
    assert!(counts[1].abs_diff(counts[2]) == 1);
    // Every row, whatever the classes.
    assert_eq!(probe_rows(&labels, &all, 83, 0), all);
}

#[test]
fn too_many_training_rows_are_an_error() {
    let message = training_rows(&digits(), 1_501, 0).unwrap_err().to_string();
    assert_eq!(
        message,
        "train_samples 1501 is more than the 1500 training rows of task \"digits\""
    );
}

#[test]
fn probe_rows_come_from_the_trials_own_rows() {
    let digits = digits();
    let own = training_rows(&digits, 200, 1).unwrap();
    let probe = probe_rows(&digits.train.labels, &own, 105, 0);
    assert_eq!(probe.len(), 105);
    assert!(is_increasing(&probe) && probe.iter().all(|row| own.contains(row)));
    assert_eq!(probe_rows(&digits.train.labels, &own, 1_000, 0), own);
    assert_ne!(probe, probe_rows(&digits.train.labels, &own, 105, 1));
}

#[test]
fn label_noise_changes_exactly_its_share_and_grows_monotonically() {
    let labels = digits().train.labels;
    let noisy = |share| noisy_labels(&labels, share, 5, 10);
    let changed = |noisy: &[i64]| -> Vec<usize> {
        (0..labels.len()).filter(|&row| noisy[row] != labels[row]).collect()
    };
    let (little, much) = (noisy(0.1), noisy(0.5));
    assert_eq!((changed(&little).len(), changed(&much).len()), (150, 750));
    assert!(changed(&little).iter().all(|&row| much[row] == little[row]));
    assert!(much.iter().all(|label| (0..10).contains(label)));
    assert_eq!(noisy(0.0), labels);
    assert_eq!(noisy_labels(&[0, 0], 0.9, 5, 1), [0, 0]);
    assert_ne!(little, noisy_labels(&labels, 0.1, 6, 10));
}

#[test]
fn draws_never_change() {
    let digits = digits();
    let labels = &digits.train.labels;
    let own = training_rows(&digits, 12, 3).unwrap();
    let probe = probe_rows(labels, &own, 5, 7);
    let noisy = noisy_labels(&labels[..10], 0.3, 5, 10);
    assert_eq!(own, [129, 147, 668, 687, 805, 1071, 1089, 1090, 1099, 1258, 1259, 1482]);
    assert_eq!(probe, [147, 668, 805, 1259, 1482]);
    assert_eq!(noisy, [0, 1, 3, 3, 1, 5, 6, 3, 8, 9]);
}
