//! The linear substitution map.

use crate::tables::quantity::{LAYERS, Mark, Quantity, Section};

/// What the metric `lmap` fills.
pub(in crate::tables) const LMAP: Section = Section {
    name: "lmap",
    filled_by: "lmap",
    error: "binomial over draws of the rows, √(a(1 − a)/rows), not stored; over seeds: repeat with several",
    null_where: "where z_l or z is not finite on some of the rows",
    cost: "a forward pass of the test rows; per layer the products of M⁽ˡ⁾ with probe and test rows (K·n_l a row) and K rank correlations of 500 rows, so in all proportional to depth·width beyond the pass",
    quantities: &[
        Quantity {
            name: "lmap_accuracy",
            places: &[LAYERS],
            unit: "share",
            range: "0 to 1",
            mark: Mark::Paper,
            definition: "Accuracy on the probe, against the labels trained on, with every activation above the layer replaced by the identity; at l = D the network's own.",
            formula: "mean_μ [argmax_k z_l,k(μ) = label],  z_l = M⁽ˡ⁾y⁽ˡ⁾ + c⁽ˡ⁾",
            ..Quantity::NEW
        },
        Quantity {
            name: "lmap_test_accuracy",
            places: &[LAYERS],
            unit: "share",
            range: "0 to 1",
            mark: Mark::Paper,
            definition: "The same accuracy on the test rows.",
            formula: "mean_μ [argmax_k z_l,k(μ) = label] over the test rows",
            ..Quantity::NEW
        },
        Quantity {
            name: "lmap_agreement",
            places: &[LAYERS],
            unit: "share",
            range: "0 to 1",
            definition: "Share of the probe rows that the network with the linear tail classifies as the network itself does; 1 at l = D.",
            formula: "mean_μ [argmax_k z_l,k(μ) = argmax_k z_k(μ)]",
            ..Quantity::NEW
        },
        Quantity {
            name: "lmap_tau",
            places: &[LAYERS],
            range: "−1 to 1",
            definition: "Kendall's τ_b between the logits of the linear tail and the network's, each less its mean over classes, mean over classes: the error of the map, which the paper never measured.",
            formula: "mean_k τ_b(z_l,k − mean_k z_l,k ; z_k − mean_k z_k) over 500 probe rows, drawn by probe_seed, the same for all trials (all rows where there are fewer)",
            error: "none is stored; of independent rankings τ_b has standard deviation √(2(2n + 5)/(9n(n − 1))), 0.03 for n = 500 rows",
            null_where: "where z_l or z is not finite on some of the rows; a class in which one of the two is constant (to 8 rounding errors of f32) is left out, and τ is null where none remains",
            ..Quantity::NEW
        },
    ],
};
