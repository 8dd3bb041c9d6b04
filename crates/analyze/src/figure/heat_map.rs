//! The phase diagram as a heat map: panels in a grid, one scale, one legend, a caption.

use super::caption;
use super::legend::{ARROW, LARGE, SMALL, categories_height, draw_marks, draw_scale};
use super::marks::Mark;
use super::numbers::plain;
use super::panel::{TICK, TICK_GAP, draw_cells, draw_x_ticks, draw_y_ticks};
use super::scale::Scale;
use super::scene::{Anchor, Area, Scene, TextStyle};
use super::text::{CAP_HEIGHT, LINE_HEIGHT, width_of, wrap};
use super::ticks::{Tick, axis_ticks, facet_title, labels_of};
use crate::diagram::{PhaseDiagram, ValueKind};
use crate::level::Level;
use crate::request::Stat;

const MARGIN: f64 = 6.0;
const GAP: f64 = 11.0;
/// Panels are no lower than this, so that titles read from below have room.
const LOWEST_PANEL: f64 = 72.0;
const FACET_TITLE: f64 = 13.0;
const TALLEST_BAR: f64 = 210.0;
/// Cells are no larger than this, so that a diagram of one column is no wall.
const LARGEST_CELL: f64 = 54.0;

/// Draws a phase diagram as an SVG document, in points.
pub fn heat_map(diagram: &PhaseDiagram) -> String {
    let layout = Layout::of(diagram);
    let scale = Scale::of(diagram);
    let mut scene = Scene::default();
    for facet in 0..diagram.facet_count() {
        layout.draw_panel(&mut scene, diagram, facet, &scale);
    }
    layout.draw_axis_titles(&mut scene, diagram);

    let panels = layout.panels();
    let title = value_title(diagram);
    let bar_height = (panels.height - 2.0 * ARROW).min(TALLEST_BAR);
    let scale_area = Area {
        x: panels.right() + 14.0,
        y: match &scale {
            Scale::Categories(_) => panels.y,
            _ => panels.y + (panels.height - bar_height) / 2.0,
        },
        width: 0.0,
        height: bar_height,
    };
    let scale_width = draw_scale(&mut scene, &scale, scale_area, &title);
    let mut right = panels.right();
    if scale_width > 0.0 {
        right = scale_area.x + scale_width;
    }
    let right = right.max(MARGIN + 220.0);
    let beside = scale_area.y + categories_height(&scale, &title);
    let mut y = layout.below_titles().max(beside) + 5.0;
    let full = |y: f64| Area { x: MARGIN, y, width: right - MARGIN, height: 0.0 };
    let used = used_marks(diagram);
    let legend_height = draw_marks(&mut scene, &used, full(y));
    if legend_height > 0.0 {
        y += legend_height + 6.0;
    }
    let mut caption = caption(diagram, &scale);
    if scale == Scale::Nothing {
        // Without a scale nothing else names the value.
        caption = format!("{title}: no value · {caption}");
    }
    y += caption::draw(&mut scene, &caption, full(y));
    scene.finish(right + MARGIN, y + MARGIN - 2.0, &title.replace('\u{a0}', " "))
}

fn used_marks(diagram: &PhaseDiagram) -> Vec<Mark> {
    let paired = diagram.against.is_some();
    let mut used: Vec<Mark> =
        diagram.cells.iter().flat_map(|cell| Mark::of(cell, paired)).collect();
    used.sort();
    used.dedup();
    used
}

/// `median sample basin (rms)`; the mean goes without saying, the caption names it.
fn value_title(diagram: &PhaseDiagram) -> String {
    let label = match &diagram.against {
        Some(_) => format!("Δ {}", diagram.value.label),
        None => diagram.value.label.clone(),
    };
    let statistic = match diagram.stat {
        _ if diagram.kind == ValueKind::Category => format!("most frequent {label}"),
        Stat::Mean => label,
        Stat::Std => format!("sd of {label}"),
        Stat::Median => format!("median {label}"),
    };
    let place =
        if diagram.place.is_empty() { String::new() } else { format!(", {}", diagram.place) };
    let against = diagram.against.as_ref().map_or(String::new(), |other| {
        format!(", against {}", other.replace(" = ", "\u{a0}=\u{a0}"))
    });
    let unit = if diagram.value.unit.is_empty() {
        String::new()
    } else {
        format!(" ({})", diagram.value.unit)
    };
    format!("{statistic}{place}{against}{unit}")
}

