//! The colour scale all panels of a figure share.

use super::colour::{Rgb, diverging, palette, sort_categories, viridis};
use super::numbers::{nice_ticks, plain, power_of_ten};
use crate::diagram::{Cell, CellState, PhaseDiagram, ValueKind};

/// Radii that span more than this factor are coloured by their logarithm.
const WIDE_RADII: f64 = 20.0;

/// Other positive quantities need to span more; shares never do.
const WIDE_VALUES: f64 = 200.0;

/// A value this factor beyond those around the middle half has no colours of its own.
const FAR: f64 = 100.0;

/// Colours for numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NumberScale {
    /// Smallest value drawn.
    pub(super) low: f64,
    /// Largest value drawn.
    pub(super) high: f64,
    /// Whether equal factors, not equal differences, are equal steps of colour.
    pub(super) log: bool,
    /// Whether the values change sign: colours are then centred at zero.
    pub(super) signed: bool,
    /// The smallest value, where it lies far below `low`, and is coloured like it.
    pub(super) beyond_low: Option<f64>,
    /// The largest value, where it lies far above `high`, and is coloured like it.
    pub(super) beyond_high: Option<f64>,
}

/// From a cell to its colour.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scale {
    /// Numbers.
    Numbers(NumberScale),
    /// Names and their colours, in order.
    Categories(Vec<(String, Rgb)>),
    /// No cell has a value.
    Nothing,
}

/// Where a cell's value lies with respect to the range that was searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Within,
    Below,
    Above,
}

/// Whether the middle of a cell is a censored radius.
pub(super) fn reach(cell: &Cell) -> Reach {
    match cell.value {
        Some(value) if value.is_infinite() => Reach::Above,
        Some(0.0) if cell.n_censored > 0 => Reach::Below,
        _ => Reach::Within,
    }
}

impl Scale {
    /// The scale of a diagram, over all its facets.
    pub(super) fn of(diagram: &PhaseDiagram) -> Scale {
        let drawn = || diagram.cells.iter().filter(|cell| cell.state == CellState::Value);
        if diagram.kind == ValueKind::Category {
            let mut names: Vec<String> = drawn()
                .filter_map(|cell| cell.mode.as_ref())
                .map(|mode| mode.category.clone())
                .collect();
            sort_categories(&mut names);
            names.dedup();
            let colours = palette(&names);
            return Scale::Categories(names.into_iter().zip(colours).collect());
        }
        let values: Vec<f64> = drawn()
            .filter(|cell| reach(cell) == Reach::Within)
            .filter_map(|cell| cell.value)
            .collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if values.is_empty() {
            let any = drawn().next().is_some();
            let flat = NumberScale::between(0.0, 0.0);
            return if any { Scale::Numbers(flat) } else { Scale::Nothing };
        }
        let factor = if low > 0.0 { high / low } else { 1.0 };
        let wide = match diagram.kind {
            ValueKind::Radius => WIDE_RADII,
            // Steps are measured at log-spaced places.
            _ if diagram.value.unit == "steps" => WIDE_RADII,
            _ if diagram.value.unit == "share" => f64::INFINITY,
            _ => WIDE_VALUES,
        };
        // Differences are read against zero, whatever their sign.
        let signed = (low < 0.0 && high > 0.0) || diagram.against.is_some();
        let scale = NumberScale { signed, ..NumberScale::between(low, high) };
        if factor > wide && !signed {
            return Scale::Numbers(scale.logarithmic(&values));
        }
        Scale::Numbers(scale)
    }

    /// The colour of a cell that has a value.
    pub(super) fn colour(&self, cell: &Cell) -> Rgb {
        match self {
            Scale::Nothing => Rgb::PALE,
            Scale::Categories(names) => {
                let mode = cell.mode.as_ref().map(|mode| mode.category.as_str());
                let entry = names.iter().find(|(name, _)| Some(name.as_str()) == mode);
                entry.map_or(Rgb::PALE, |(_, colour)| *colour)
            }
            Scale::Numbers(scale) => match (reach(cell), cell.value) {
                (Reach::Below, _) => viridis(0.0),
                (Reach::Above, _) => viridis(1.0),
                (Reach::Within, Some(value)) => scale.colour(value),
                (Reach::Within, None) => Rgb::PALE,
            },
        }
    }
}

impl NumberScale {
    /// A linear scale between these values.
    fn between(low: f64, high: f64) -> NumberScale {
        NumberScale { low, high, log: false, signed: false, beyond_low: None, beyond_high: None }
    }

