//! The metrics and the columns each of them fills. A new metric is one entry of [`METRICS`] and
//! one function in the crate `metrics`.

use super::column::{Column, ColumnKind, Mark, Table};

/// One metric of `[measure] metrics`.
#[derive(Clone, Copy, Debug)]
pub struct MetricDescription {
    /// Name in sweep files.
    pub name: &'static str,
    /// What it measures, one sentence.
    pub description: &'static str,
    /// What it costs, in words.
    pub cost: &'static str,
    columns: &'static [(Table, Column)],
}

impl MetricDescription {
    /// The metric of that name.
    pub fn from_name(name: &str) -> Option<&'static MetricDescription> {
        METRICS.iter().find(|metric| metric.name == name)
    }

    /// Checks the names of `[measure] metrics`; the error names the nearest metric and lists all.
    pub fn check_names(names: &[String]) -> Result<(), String> {
        let known = || METRICS.iter().map(|metric| metric.name);
        let Some(stranger) = names.iter().find(|name| known().all(|metric| metric != *name)) else {
            return Ok(());
        };
        let hint = phasegrid_spec::nearest(stranger, known())
            .map(|best| format!(" (did you mean \"{best}\"?)"))
            .unwrap_or_default();
        let list: Vec<&str> = known().collect();
        Err(format!("\"{stranger}\" is not a metric{hint}; there are: {}", list.join(", ")))
    }

    /// Its columns in one table.
    pub fn columns_in(&self, table: Table) -> impl Iterator<Item = Column> + '_ {
        let name = self.name;
        self.columns
            .iter()
            .filter(move |(of, _)| *of == table)
            .map(move |(_, column)| Column { metric: Some(name), ..*column })
    }

    /// Its columns with their tables.
    pub fn columns(&self) -> impl Iterator<Item = (Table, Column)> + '_ {
        let name = self.name;
        self.columns
            .iter()
            .map(move |(table, column)| (*table, Column { metric: Some(name), ..*column }))
    }
}

const fn column(
    table: Table,
    name: &'static str,
    kind: ColumnKind,
    unit: &'static str,
    range: &'static str,
    mark: Mark,
    description: &'static str,
) -> (Table, Column) {
    (table, Column { name, kind, unit, description, range, metric: None, mark })
}

use ColumnKind::{Float, Floats, Integer, Text};
use Mark::{Ours, Paper};
use Table::{History, Layers, Trials};

