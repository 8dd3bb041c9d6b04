//! Lines with bands in one or several panels that share their axes, a legend and a caption.

use super::caption;
use super::colour::Rgb;
use super::legend::{LARGE, SMALL};
use super::panel::{TICK, TICK_GAP};
use super::scene::{Anchor, Area, Points, Scene, TextStyle};
use super::text::{CAP_HEIGHT, LINE_HEIGHT, width_of, wrap};
use super::value_axis::{ValueAxis, ValueTick};

const MARGIN: f64 = 6.0;
const GAP: f64 = 13.0;
const PANEL_TITLE: f64 = 14.0;
const LINE_WIDTH: f64 = 1.2;
const SWATCH: f64 = 14.0;
const ROW: f64 = 12.0;
/// Lines of more points than this carry no dots.
const MOST_DOTS: usize = 40;
/// Panels of more lines than this carry none either.
const MOST_DOTTED_LINES: usize = 12;
/// Captions have at least this width.
const LEAST_WIDTH: f64 = 230.0;

/// One point of a line.
#[derive(Clone, Debug)]
pub(super) struct LinePoint {
    pub(super) x: f64,
    pub(super) y: f64,
    /// Lower and upper end of the interval around it.
    pub(super) band: Option<(f64, f64)>,
    pub(super) tooltip: String,
}

/// A line, its points from left to right.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) colour: Rgb,
    pub(super) dashed: bool,
    pub(super) points: Vec<LinePoint>,
}

/// A panel; the title may be empty.
#[derive(Clone, Debug)]
pub(super) struct LinePanel {
    pub(super) title: String,
    pub(super) lines: Vec<Line>,
}

/// What a colour or a dash stands for.
#[derive(Clone, Debug)]
pub(super) struct LegendEntry {
    pub(super) label: String,
    pub(super) colour: Rgb,
    pub(super) dashed: bool,
    pub(super) thickness: f64,
}

/// A whole figure.
#[derive(Clone, Debug)]
pub(super) struct LineChart {
    pub(super) title: String,
    pub(super) x: ValueAxis,
    pub(super) y: ValueAxis,
    pub(super) x_title: String,
    pub(super) y_title: String,
    pub(super) panels: Vec<LinePanel>,
    pub(super) legend_title: String,
    pub(super) legend: Vec<LegendEntry>,
    /// A level drawn through every panel.
    pub(super) reference: Option<f64>,
    pub(super) caption: String,
}

impl LegendEntry {
    /// An entry for a line.
    pub(super) fn line(label: impl Into<String>, colour: Rgb, dashed: bool) -> LegendEntry {
        LegendEntry { label: label.into(), colour, dashed, thickness: LINE_WIDTH }
    }

    /// An entry for the level drawn through every panel.
    pub(super) fn reference(label: impl Into<String>) -> LegendEntry {
        LegendEntry { label: label.into(), colour: Rgb::FAINT, dashed: false, thickness: 0.7 }
    }
}

impl LineChart {
    /// Draws the figure as an SVG document, in points.
    pub(super) fn draw(&self) -> String {
        let layout = Layout::of(self);
        let mut scene = Scene::default();
        for number in 0..self.panels.len() {
            layout.draw_panel(&mut scene, self, number);
        }
        let panels = layout.panels();
        let (x, y) = panels.centre();
        let below_ticks = panels.bottom() + TICK + TICK_GAP + SMALL * CAP_HEIGHT + 4.0;
        scene.text(x, below_ticks + LARGE, &self.x_title, TextStyle::new(LARGE, Anchor::Middle));
        let mut baseline = MARGIN + LARGE;
        for line in &layout.y_title {
            scene.text(baseline, y, line, TextStyle::new(LARGE, Anchor::Middle).upward());
            baseline += LARGE * LINE_HEIGHT;
        }
        let corner = Area { x: panels.right() + 12.0, y: panels.y, width: 0.0, height: 0.0 };
        let (width, height) = self.draw_legend(&mut scene, corner);
        let right = if width > 0.0 { corner.x + width } else { panels.right() };
        let right = right.max(MARGIN + LEAST_WIDTH);
        let below = (below_ticks + LARGE * LINE_HEIGHT + 7.0).max(corner.y + height + 6.0);
        let area = Area { x: MARGIN, y: below, width: right - MARGIN, height: 0.0 };
        let height = caption::draw(&mut scene, &self.caption, area);
        scene.finish(right + MARGIN, below + height + MARGIN - 2.0, &self.title)
    }

