//! The phase of a trial, and what it is told from.

use crate::tables::quantity::{AT_THE_END, HISTORY, Mark, Quantity, Section, trials};
use crate::tables::table::ColumnKind::{Integer, Text};

/// What the metric `order` fills in `history` and `trials`.
pub(in crate::tables) const PHASE: Section = Section {
    name: "phase",
    filled_by: "order",
    error: "by the joint resamples of the probe behind phase_slope_se; over seeds: repeat with several",
    null_where: "for one layer (D = 1), and where the g_l of a layer is null or order was not measured at that step",
    cost: "arithmetic on what order measured",
    quantities: &[
        Quantity {
            name: "phase",
            places: &[trials(AT_THE_END), HISTORY],
            kind: Text,
            range: "diverged, collapsed, untrained, III, I, II, flat",
            mark: Mark::Paper,
            definition: "How the network computes, as one word: the first that holds; the names are the paper's, the cuts ours.",
            formula: "diverged;  collapsed: train_accuracy ≤ b + 5 se and train_loss above its value at step 0, or a layer with dead_fraction > 0.9;  untrained: train_accuracy ≤ b + 5 se;  III: D ≥ 6 and V < 0.1;  I: S < −2 se_S;  II: S > 2 se_S;  flat",
            error: "I and II are two standard errors (phase_slope_se) from flat; the rest are cuts: vary them on phase_slope, phase_slope_se and phase_spread, which needs no training",
            null_where: "for one layer (D = 1) unless it is diverged, collapsed or untrained; where the g_l of a layer is null; where order was not measured at that step (trials says diverged all the same)",
            ..Quantity::NEW
        },
        Quantity {
            name: "phase_slope",
            places: &[HISTORY],
            range: "−18(1 − 1/K) to 18(1 − 1/K); −12(1 − 1/K) to 12(1 − 1/K) for two layers",
            definition: "Slope S of the gradients over the layers: the change of g from the first hidden layer to the last along the least-squares line.",
            formula: "S = least-squares slope of g_l (rpd_gradient) against (l − 1)/(D − 1),  l = 1…D",
            error: "phase_slope_se",
            ..Quantity::NEW
        },
        Quantity {
            name: "phase_slope_se",
            places: &[HISTORY],
            range: "at least 0",
            definition: "Standard error of phase_slope over draws of the probe: the standard deviation (ddof 0) of S over the 50 resamples behind rpd_gradient_se, each the same in all layers.",
            formula: "se_S = std_r S⁽ʳ⁾,  r = 1…50",
            error: "relative 10 %: a standard deviation of 50 values",
            ..Quantity::NEW
        },
        Quantity {
            name: "phase_spread",
            places: &[HISTORY],
            range: "at least 0",
            definition: "Spread V of the gradients over the layers, relative to their mean.",
            formula: "V = std_l g_l / mean_l g_l,  ddof 0",
            error: "none is stored: from rpd_gradient_se of the layers",
            null_where: "for one layer (D = 1), where mean_l g_l is not positive, where the g_l of a layer is null or order was not measured at that step",
            ..Quantity::NEW
        },
        Quantity {
            name: "onset_mixed_step",
            places: &[trials("")],
            kind: Integer,
            unit: "steps",
            range: "0 to steps",
            mark: Mark::Paper,
            definition: "Step at which mixing sets in: that of the maximum of the first hidden layer's gradient g_1 over the measured steps, the first of equal ones.",
            formula: "argmax_t g_1(t),  if max g_1 − g_1(last) > 2·√(se_max² + se_last²),  se: rpd_gradient_se",
            error: "none; it is resolved to the measured steps: the maximum lies between their neighbours",
            null_where: "where the maximum does not exceed the last value by two standard errors, g_1 is null at the last measured step, or the trial diverged",
            ..Quantity::NEW
        },
    ],
};