const ORDER: &[(Table, Column)] = &[
    column(
        Layers,
        "rpd",
        Floats,
        "density",
        "0 to 20, integrates to 1",
        Paper,
        "Rank probability distribution: density of the ranks of class-k samples in the unit's signed projection, 20 equal bins on [0, 1], mean over classes.",
    ),
    column(
        Layers,
        "rpd_gradient",
        Float,
        "",
        "-6 to 6 (1 - 1/K)",
        Paper,
        "Least-squares slope g of the rank probability density, 12 (mean rank of the class - 1/2), mean over classes; flat = 0.",
    ),
    column(
        Layers,
        "rpd_gradient_se",
        Float,
        "",
        "at least 0",
        Ours,
        "Standard error of rpd_gradient over 50 within-class resamples of the probe.",
    ),
    column(
        Layers,
        "rpd_gradient_class",
        Floats,
        "",
        "-6 to 6 (1 - pi_k)",
        Paper,
        "rpd_gradient of each class; null for a class absent from the probe.",
    ),
    column(
        Layers,
        "rpd_gradient_weighted",
        Float,
        "",
        "-6 to 6",
        Ours,
        "rpd_gradient with units weighted by |M_ki| times the standard deviation of their output.",
    ),
    column(
        Layers,
        "rpd_gradient_centred",
        Float,
        "",
        "-6 to 6",
        Ours,
        "rpd_gradient with the signs of M_ki minus its mean over classes, which no prediction depends on.",
    ),
    column(
        Layers,
        "auc_mean",
        Float,
        "probability",
        "0 to 1",
        Ours,
        "Mean over units and classes of the probability that the signed unit ranks a sample of the class above another.",
    ),
    column(
        Layers,
        "auc",
        Floats,
        "density",
        "at least 0, integrates to 1",
        Ours,
        "Density of that probability over units and classes, 20 equal bins on [0, 1].",
    ),
    column(
        Layers,
        "opt_fraction",
        Float,
        "share",
        "0 to 1",
        Ours,
        "Order-preserving share: (unit, class) pairs with auc > 0.6, weighted by |M_ki| times the standard deviation of the unit's output; about 0.35 at initialisation.",
    ),
    column(
        Layers,
        "anti_fraction",
        Float,
        "share",
        "0 to 1",
        Ours,
        "Share, weighted alike, of pairs with auc < 0.4.",
    ),
    column(
        Layers,
        "neutral_fraction",
        Float,
        "share",
        "0 to 1",
        Ours,
        "Share, weighted alike, of pairs with auc from 0.4 to 0.6.",
    ),
    column(
        Layers,
        "npt_fraction",
        Float,
        "share",
        "0 to 1",
        Ours,
        "Non-order-preserving share: 1 - opt_fraction.",
    ),
    column(
        Layers,
        "opt_excess",
        Float,
        "share",
        "-1 to 1",
        Ours,
        "opt_fraction - anti_fraction; mean 0 at initialisation.",
    ),
    column(
        Layers,
        "opt_fraction_unweighted",
        Float,
        "share",
        "0 to 1",
        Ours,
        "opt_fraction with all pairs weighted alike.",
    ),
    column(
        Layers,
        "opt_fraction_centred",
        Float,
        "share",
        "0 to 1",
        Ours,
        "opt_fraction with M_ki minus its mean over classes.",
    ),
    column(
        Layers,
        "inversion_rate",
        Float,
        "share",
        "0 to 1",
        Ours,
        "Share of sample pairs with different h whose order the activation reverses, mean over units.",
    ),
    column(
        Layers,
        "tie_rate",
        Float,
        "share",
        "0 to 1",
        Ours,
        "Share of sample pairs with different h that the activation maps to one value, mean over units.",
    ),
    column(
        Layers,
        "dead_fraction",
        Float,
        "share",
        "0 to 1",
        Ours,
        "Share of units whose activation is zero on the whole probe.",
    ),
    column(
        Layers,
        "linear_r2",
        Float,
        "",
        "0 to 1",
        Ours,
        "Squared correlation of f(h) with h, mean over units.",
    ),
    column(
        Layers,
        "feature_change",
        Float,
        "",
        "at least 0",
        Ours,
        "|y_t - y_0| / |y_0| of the layer's output on the probe.",
    ),
    column(
        Layers,
        "weight_change",
        Float,
        "",
        "at least 0",
        Ours,
        "|W_t - W_0| / |W_0| of the layer's weights.",
    ),
    column(
        Layers,
        "weight_norm",
        Float,
        "",
        "at least 0",
        Ours,
        "Euclidean norm of the layer's weights.",
    ),
    column(
        Layers,
        "participation_ratio",
        Float,
        "dimensions",
        "1 to width",
        Ours,
        "(tr C)^2 / |C|_F^2 of the covariance C of the layer's output on the probe.",
    ),
    column(
        History,
        "phase",
        Text,
        "",
        "I, II, III, flat, untrained, collapsed, diverged",
        Paper,
        "Phase at this step, by the slope of the rpd gradients over the layers; null for one layer or where order was not measured.",
    ),
    column(
        History,
        "phase_slope",
        Float,
        "",
        "",
        Ours,
        "Least-squares slope S of rpd_gradient against (l - 1)/(D - 1); null for one layer.",
    ),
    column(
        History,
        "phase_slope_se",
        Float,
        "",
        "at least 0",
        Ours,
        "Standard error of phase_slope from the joint resamples of the probe.",
    ),
    column(
        History,
        "phase_spread",
        Float,
        "",
        "at least 0",
        Ours,
        "Standard deviation over mean of rpd_gradient over the layers; null for one layer or a mean that is not positive.",
    ),
    column(
        Trials,
        "rpd_gradient",
        Float,
        "",
        "-6 to 6 (1 - 1/K)",
        Paper,
        "rpd_gradient at the end, mean over layers.",
    ),
    column(
        Trials,
        "opt_fraction",
        Float,
        "share",
        "0 to 1",
        Ours,
        "opt_fraction at the end, mean over layers.",
    ),
    column(
        Trials,
        "phase",
        Text,
        "",
        "I, II, III, flat, untrained, collapsed, diverged",
        Paper,
        "Phase at the end; null for one layer or where order was not measured.",
    ),
    column(
        Trials,
        "onset_mixed_step",
        Integer,
        "steps",
        "",
        Paper,
        "Step of the maximum of the first layer's rpd_gradient; null unless it exceeds the last by two standard errors.",
    ),
];

const LMAP: &[(Table, Column)] = &[
    column(
        Layers,
        "lmap_accuracy",
        Float,
        "share",
        "0 to 1",
        Paper,
        "Accuracy on the probe with every activation above the layer replaced by the identity.",
    ),
    column(
        Layers,
        "lmap_test_accuracy",
        Float,
        "share",
        "0 to 1",
        Paper,
        "The same on the test set.",
    ),
    column(
        Layers,
        "lmap_agreement",
        Float,
        "share",
        "0 to 1",
        Ours,
        "Share of probe samples that the network with the linear tail and the network itself classify alike.",
    ),
    column(
        Layers,
        "lmap_tau",
        Float,
        "",
        "-1 to 1",
        Ours,
        "Kendall's tau-b between the logits of the linear tail and the network's, each minus its mean over classes, on 500 probe samples, mean over classes.",
    ),
];

