//! How cells show that not every trial is behind their value, or that they have none.

use super::colour::{Rgb, viridis};
use super::scale::{Reach, reach};
use super::scene::{Area, Points, Scene};
use crate::diagram::{Cell, CellState};

/// Hatching lets the colour below speak.
const HATCH_OPACITY: f64 = 0.65;

/// What a legend may have to explain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Partial,
    Tied,
    Some,
    Divided,
    Unresolved,
    Above,
    Below,
    Diverged,
    Failed,
    Null,
    Missing,
}

impl Mark {
    /// The words beside it.
    pub(super) fn explanation(self) -> &'static str {
        match self {
            Mark::Partial => "some trials diverged or failed (n_ok < n)",
            Mark::Tied => "tie for the most frequent",
            Mark::Some => "undefined or censored in some trials",
            Mark::Divided => "trials disagree",
            Mark::Unresolved => "95 % interval includes 0",
            Mark::Above => "beyond the searched range",
            Mark::Below => "below the searched range",
            Mark::Diverged => "all trials diverged",
            Mark::Failed => "no trial succeeded",
            Mark::Null => "value undefined",
            Mark::Missing => "not yet run",
        }
    }

    /// The class of its group in the document.
    fn class(self) -> &'static str {
        match self {
            Mark::Partial => "hatch-partial",
            Mark::Tied => "hatch-tied",
            Mark::Some => "some",
            Mark::Divided => "divided",
            Mark::Unresolved => "unresolved",
            Mark::Above => "above",
            Mark::Below => "below",
            Mark::Diverged => "hatch-diverged",
            Mark::Failed => "failed",
            Mark::Null => "null",
            Mark::Missing => "missing",
        }
    }

    /// The marks of a cell; `paired` says that values are differences.
    pub(super) fn of(cell: &Cell, paired: bool) -> Vec<Mark> {
        let mut marks = match cell.state {
            CellState::Outside => Vec::new(),
            CellState::Missing => vec![Mark::Missing],
            CellState::Null => vec![Mark::Null],
            CellState::Failed => vec![Mark::Failed],
            CellState::Diverged => vec![Mark::Diverged],
            CellState::Value => match reach(cell) {
                Reach::Within => Vec::new(),
                Reach::Above => vec![Mark::Above],
                Reach::Below => vec![Mark::Below],
            },
        };
        if matches!(cell.state, CellState::Value | CellState::Null) && cell.n_ok < cell.n {
            marks.push(Mark::Partial);
        }
        match &cell.mode {
            Some(mode) if mode.tied => marks.push(Mark::Tied),
            Some(mode) if mode.share < 1.0 => marks.push(Mark::Divided),
            _ => {}
        }
        if cell.state == CellState::Value && cell.n_null + cell.n_censored > 0 {
            marks.push(Mark::Some);
        }
        let interval = cell.summary.ci_low.zip(cell.summary.ci_high);
        if paired && interval.is_some_and(|(low, high)| low <= 0.0 && high >= 0.0) {
            marks.push(Mark::Unresolved);
        }
        marks
    }
}

/// Draws one mark over cells of one size whose colour is `ground`, or as light or dark as it.
pub(super) fn draw(scene: &mut Scene, mark: Mark, areas: &[Area], ground: Rgb) {
    let Some(first) = areas.first() else { return };
    let side = first.width.min(first.height);
    let arm = (0.22 * side).min(4.0);
    let stroke = (0.28 * arm).clamp(0.25, 0.8);
    let spacing = (side / 2.6).clamp(1.5, 4.5);
    let hatch = (0.17 * spacing).clamp(0.3, 0.7);
    let contrast = if ground.is_light() { Rgb::INK } else { Rgb::WHITE };
    let around = |shape: fn(f64, f64, f64) -> Vec<Points>| -> Vec<Points> {
        let place = |area: &Area| shape(area.centre().0, area.centre().1, arm);
        areas.iter().flat_map(place).collect()
    };
    let rising =
        || areas.iter().flat_map(|area| hatching(*area, spacing, true)).collect::<Vec<_>>();
    let falling =
        || areas.iter().flat_map(|area| hatching(*area, spacing, false)).collect::<Vec<_>>();
    scene.open_group(mark.class());
    match mark {
        Mark::Partial => scene.lines(&rising(), contrast, hatch, HATCH_OPACITY),
        Mark::Tied => scene.lines(&falling(), contrast, hatch, HATCH_OPACITY),
        Mark::Diverged => scene.lines(&rising(), Rgb::FAINT, 0.8 * hatch, 1.0),
        Mark::Failed => scene.polygons(&around(square), Rgb::GREY),
        Mark::Null => scene.lines(&around(dash), Rgb::FAINT, stroke, 1.0),
        Mark::Missing => scene.lines(&around(cross), Rgb::FAINT, stroke, 1.0),
        Mark::Some => scene.polygons(&in_corner(areas, true), contrast),
        Mark::Divided | Mark::Unresolved => {
            scene.lines(&in_corner(areas, false), contrast, 0.7, 1.0);
        }
        Mark::Above => scene.polygons(&around(upward_triangle), contrast),
        Mark::Below => scene.polygons(&around(downward_triangle), contrast),
    }
    scene.close_group();
}

