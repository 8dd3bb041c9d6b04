//! What a phase diagram is asked to show.

use std::fmt;
use std::str::FromStr;

/// One phase diagram: the options of `phasegrid phase`, one field each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseRequest {
    /// Hyperparameter along the horizontal axis.
    pub x: String,
    /// Hyperparameter along the vertical axis.
    pub y: String,
    /// Hyperparameter with one panel a value.
    pub facet: Option<String>,
    /// Column of `trials`, `layers` or `history` to draw.
    pub value: String,
    /// Which layer, for a column of `layers`; the mean over layers if absent.
    pub layer: Option<LayerPick>,
    /// Which step, for a column of `layers` or `history`; the last if absent.
    pub step: Option<StepPick>,
    /// Statistic over seeds; if absent the mean, for radii the median.
    pub stat: Option<Stat>,
    /// The sweep; may be absent where the store holds one.
    pub sweep: Option<String>,
    /// SQL condition that trials, or the measured rows, must satisfy.
    pub condition: Option<String>,
    /// Further hyperparameters the statistic runs over, beside `seed` and `data_seed`.
    pub over: Vec<String>,
    /// Show differences, trial by trial at equal seeds, instead of the values themselves.
    pub against: Option<Against>,
}

impl PhaseRequest {
    /// A request for these axes and this value, everything else at its default.
    pub fn new(x: impl Into<String>, y: impl Into<String>, value: impl Into<String>) -> Self {
        PhaseRequest { x: x.into(), y: y.into(), value: value.into(), ..Default::default() }
    }
}

/// What every trial is compared with: the trial that has the same hyperparameters, seeds
/// included, but for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Against {
    /// The hyperparameter in which the two differ.
    pub axis: String,
    /// Its value in the other trial.
    pub reference: Reference,
}

/// The other trial's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// This one, for every trial.
    Value(String),
    /// The value before the trial's own, in the order of the axis.
    Previous,
}

/// Which hidden layer a value is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerPick {
    /// Layer 1.
    First,
    /// Layer D of a trial of depth D.
    Last,
    /// The mean over the trial's layers, nulls left out.
    Mean,
    /// This layer, from 1; null for trials that are shallower.
    Number(u32),
}

/// At which step a value is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepPick {
    /// The last step the trial was measured at.
    Last,
    /// This step; null for trials that were not measured then.
    Number(u64),
}

/// A statistic over the seeds of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stat {
    /// Arithmetic mean; for text the most frequent value.
    Mean,
    /// Standard deviation, ddof 1.
    Std,
    /// Median; censored radii count as 0 or infinity.
    Median,
}

impl FromStr for Against {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (axis, value) = match text.split_once('=') {
            Some((axis, value)) => (axis.trim(), value.trim().trim_matches('\'')),
            None => ("", ""),
        };
        if axis.is_empty() || value.is_empty() {
            return Err(format!(
                "\"{text}\" is not of the form HYPERPARAMETER=VALUE or HYPERPARAMETER=previous"
            ));
        }
        let reference = match value {
            "previous" => Reference::Previous,
            value => Reference::Value(value.to_owned()),
        };
        Ok(Against { axis: axis.to_owned(), reference })
    }
}

impl fmt::Display for Against {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reference {
            Reference::Value(value) => write!(formatter, "{}={value}", self.axis),
            Reference::Previous => write!(formatter, "{}=previous", self.axis),
        }
    }
}

impl FromStr for LayerPick {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "first" => Ok(LayerPick::First),
            "last" => Ok(LayerPick::Last),
            "mean" => Ok(LayerPick::Mean),
            number => match number.parse() {
                Ok(layer) if layer >= 1 => Ok(LayerPick::Number(layer)),
                _ => Err(format!("\"{text}\" is not first, last, mean or a layer from 1")),
            },
        }
    }
}

impl FromStr for StepPick {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "last" => Ok(StepPick::Last),
            number => number
                .parse()
                .map(StepPick::Number)
                .map_err(|_| format!("\"{text}\" is not last or a step")),
        }
    }
}

impl FromStr for Stat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mean" => Ok(Stat::Mean),
            "std" => Ok(Stat::Std),
            "median" => Ok(Stat::Median),
            _ => Err(format!("\"{text}\" is not mean, std or median")),
        }
    }
}

impl fmt::Display for LayerPick {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LayerPick::First => formatter.write_str("first"),
            LayerPick::Last => formatter.write_str("last"),
            LayerPick::Mean => formatter.write_str("mean"),
            LayerPick::Number(number) => write!(formatter, "{number}"),
        }
    }
}

impl fmt::Display for StepPick {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepPick::Last => formatter.write_str("last"),
            StepPick::Number(number) => write!(formatter, "{number}"),
        }
    }
}

impl fmt::Display for Stat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Stat::Mean => "mean",
            Stat::Std => "std",
            Stat::Median => "median",
        })
    }
}
