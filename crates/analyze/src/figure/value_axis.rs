//! A continuous axis: linear, logarithmic, or logarithmic with a place for zero.

use super::numbers::{nice_ticks, plain, power_of_ten};
use crate::curve_data::AxisScale;

/// Positive values that span a smaller factor are drawn on a linear axis.
const WIDE: f64 = 15.0;

/// Share of a logarithmic axis between zero and the smallest positive value.
const ZERO_GAP: f64 = 0.09;

/// Margin on both sides of the values, as a share of the axis.
const PADDING: f64 = 0.025;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Transform {
    Linear,
    Log,
    /// Logarithmic; zero lies at this place on it.
    LogWithZero(f64),
}

/// From values to places on an axis, 0…1.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ValueAxis {
    transform: Transform,
    /// Ends of the axis, after the transform.
    low: f64,
    high: f64,
    /// Ends of the values.
    first: f64,
    last: f64,
}

/// A mark on the axis; minor ones have no label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ValueTick {
    pub(super) place: f64,
    pub(super) label: String,
}

impl ValueAxis {
    /// A linear axis over exactly this range.
    pub(super) fn exact(low: f64, high: f64) -> ValueAxis {
        ValueAxis { transform: Transform::Linear, low, high, first: low, last: high }
    }

    /// A linear axis with a margin around this range.
    pub(super) fn linear(low: f64, high: f64) -> ValueAxis {
        ValueAxis::padded(Transform::Linear, low, high, (low, high))
    }

    /// A logarithmic axis with a margin around this range of positive values.
    pub(super) fn log(low: f64, high: f64) -> ValueAxis {
        ValueAxis::padded(Transform::Log, low.log10(), high.log10(), (low, high))
    }

