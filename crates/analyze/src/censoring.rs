//! Which radii are censored: read from `basins`, where `trials` has only the number.

use crate::trial_columns::CENSORED;
use polars::prelude::*;

/// Thresholds measured beside the headline one (metrics.md §3), whatever the number of classes.
const OTHER_THRESHOLDS: [f64; 2] = [0.7, 0.9];

/// Phases in which the headline radius is null whatever `basins` says (metrics.md §3).
const UNTRUSTED_PHASES: [&str; 3] = ["diverged", "untrained", "collapsed"];

/// `trial_id` and side of the headline radii of a space that are censored, at the last step.
pub(crate) fn censored_trials(basins: LazyFrame, space: &str) -> LazyFrame {
    let mut headline = col("scope").eq(lit("all")).and(col("space").eq(lit(space)));
    for threshold in OTHER_THRESHOLDS {
        headline = headline.and((col("threshold") - lit(threshold)).abs().gt(lit(1e-6)));
    }
    let last = col("censored").filter(col("step").eq(col("step").max())).first();
    basins
        .filter(headline)
        .group_by([col("trial_id")])
        .agg([last.alias(CENSORED)])
        .filter(col(CENSORED).is_not_null())
}

/// Whether a trial's censoring counts: its phase is one in which radii mean something.
pub(crate) fn trusted() -> Expr {
    let mut trusted = lit(true);
    for phase in UNTRUSTED_PHASES {
        trusted = trusted.and(col("phase").fill_null(lit("")).neq(lit(phase)));
    }
    trusted
}

/// The value that stands for a censored radius in medians and quartiles.
pub(crate) fn stand_in(side: &str) -> Option<f64> {
    match side {
        "left" => Some(0.0),
        "right" => Some(f64::INFINITY),
        _ => None,
    }
}
