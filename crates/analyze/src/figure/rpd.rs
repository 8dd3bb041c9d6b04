//! Rank probability distributions, one panel a layer, with the flat line and the linear control.

use super::caption;
use super::colour::{Rgb, of_rank};
use super::line_chart::{LegendEntry, Line, LineChart, LinePanel, LinePoint};
use super::numbers::plain;
use super::value_axis::ValueAxis;
use crate::rpd::{RankDistribution, RpdLayer};

/// Bands may raise the axis by this share of the highest density.
const BAND_ROOM: f64 = 0.3;

/// Draws rank distributions as an SVG document, in points.
pub fn rpd_figure(distribution: &RankDistribution) -> String {
    let count = distribution.layers.len();
    let colour = |rank: usize| of_rank(rank, count);
    let panels: Vec<LinePanel> = distribution
        .layers
        .iter()
        .enumerate()
        .map(|(rank, layer)| {
            let control = distribution.control.iter().find(|control| control.layer == layer.layer);
            let control = control.map(|control| line_of(control, Rgb::GREY, true));
            let lines = control.into_iter().chain([line_of(layer, colour(rank), false)]);
            LinePanel { title: panel_title(layer), lines: lines.collect() }
        })
        .collect();
    let y = density_axis(&panels);
    let ink = if count > 1 { Rgb::INK } else { colour(0) };
    let name = match distribution.activation.as_str() {
        "" => "selection".to_owned(),
        activation => activation.to_owned(),
    };
    let mut legend = vec![LegendEntry::line(name, ink, false)];
    if !distribution.control.is_empty() {
        legend.push(LegendEntry::line("linear network", Rgb::GREY, true));
    }
    legend.push(LegendEntry::reference("flat"));
    let title = format!("rank probability density, {}", distribution.place);
    LineChart {
        title,
        x: ValueAxis::exact(0.0, 1.0),
        y,
        x_title: "rank u of the class's samples, signed by the L-map".to_owned(),
        y_title: format!("density, {}", distribution.place),
        panels,
        legend_title: String::new(),
        legend,
        reference: Some(1.0),
        caption: caption_of(distribution),
    }
    .draw()
}

fn panel_title(layer: &RpdLayer) -> String {
    match layer.gradient.mean {
        Some(gradient) => format!("layer {}, g = {}", layer.layer, plain(gradient, 3)),
        None => format!("layer {}", layer.layer),
    }
}

fn line_of(layer: &RpdLayer, colour: Rgb, dashed: bool) -> Line {
    let width = 1.0 / layer.density.len().max(1) as f64;
    let point = |(bin, density): (usize, &crate::statistics::Summary)| {
        let (low, high) = (bin as f64 * width, (bin + 1) as f64 * width);
        let y = density.mean?;
        Some(LinePoint {
            x: (low + high) / 2.0,
            y,
            // Bands of two lines in one panel would hide each other.
            band: density.ci_low.zip(density.ci_high).filter(|_| !dashed),
            tooltip: format!("{}–{}: {}", plain(low, 3), plain(high, 3), plain(y, 3)),
        })
    };
    Line { colour, dashed, points: layer.density.iter().enumerate().filter_map(point).collect() }
}

/// From zero to the highest density, with room for bands.
fn density_axis(panels: &[LinePanel]) -> ValueAxis {
    let points = || panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.points);
    let highest = points().map(|point| point.y).fold(1.0, f64::max);
    let band =
        points().filter_map(|point| point.band).map(|(_, high)| high).fold(highest, f64::max);
    ValueAxis::exact(0.0, 1.06 * band.min(highest * (1.0 + BAND_ROOM)))
}

fn caption_of(distribution: &RankDistribution) -> String {
    let mut parts = vec![format!("sweep {}", distribution.sweep)];
    if !distribution.task.is_empty() {
        parts.push(format!("task {}", distribution.task));
    }
    let any_band = distribution
        .layers
        .iter()
        .any(|layer| layer.density.iter().any(|density| density.ci_low.is_some()));
    match &distribution.trial {
        Some(trial) => parts.push(format!("trial {}", &trial[..trial.len().min(12)])),
        None => {
            let over = distribution.over.iter().map(String::as_str);
            let over: Vec<&str> = std::iter::once("seeds").chain(over).collect();
            parts.push(format!("mean over {}", over.join(", ")));
            if any_band {
                parts.push("band: 95 % t-interval".to_owned());
            }
            parts.push(distribution.outcomes.in_words());
        }
    }
    if let Some(control) = distribution.control.first() {
        parts.push(format!("linear network: n = {}", control.n));
    }
    if !distribution.condition.is_empty() {
        parts.push(format!("where {}", distribution.condition));
    }
    caption::join(parts)
}