const SAMPLE_BASIN: &[(Table, Column)] = &[
    column(
        Trials,
        "sample_basin",
        Float,
        "rms noise",
        "0.001 to 10",
        Paper,
        "Amplitude of Gaussian noise on the inputs at which half of the initially correct probe samples are lost ((1 + 1/K)/2 for two or three classes); null where the radius is censored, or the phase is diverged, untrained or collapsed.",
    ),
    column(
        Trials,
        "nearest_train_rms",
        Float,
        "rms noise",
        "at least 0",
        Ours,
        "Median over test rows (the first 2,000) of the rms distance to the nearest training row of the task: the scale to read sample_basin against.",
    ),
];

const WEIGHT_BASIN: &[(Table, Column)] = &[column(
    Trials,
    "weight_basin",
    Float,
    "standard deviations",
    "0.001 to 10",
    Paper,
    "Amplitude of Gaussian noise on all weights, in units of each layer's standard deviation, at which half of the initially correct probe samples are lost; null as sample_basin.",
)];

const CURVATURE: &[(Table, Column)] = &[
    column(
        History,
        "sharpness",
        Float,
        "",
        "",
        Ours,
        "Largest eigenvalue of the training loss' Hessian on 500 probe rows.",
    ),
    column(
        History,
        "lr_sharpness",
        Float,
        "",
        "",
        Ours,
        "learning_rate * sharpness / (2 (1 + momentum)): 1 is the edge of stability; null unless the optimizer is sgd.",
    ),
    column(
        History,
        "noise_scale",
        Float,
        "rows",
        "at least 0",
        Ours,
        "tr Sigma / (|g|^2 - tr Sigma / P) of the gradient g on the 500 probe rows; null where the denominator is not positive, and with batch norm.",
    ),
    column(
        Trials,
        "sharpness",
        Float,
        "",
        "",
        Ours,
        "Largest eigenvalue of the training loss' Hessian on 500 probe rows at the end.",
    ),
    column(
        Trials,
        "lr_sharpness",
        Float,
        "",
        "",
        Ours,
        "learning_rate * sharpness / (2 (1 + momentum)) at the end: 1 is the edge of stability; null unless the optimizer is sgd.",
    ),
    column(
        Trials,
        "noise_scale",
        Float,
        "rows",
        "at least 0",
        Ours,
        "tr Sigma / (|g|^2 - tr Sigma / P) of the gradient g on the 500 probe rows at the end; null where the denominator is not positive, and with batch norm.",
    ),
    column(Trials, "sharpness_initial", Float, "", "", Ours, "sharpness at step 0."),
];

const KERNEL: &[(Table, Column)] = &[
    column(
        History,
        "ntk_change",
        Float,
        "",
        "0 to 1",
        Ours,
        "1 - cosine between the tangent kernel at this step and that at initialisation, on 100 probe rows, trace over classes.",
    ),
    column(
        Trials,
        "ntk_change",
        Float,
        "",
        "0 to 1",
        Ours,
        "1 - cosine between the tangent kernel at the end and that at initialisation, on 100 probe rows, trace over classes.",
    ),
];

/// Every metric, in the order of `phasegrid metrics`.
pub const METRICS: &[MetricDescription] = &[
    MetricDescription {
        name: "order",
        description: "Order-preserving against non-order-preserving units, layer by layer: rank probability distribution, AUC, and how far features and weights moved.",
        cost: "one forward pass and one sort of the probe per unit and layer, 50 weighted resamples",
        columns: ORDER,
    },
    MetricDescription {
        name: "lmap",
        description: "Linear substitution map: the network with every activation above a layer replaced by the identity.",
        cost: "one matrix product per layer on probe and test rows, a rank correlation on 500 rows",
        columns: LMAP,
    },
    MetricDescription {
        name: "sample_basin",
        description: "Attraction basin in sample space: how much noise on the inputs the classification survives; fills the table basins, space sample.",
        cost: "17 noise amplitudes at most and 6 bisections a threshold, on 250 probe rows and 8 draws; for the rows' own radii on 50 rows and 32 rays",
        columns: SAMPLE_BASIN,
    },
    MetricDescription {
        name: "weight_basin",
        description: "Attraction basin in weight space: how much noise on the weights the classification survives, for all layers, each layer and filter-normalised; fills the table basins, space weight.",
        cost: "17 noise amplitudes at most and 6 bisections a threshold and scope, on 100 probe rows and 16 draws",
        columns: WEIGHT_BASIN,
    },
    MetricDescription {
        name: "curvature",
        description: "Sharpness of the training loss and noise of its gradient; opt in. Measured at step 0 too.",
        cost: "32 gradients on 500 probe rows in f64: more than a short training",
        columns: CURVATURE,
    },
    MetricDescription {
        name: "kernel",
        description: "How far the neural tangent kernel moved from initialisation; opt in.",
        cost: "one backward pass a class on 100 probe rows, for the network and its start",
        columns: KERNEL,
    },
];
