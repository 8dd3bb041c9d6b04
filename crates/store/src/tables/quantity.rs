//! What is to be said of a measured quantity: the one source of `docs/metrics.md`,
//! `phasegrid metrics` and the schemas' metadata.

use super::table::{ColumnKind, Table};

/// Where a definition comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The paper's.
    Paper,
    /// Ours, where the paper leaves it open.
    Ours,
}

impl Mark {
    /// `[paper]` or `[ours]`.
    pub const fn text(self) -> &'static str {
        match self {
            Mark::Paper => "[paper]",
            Mark::Ours => "[ours]",
        }
    }

    /// `paper` or `ours`.
    pub const fn name(self) -> &'static str {
        match self {
            Mark::Paper => "paper",
            Mark::Ours => "ours",
        }
    }
}

/// A table that has a column of the quantity's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The table.
    pub table: Table,
    /// What the table holds of the quantity, where it is not its value at the row's step.
    pub note: &'static str,
}

/// One measured quantity: a column's name in every table that has it, and all that is known of it.
///
/// Texts are plain with Unicode formulas, to be read in a terminal and in Markdown alike. Where
/// `error`, `null_where` or `cost` are empty, the [`Section`]'s hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantity {
    /// Name of the column.
    pub name: &'static str,
    /// The tables that have it.
    pub places: &'static [Place],
    /// Type.
    pub kind: ColumnKind,
    /// Unit; empty for a pure number.
    pub unit: &'static str,
    /// Smallest and largest possible value, in words.
    pub range: &'static str,
    /// Whose definition it is.
    pub mark: Mark,
    /// What it is: a sentence.
    pub definition: &'static str,
    /// How it is computed; empty where the definition says it all.
    pub formula: &'static str,
    /// The column with its standard error, or how else its uncertainty is stated.
    pub error: &'static str,
    /// When it is null, and why.
    pub null_where: &'static str,
    /// What it costs, and how that grows with the layers.
    pub cost: &'static str,
}

impl Quantity {
    /// A quantity of which nothing is said yet: what an entry leaves out is its section's.
    pub(super) const NEW: Quantity = Quantity {
        name: "",
        places: &[],
        kind: ColumnKind::Float,
        unit: "",
        range: "",
        mark: Mark::Ours,
        definition: "",
        formula: "",
        error: "",
        null_where: "",
        cost: "",
    };
}

/// Quantities that are described together, and what holds for those that say nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Section {
    /// Name in the template of `docs/metrics.md`.
    pub name: &'static str,
    /// The metrics that fill the columns; empty where training itself does.
    pub filled_by: &'static str,
    /// The quantities, in the order of the columns.
    pub quantities: &'static [Quantity],
    /// How the uncertainty is stated.
    pub error: &'static str,
    /// When a value is null.
    pub null_where: &'static str,
    /// What it costs.
    pub cost: &'static str,
}

/// `own`, or `common` where it is empty.
const fn first_said(own: &'static str, common: &'static str) -> &'static str {
    if own.is_empty() { common } else { own }
}

impl Section {
    /// The quantities with nothing left open.
    pub fn resolved(&self) -> impl Iterator<Item = Quantity> + '_ {
        self.quantities.iter().map(|quantity| Quantity {
            error: first_said(quantity.error, self.error),
            null_where: first_said(quantity.null_where, self.null_where),
            cost: first_said(quantity.cost, self.cost),
            ..*quantity
        })
    }
}

/// In the table `trials`, with a note.
pub(super) const fn trials(note: &'static str) -> Place {
    Place { table: Table::Trials, note }
}

/// In the table `history`.
pub(super) const HISTORY: Place = Place { table: Table::History, note: "" };

/// In the table `layers`.
pub(super) const LAYERS: Place = Place { table: Table::Layers, note: "" };

/// In the table `basins`.
pub(super) const BASINS: Place = Place { table: Table::Basins, note: "" };

/// The note of what `trials` has of a quantity of `history`.
pub(super) const AT_THE_END: &str = "at the end";

/// The note of what `trials` has of a quantity of `layers`.
pub(super) const MEAN_AT_THE_END: &str = "mean over layers at the end";
