//! Rank probability distributions, one panel a layer, with the flat line and the linear control.

use super::caption;
use super::colour::{Rgb, of_name, of_rank};
use super::line_chart::{LegendEntry, Line, LineChart, LinePanel, LinePoint};
use super::numbers::plain;
use super::ticks::labels_of;
use super::value_axis::ValueAxis;
use crate::level::Level;
use crate::rpd::{RankDistribution, RpdLayer};
use crate::statistics::Summary;

/// Bands may raise the axis by this share of the highest density.
const BAND_ROOM: f64 = 0.3;

/// Draws rank distributions as an SVG document, in points.
pub fn rpd_figure(distribution: &RankDistribution) -> String {
    let mut numbers: Vec<i64> = distribution.layers.iter().map(|layer| layer.layer).collect();
    numbers.dedup();
    let colours = Colours::of(distribution, &numbers);
    let panel = |number: &i64| {
        let of_layer = || distribution.layers.iter().filter(|layer| layer.layer == *number);
        let control = distribution.control.iter().find(|control| control.layer == *number);
        let control = control.map(|control| line_of(control, Rgb::GREY, true));
        let lines = of_layer().map(|layer| line_of(layer, colours.of_line(layer), false));
        LinePanel {
            title: panel_title(*number, &of_layer().collect::<Vec<_>>()),
            lines: control.into_iter().chain(lines).collect(),
        }
    };
    let panels: Vec<LinePanel> = numbers.iter().map(panel).collect();
    let y = density_axis(&panels);
    let mut legend = colours.entries(distribution);
    if !distribution.control.is_empty() {
        legend.push(LegendEntry::line("linear network", Rgb::GREY, true));
    }
    legend.push(LegendEntry::reference("flat"));
    let place = match distribution.place.as_str() {
        "" => String::new(),
        place => format!(", {place}"),
    };
    LineChart {
        title: format!("rank probability density{place}"),
        x: ValueAxis::exact(0.0, 1.0),
        y,
        x_title: "rank u of the class's samples, signed by the L-map".to_owned(),
        y_title: format!("density{place}"),
        panels,
        legend_title: distribution.by.as_ref().map_or(String::new(), |by| by.title()),
        legend,
        reference: Some(1.0),
        caption: caption_of(distribution),
    }
    .draw()
}

/// A legend has at most this many entries; of more lines every second, third, … is named.
const MOST_ENTRIES: usize = 12;

/// One colour a layer, or one a line where panels have several.
struct Colours<'a> {
    numbers: &'a [i64],
    levels: Vec<Level>,
}

impl<'a> Colours<'a> {
    fn of(distribution: &RankDistribution, numbers: &'a [i64]) -> Colours<'a> {
        let mut levels: Vec<Level> = Vec::new();
        for layer in distribution.layers.iter().filter(|_| distribution.by.is_some()) {
            if !levels.contains(&layer.level) {
                levels.push(layer.level.clone());
            }
        }
        if levels.iter().all(|level| level.as_number().is_some()) {
            levels.sort();
        }
        Colours { numbers, levels }
    }

    fn of_level(&self, rank: usize) -> Rgb {
        match self.levels.iter().all(|level| level.as_number().is_some()) {
            true => of_rank(rank, self.levels.len()),
            false => of_name(rank),
        }
    }

    fn of_line(&self, layer: &RpdLayer) -> Rgb {
        if let Some(rank) = self.levels.iter().position(|level| *level == layer.level) {
            return self.of_level(rank);
        }
        let rank = self.numbers.iter().position(|number| *number == layer.layer).unwrap_or(0);
        of_rank(rank, self.numbers.len())
    }

    fn entries(&self, distribution: &RankDistribution) -> Vec<LegendEntry> {
        if self.levels.is_empty() {
            let ink = if self.numbers.len() > 1 { Rgb::INK } else { of_rank(0, 1) };
            let name = match distribution.activation.as_str() {
                "" => "selection",
                activation => activation,
            };
            return vec![LegendEntry::line(name, ink, false)];
        }
        let labels = labels_of(&self.levels);
        let every = self.levels.len().div_ceil(MOST_ENTRIES);
        let entry =
            |rank: usize| LegendEntry::line(labels[rank].as_str(), self.of_level(rank), false);
        (0..self.levels.len()).step_by(every).map(entry).collect()
    }
}

fn panel_title(number: i64, lines: &[&RpdLayer]) -> String {
    match lines {
        [RpdLayer { gradient: Summary { mean: Some(gradient), .. }, .. }] => {
            format!("layer {number}, g = {}", plain(*gradient, 3))
        }
        _ => format!("layer {number}"),
    }
}

fn line_of(layer: &RpdLayer, colour: Rgb, dashed: bool) -> Line {
    let width = 1.0 / layer.density.len().max(1) as f64;
    let point = |(bin, density): (usize, &Summary)| {
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
        parts.push(format!("linear network: {} trials", control.n));
    }
    if !distribution.condition.is_empty() {
        parts.push(format!("where {}", distribution.condition));
    }
    caption::join(parts)
}