fn caption(diagram: &PhaseDiagram, scale: &Scale) -> String {
    let mut parts = vec![format!("sweep {}", diagram.sweep)];
    if !diagram.task.is_empty() {
        parts.push(format!("task {}", diagram.task));
    }
    let over: Vec<&str> =
        std::iter::once("seeds").chain(diagram.over.iter().map(String::as_str)).collect();
    if diagram.against.is_some() {
        parts.push("differences at equal seeds".to_owned());
    }
    let statistic = match (diagram.kind, diagram.stat) {
        (ValueKind::Category, _) => "most frequent value".to_owned(),
        (_, Stat::Std) => "standard deviation".to_owned(),
        (_, stat) => stat.to_string(),
    };
    parts.push(format!("{statistic} over {}", over.join(", ")));
    match diagram.trials_per_cell() {
        Some((least, most)) if least == most => parts.push(format!("n = {most} trials a cell")),
        Some((least, most)) => parts.push(format!("n = {least} to {most} trials a cell")),
        None => {}
    }
    if let Scale::Numbers(scale) = scale {
        let ends = [(scale.low, scale.beyond_low), (scale.high, scale.beyond_high)];
        for (end, beyond) in ends {
            let words = |beyond| {
                format!("colours end at {}, values at {}", plain(end, 2), plain(beyond, 2))
            };
            parts.extend(beyond.map(words));
        }
    }
    if diagram.cells.iter().any(|cell| cell.n_censored > 0) {
        parts.push("radii censored right count as ∞, left as 0".to_owned());
    }
    if !diagram.condition.is_empty() {
        parts.push(format!("where {}", diagram.condition));
    }
    caption::join(parts)
}

/// How far labels reach beyond a panel on both sides together.
fn overhang(ticks: &[Tick], cell_width: f64, panel_width: f64) -> f64 {
    let reach = |tick: &Tick| {
        let (centre, half) = (tick.position * cell_width, width_of(&tick.label, SMALL) / 2.0);
        (half - centre, centre + half - panel_width)
    };
    let labelled = || ticks.iter().filter(|tick| !tick.label.is_empty()).map(reach);
    let left = labelled().map(|(left, _)| left).fold(0.0, f64::max);
    let right = labelled().map(|(_, right)| right).fold(0.0, f64::max);
    left + right
}

/// Where everything goes.
struct Layout {
    columns: usize,
    rows: usize,
    facets: usize,
    panel_width: f64,
    panel_height: f64,
    column_gap: f64,
    left: f64,
    top: f64,
    facet_titles: Vec<String>,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    x_turned: bool,
    x_labels_height: f64,
    x_title: Vec<String>,
    y_title: Vec<String>,
}

