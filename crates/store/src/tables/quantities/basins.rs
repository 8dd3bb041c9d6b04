//! Attraction basins in sample and weight space.

use crate::tables::quantity::{BASINS as IN_BASINS, Mark, Quantity, Section, trials};
use crate::tables::table::ColumnKind::Text;

const SAMPLE_COST: &str = "an evaluation is a forward pass of all noisy rows from layer 2 on (Σ_{l ≥ 2} n_l·n_{l−1} a row, so proportional to depth·width²; the first layer's products are made once and serve every amplitude): at most 17 + 6 a threshold + 3 an error of 250·8 rows, and at most 17 + 6 of 50·32";
const WEIGHT_COST: &str = "an evaluation is a forward pass of 100 rows under each draw's weights: 16 draws of all layers, and 8 draws of each of the D + 2 further scopes (a layer:l from layer l on), so that it grows with depth²·width²; at most 17 + 6 a threshold + 3 an error";
const HEADLINE_NULL: &str = "where the radius is censored or nothing was correct to begin with, and where the phase is diverged, untrained or collapsed: a constant predictor keeps all it had; the table basins keeps the raw row";

/// The headline of the metric `sample_basin`.
pub(in crate::tables) const SAMPLE_BASIN: Section = Section {
    name: "sample_basin",
    filled_by: "sample_basin",
    error: "radius_se of the row in basins",
    null_where: HEADLINE_NULL,
    cost: SAMPLE_COST,
    quantities: &[
        Quantity {
            name: "sample_basin",
            places: &[trials("")],
            unit: "rms noise",
            range: "0.001 to 10",
            mark: Mark::Paper,
            definition: "Amplitude of Gaussian noise on the inputs at which half of the initially correct probe rows are lost, (1 + 1/K)/2 of them for two or three classes [ours], at the end: the radius of scope all at the headline threshold θ₀.",
            formula: "a(R) = θ₀,  a(σ) = share of the initially correct rows still classified as their label for x + σ·ξ,  ξ ~ N(0, I),  no clipping",
            ..Quantity::NEW
        },
        Quantity {
            name: "nearest_train_rms",
            places: &[trials("")],
            unit: "rms noise",
            range: "at least 0",
            definition: "Median over the test rows (the first 2,000) of the rms distance to the nearest training row of the task: the scale to read sample_basin against.",
            formula: "median_μ min_ν √(mean_j (x_j(μ) − x_j(ν))²),  μ of the test rows, ν of all training rows",
            error: "exact for the task",
            null_where: "where sample_basin was not asked for, or an input is not finite",
            cost: "once a task and process: the products of 2,000 test rows with all training rows",
            ..Quantity::NEW
        },
    ],
};

/// The headline of the metric `weight_basin`.
pub(in crate::tables) const WEIGHT_BASIN: Section = Section {
    name: "weight_basin",
    filled_by: "weight_basin",
    error: "radius_se of the row in basins",
    null_where: HEADLINE_NULL,
    cost: WEIGHT_COST,
    quantities: &[Quantity {
        name: "weight_basin",
        places: &[trials("")],
        unit: "standard deviations",
        range: "0.001 to 10",
        mark: Mark::Paper,
        definition: "Amplitude of Gaussian noise on all weights, in units of each layer's standard deviation, at which half of the initially correct probe rows are lost, (1 + 1/K)/2 of them for two or three classes [ours], at the end: the radius of scope all at the headline threshold θ₀.",
        formula: "a(R) = θ₀,  a(ε) as in sample_basin under W⁽ˡ⁾ + ε·std(W⁽ˡ⁾)·Ξ,  Ξ ~ N(0, 1) elementwise, mean over draws",
        ..Quantity::NEW
    }],
};

/// The rows of the table `basins`.
pub(in crate::tables) const BASINS: Section = Section {
    name: "basins",
    filled_by: "sample_basin, weight_basin",
    error: "radius_se",
    null_where: "where nothing is correct to begin with, or a logit is not finite",
    cost: "as the metric of the row's space",
    quantities: &[
        Quantity {
            name: "threshold",
            places: &[IN_BASINS],
            unit: "share",
            range: "0.5 to 0.9",
            definition: "Share θ of the rows at which the edge of the basin lies.",
            formula: "θ₀ = 1/2 for K ≥ 4 [paper], (1 + 1/K)/2 for K = 2, 3;  scope all has 0.7 and 0.9 too;  all_abs and sample have 1/2",
            error: "exact",
            null_where: "never",
            ..Quantity::NEW
        },
        Quantity {
            name: "radius",
            places: &[IN_BASINS],
            unit: "rms noise, or standard deviations of the weights",
            range: "0.001 to 10",
            mark: Mark::Paper,
            definition: "Noise amplitude R at which the share falls to the threshold; for scope sample the median over 50 rows of the row's own radius, itself the median over 32 rays r·ξ/rms(ξ) of the first exit.",
            formula: "first of 17 log-spaced amplitudes 10⁻³…10, outward, with a ≤ θ;  6 bisections of that bracket in ln r;  linear interpolation of a in ln r",
            null_where: "where it is censored, nothing is correct to begin with, or a logit is not finite",
            ..Quantity::NEW
        },
        Quantity {
            name: "radius_se",
            places: &[IN_BASINS],
            unit: "as radius",
            range: "at least 0",
            definition: "Standard error of the radius: over rows in sample space, over draws in weight space.",
            formula: "std_n(a_n(R)) (ddof 1) / √N / |da/dr|;  sample: a_n the mean over the draws of row n;  weight: a_n the share under draw n;  da/dr by central difference at R ± 10 %",
            error: "relative 1/√(2(N − 1)), N the rows or draws: 18 % for 16 draws",
            null_where: "where radius is, the share does not change at R ± 10 %, there is a single row, and for scope sample, whose lo and hi are the quartiles over rows",
            cost: "three evaluations a threshold and scope",
            ..Quantity::NEW
        },
        Quantity {
            name: "lo",
            places: &[IN_BASINS],
            unit: "as radius",
            range: "0 to 10",
            definition: "What the radius is at least: censored left 0, censored right 10; else the 16 % quantile of single-draw radii (space weight) or the lower quartile over rows (scope sample).",
            formula: "",
            error: "a quantile of few values: 16 draws in scope all, 8 in the others, 50 rows",
            null_where: "in space sample where the radius was found (but for scope sample); where a single draw or row lies beyond the grid; where nothing is correct to begin with",
            ..Quantity::NEW
        },
        Quantity {
            name: "hi",
            places: &[IN_BASINS],
            unit: "as radius",
            range: "0.001 to 10",
            definition: "What the radius is at most: censored left 0.001; else the 84 % quantile of single-draw radii (space weight) or the upper quartile over rows (scope sample).",
            formula: "",
            error: "a quantile of few values: 16 draws in scope all, 8 in the others, 50 rows",
            null_where: "censored right (it is infinite); in space sample where the radius was found (but for scope sample); where a single draw or row lies beyond the grid; where nothing is correct to begin with",
            ..Quantity::NEW
        },
        Quantity {
            name: "censored",
            places: &[IN_BASINS],
            kind: Text,
            range: "left, right",
            definition: "Where the radius lies off the grid of amplitudes: left below 0.001, right above 10; statistics take left as 0 and right as infinity.",
            formula: "left: a(10⁻³) ≤ θ;  right: a > θ at all 17 amplitudes",
            error: "exact for the given draws",
            null_where: "where the radius was found, or nothing is correct to begin with",
            ..Quantity::NEW
        },
    ],
};
