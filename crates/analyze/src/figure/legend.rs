//! Colour bar, list of categories, and the explanation of marks.

use super::colour::Rgb;
use super::marks::{self, Mark};
use super::scale::{NumberScale, Scale};
use super::scene::{Anchor, Area, Scene, TextStyle};
use super::text::{CAP_HEIGHT, LINE_HEIGHT, width_of, wrap};

/// Size of small text: ticks, legend, caption.
pub(super) const SMALL: f64 = 8.0;

/// Size of axis and bar titles, and of facet titles.
pub(super) const LARGE: f64 = 9.0;

const BAR_WIDTH: f64 = 9.0;
const SWATCH: f64 = 9.0;
/// Tip of a bar beyond which there are values.
pub(super) const ARROW: f64 = 5.0;
const STOPS: usize = 32;

/// Draws the scale to the right of the panels, in an area of this height whose left edge is
/// `area.x`, and returns the width it took. `title` names the value.
pub(super) fn draw_scale(scene: &mut Scene, scale: &Scale, area: Area, title: &str) -> f64 {
    match scale {
        Scale::Nothing => 0.0,
        Scale::Numbers(numbers) => draw_bar(scene, numbers, area, title),
        Scale::Categories(entries) => draw_categories(scene, entries, area, title),
    }
}

fn draw_bar(scene: &mut Scene, scale: &NumberScale, area: Area, title: &str) -> f64 {
    scene.open_group("colour-bar");
    let stops: String = (0..=STOPS)
        .map(|stop| stop as f64 / STOPS as f64)
        .map(|place| {
            let colour = scale.colour(scale.value_at(place));
            format!("<stop offset=\"{place}\" stop-color=\"{colour}\"/>")
        })
        .collect();
    scene.define(&format!(
        "<linearGradient id=\"scale\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">{stops}</linearGradient>"
    ));
    let bar = Area { width: BAR_WIDTH, ..area };
    scene.rect(bar, "url(#scale)", "");
    scene.frame(bar, Rgb::INK, 0.5);
    let (middle, _) = bar.centre();
    for (beyond, end, tip) in [
        (scale.beyond_high, bar.y, bar.y - ARROW),
        (scale.beyond_low, bar.bottom(), bar.bottom() + ARROW),
    ] {
        if let Some(value) = beyond {
            let arrow = vec![(bar.x, end), (bar.right(), end), (middle, tip)];
            scene.polygons(&[arrow], scale.colour(value));
            scene.line(&[(bar.x, end), (middle, tip), (bar.right(), end)], Rgb::INK, 0.5);
        }
    }
    let mut widest: f64 = 0.0;
    for (value, label) in scale.ticks() {
        let y = bar.bottom() - scale.position(value) * bar.height;
        scene.line(&[(bar.right(), y), (bar.right() + 2.5, y)], Rgb::INK, 0.5);
        let style = TextStyle::new(SMALL, Anchor::Start);
        scene.text(bar.right() + 4.5, y + SMALL * CAP_HEIGHT / 2.0, &label, style);
        widest = widest.max(width_of(&label, SMALL));
    }
    let mut baseline = bar.right() + 4.5 + widest + 5.0;
    let (_, middle) = bar.centre();
    for line in wrap(title, LARGE, bar.height) {
        baseline += LARGE;
        scene.text(baseline, middle, &line, TextStyle::new(LARGE, Anchor::Middle).upward());
        baseline += LARGE * (LINE_HEIGHT - 1.0);
    }
    scene.close_group();
    baseline - area.x
}

fn draw_categories(scene: &mut Scene, entries: &[(String, Rgb)], area: Area, title: &str) -> f64 {
    scene.open_group("categories");
    let mut y = area.y;
    let mut widest: f64 = 0.0;
    for line in wrap(title, LARGE, 90.0) {
        scene.text(area.x, y + LARGE * CAP_HEIGHT, &line, TextStyle::new(LARGE, Anchor::Start));
        widest = widest.max(width_of(&line, LARGE));
        y += LARGE * LINE_HEIGHT;
    }
    y += 3.0;
    for (name, colour) in entries {
        let swatch = Area { x: area.x, y, width: SWATCH, height: SWATCH };
        scene.rect(swatch, &colour.to_string(), "");
        scene.frame(swatch, Rgb::INK, 0.4);
        let baseline = y + SWATCH / 2.0 + SMALL * CAP_HEIGHT / 2.0;
        scene.text(swatch.right() + 4.0, baseline, name, TextStyle::new(SMALL, Anchor::Start));
        widest = widest.max(SWATCH + 4.0 + width_of(name, SMALL));
        y += SWATCH + 4.0;
    }
    scene.close_group();
    widest
}

/// Height that the list of categories needs, title included.
pub(super) fn categories_height(scale: &Scale, title: &str) -> f64 {
    match scale {
        Scale::Categories(entries) => {
            wrap(title, LARGE, 90.0).len() as f64 * LARGE * LINE_HEIGHT
                + 3.0
                + entries.len() as f64 * (SWATCH + 4.0)
        }
        _ => 0.0,
    }
}

/// Explains marks in rows below the panels, and returns the height they took.
pub(super) fn draw_marks(scene: &mut Scene, used: &[Mark], area: Area) -> f64 {
    if used.is_empty() {
        return 0.0;
    }
    scene.open_group("legend");
    let (mut x, mut y) = (area.x, area.y);
    for mark in used {
        let text = mark.explanation();
        let width = SWATCH + 4.0 + width_of(text, SMALL);
        if x > area.x && x + width > area.right() {
            x = area.x;
            y += SWATCH + 4.0;
        }
        let swatch = Area { x, y, width: SWATCH, height: SWATCH };
        let ground = marks::legend_ground(*mark);
        scene.rect(swatch, &ground.to_string(), "");
        marks::draw(scene, *mark, &[swatch], ground);
        scene.frame(swatch, Rgb::INK, 0.4);
        let baseline = y + SWATCH / 2.0 + SMALL * CAP_HEIGHT / 2.0;
        scene.text(swatch.right() + 4.0, baseline, text, TextStyle::new(SMALL, Anchor::Start));
        x += width + 12.0;
    }
    scene.close_group();
    y + SWATCH - area.y
}
