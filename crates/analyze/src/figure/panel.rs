//! One panel of a heat map: cells, marks, frame, ticks.

use super::colour::Rgb;
use super::legend::SMALL;
use super::marks::{self, Mark};
use super::numbers::plain;
use super::scale::Scale;
use super::scene::{Anchor, Area, Scene, TextStyle};
use super::text::{CAP_HEIGHT, width_of};
use super::ticks::Tick;
use crate::diagram::{Cell, CellState, PhaseDiagram};
use crate::request::Stat;
use std::collections::BTreeMap;

/// Length of a labelled tick; minor ones are shorter.
pub(super) const TICK: f64 = 3.0;

/// Gap between tick and label.
pub(super) const TICK_GAP: f64 = 2.0;

/// Size of a category's name in its cell, where there is room; smaller than the least it is left
/// to the colour.
const NAME_SIZE: f64 = 7.5;
const SMALLEST_NAME: f64 = 5.0;

/// Figures with more cells carry no tooltips.
const MOST_TOOLTIPS: usize = 5_000;

/// Draws the cells of a facet into an area.
pub(super) fn draw_cells(
    scene: &mut Scene,
    diagram: &PhaseDiagram,
    facet: usize,
    area: Area,
    scale: &Scale,
) {
    scene.open_group("cells");
    let (columns, rows) = (diagram.x.levels.len(), diagram.y.levels.len());
    let (width, height) = (area.width / columns as f64, area.height / rows as f64);
    // A sliver of overlap hides the hairlines that viewers draw between touching shapes.
    let overlap = (0.2 * width.min(height)).min(0.4);
    let place = |cell: &Cell| Area {
        x: area.x + cell.x as f64 * width,
        y: area.bottom() - (cell.y + 1) as f64 * height,
        width,
        height,
    };
    let with_tooltips = diagram.cells.len() <= MOST_TOOLTIPS;
    let cells = diagram.panel(facet);
    // Upper rows first, so that the next row covers their overlap.
    for cell in cells.chunks(columns).rev().flatten() {
        if cell.state == CellState::Outside {
            continue;
        }
        let exact = place(cell);
        let right = if cell.x + 1 < columns { overlap } else { 0.0 };
        let below = if cell.y > 0 { overlap } else { 0.0 };
        let ground = Area { width: exact.width + right, height: exact.height + below, ..exact };
        let tooltip = if with_tooltips { describe(diagram, cell) } else { String::new() };
        scene.rect(ground, &ground_of(cell, scale).to_string(), &tooltip);
    }
    scene.close_group();
    let mut marked: BTreeMap<(Mark, bool), (Rgb, Vec<Area>)> = BTreeMap::new();
    for cell in cells {
        let ground = ground_of(cell, scale);
        for mark in Mark::of(cell, diagram.against.is_some()) {
            let key = (mark, ground.is_light());
            marked.entry(key).or_insert((ground, Vec::new())).1.push(place(cell));
        }
    }
    for ((mark, _), (ground, areas)) in marked {
        marks::draw(scene, mark, &areas, ground);
    }
    for cell in cells {
        name_category(scene, cell, place(cell), ground_of(cell, scale));
    }
    scene.frame(area, Rgb::INK, 0.6);
}

/// Writes a short category into its cell, so that the figure does not rest on colour alone.
fn name_category(scene: &mut Scene, cell: &Cell, area: Area, ground: Rgb) {
    let Some(mode) = cell.mode.as_ref().filter(|_| cell.state == CellState::Value) else { return };
    let size = (0.5 * area.height).min(NAME_SIZE);
    if size < SMALLEST_NAME || width_of(&mode.category, size) > 0.75 * area.width {
        return;
    }
    let ink = if ground.is_light() { Rgb::INK } else { Rgb::WHITE };
    let (x, y) = area.centre();
    let style = TextStyle::new(size, Anchor::Middle).coloured(ink);
    scene.text(x, y + size * CAP_HEIGHT / 2.0, &mode.category, style);
}

fn ground_of(cell: &Cell, scale: &Scale) -> Rgb {
    match cell.state {
        CellState::Value => scale.colour(cell),
        CellState::Diverged => Rgb::DIVERGED,
        CellState::Failed | CellState::Null | CellState::Missing | CellState::Outside => Rgb::PALE,
    }
}

fn describe(diagram: &PhaseDiagram, cell: &Cell) -> String {
    let summary = &cell.summary;
    let around = match diagram.stat {
        Stat::Mean => summary.ci_low.zip(summary.ci_high),
        Stat::Median => summary.q25.zip(summary.q75),
        Stat::Std => None,
    };
    let around = around
        .map_or(String::new(), |(low, high)| format!(" [{}, {}]", plain(low, 3), plain(high, 3)));
    let shown = match (&cell.mode, cell.value) {
        (Some(mode), _) => format!("{} ({:.0} %)", mode.category, 100.0 * mode.share),
        (None, Some(value)) => format!("{}{around}", plain(value, 4)),
        (None, None) => "no value".to_owned(),
    };
    let mut text = format!(
        "{} {}, {} {}: {shown}; n {}, ok {}, diverged {}",
        diagram.x.column.label,
        diagram.x.levels[cell.x],
        diagram.y.column.label,
        diagram.y.levels[cell.y],
        cell.n,
        cell.n_ok,
        cell.n_diverged
    );
    for (name, count) in [("null", cell.n_null), ("censored", cell.n_censored)] {
        if count > 0 {
            text.push_str(&format!(", {name} {count}"));
        }
    }
    text
}

/// Draws ticks below an area, labelled if asked, `turned` to be read from below.
pub(super) fn draw_x_ticks(
    scene: &mut Scene,
    ticks: &[Tick],
    area: Area,
    cells: usize,
    labelled: bool,
    turned: bool,
) {
    scene.open_group("x-ticks");
    for tick in ticks {
        let x = area.x + tick.position * area.width / cells as f64;
        let length = if tick.label.is_empty() { TICK / 2.0 } else { TICK };
        scene.line(&[(x, area.bottom()), (x, area.bottom() + length)], Rgb::INK, 0.5);
        if !labelled || tick.label.is_empty() {
            continue;
        }
        let top = area.bottom() + TICK + TICK_GAP;
        if turned {
            let style = TextStyle::new(SMALL, Anchor::End).upward();
            scene.text(x + SMALL * CAP_HEIGHT / 2.0, top, &tick.label, style);
        } else {
            scene.text(
                x,
                top + SMALL * CAP_HEIGHT,
                &tick.label,
                TextStyle::new(SMALL, Anchor::Middle),
            );
        }
    }
    scene.close_group();
}

/// Draws ticks left of an area, labelled if asked.
pub(super) fn draw_y_ticks(
    scene: &mut Scene,
    ticks: &[Tick],
    area: Area,
    cells: usize,
    labelled: bool,
) {
    scene.open_group("y-ticks");
    for tick in ticks {
        let y = area.bottom() - tick.position * area.height / cells as f64;
        let length = if tick.label.is_empty() { TICK / 2.0 } else { TICK };
        scene.line(&[(area.x - length, y), (area.x, y)], Rgb::INK, 0.5);
        if labelled && !tick.label.is_empty() {
            let style = TextStyle::new(SMALL, Anchor::End);
            scene.text(area.x - TICK - TICK_GAP, y + SMALL * CAP_HEIGHT / 2.0, &tick.label, style);
        }
    }
    scene.close_group();
}