    fn draw_legend(&self, scene: &mut Scene, corner: Area) -> (f64, f64) {
        if self.legend.is_empty() {
            return (0.0, 0.0);
        }
        scene.open_group("legend");
        let mut y = corner.y;
        let mut widest: f64 = 0.0;
        for line in wrap(&self.legend_title, LARGE, 100.0) {
            let style = TextStyle::new(LARGE, Anchor::Start);
            scene.text(corner.x, y + LARGE * CAP_HEIGHT, &line, style);
            widest = widest.max(width_of(&line, LARGE));
            y += LARGE * LINE_HEIGHT;
        }
        y += if self.legend_title.is_empty() { 0.0 } else { 3.0 };
        for entry in &self.legend {
            let middle = y + ROW / 2.0;
            let stroke = [(corner.x, middle), (corner.x + SWATCH, middle)];
            if entry.dashed {
                scene.dashes(&stroke, entry.colour, entry.thickness);
            } else {
                scene.line(&stroke, entry.colour, entry.thickness.max(0.7));
            }
            let baseline = middle + SMALL * CAP_HEIGHT / 2.0;
            let style = TextStyle::new(SMALL, Anchor::Start);
            scene.text(corner.x + SWATCH + 4.0, baseline, &entry.label, style);
            widest = widest.max(SWATCH + 4.0 + width_of(&entry.label, SMALL));
            y += ROW;
        }
        scene.close_group();
        (widest, y - corner.y)
    }
}

/// Where everything goes.
struct Layout {
    columns: usize,
    count: usize,
    width: f64,
    height: f64,
    left: f64,
    top: f64,
    row_gap: f64,
    column_gap: f64,
    x_ticks: Vec<ValueTick>,
    y_ticks: Vec<ValueTick>,
    y_title: Vec<String>,
}

impl Layout {
    fn of(chart: &LineChart) -> Layout {
        let count = chart.panels.len().max(1);
        let columns = match count {
            1..=3 => count,
            4 => 2,
            5 | 6 | 9 => 3,
            _ => 4,
        };
        let (width, height): (f64, f64) = match columns {
            1 => (262.0, 176.0),
            2 => (158.0, 112.0),
            3 => (122.0, 94.0),
            _ => (104.0, 84.0),
        };
        let titles =
            chart.panels.iter().map(|panel| width_of(&panel.title, LARGE)).fold(0.0, f64::max);
        let width = width.max(titles + 2.0);
        let most = if columns == 1 { 6 } else { 4 };
        let x_ticks = thinned(chart.x.ticks(most), width);
        let y_ticks: Vec<ValueTick> = chart.y.ticks(most);
        let y_labels = y_ticks.iter().map(|tick| width_of(&tick.label, SMALL)).fold(0.0, f64::max);
        let titled = chart.panels.iter().any(|panel| !panel.title.is_empty());
        let title = if titled { PANEL_TITLE } else { 0.0 };
        let mut layout = Layout {
            columns,
            count,
            width,
            height,
            left: 0.0,
            top: MARGIN + title,
            row_gap: GAP + title,
            column_gap: GAP,
            x_ticks,
            y_ticks,
            y_title: Vec::new(),
        };
        layout.y_title = wrap(&chart.y_title, LARGE, layout.panels().height);
        let titles = layout.y_title.len() as f64 * LARGE * LINE_HEIGHT;
        layout.left = MARGIN + titles + 3.0 + y_labels + TICK + TICK_GAP;
        layout
    }

    fn panel(&self, number: usize) -> Area {
        let (column, row) = (number % self.columns, number / self.columns);
        Area {
            x: self.left + column as f64 * (self.width + self.column_gap),
            y: self.top + row as f64 * (self.height + self.row_gap),
            width: self.width,
            height: self.height,
        }
    }

    fn panels(&self) -> Area {
        let rows = self.count.div_ceil(self.columns);
        Area {
            x: self.left,
            y: self.top,
            width: self.columns as f64 * (self.width + self.column_gap) - self.column_gap,
            height: rows as f64 * (self.height + self.row_gap) - self.row_gap,
        }
    }

