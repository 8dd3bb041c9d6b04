//! What a metric gives back: values by trial and layer, ready for the tables.

use crate::basin::BasinRow;

/// One value of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The value does not exist (not finite weights, nothing to average over, …).
    Null,
    /// A finite number.
    Number(f64),
    /// A list of numbers, an entry null where it does not exist (a class absent from the probe).
    List(Vec<Option<f64>>),
}

impl From<Option<f64>> for Cell {
    /// Null for nothing and for a number that is not finite.
    fn from(value: Option<f64>) -> Self {
        value.filter(|number| number.is_finite()).map_or(Cell::Null, Cell::Number)
    }
}

impl From<Option<Vec<f64>>> for Cell {
    fn from(values: Option<Vec<f64>>) -> Self {
        values.map_or(Cell::Null, |values| Cell::List(values.into_iter().map(Some).collect()))
    }
}

impl Cell {
    /// The number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Cell::Number(number) => Some(*number),
            Cell::Null | Cell::List(_) => None,
        }
    }
}

/// Columns of the table `layers`.
#[derive(Clone, Debug, Default)]
pub struct LayerColumns {
    /// Name, then the values [trial][l − 1], l = 1…D.
    pub columns: Vec<(&'static str, Vec<Vec<Cell>>)>,
}

impl LayerColumns {
    /// Columns of those names for `trials` trials and `depth` hidden layers, all null.
    pub(crate) fn null(names: &[&'static str], trials: usize, depth: usize) -> Self {
        let values = vec![vec![Cell::Null; depth]; trials];
        LayerColumns { columns: names.iter().map(|&name| (name, values.clone())).collect() }
    }

    /// Sets one row, `cells` in the order of the columns.
    pub(crate) fn set_row(&mut self, trial: usize, layer: usize, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        for ((_, values), cell) in self.columns.iter_mut().zip(cells) {
            values[trial][layer] = cell;
        }
    }

    /// The values of that column, [trial][l − 1].
    pub fn get(&self, name: &str) -> Option<&[Vec<Cell>]> {
        self.columns.iter().find(|(known, _)| *known == name).map(|(_, values)| values.as_slice())
    }
}

/// Columns of a trial at a step, beside its layers.
#[derive(Clone, Debug, Default)]
pub struct TrialColumns {
    /// Name, then the values [trial].
    pub columns: Vec<(&'static str, Vec<Cell>)>,
}

impl TrialColumns {
    /// The values of that column, [trial].
    pub fn get(&self, name: &str) -> Option<&[Cell]> {
        self.columns.iter().find(|(known, _)| *known == name).map(|(_, values)| values.as_slice())
    }
}

/// g_l under the within-class resamples of the probe, the same resamples for every trial,
/// layer and step: what `phase` takes the error of a slope over layers from.
#[derive(Clone, Debug, Default)]
pub struct ResampledGradients {
    /// [trial][l − 1]: 50 values of g, or `None` where g is null.
    pub by_trial: Vec<Vec<Option<Vec<f64>>>>,
}

/// Everything one metric measured at one step, for all trials of a unit.
///
/// Further kinds of output (rows of another table) are further fields.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct MetricOutput {
    /// Per-layer columns, in the order of [`Metric::columns`](crate::Metric::columns).
    pub layers: LayerColumns,
    /// Columns by trial, in the order of [`Metric::trial_columns`](crate::Metric::trial_columns).
    pub trials: TrialColumns,
    /// From "order" only.
    pub resampled_gradients: Option<ResampledGradients>,
    /// Rows of the table `basins`, by trial.
    pub basins: Vec<BasinRow>,
}
