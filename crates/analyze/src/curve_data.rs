//! What curves are asked to show, and curves as data: panels, lines, points.

use crate::columns::ColumnInfo;
use crate::finished::Outcomes;
use crate::level::Level;
use crate::request::{LayerPick, Stat};
use crate::statistics::Summary;
use std::str::FromStr;

/// Which layers a curve shows, for columns of `layers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurveLayer {
    /// One line a layer.
    All,
    /// This one, or the mean over a trial's layers.
    One(LayerPick),
}

impl FromStr for CurveLayer {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if text == "all" {
            return Ok(CurveLayer::All);
        }
        let pick = LayerPick::from_str(text);
        pick.map(CurveLayer::One)
            .map_err(|_| format!("\"{text}\" is not all, first, last, mean or a layer from 1"))
    }
}

/// How values are placed along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AxisScale {
    /// Logarithmic where the values span decades.
    #[default]
    Auto,
    /// Equal differences are equal lengths.
    Linear,
    /// Equal factors are equal lengths; step 0 has a place of its own.
    Log,
}

impl FromStr for AxisScale {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "auto" => Ok(AxisScale::Auto),
            "linear" => Ok(AxisScale::Linear),
            "log" => Ok(AxisScale::Log),
            _ => Err(format!("\"{text}\" is not auto, linear or log")),
        }
    }
}

/// One figure of curves: the options of `phasegrid curve`, one field each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CurveRequest {
    /// Column of `layers` or `history`.
    pub value: String,
    /// Hyperparameter with one line a value.
    pub by: Option<String>,
    /// Hyperparameter, or `layer`, with one panel a value.
    pub facet: Option<String>,
    /// Which layers; if absent all of them, or their mean beside `by`.
    pub layer: Option<CurveLayer>,
    /// Statistic over seeds; if absent the mean. Its band is the t-interval, the median's the
    /// quartiles; the standard deviation has none.
    pub stat: Option<Stat>,
    /// Scale of the steps.
    pub x_scale: AxisScale,
    /// Scale of the values.
    pub y_scale: AxisScale,
    /// The sweep; may be absent where the store holds one.
    pub sweep: Option<String>,
    /// SQL condition that trials, or the measured rows, must satisfy.
    pub condition: Option<String>,
    /// Further hyperparameters the statistic runs over, beside `seed` and `data_seed`.
    pub over: Vec<String>,
}

/// One step of one line. Statistics are over trials that finished and have a value.
#[derive(Clone, Debug, PartialEq)]
pub struct CurvePoint {
    /// Updates done.
    pub step: i64,
    /// Trials with a value.
    pub n: usize,
    /// Finished trials measured at this step whose value is null.
    pub n_null: usize,
    /// Mean, deviation and interval; median and quartiles where the median was asked for.
    pub summary: Summary,
}

impl CurvePoint {
    /// The statistic, where it is defined.
    pub fn value(&self, stat: Stat) -> Option<f64> {
        match stat {
            Stat::Mean => self.summary.mean,
            Stat::Std => self.summary.std,
            Stat::Median => self.summary.median,
        }
    }

    /// The band around it, where it has one.
    pub fn band(&self, stat: Stat) -> Option<(f64, f64)> {
        match stat {
            Stat::Mean => self.summary.ci_low.zip(self.summary.ci_high),
            Stat::Median => self.summary.q25.zip(self.summary.q75).filter(|_| self.n > 1),
            Stat::Std => None,
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct CurveLine {
    /// The panel it belongs to; null where there is one panel only.
    pub facet: Level,
    /// The layer, or the value of the hyperparameter; null where there is one line only.
    pub level: Level,
    /// Its points, by step; only steps at which there is a value.
    pub points: Vec<CurvePoint>,
}

/// Lines of a value against the step.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The sweep.
    pub sweep: String,
    /// Tasks of the selection.
    pub task: String,
    /// The value.
    pub value: ColumnInfo,
    /// What tells the lines apart: `layer` or a hyperparameter.
    pub by: Option<ColumnInfo>,
    /// What tells the panels apart: `layer` or a hyperparameter.
    pub facet: Option<ColumnInfo>,
    /// The statistic shown.
    pub stat: Stat,
    /// Scale of the steps.
    pub x_scale: AxisScale,
    /// Scale of the values.
    pub y_scale: AxisScale,
    /// Which layer, where neither lines nor panels are the layers.
    pub place: String,
    /// What the statistic runs over, beside seeds.
    pub over: Vec<String>,
    /// The condition; empty if there is none.
    pub condition: String,
    /// How the selected trials ended.
    pub outcomes: Outcomes,
    /// The lines, panel by panel, in order.
    pub lines: Vec<CurveLine>,
}
