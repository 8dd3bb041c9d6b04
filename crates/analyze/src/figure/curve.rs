//! A value against the training step, one line a layer or a group.

use super::caption;
use super::colour::{of_name, of_rank};
use super::line_chart::{LegendEntry, Line, LineChart, LinePanel, LinePoint};
use super::numbers::plain;
use super::ticks::{facet_title, labels_of};
use super::value_axis::ValueAxis;
use crate::curve_data::{AxisScale, Curve, CurveLine};
use crate::level::Level;
use crate::request::Stat;

/// Positive values that span more than this factor are drawn on a logarithmic axis.
const WIDE_VALUES: f64 = 200.0;

/// Bands may widen the axis by this share of the lines' own range on either side.
const BAND_ROOM: f64 = 0.35;

/// A legend has at most this many entries; of more lines every second, third, … is named.
const MOST_ENTRIES: usize = 12;

/// Draws curves as an SVG document, in points.
pub fn curve_figure(curve: &Curve) -> String {
    let levels = distinct(curve.lines.iter().map(|line| &line.level));
    let facets = distinct(curve.lines.iter().map(|line| &line.facet));
    let in_order = levels.iter().all(|level| level.as_number().is_some());
    let count = levels.len();
    let colour = |rank: usize| if in_order { of_rank(rank, count) } else { of_name(rank) };
    let labels = labels_of(&levels);
    let rank = |line: &CurveLine| levels.iter().position(|one| *one == line.level).unwrap_or(0);
    let draw = |line: &CurveLine| Line {
        colour: colour(rank(line)),
        dashed: false,
        points: points_of(curve, line, if curve.by.is_some() { &labels[rank(line)] } else { "" }),
    };
    let facet_labels = labels_of(&facets);
    let panel = |(facet, label): (&Level, &String)| LinePanel {
        title: curve.facet.as_ref().map_or(String::new(), |name| facet_title(&name.label, label)),
        lines: curve.lines.iter().filter(|line| line.facet == *facet).map(draw).collect(),
    };
    let panels: Vec<LinePanel> = facets.iter().zip(&facet_labels).map(panel).collect();
    let every = count.div_ceil(MOST_ENTRIES);
    let entry = |rank: usize| LegendEntry::line(labels[rank].as_str(), colour(rank), false);
    let legend: Vec<LegendEntry> = match &curve.by {
        Some(_) => (0..count).step_by(every).map(entry).collect(),
        None => Vec::new(),
    };
    let lines: Vec<&Line> = panels.iter().flat_map(|panel| &panel.lines).collect();
    let steps: Vec<f64> =
        lines.iter().flat_map(|line| line.points.iter().map(|point| point.x)).collect();
    let y = value_axis(&lines, curve);
    let is_inside = y.place(0.0) > 0.0 && y.place(0.0) < 1.0;
    let reference = (is_inside && changes_sign(&lines)).then_some(0.0);
    let title = value_title(curve);
    LineChart {
        title: format!("{title} against step"),
        x: ValueAxis::steps(&steps, curve.x_scale),
        reference,
        y,
        x_title: "step".to_owned(),
        y_title: title,
        panels,
        legend_title: curve.by.as_ref().map_or(String::new(), |by| by.title()),
        legend,
        caption: caption_of(curve),
    }
    .draw()
}

/// Each value once, in the order in which the lines are sorted: lines of one panel are in order,
/// and a panel may lack some.
fn distinct<'a>(levels: impl Iterator<Item = &'a Level>) -> Vec<Level> {
    let mut found: Vec<Level> = Vec::new();
    for level in levels {
        if !found.contains(level) {
            found.push(level.clone());
        }
    }
    if found.iter().all(|level| level.as_number().is_some()) {
        found.sort();
    }
    found
}

