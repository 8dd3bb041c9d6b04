//! What training itself tells: loss, accuracy, and the steps at which things happen.

use crate::tables::quantity::{AT_THE_END, HISTORY, Mark, Place, Quantity, Section, trials};
use crate::tables::table::ColumnKind::Integer;

const BOTH: &[Place] = &[trials(AT_THE_END), HISTORY];
const LOSS_FORMULA: &str = "cross_entropy: mean_μ(−log softmax(z(μ))_label);  mse: mean over μ and k of (z_k(μ) − [k = label])²";
const NO_BATCH_NORM: &str = "without batch norm; in trials where the trial diverged";
const BATCH_COST: &str = "a second forward pass of the rows, with batch norm only";

/// Loss, accuracy and the steps of history.
pub(in crate::tables) const TRAINING: Section = Section {
    name: "training",
    filled_by: "",
    error: "binomial over draws of the rows, √(a(1 − a)/rows), not stored; over seeds: repeat with several",
    null_where: "in trials where the trial diverged (history keeps its rows up to then)",
    cost: "one forward pass of the train rows and one of the test rows at every step of history",
    quantities: &[
        Quantity {
            name: "train_loss",
            places: BOTH,
            unit: "nats",
            range: "at least 0",
            mark: Mark::Paper,
            definition: "Mean loss on the train rows (train_rows: the probe, or every training row) against the labels trained on; squared error, not nats, with mse.",
            formula: LOSS_FORMULA,
            error: "none is stored; over seeds: repeat with several",
            null_where: "where it is not finite; in trials where the trial diverged",
            ..Quantity::NEW
        },
        Quantity {
            name: "train_accuracy",
            places: BOTH,
            unit: "share",
            range: "0 to 1",
            mark: Mark::Paper,
            definition: "Share of the train rows whose largest logit is that of the label trained on; ties go to the lowest class, a NaN logit is wrong.",
            formula: "mean_μ [argmax_k z_k(μ) = label]",
            ..Quantity::NEW
        },
        Quantity {
            name: "train_accuracy_clean",
            places: BOTH,
            unit: "share",
            range: "0 to 1",
            definition: "Train accuracy against the true labels; equals train_accuracy without label noise.",
            formula: "mean_μ [argmax_k z_k(μ) = true label]",
            cost: "a second forward pass of the train rows, with label noise only",
            ..Quantity::NEW
        },
        Quantity {
            name: "test_loss",
            places: BOTH,
            unit: "nats",
            range: "at least 0",
            mark: Mark::Paper,
            definition: "Mean loss on the test rows, whose labels are never noisy; squared error, not nats, with mse.",
            formula: LOSS_FORMULA,
            error: "none is stored; over seeds: repeat with several",
            null_where: "where it is not finite; in trials where the trial diverged",
            ..Quantity::NEW
        },
        Quantity {
            name: "test_accuracy",
            places: BOTH,
            unit: "share",
            range: "0 to 1",
            mark: Mark::Paper,
            definition: "Share of the test rows whose largest logit is that of their label; ties go to the lowest class, a NaN logit is wrong.",
            formula: "mean_μ [argmax_k z_k(μ) = label]",
            ..Quantity::NEW
        },
        Quantity {
            name: "train_accuracy_batch",
            places: BOTH,
            unit: "share",
            range: "0 to 1",
            mark: Mark::Paper,
            definition: "Train accuracy with batch norm's statistics taken from the evaluated rows, 1,000 at a time in fixed order: the paper's α = 1 reading.",
            formula: "train_accuracy with mean and variance (ddof 0) of each 1,000 rows in place of the running ones",
            null_where: NO_BATCH_NORM,
            cost: BATCH_COST,
            ..Quantity::NEW
        },
        Quantity {
            name: "test_accuracy_batch",
            places: BOTH,
            unit: "share",
            range: "0 to 1",
            mark: Mark::Paper,
            definition: "Test accuracy with batch norm's statistics taken from the evaluated rows, 1,000 at a time in fixed order: the paper's α = 1 reading.",
            formula: "test_accuracy with mean and variance (ddof 0) of each 1,000 rows in place of the running ones",
            null_where: NO_BATCH_NORM,
            cost: BATCH_COST,
            ..Quantity::NEW
        },
        Quantity {
            name: "weight_norm",
            places: &[HISTORY],
            range: "at least 0",
            definition: "Euclidean norm of all weights and biases, the output layer's included, batch norm's left out.",
            formula: "√(Σ_l |W⁽ˡ⁾|² + |b⁽ˡ⁾|²),  l = 1…D+1",
            error: "exact",
            null_where: "where it is not finite",
            cost: "one pass over the parameters",
            ..Quantity::NEW
        },
        Quantity {
            name: "train_fit_step",
            places: &[trials("")],
            kind: Integer,
            unit: "steps",
            range: "0 to steps",
            definition: "First step of history with train accuracy of at least 0.99.",
            formula: "min{t : train_accuracy(t) ≥ 0.99}",
            error: "none; it is resolved to the steps of history: the event lies between the step of history before and this one",
            null_where: "where no step reaches it, or the trial diverged",
            cost: "none",
            ..Quantity::NEW
        },
        Quantity {
            name: "test_fit_step",
            places: &[trials("")],
            kind: Integer,
            unit: "steps",
            range: "0 to steps",
            definition: "First step of history with test accuracy of at least 0.95 of the final one.",
            formula: "min{t : test_accuracy(t) ≥ 0.95·test_accuracy(final)}",
            error: "as train_fit_step",
            null_where: "where the final test accuracy is below b + 5 se (b the largest class share of the test rows, se = √(b(1 − b)/rows)), or the trial diverged",
            cost: "none",
            ..Quantity::NEW
        },
        Quantity {
            name: "grokking_delay",
            places: &[trials("")],
            kind: Integer,
            unit: "steps",
            range: "−steps to steps",
            definition: "How much later the test set is fitted than the training set; may be negative.",
            formula: "test_fit_step − train_fit_step",
            error: "that of train_fit_step and test_fit_step",
            null_where: "where test_fit_step or train_fit_step is",
            cost: "none",
            ..Quantity::NEW
        },
        Quantity {
            name: "diverged_step",
            places: &[trials("")],
            kind: Integer,
            unit: "steps",
            range: "1 to steps",
            definition: "Number of the update with the first minibatch loss or parameter that is not finite; the trial stops there, its neighbours go on.",
            formula: "min{t : the loss of minibatch t, or a parameter after update t, is infinite or NaN}",
            error: "exact",
            null_where: "where none appeared: the trial is ok",
            cost: "a scan of the parameters every 25 steps, and a replay of the trials that diverged",
            ..Quantity::NEW
        },
    ],
};