    /// An axis for training steps: logarithmic where they span decades, zero to the left of all.
    pub(super) fn steps(steps: &[f64], scale: AxisScale) -> ValueAxis {
        let positive = || steps.iter().copied().filter(|step| *step > 0.0);
        let (low, high) =
            (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
        let has_zero = steps.contains(&0.0);
        let is_linear = match scale {
            AxisScale::Auto => high < low * WIDE,
            AxisScale::Linear => true,
            AxisScale::Log => low > high,
        };
        if is_linear {
            let first = if has_zero { 0.0 } else { low.min(high) };
            return ValueAxis::linear(first, high);
        }
        if !has_zero {
            return ValueAxis::log(low, high);
        }
        let gap = (high / low).max(2.0).log10() * ZERO_GAP / (1.0 - ZERO_GAP);
        let zero = low.log10() - gap;
        ValueAxis::padded(Transform::LogWithZero(zero), zero, high.log10(), (low, high))
    }

    fn padded(transform: Transform, low: f64, high: f64, ends: (f64, f64)) -> ValueAxis {
        let span = if high > low { high - low } else { low.abs().max(1e-3) };
        let margin = span * PADDING;
        let (low, high) = (low - margin, high + margin);
        ValueAxis { transform, low, high, first: ends.0, last: ends.1 }
    }

    /// Place of a value, 0…1 inside the axis.
    pub(super) fn place(&self, value: f64) -> f64 {
        let transformed = match self.transform {
            Transform::Linear => value,
            Transform::Log => value.max(f64::MIN_POSITIVE).log10(),
            Transform::LogWithZero(zero) if value <= 0.0 => zero,
            Transform::LogWithZero(_) => value.log10(),
        };
        (transformed - self.low) / (self.high - self.low)
    }

    /// Where the axis is interrupted, between zero and the smallest positive value.
    pub(super) fn interruption(&self) -> Option<f64> {
        match self.transform {
            Transform::LogWithZero(_) => Some((self.place(0.0) + self.place(self.first)) / 2.0),
            _ => None,
        }
    }

    /// Ticks, at most about `most` of them labelled.
    pub(super) fn ticks(&self, most: usize) -> Vec<ValueTick> {
        let tick = |value: f64, label: String| ValueTick { place: self.place(value), label };
        if self.transform == Transform::Linear {
            return nice_ticks(self.low, self.high, most)
                .into_iter()
                .map(|value| tick(value, plain(value, 6)))
                .collect();
        }
        let mut ticks = Vec::new();
        if let Transform::LogWithZero(_) = self.transform {
            ticks.push(tick(0.0, "0".to_owned()));
        }
        let inside = |value: f64| value >= self.first * 0.999 && value <= self.last * 1.001;
        let (first, last) = (self.first.log10().floor() as i32, self.last.log10().ceil() as i32);
        let decades =
            (first..=last).filter(|exponent| inside(10_f64.powi(*exponent))).count().max(1);
        let every = decades.div_ceil(most.max(1)) as i32;
        let as_powers = self.last >= 1e5 || self.first < 1e-3;
        for exponent in first..=last {
            for multiple in 1..10 {
                let value = f64::from(multiple) * 10_f64.powi(exponent);
                // Over many decades only they are marked.
                if !inside(value) || (every > 1 && multiple > 1) {
                    continue;
                }
                let labelled = match multiple {
                    1 => exponent % every == 0,
                    2 | 5 => decades < 3,
                    _ => false,
                };
                let label = match (labelled, multiple) {
                    (false, _) => String::new(),
                    (true, 1) if as_powers => power_of_ten(exponent),
                    (true, _) => plain(value, 3),
                };
                ticks.push(tick(value, label));
            }
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &ValueAxis) -> Vec<String> {
        axis.ticks(6).into_iter().map(|tick| tick.label).filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn steps_over_decades_have_zero_to_the_left() {
        let axis = ValueAxis::steps(&[0.0, 1.0, 10.0, 100.0, 1000.0], AxisScale::Auto);
        assert_eq!(labels(&axis), ["0", "1", "10", "100", "1000"]);
        let places: Vec<f64> =
            [0.0, 1.0, 10.0, 100.0, 1000.0].iter().map(|step| axis.place(*step)).collect();
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
        assert!((places[2] - places[1] - (places[4] - places[3])).abs() < 1e-9);
        let between = axis.interruption().unwrap();
        assert!(places[0] < between && between < places[1]);
    }

    #[test]
    fn few_steps_stay_linear() {
        let axis = ValueAxis::steps(&[0.0, 100.0, 200.0, 300.0], AxisScale::Auto);
        assert_eq!(axis.interruption(), None);
        assert!((axis.place(200.0) - 2.0 * axis.place(100.0) + axis.place(0.0)).abs() < 1e-9);
        for scale in [AxisScale::Auto, AxisScale::Linear, AxisScale::Log] {
            assert!(ValueAxis::steps(&[0.0], scale).place(0.0).is_finite());
        }
    }

    #[test]
    fn a_scale_that_was_asked_for_is_kept() {
        let steps = [0.0, 1.0, 10.0, 100.0, 1000.0];
        let linear = ValueAxis::steps(&steps, AxisScale::Linear);
        assert!(
            (linear.place(1000.0) + linear.place(0.0) - 2.0 * linear.place(500.0)).abs() < 1e-9
        );
        let log = ValueAxis::steps(&[0.0, 100.0, 200.0, 400.0], AxisScale::Log);
        let length = |one: f64, two: f64| log.place(two) - log.place(one);
        assert!((length(100.0, 200.0) - length(200.0, 400.0)).abs() < 1e-9);
        assert!(log.place(0.0) < log.place(100.0));
    }

    #[test]
    fn many_decades_are_thinned_and_have_no_ticks_between() {
        let axis = ValueAxis::log(1.0, 1e30);
        assert_eq!(labels(&axis), ["10⁰", "10⁶", "10¹²", "10¹⁸", "10²⁴", "10³⁰"]);
        assert_eq!(axis.ticks(6).len(), 31);
    }

    #[test]
    fn less_than_three_decades_get_labels_between() {
        assert_eq!(labels(&ValueAxis::log(2.0, 60.0)), ["2", "5", "10", "20", "50"]);
    }
}