    fn draw_panel(&self, scene: &mut Scene, chart: &LineChart, number: usize) {
        let area = self.panel(number);
        let panel = &chart.panels[number];
        scene.open_group("panel");
        let place = |x: f64, y: f64| {
            let (x, y) = (chart.x.place(x), chart.y.place(y).clamp(-9.0, 10.0));
            (area.x + x * area.width, area.bottom() - y * area.height)
        };
        scene.open_clipped("lines", &format!("panel-{number}"), area);
        if let Some(level) = chart.reference {
            let (_, y) = place(0.5, level);
            scene.line(&[(area.x, y), (area.right(), y)], Rgb::FAINT, 0.7);
        }
        // Many bands lie over one another: together they must not hide the lines.
        let opacity = (0.48 / panel.lines.len().max(1) as f64).clamp(0.04, 0.16);
        for line in &panel.lines {
            draw_band(scene, line, opacity, &place);
        }
        let with_dots = panel.lines.len() <= MOST_DOTTED_LINES;
        for line in &panel.lines {
            draw_line(scene, line, with_dots, &place);
        }
        scene.close_group();
        scene.frame(area, Rgb::INK, 0.6);
        if let Some(interruption) = chart.x.interruption() {
            draw_interruption(scene, area.x + interruption * area.width, area.bottom());
        }
        self.draw_ticks(scene, area, number);
        if !panel.title.is_empty() {
            let style = TextStyle::new(LARGE, Anchor::Middle);
            scene.text(area.centre().0, area.y - 4.0, &panel.title, style);
        }
        scene.close_group();
    }

    fn draw_ticks(&self, scene: &mut Scene, area: Area, number: usize) {
        let is_lowest = number + self.columns >= self.count;
        let is_leftmost = number.is_multiple_of(self.columns);
        scene.open_group("ticks");
        for tick in &self.x_ticks {
            let x = area.x + tick.place * area.width;
            let length = if tick.label.is_empty() { TICK / 2.0 } else { TICK };
            scene.line(&[(x, area.bottom()), (x, area.bottom() + length)], Rgb::INK, 0.5);
            if is_lowest && !tick.label.is_empty() {
                let y = area.bottom() + TICK + TICK_GAP + SMALL * CAP_HEIGHT;
                scene.text(x, y, &tick.label, TextStyle::new(SMALL, Anchor::Middle));
            }
        }
        for tick in &self.y_ticks {
            let y = area.bottom() - tick.place * area.height;
            let length = if tick.label.is_empty() { TICK / 2.0 } else { TICK };
            scene.line(&[(area.x - length, y), (area.x, y)], Rgb::INK, 0.5);
            if is_leftmost && !tick.label.is_empty() {
                let (x, y) = (area.x - TICK - TICK_GAP, y + SMALL * CAP_HEIGHT / 2.0);
                scene.text(x, y, &tick.label, TextStyle::new(SMALL, Anchor::End));
            }
        }
        scene.close_group();
    }
}

/// Bands over runs of points that have intervals.
fn draw_band(
    scene: &mut Scene,
    line: &Line,
    opacity: f64,
    place: &impl Fn(f64, f64) -> (f64, f64),
) {
    for run in line.points.chunk_by(|one, two| one.band.is_some() == two.band.is_some()) {
        let upper = run.iter().filter_map(|point| point.band.map(|(_, high)| (point.x, high)));
        let lower = run.iter().rev().filter_map(|point| point.band.map(|(low, _)| (point.x, low)));
        let outline: Points = upper.chain(lower).map(|(x, y)| place(x, y)).collect();
        if outline.len() >= 4 {
            scene.veil(&outline, line.colour, opacity);
        }
    }
}

fn draw_line(
    scene: &mut Scene,
    line: &Line,
    with_dots: bool,
    place: &impl Fn(f64, f64) -> (f64, f64),
) {
    let points: Points = line.points.iter().map(|point| place(point.x, point.y)).collect();
    if line.dashed {
        scene.dashes(&points, line.colour, LINE_WIDTH);
        return;
    }
    if points.len() > 1 {
        scene.line(&points, line.colour, LINE_WIDTH);
    }
    if points.len() == 1 || (with_dots && points.len() <= MOST_DOTS) {
        for (point, described) in points.iter().zip(&line.points) {
            scene.dot(*point, 1.6, line.colour, &described.tooltip);
        }
    }
}

/// Two strokes across the frame where the axis leaves out a range.
fn draw_interruption(scene: &mut Scene, x: f64, y: f64) {
    scene.line(&[(x - 1.4, y), (x + 1.4, y)], Rgb::WHITE, 1.6);
    for shift in [-1.4, 1.4] {
        let stroke = [(x + shift - 1.0, y + 2.4), (x + shift + 1.0, y - 2.4)];
        scene.line(&stroke, Rgb::INK, 0.6);
    }
}

/// Clears labels that would touch the one before.
fn thinned(mut ticks: Vec<ValueTick>, length: f64) -> Vec<ValueTick> {
    let mut free_from = f64::NEG_INFINITY;
    for tick in ticks.iter_mut().filter(|tick| !tick.label.is_empty()) {
        let half = width_of(&tick.label, SMALL) / 2.0 + 0.25 * SMALL;
        let centre = tick.place * length;
        if centre - half < free_from {
            tick.label.clear();
        } else {
            free_from = centre + half;
        }
    }
    ticks
}