fn points_of(curve: &Curve, line: &CurveLine, label: &str) -> Vec<LinePoint> {
    let mut points = Vec::new();
    for point in &line.points {
        let Some(value) = point.value(curve.stat) else { continue };
        let band = point.band(curve.stat);
        let around = match band {
            Some((low, high)) => format!(" [{}, {}]", plain(low, 3), plain(high, 3)),
            None => String::new(),
        };
        let name = if label.is_empty() { String::new() } else { format!("{label}, ") };
        let tooltip =
            format!("{name}step {}: {}{around}; n {}", point.step, plain(value, 4), point.n);
        points.push(LinePoint { x: point.step as f64, y: value, band, tooltip });
    }
    points
}

fn changes_sign(lines: &[&Line]) -> bool {
    let values = || lines.iter().flat_map(|line| line.points.iter().map(|point| point.y));
    values().any(|value| value < 0.0) && values().any(|value| value > 0.0)
}

/// An axis that shows every line, and of the bands what leaves the lines readable.
fn value_axis(lines: &[&Line], curve: &Curve) -> ValueAxis {
    let unit = curve.value.unit.as_str();
    let points = || lines.iter().flat_map(|line| &line.points);
    let low = points().map(|point| point.y).fold(f64::INFINITY, f64::min);
    let high = points().map(|point| point.y).fold(f64::NEG_INFINITY, f64::max);
    let spans_decades = low > 0.0 && high / low > WIDE_VALUES && unit != "share";
    match curve.y_scale {
        AxisScale::Log => return ValueAxis::log(low, high),
        AxisScale::Auto if spans_decades => return ValueAxis::log(low, high),
        AxisScale::Auto | AxisScale::Linear => {}
    }
    let band_low = points().filter_map(|point| point.band).map(|band| band.0);
    let band_high = points().filter_map(|point| point.band).map(|band| band.1);
    let room = if high > low { BAND_ROOM * (high - low) } else { f64::INFINITY };
    let mut bottom = band_low.fold(low, f64::min).max(low - room);
    let mut top = band_high.fold(high, f64::max).min(high + room);
    // No band makes a share or a loss impossible; some shares are differences.
    if ["share", "nats"].contains(&unit) && low >= 0.0 {
        bottom = bottom.max(0.0);
    }
    if unit == "share" {
        top = top.min(1.0).max(high);
    }
    ValueAxis::linear(bottom, top)
}

fn value_title(curve: &Curve) -> String {
    let statistic = match curve.stat {
        Stat::Mean => "",
        Stat::Std => "sd of ",
        Stat::Median => "median ",
    };
    let place = if curve.place.is_empty() { String::new() } else { format!(", {}", curve.place) };
    let unit = match curve.value.unit.as_str() {
        "" => String::new(),
        unit => format!(" ({unit})"),
    };
    format!("{statistic}{}{place}{unit}", curve.value.label)
}

fn caption_of(curve: &Curve) -> String {
    let mut parts = vec![format!("sweep {}", curve.sweep)];
    if !curve.task.is_empty() {
        parts.push(format!("task {}", curve.task));
    }
    let over: Vec<&str> =
        std::iter::once("seeds").chain(curve.over.iter().map(String::as_str)).collect();
    let statistic = match curve.stat {
        Stat::Std => "standard deviation".to_owned(),
        stat => stat.to_string(),
    };
    parts.push(format!("{statistic} over {}", over.join(", ")));
    let mut points = curve.lines.iter().flat_map(|line| &line.points);
    if points.any(|point| point.band(curve.stat).is_some()) {
        parts.push(match curve.stat {
            Stat::Median => "band: quartiles".to_owned(),
            _ => "band: 95 % t-interval".to_owned(),
        });
    }
    let counts = || curve.lines.iter().flat_map(|line| line.points.iter().map(|point| point.n));
    if let Some((least, most)) = counts().min().zip(counts().max()) {
        let range = if least == most { most.to_string() } else { format!("{least} to {most}") };
        parts.push(format!("n = {range} a point"));
    }
    parts.push(curve.outcomes.in_words());
    if !curve.condition.is_empty() {
        parts.push(format!("where {}", curve.condition));
    }
    caption::join(parts)
}
