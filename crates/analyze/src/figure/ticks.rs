//! Ticks of an axis whose cells are equally wide: at cell centres, or at decades between them.

use super::numbers::{decade, plain, power_of_ten};
use super::text::width_of;
use crate::diagram::DiagramAxis;
use crate::level::Level;
use phasegrid_spec::AxisKind;

/// A mark on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// Position in cells: the centre of the first cell is 0.5.
    pub(super) position: f64,
    /// Text; empty on minor ticks.
    pub(super) label: String,
}

/// Beyond this many values a log axis is labelled at its decades, not at its values.
const FEW: usize = 6;

/// Ticks whose labels do not touch. `length` is the axis in points; `upright` says that labels
/// stand above one another (a vertical axis) instead of side by side.
pub(super) fn axis_ticks(axis: &DiagramAxis, length: f64, size: f64, upright: bool) -> Vec<Tick> {
    let cell = length / axis.levels.len().max(1) as f64;
    if let Some(decades) = decade_ticks(axis) {
        return thin_decades(decades, cell, size, upright);
    }
    let labels = labels_of(&axis.levels);
    let extent =
        |label: &String| if upright { 1.15 * size } else { width_of(label, size) + 0.55 * size };
    let widest = labels.iter().map(extent).fold(0.0, f64::max);
    let every = (widest / cell).ceil().max(1.0) as usize;
    // Steps of 3, 6 or 7 values are hard to read along.
    let every = [1, 2, 4, 5, 8, 10, 16, 20, 25, 32, 50, 64, 100, 128]
        .into_iter()
        .find(|step| *step >= every)
        .unwrap_or(every);
    let tick = |(place, label)| Tick { position: place as f64 + 0.5, label };
    labels.into_iter().enumerate().step_by(every).map(tick).collect()
}

/// `depth = 4`, `layer 1`: what stands above a panel.
pub(super) fn facet_title(name: &str, label: &str) -> String {
    if name == "layer" { format!("layer {label}") } else { format!("{name} = {label}") }
}

/// Labels of values: powers of ten where all are, plain numbers or words otherwise.
pub(super) fn labels_of(levels: &[Level]) -> Vec<String> {
    let exponents: Option<Vec<i32>> =
        levels.iter().map(|level| level.as_number().and_then(decade)).collect();
    let spans = exponents.filter(|exponents| {
        exponents.len() > 1 && exponents.iter().any(|exponent| !(-2..=2).contains(exponent))
    });
    if let Some(exponents) = spans {
        return exponents.into_iter().map(power_of_ten).collect();
    }
    levels
        .iter()
        .map(|level| match level.as_number() {
            Some(number) if matches!(level, Level::Float(_)) => plain(number, 3),
            _ => level.to_string().replace('-', "−"),
        })
        .collect()
}

/// Ticks at 10ⁿ, minor ones at multiples, for many values evenly spaced in the logarithm.
fn decade_ticks(axis: &DiagramAxis) -> Option<Vec<Tick>> {
    if !matches!(axis.kind, Some(AxisKind::Log)) || axis.levels.len() <= FEW {
        return None;
    }
    let logs: Option<Vec<f64>> = axis
        .levels
        .iter()
        .map(|level| level.as_number().filter(|number| *number > 0.0).map(f64::log10))
        .collect();
    let logs = logs?;
    let step = (logs[logs.len() - 1] - logs[0]) / (logs.len() - 1) as f64;
    let is_even = logs.windows(2).all(|pair| (pair[1] - pair[0] - step).abs() < 0.02 * step);
    if !is_even {
        return None;
    }
    let cells = logs.len() as f64;
    let place = |log: f64| (log - logs[0]) / step + 0.5;
    let (first, last) = (logs[0] - step / 2.0, logs[logs.len() - 1] + step / 2.0);
    let mut ticks = Vec::new();
    for exponent in first.floor() as i32..=last.ceil() as i32 {
        for multiple in 1..10 {
            let position = place(f64::from(exponent) + f64::from(multiple).log10());
            if !(0.0..=cells).contains(&position) {
                continue;
            }
            let label = if multiple == 1 { power_of_ten(exponent) } else { String::new() };
            ticks.push(Tick { position, label });
        }
    }
    let labelled = ticks.iter().filter(|tick| !tick.label.is_empty()).count();
    // Less than two decades: values at the cells say more than one power of ten.
    (labelled >= 2).then_some(ticks)
}

fn thin_decades(mut ticks: Vec<Tick>, cell: f64, size: f64, upright: bool) -> Vec<Tick> {
    let mut free_from = f64::NEG_INFINITY;
    for tick in ticks.iter_mut().filter(|tick| !tick.label.is_empty()) {
        let extent = if upright { 1.15 * size } else { width_of(&tick.label, size) + 0.55 * size };
        let centre = tick.position * cell;
        if centre - extent / 2.0 < free_from {
            tick.label.clear();
        } else {
            free_from = centre + extent / 2.0;
        }
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::ColumnInfo;

    fn axis(kind: AxisKind, levels: Vec<Level>) -> DiagramAxis {
        DiagramAxis { column: ColumnInfo::of("trials", "learning_rate"), kind: Some(kind), levels }
    }

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).filter(|label| !label.is_empty()).collect()
    }

    #[test]
    fn a_log_axis_is_labelled_at_its_decades() {
        let levels = (0..16).map(|i| Level::Float(1e-3 * 1e3_f64.powf(i as f64 / 15.0))).collect();
        let ticks = axis_ticks(&axis(AxisKind::Log, levels), 200.0, 8.0, false);
        assert_eq!(labels(&ticks), ["10⁻³", "10⁻²", "10⁻¹", "10⁰"]);
        let second = ticks.iter().find(|tick| tick.label == "10⁻²").unwrap();
        assert!((second.position - 5.5).abs() < 1e-9);
    }

    #[test]
    fn few_values_are_labelled_one_by_one() {
        let powers = [8, 16, 32, 64].map(Level::Integer).to_vec();
        assert_eq!(
            labels(&axis_ticks(&axis(AxisKind::Log2, powers), 120.0, 8.0, true)),
            ["8", "16", "32", "64"]
        );
        let rates = [0.01, 0.0316227766, 0.1].map(Level::Float).to_vec();
        assert_eq!(
            labels(&axis_ticks(&axis(AxisKind::Log, rates), 120.0, 8.0, false)),
            ["0.01", "0.0316", "0.1"]
        );
        let flags = vec![Level::Boolean(false), Level::Boolean(true)];
        assert_eq!(
            labels(&axis_ticks(&axis(AxisKind::List, flags), 120.0, 8.0, false)),
            ["false", "true"]
        );
    }

    #[test]
    fn many_labels_are_thinned() {
        let levels: Vec<Level> = (0..64).map(Level::Integer).collect();
        let ticks = axis_ticks(&axis(AxisKind::Range, levels), 120.0, 8.0, false);
        assert!(ticks.len() <= 9, "{}", ticks.len());
        assert_eq!(labels(&ticks)[0], "0");
    }
}
