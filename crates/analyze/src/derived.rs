//! Values computed from columns of `trials`, drawn like columns.

use crate::columns::ColumnInfo;
use polars::prelude::*;

/// A value that no table stores.
pub(crate) struct Derived {
    /// Name on the command line.
    pub(crate) name: &'static str,
    label: &'static str,
    /// Column it is computed from and shares its censoring with.
    pub(crate) of: &'static str,
    expression: fn() -> Expr,
}

/// Independent noise in each of D + 1 weight layers alone suggests R ~ (D + 1)^-1/2
/// (metrics.md §4): the scaled radius is flat over depth where nothing else happens.
const DERIVED: &[Derived] = &[Derived {
    name: "weight_basin_scaled",
    label: "weight basin · √(D+1)",
    of: "weight_basin",
    expression: || {
        col("weight_basin") * (col("depth").cast(DataType::Float64) + lit(1.0)).pow(lit(0.5))
    },
}];

impl Derived {
    /// The derived value of that name, if `trials` has what it takes.
    pub(crate) fn from_name(name: &str, trials: &Schema) -> Option<&'static Derived> {
        let derived = DERIVED.iter().find(|derived| derived.name == name)?;
        let inputs = [derived.of, "depth"];
        let computable = inputs.iter().all(|input| trials.contains(input));
        (computable && !trials.contains(name)).then_some(derived)
    }

    /// `trials` with the value as a column.
    pub(crate) fn add_to(&self, trials: LazyFrame) -> LazyFrame {
        trials.with_column((self.expression)().alias(self.name))
    }

    /// How figures name it.
    pub(crate) fn info(&self) -> ColumnInfo {
        ColumnInfo {
            name: self.name.to_owned(),
            label: self.label.to_owned(),
            ..ColumnInfo::of("trials", self.of)
        }
    }
}
