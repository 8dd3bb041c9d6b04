//! Rank probability distribution, order-preserving and non-order-preserving units, and what a
//! theory user expects beside them.

use crate::tables::quantity::{LAYERS, MEAN_AT_THE_END, Mark, Quantity, Section, trials};
use crate::tables::table::ColumnKind::Floats;

/// What the metric `order` fills in `layers`, and its summaries in `trials`.
pub(in crate::tables) const ORDER: Section = Section {
    name: "order",
    filled_by: "order",
    error: "exact for the given probe; over draws of the probe only rpd_gradient has a stored error (rpd_gradient_se); over seeds: repeat with several",
    null_where: "where h, y or M⁽ˡ⁾ of the layer is not finite",
    cost: "per layer one sort of the P probe rows for each of its n_l units (n_l·P·log P) and 50 resamples of g in that order (50·n_l·P); besides a forward pass of the probe, now and at step 0: proportional to depth·width",
    quantities: &[
        Quantity {
            name: "rpd",
            places: &[LAYERS],
            kind: Floats,
            unit: "density",
            range: "0 to 20, integrates to 1",
            mark: Mark::Paper,
            definition: "Rank probability distribution: the density of the ranks of class-k rows in the units' signed projections, 20 equal bins on [0, 1], mean over the classes present.",
            formula: "rpd_b = mean_k 20·(share of {u_ki(μ) : i, μ in class k} in bin b),  b = ⌊20 u⌋",
            ..Quantity::NEW
        },
        Quantity {
            name: "rpd_gradient",
            places: &[LAYERS, trials(MEAN_AT_THE_END)],
            range: "−6(1 − 1/K) to 6(1 − 1/K), 5.4 for ten classes; flat is 0",
            mark: Mark::Paper,
            definition: "Steepness g of the rank probability distribution, mean over the classes present: exactly the least-squares slope of the density on [0, 1]; no histogram is fitted.",
            formula: "g = mean_k g_k,  g_k = 12·(mean of u_ki(μ) over i and μ in class k − 1/2)",
            error: "rpd_gradient_se",
            ..Quantity::NEW
        },
        Quantity {
            name: "rpd_gradient_se",
            places: &[LAYERS],
            range: "at least 0",
            definition: "Standard error of rpd_gradient over draws of the probe: the standard deviation (ddof 0) of g over 50 resamples of the probe within its classes, keyed by probe_seed and shared by all trials, layers and steps.",
            formula: "std_r g⁽ʳ⁾,  r = 1…50: n_k rows of class k with replacement, mid-ranks weighted by their counts",
            error: "relative 10 %: a standard deviation of 50 values",
            cost: "50 class sums per unit in the order of its sort, 50·n_l·P: no sorting again",
            ..Quantity::NEW
        },
        Quantity {
            name: "rpd_gradient_class",
            places: &[LAYERS],
            kind: Floats,
            range: "−6(1 − π_k) to 6(1 − π_k)",
            mark: Mark::Paper,
            definition: "The gradient of each class, k = 0…K−1.",
            formula: "g_k = 12·(mean of u_ki(μ) over i and μ in class k − 1/2)",
            null_where: "the entry of a class absent from the probe; all where h, y or M⁽ˡ⁾ is not finite",
            ..Quantity::NEW
        },
        Quantity {
            name: "rpd_gradient_weighted",
            places: &[LAYERS],
            range: "−6 to 6",
            definition: "rpd_gradient with the pairs (unit, class) weighted by how much the unit can move the logit.",
            formula: "Σ_ki w_ki·12(ū_ki − 1/2) / Σ_ki w_ki,  w_ki = |M_ki|·std(y_i),  ū_ki = mean of u_ki over class k",
            null_where: "where opt_fraction is",
            ..Quantity::NEW
        },
        Quantity {
            name: "rpd_gradient_centred",
            places: &[LAYERS],
            range: "−6(1 − 1/K) to 6(1 − 1/K)",
            definition: "rpd_gradient with the signs of M_ki less its mean over classes: adding one row to all rows of W⁽ᴰ⁺¹⁾ changes no prediction, but changes signs.",
            formula: "g with s_ki = sign(M_ki − mean_k M_ki)",
            ..Quantity::NEW
        },
        Quantity {
            name: "auc_mean",
            places: &[LAYERS],
            unit: "probability",
            range: "0 to 1; 1/2 is chance",
            definition: "Mean over units and classes of the (Mann–Whitney) probability that unit i, signed for class k, ranks a row of class k above another row.",
            formula: "mean_ki auc_ki,  auc_ki = (ū_ki − π_k/2)/(1 − π_k)",
            null_where: "where h, y or M⁽ˡ⁾ is not finite, or one class is the whole probe: auc compares it with the others",
            ..Quantity::NEW
        },
        Quantity {
            name: "auc",
            places: &[LAYERS],
            kind: Floats,
            unit: "density",
            range: "0 to 20, integrates to 1",
            definition: "Density of auc_ki over units and classes, 20 equal bins on [0, 1].",
            formula: "auc_b = 20·(share of {auc_ki} in bin b)",
            null_where: "where auc_mean is",
            ..Quantity::NEW
        },
        Quantity {
            name: "opt_fraction",
            places: &[LAYERS, trials(MEAN_AT_THE_END)],
            unit: "share",
            range: "0 to 1; about 0.35 at initialisation",
            definition: "Order-preserving share: the pairs (unit, class) with auc above 0.6, weighted by |M_ki|·std(y_i); always to be read against step 0, or as opt_excess.",
            formula: "Σ_ki w_ki [auc_ki > 0.6] / Σ_ki w_ki,  w_ki = |M_ki|·std(y_i)",
            null_where: "where h, y or M⁽ˡ⁾ is not finite, all weights |M_ki|·std(y_i) are zero, or one class is the whole probe (no auc)",
            ..Quantity::NEW
        },
        Quantity {
            name: "anti_fraction",
            places: &[LAYERS],
            unit: "share",
            range: "0 to 1",
            definition: "Share, weighted alike, of the pairs with auc below 0.4.",
            formula: "Σ_ki w_ki [auc_ki < 0.4] / Σ_ki w_ki",
            null_where: "where opt_fraction is",
            ..Quantity::NEW
        },
        Quantity {
            name: "neutral_fraction",
            places: &[LAYERS],
            unit: "share",
            range: "0 to 1",
            definition: "The rest: the weighted share of the pairs with auc from 0.4 to 0.6.",
            formula: "1 − opt_fraction − anti_fraction",
            null_where: "where opt_fraction is",
            ..Quantity::NEW
        },
        Quantity {
            name: "npt_fraction",
            places: &[LAYERS],
            unit: "share",
            range: "0 to 1",
            definition: "Non-order-preserving share: what is not order-preserving.",
            formula: "1 − opt_fraction",
            null_where: "where opt_fraction is",
            ..Quantity::NEW
        },
        Quantity {
            name: "opt_excess",
            places: &[LAYERS],
            unit: "share",
            range: "−1 to 1; mean 0 at initialisation",
            definition: "Order-preserving share beyond the order-reversing one.",
            formula: "opt_fraction − anti_fraction",
            null_where: "where opt_fraction is",
            ..Quantity::NEW
        },
        Quantity {
            name: "opt_fraction_unweighted",
            places: &[LAYERS],
            unit: "share",
            range: "0 to 1",
            definition: "opt_fraction with all pairs (unit, class) weighted alike.",
            formula: "mean_ki [auc_ki > 0.6]",
            null_where: "where auc_mean is",
            ..Quantity::NEW
        },
        Quantity {
            name: "opt_fraction_centred",
            places: &[LAYERS],
            unit: "share",
            range: "0 to 1",
            definition: "opt_fraction with M_ki less its mean over classes, in sign and weight.",
            formula: "opt_fraction with M_ki − mean_k M_ki for M_ki",
            null_where: "as opt_fraction, of the centred weights",
            ..Quantity::NEW
        },
        Quantity {
            name: "inversion_rate",
            places: &[LAYERS],
            unit: "share",
            range: "0 to 1; 0 for monotone f",
            definition: "Share of the pairs of probe rows with different h whose order the activation reverses, mean over the units with such pairs.",
            formula: "mean_i #{μ < ν : (h_i(μ) − h_i(ν))·(y_i(μ) − y_i(ν)) < 0} / #{μ < ν : h_i(μ) ≠ h_i(ν)}",
            null_where: "where h or y is not finite, or no unit has two different h",
            cost: "counting inversions in the order of h: P·log P a unit at most, P for few monotone pieces",
            ..Quantity::NEW
        },
        Quantity {
            name: "tie_rate",
            places: &[LAYERS],
            unit: "share",
            range: "0 to 1",
            definition: "Share of the pairs of probe rows with different h that the activation maps to one value, mean over the units with such pairs.",
            formula: "mean_i #{μ < ν : h_i(μ) ≠ h_i(ν), y_i(μ) = y_i(ν)} / #{μ < ν : h_i(μ) ≠ h_i(ν)}",
            null_where: "where inversion_rate is",
            cost: "counted with inversion_rate",
            ..Quantity::NEW
        },
        Quantity {
            name: "dead_fraction",
            places: &[LAYERS],
            unit: "share",
            range: "0 to 1",
            definition: "Share of the units whose activation is zero on the whole probe (ReLU: dead units).",
            formula: "mean_i [y_i(μ) = 0 for all μ]",
            null_where: "where h or y is not finite",
            cost: "a walk over the same sorted rows",
            ..Quantity::NEW
        },
        Quantity {
            name: "linear_r2",
            places: &[LAYERS],
            range: "0 to 1",
            definition: "Squared correlation of y_i = f(h_i) with h_i over the probe, mean over the units in which both vary.",
            formula: "mean_i corr²(f(h_i), h_i)",
            null_where: "where h or y is not finite, or no unit varies in both",
            cost: "sums over the probe, n_l·P",
            ..Quantity::NEW
        },
        Quantity {
            name: "feature_change",
            places: &[LAYERS],
            range: "at least 0",
            definition: "How far the layer's output on the probe is from that at step 0, whose weights are drawn again from their stream.",
            formula: "|y_t − y_0| / |y_0|,  Euclidean over units and probe rows",
            null_where: "where y or y_0 is not finite, or y_0 = 0",
            cost: "the forward pass at step 0",
            ..Quantity::NEW
        },
        Quantity {
            name: "weight_change",
            places: &[LAYERS],
            range: "at least 0",
            definition: "How far the layer's weights, without biases, are from those at step 0.",
            formula: "|W_t − W_0| / |W_0|,  Frobenius",
            error: "exact",
            null_where: "where W is not finite, or W_0 = 0",
            cost: "one pass over the weights",
            ..Quantity::NEW
        },
        Quantity {
            name: "weight_norm",
            places: &[LAYERS],
            range: "at least 0",
            definition: "Frobenius norm of the layer's weights, without biases.",
            formula: "|W⁽ˡ⁾|",
            error: "exact",
            null_where: "where W is not finite",
            cost: "one pass over the weights",
            ..Quantity::NEW
        },
        Quantity {
            name: "participation_ratio",
            places: &[LAYERS],
            unit: "dimensions",
            range: "1 to min(n_l, P − 1)",
            definition: "Number of directions in which the layer's output varies over the probe, C its covariance.",
            formula: "(tr C)² / |C|²_F",
            null_where: "where y is not finite, or no unit varies",
            cost: "one Gram matrix, n_l·P·min(n_l, P)",
            ..Quantity::NEW
        },
    ],
};
