//! Statistics over the seeds of one cell.

use crate::student::t_975;

/// What the values of one cell come to. `None` where a quantity is not defined.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Arithmetic mean; none where a radius is censored.
    pub mean: Option<f64>,
    /// Standard deviation, ddof 1; none below two values.
    pub std: Option<f64>,
    /// Median; infinite where the middle is right-censored.
    pub median: Option<f64>,
    /// Lower quartile.
    pub q25: Option<f64>,
    /// Upper quartile.
    pub q75: Option<f64>,
    /// Lower end of the 95 % t-interval of the mean; none below two values.
    pub ci_low: Option<f64>,
    /// Upper end.
    pub ci_high: Option<f64>,
}

impl Summary {
    /// Summarises values, which are sorted on the way; right-censored ones are infinite.
    /// `censored` says that some are, so that moments do not exist.
    pub fn of(values: &mut [f64], censored: bool) -> Summary {
        if values.is_empty() {
            return Summary::default();
        }
        values.sort_by(f64::total_cmp);
        let quartiles = Summary {
            median: Some(quantile(values, 0.5)),
            q25: Some(quantile(values, 0.25)),
            q75: Some(quantile(values, 0.75)),
            ..Summary::default()
        };
        if censored {
            return quartiles;
        }
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        if values.len() == 1 {
            return Summary { mean: Some(mean), ..quartiles };
        }
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let std = (squares / (count - 1.0)).sqrt();
        let Summary { median, q25, q75, .. } = quartiles;
        Summary { median, q25, q75, ..Summary::of_moments(values.len(), mean, Some(std)) }
    }

    /// The statistics that follow from count, mean and deviation (ddof 1): no quartiles.
    pub(crate) fn of_moments(count: usize, mean: f64, std: Option<f64>) -> Summary {
        let Some(std) = std.filter(|_| count > 1) else {
            return Summary { mean: Some(mean), ..Summary::default() };
        };
        let half = t_975(count - 1) * std / (count as f64).sqrt();
        Summary {
            mean: Some(mean),
            std: Some(std),
            ci_low: Some(mean - half),
            ci_high: Some(mean + half),
            ..Summary::default()
        }
    }
}

/// The quantile of sorted values with linear interpolation between order statistics (type 7,
/// the default of NumPy and R).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = share * (sorted.len() - 1) as f64;
    let below = sorted[position.floor() as usize];
    let above = sorted[position.ceil() as usize];
    let fraction = position.fract();
    if fraction == 0.0 || below == above {
        return below;
    }
    below + (above - below) * fraction
}

/// The most frequent of several categories.
#[derive(Clone, Debug, PartialEq)]
pub struct Mode {
    /// The category; where several tie, the first in alphabetical order.
    pub category: String,
    /// Its share of the values.
    pub share: f64,
    /// Whether another category is as frequent.
    pub tied: bool,
}

impl Mode {
    /// The mode of counts by category; none if all are zero.
    pub fn of(counts: &[(String, usize)]) -> Option<Mode> {
        let total: usize = counts.iter().map(|(_, count)| count).sum();
        let most = counts.iter().map(|(_, count)| *count).max().filter(|most| *most > 0)?;
        let mut winners: Vec<&String> =
            counts.iter().filter(|(_, count)| *count == most).map(|(name, _)| name).collect();
        winners.sort();
        Some(Mode {
            category: winners[0].clone(),
            share: most as f64 / total as f64,
            tied: winners.len() > 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_worked_by_hand() {
        // 1 2 4 9: mean 4, squares 9 + 4 + 0 + 25 = 38, sd = sqrt(38 / 3),
        // quartiles at positions 0.75, 1.5, 2.25; t(3) = 3.182446.
        let summary = Summary::of(&mut [9.0, 1.0, 4.0, 2.0], false);
        let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-6;
        assert!(close(summary.mean, 4.0));
        assert!(close(summary.std, 3.559_026));
        assert!(close(summary.median, 3.0));
        assert!(close(summary.q25, 1.75));
        assert!(close(summary.q75, 5.25));
        assert!(close(summary.ci_low, 4.0 - 3.182_446_305 * 3.559_026_084 / 2.0));
        assert!(close(summary.ci_high, 4.0 + 3.182_446_305 * 3.559_026_084 / 2.0));
    }

    #[test]
    fn one_value_has_no_spread() {
        let summary = Summary::of(&mut [0.5], false);
        assert_eq!((summary.mean, summary.std, summary.ci_low), (Some(0.5), None, None));
        assert_eq!((summary.q25, summary.median), (Some(0.5), Some(0.5)));
        assert_eq!(Summary::of(&mut [], false), Summary::default());
    }

    #[test]
    fn censored_radii_have_quartiles_but_no_moments() {
        let summary = Summary::of(&mut [f64::INFINITY, 0.0, 2.0], true);
        assert_eq!((summary.mean, summary.std), (None, None));
        assert_eq!((summary.q25, summary.median), (Some(1.0), Some(2.0)));
        assert_eq!(summary.q75, Some(f64::INFINITY));
        let all = Summary::of(&mut [f64::INFINITY, f64::INFINITY], true);
        assert_eq!(all.median, Some(f64::INFINITY));
    }

    #[test]
    fn the_mode_knows_its_share_and_ties() {
        let counts = |list: &[(&str, usize)]| {
            list.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<Vec<_>>()
        };
        let clear = Mode::of(&counts(&[("I", 3), ("II", 1)])).unwrap();
        assert_eq!(clear, Mode { category: "I".into(), share: 0.75, tied: false });
        let tied = Mode::of(&counts(&[("II", 2), ("I", 2), ("III", 1)])).unwrap();
        assert_eq!((tied.category.as_str(), tied.share, tied.tied), ("I", 0.4, true));
        assert_eq!(Mode::of(&counts(&[("I", 0)])), None);
    }
}
