//! The metrics and the columns each of them fills. A new metric is one entry of [`METRICS`] and
//! one function in the crate `metrics`.

use super::column::{Column, Table};
use super::metric_columns::{CURVATURE, KERNEL, LMAP, ORDER, SAMPLE_BASIN, WEIGHT_BASIN};

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