/// Small circles in the upper corners, where they leave the middle to letters and triangles: in
/// the left one dots, in the right one rings.
fn in_corner(areas: &[Area], is_left: bool) -> Vec<Points> {
    let circle = |area: &Area| -> Points {
        let side = area.width.min(area.height);
        let radius = (0.1 * side).clamp(0.4, 1.7);
        let inset = radius + (0.1 * side).min(2.2);
        let x = if is_left { area.x + inset } else { area.right() - inset };
        let turn = std::f64::consts::TAU / 16.0;
        let point = |step: i32| (f64::from(step) * turn).sin_cos();
        let around = (0..=16).map(point);
        around.map(|(sin, cos)| (x + radius * cos, area.y + inset + radius * sin)).collect()
    };
    areas.iter().map(circle).collect()
}

fn square(x: f64, y: f64, arm: f64) -> Vec<Points> {
    let half = 0.6 * arm;
    vec![vec![
        (x - half, y - half),
        (x + half, y - half),
        (x + half, y + half),
        (x - half, y + half),
    ]]
}

fn dash(x: f64, y: f64, arm: f64) -> Vec<Points> {
    vec![vec![(x - arm, y), (x + arm, y)]]
}

fn cross(x: f64, y: f64, arm: f64) -> Vec<Points> {
    vec![vec![(x - arm, y - arm), (x + arm, y + arm)], vec![(x - arm, y + arm), (x + arm, y - arm)]]
}

fn upward_triangle(x: f64, y: f64, arm: f64) -> Vec<Points> {
    vec![vec![(x - arm, y + arm), (x + arm, y + arm), (x, y - arm)]]
}

fn downward_triangle(x: f64, y: f64, arm: f64) -> Vec<Points> {
    vec![vec![(x - arm, y - arm), (x + arm, y - arm), (x, y + arm)]]
}

/// Diagonal lines across a rectangle. Lines of neighbours meet: all lie on one lattice.
/// Plain lines, not a pattern fill, which renderers sample at their own resolution.
fn hatching(area: Area, spacing: f64, rising: bool) -> Vec<Points> {
    // In coordinates with y down, x + y is constant along a rising line. A falling line is a
    // rising one with x mirrored about the left edge of the page.
    let step = spacing * std::f64::consts::SQRT_2;
    let (left, right) = if rising { (area.x, area.right()) } else { (-area.right(), -area.x) };
    let (top, bottom) = (area.y, area.bottom());
    let first = ((left + top) / step).ceil() as i64;
    let last = ((right + bottom) / step).floor() as i64;
    let mirror = |x: f64| if rising { x } else { -x };
    (first..=last)
        .map(|number| number as f64 * step)
        .map(|sum| {
            let start = left.max(sum - bottom);
            let end = right.min(sum - top);
            vec![(mirror(start), sum - start), (mirror(end), sum - end)]
        })
        .collect()
}

/// The ground a mark is shown on in the legend.
pub(super) fn legend_ground(mark: Mark) -> Rgb {
    match mark {
        Mark::Partial | Mark::Tied | Mark::Some | Mark::Divided | Mark::Unresolved => Rgb::WHITE,
        Mark::Above => viridis(1.0),
        Mark::Below => viridis(0.0),
        Mark::Diverged => Rgb::DIVERGED,
        Mark::Failed | Mark::Null | Mark::Missing => Rgb::PALE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hatching_stays_inside_and_meets_at_borders() {
        let left = Area { x: 3.0, y: 2.0, width: 7.0, height: 5.0 };
        let right = Area { x: 10.0, ..left };
        for rising in [true, false] {
            let lines = hatching(left, 1.0, rising);
            assert!(lines.len() >= 5);
            for (x, y) in lines.iter().flatten() {
                assert!(
                    (3.0 - 1e-9..=10.0 + 1e-9).contains(x) && (2.0 - 1e-9..=7.0 + 1e-9).contains(y)
                );
            }
            let on_border = |lines: Vec<Points>| -> Vec<i64> {
                let points = lines.into_iter().flatten().filter(|(x, _)| (x - 10.0).abs() < 1e-9);
                let mut heights: Vec<i64> = points.map(|(_, y)| (y * 1e6) as i64).collect();
                heights.sort();
                heights
            };
            assert_eq!(on_border(lines), on_border(hatching(right, 1.0, rising)));
        }
    }
}
