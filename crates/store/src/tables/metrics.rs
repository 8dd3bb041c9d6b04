//! The metrics of `[measure] metrics`. A new one is one entry of [`METRICS`], its columns under
//! `quantities`, and one module in the crate `metrics`.

use super::column::Column;
use super::quantities::{
    BASINS, CURVATURE, KERNEL, LMAP, ORDER, PHASE, SAMPLE_BASIN, WEIGHT_BASIN,
};
use super::quantity::{Mark, Section};
use super::table::Table;

/// One metric of `[measure] metrics`.
#[derive(Clone, Copy, Debug)]
pub struct MetricDescription {
    /// Name in sweep files.
    pub name: &'static str,
    /// What it measures, one sentence.
    pub description: &'static str,
    /// What its columns are made from.
    pub formula: &'static str,
    /// Whose idea it is.
    pub mark: Mark,
    /// What it fills; what the first one says of error, null and cost holds for the metric.
    pub sections: &'static [&'static Section],
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

    /// How its columns' uncertainty is stated, unless a column says otherwise.
    pub fn error(&self) -> &'static str {
        self.sections[0].error
    }

    /// When its columns are null, unless a column says otherwise.
    pub fn null_where(&self) -> &'static str {
        self.sections[0].null_where
    }

    /// What it costs at one measured step, and how that grows with the layers.
    pub fn cost(&self) -> &'static str {
        self.sections[0].cost
    }

    /// Its columns in one table.
    pub fn columns_in(&self, table: Table) -> impl Iterator<Item = Column> + '_ {
        self.columns().filter(move |(of, _)| *of == table).map(|(_, column)| column)
    }

    /// Its columns with their tables.
    pub fn columns(&self) -> impl Iterator<Item = (Table, Column)> + '_ {
        self.sections.iter().flat_map(|section| columns_of(section))
    }
}

/// The columns of a section, each with its table.
pub(super) fn columns_of(section: &Section) -> impl Iterator<Item = (Table, Column)> + '_ {
    section.resolved().flat_map(move |quantity| {
        let column = move |place: &super::quantity::Place| {
            (place.table, Column::of(quantity, place.note, section.filled_by))
        };
        quantity.places.iter().map(column)
    })
}

/// Every metric, in the order of `phasegrid metrics`.
pub const METRICS: &[MetricDescription] = &[
    MetricDescription {
        name: "order",
        description: "Order-preserving against non-order-preserving units, layer by layer: rank probability distribution, AUC, phase, and how far features and weights moved.",
        formula: "u_ki(μ) = (rank of s_ki·h_i(μ) among the P probe rows, ties averaged, − 1/2)/P,  s_ki = sign(M⁽ˡ⁾_ki)",
        mark: Mark::Paper,
        sections: &[&ORDER, &PHASE],
    },
    MetricDescription {
        name: "lmap",
        description: "Linear substitution map: the network with every activation above a layer replaced by the identity.",
        formula: "z_l = M⁽ˡ⁾y⁽ˡ⁾ + c⁽ˡ⁾,  M⁽ˡ⁾ = W⁽ᴰ⁺¹⁾S⁽ᴰ⁾W⁽ᴰ⁾⋯S⁽ˡ⁺¹⁾W⁽ˡ⁺¹⁾,  S = diag(γ/√(var + ε)) with batch norm, else 1",
        mark: Mark::Paper,
        sections: &[&LMAP],
    },
    MetricDescription {
        name: "sample_basin",
        description: "Attraction basin in sample space: how much noise on the inputs the classification survives; fills the table basins, space sample.",
        formula: "a(σ) = share of the initially correct probe rows still classified as their label for x + σ·ξ,  ξ ~ N(0, I);  a(R) = θ",
        mark: Mark::Paper,
        sections: &[&SAMPLE_BASIN, &BASINS],
    },
    MetricDescription {
        name: "weight_basin",
        description: "Attraction basin in weight space: how much noise on the weights the classification survives, for all layers, each layer and filter-normalised; fills the table basins, space weight.",
        formula: "a(ε) under W⁽ˡ⁾ + ε·std(W⁽ˡ⁾)·Ξ,  Ξ ~ N(0, 1);  scope filter: row i + ε·|w_i|·ξ_i/|ξ_i|;  a(R) = θ",
        mark: Mark::Paper,
        sections: &[&WEIGHT_BASIN, &BASINS],
    },
    MetricDescription {
        name: "curvature",
        description: "Sharpness of the training loss and noise of its gradient; opt in. Measured at step 0 too.",
        formula: "λ_max(∇²L);  tr Σ/(|g|² − tr Σ/P)",
        mark: Mark::Ours,
        sections: &[&CURVATURE],
    },
    MetricDescription {
        name: "kernel",
        description: "How far the neural tangent kernel moved from initialisation; opt in.",
        formula: "1 − ⟨K_t, K_0⟩/(|K_t||K_0|)",
        mark: Mark::Ours,
        sections: &[&KERNEL],
    },
];