impl Layout {
    fn of(diagram: &PhaseDiagram) -> Layout {
        let facets = diagram.facet_count();
        let columns = match facets {
            1..=3 => facets,
            4 => 2,
            5 | 6 | 9 => 3,
            7..=12 => 4,
            _ => (facets as f64).sqrt().ceil() as usize,
        };
        let (widest, tallest): (f64, f64) = match columns {
            1 => (216.0, 180.0),
            2 => (168.0, 146.0),
            3 => (122.0, 110.0),
            _ => (98.0, 90.0),
        };
        let facet_titles = diagram.facet.as_ref().map_or(Vec::new(), |facet| {
            let title = |label: &String| facet_title(&facet.column.label, label);
            labels_of(&facet.levels).iter().map(title).collect()
        });
        let title_width =
            facet_titles.iter().map(|title| width_of(title, LARGE)).fold(0.0, f64::max);
        let panel_width =
            widest.min(diagram.x.levels.len() as f64 * LARGEST_CELL).max(title_width + 2.0);
        let panel_height =
            tallest.min(diagram.y.levels.len() as f64 * LARGEST_CELL).max(LOWEST_PANEL);

        let y_ticks = axis_ticks(&diagram.y, panel_height, SMALL, true);
        let y_labels_width =
            y_ticks.iter().map(|tick| width_of(&tick.label, SMALL)).fold(0.0, f64::max);
        let cell_width = panel_width / diagram.x.levels.len() as f64;
        let widest_label = labels_of(&diagram.x.levels)
            .iter()
            .map(|label| width_of(label, SMALL))
            .fold(0.0, f64::max);
        // Names must not be thinned away like numbers: they turn instead.
        let has_names = diagram.x.levels.iter().any(|level| matches!(level, Level::Text(_)));
        let x_turned = has_names && widest_label + 4.0 > cell_width;
        let x_ticks = axis_ticks(&diagram.x, panel_width, SMALL, x_turned);
        let x_labels_height = if x_turned { widest_label } else { SMALL * CAP_HEIGHT };

        let rows = facets.div_ceil(columns);
        let mut layout = Layout {
            columns,
            rows,
            facets,
            panel_width,
            panel_height,
            column_gap: GAP.max(overhang(&x_ticks, cell_width, panel_width) + 5.0),
            left: 0.0,
            top: MARGIN + if facet_titles.is_empty() { 0.0 } else { FACET_TITLE },
            facet_titles,
            x_ticks,
            y_ticks,
            x_turned,
            x_labels_height,
            x_title: Vec::new(),
            y_title: Vec::new(),
        };
        let panels = layout.panels();
        layout.x_title = wrap(&diagram.x.column.title(), LARGE, panels.width.max(130.0));
        layout.y_title = wrap(&diagram.y.column.title(), LARGE, panels.height);
        let y_titles = layout.y_title.len() as f64 * LARGE * LINE_HEIGHT;
        layout.left = MARGIN + y_titles + 3.0 + y_labels_width + TICK + TICK_GAP;
        layout
    }

    fn row_height(&self) -> f64 {
        self.panel_height + if self.facet_titles.is_empty() { GAP } else { GAP + FACET_TITLE }
    }

    /// The area of all panels.
    fn panels(&self) -> Area {
        let between = (self.columns - 1) as f64 * self.column_gap;
        Area {
            x: self.left,
            y: self.top,
            width: self.columns as f64 * self.panel_width + between,
            height: (self.rows - 1) as f64 * self.row_height() + self.panel_height,
        }
    }

    fn panel(&self, facet: usize) -> Area {
        let (column, row) = (facet % self.columns, facet / self.columns);
        Area {
            x: self.left + column as f64 * (self.panel_width + self.column_gap),
            y: self.top + row as f64 * self.row_height(),
            width: self.panel_width,
            height: self.panel_height,
        }
    }

    fn draw_panel(&self, scene: &mut Scene, diagram: &PhaseDiagram, facet: usize, scale: &Scale) {
        let area = self.panel(facet);
        scene.open_group("panel");
        draw_cells(scene, diagram, facet, area, scale);
        let is_lowest = facet + self.columns >= self.facets;
        let is_leftmost = facet.is_multiple_of(self.columns);
        draw_x_ticks(scene, &self.x_ticks, area, diagram.x.levels.len(), is_lowest, self.x_turned);
        draw_y_ticks(scene, &self.y_ticks, area, diagram.y.levels.len(), is_leftmost);
        if let Some(title) = self.facet_titles.get(facet) {
            let style = TextStyle::new(LARGE, Anchor::Middle);
            scene.text(area.centre().0, area.y - 4.0, title, style);
        }
        scene.close_group();
    }

    fn draw_axis_titles(&self, scene: &mut Scene, diagram: &PhaseDiagram) {
        let panels = self.panels();
        let (x, y) = panels.centre();
        debug_assert!(!diagram.cells.is_empty());
        let mut baseline = self.below_ticks() + LARGE;
        for line in &self.x_title {
            scene.text(x, baseline, line, TextStyle::new(LARGE, Anchor::Middle));
            baseline += LARGE * LINE_HEIGHT;
        }
        let mut baseline = MARGIN + LARGE;
        for line in &self.y_title {
            scene.text(baseline, y, line, TextStyle::new(LARGE, Anchor::Middle).upward());
            baseline += LARGE * LINE_HEIGHT;
        }
    }

    fn below_ticks(&self) -> f64 {
        self.panels().bottom() + TICK + TICK_GAP + self.x_labels_height + 4.0
    }

    fn below_titles(&self) -> f64 {
        self.below_ticks() + self.x_title.len() as f64 * LARGE * LINE_HEIGHT + 2.0
    }
}