    /// The same scale in the logarithm. It ends before values that lie so far out that all others
    /// would have one colour, as does the curvature of a network about to diverge.
    fn logarithmic(self, values: &[f64]) -> NumberScale {
        let mut logs: Vec<f64> = values.iter().map(|value| value.log10()).collect();
        logs.sort_by(f64::total_cmp);
        let quartile = |share: f64| logs[(share * (logs.len() - 1) as f64).round() as usize];
        let reach = 3.0 * (quartile(0.75) - quartile(0.25)).max(0.5);
        let within = |value: &&f64| {
            let log = value.log10();
            log >= quartile(0.25) - reach && log <= quartile(0.75) + reach
        };
        let inner = || values.iter().filter(within).copied();
        let low = inner().fold(f64::INFINITY, f64::min);
        let high = inner().fold(f64::NEG_INFINITY, f64::max);
        let mut scale = NumberScale { log: true, ..self };
        if self.low * FAR < low {
            scale = NumberScale { low, beyond_low: Some(self.low), ..scale };
        }
        if self.high > high * FAR {
            scale = NumberScale { high, beyond_high: Some(self.high), ..scale };
        }
        scale
    }

    /// The colour of a value.
    pub(super) fn colour(&self, value: f64) -> Rgb {
        if self.signed {
            let most = self.high.max(-self.low);
            return diverging(if most > 0.0 { 0.5 + 0.5 * value / most } else { 0.5 });
        }
        viridis(self.position(value))
    }

    /// Place of a value along the colour bar, 0…1.
    pub(super) fn position(&self, value: f64) -> f64 {
        if self.high <= self.low {
            return 0.5;
        }
        if self.log {
            return (value / self.low).ln() / (self.high / self.low).ln();
        }
        (value - self.low) / (self.high - self.low)
    }

    /// The value at a place along the colour bar.
    pub(super) fn value_at(&self, position: f64) -> f64 {
        if self.log {
            return self.low * (self.high / self.low).powf(position);
        }
        self.low + (self.high - self.low) * position
    }

    /// Values to label, with their labels.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        if !self.log {
            return nice_ticks(self.low, self.high, 5)
                .into_iter()
                .map(|value| (value, plain(value, if self.high > self.low { 6 } else { 4 })))
                .collect();
        }
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let inside = |value: f64| value >= self.low * 0.999 && value <= self.high * 1.001;
        let decades: Vec<i32> =
            (first..=last).filter(|exponent| inside(10_f64.powi(*exponent))).collect();
        if decades.len() >= 3 {
            let every = decades.len().div_ceil(6);
            let tick = |exponent: i32| (10_f64.powi(exponent), power_of_ten(exponent));
            return decades.into_iter().step_by(every).map(tick).collect();
        }
        (first..=last)
            .flat_map(|exponent| [1.0, 2.0, 5.0].map(|multiple| multiple * 10_f64.powi(exponent)))
            .filter(|value| inside(*value))
            .map(|value| (value, plain(value, 3)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_scales_have_white_at_zero() {
        let scale = NumberScale { signed: true, ..NumberScale::between(-1.0, 4.0) };
        assert_eq!(scale.colour(0.0), diverging(0.5));
        assert_eq!(scale.colour(4.0), diverging(1.0));
        assert_eq!(scale.colour(-1.0), diverging(0.375));
    }

    #[test]
    fn log_scales_are_labelled_at_decades() {
        let scale = NumberScale { log: true, ..NumberScale::between(2e-3, 3.0) };
        let labels: Vec<String> = scale.ticks().into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["10⁻²", "10⁻¹", "10⁰"]);
        assert!((scale.position(scale.value_at(0.3)) - 0.3).abs() < 1e-12);
    }

    #[test]
    fn a_constant_has_one_tick_in_the_middle() {
        let scale = NumberScale::between(0.25, 0.25);
        assert_eq!(scale.ticks(), [(0.25, "0.25".to_owned())]);
        assert_eq!(scale.position(0.25), 0.5);
    }

    #[test]
    fn a_value_far_out_does_not_take_all_the_colours() {
        let values = [1.0, 2.0, 4.0, 8.0, 1e30];
        let scale = NumberScale::between(1.0, 1e30).logarithmic(&values);
        assert_eq!((scale.low, scale.high), (1.0, 8.0));
        assert_eq!((scale.beyond_low, scale.beyond_high), (None, Some(1e30)));
        assert_eq!(scale.colour(1e30), scale.colour(8.0));
        // Values that follow one another evenly all have their place.
        let even: Vec<f64> = (0..10).map(|exponent| 10_f64.powi(exponent)).collect();
        let scale = NumberScale::between(1.0, 1e9).logarithmic(&even);
        assert_eq!((scale.low, scale.high, scale.beyond_high), (1.0, 1e9, None));
    }
}
