//! An SVG document under construction. Lengths are points, y points down.

use super::colour::Rgb;
use std::fmt::Write;

/// Font of all figures; the renderer knows no other.
pub(super) const FONT: &str = "DejaVu Sans";

/// Points in order.
pub(super) type Points = Vec<(f64, f64)>;

/// Where a text's position is on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A text's look.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextStyle {
    pub(super) size: f64,
    pub(super) anchor: Anchor,
    pub(super) upward: bool,
    pub(super) colour: Rgb,
}

impl TextStyle {
    /// Upright black text of this size.
    pub(super) fn new(size: f64, anchor: Anchor) -> TextStyle {
        TextStyle { size, anchor, upward: false, colour: Rgb::INK }
    }

    /// The same, read from below.
    pub(super) fn upward(self) -> TextStyle {
        TextStyle { upward: true, ..self }
    }

    /// The same in another colour.
    pub(super) fn coloured(self, colour: Rgb) -> TextStyle {
        TextStyle { colour, ..self }
    }
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    /// Its right edge.
    pub(super) fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Its lower edge.
    pub(super) fn bottom(&self) -> f64 {
        self.y + self.height
    }

    /// Its centre.
    pub(super) fn centre(&self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

/// The document.
#[derive(Debug, Default)]
pub(super) struct Scene {
    definitions: String,
    body: String,
}

impl Scene {
    /// Adds to `<defs>`: gradients, patterns.
    pub(super) fn define(&mut self, definition: &str) {
        self.definitions.push_str(definition);
        self.definitions.push('\n');
    }

    /// Opens a group with this class, which names what it holds.
    pub(super) fn open_group(&mut self, class: &str) {
        self.push(format_args!("<g class=\"{class}\">"));
    }

    /// Closes the group opened last.
    pub(super) fn close_group(&mut self) {
        self.push(format_args!("</g>"));
    }

    /// A filled rectangle, with a tooltip where it is not empty. `fill` is a colour or `url(#…)`.
    pub(super) fn rect(&mut self, area: Area, fill: &str, tooltip: &str) {
        let Area { x, y, width, height } = area;
        let (x, y, width, height) = (number(x), number(y), number(width), number(height));
        let geometry = format!("x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"");
        if tooltip.is_empty() {
            self.push(format_args!("<rect {geometry} fill=\"{fill}\"/>"));
        } else {
            let title = escape(tooltip);
            self.push(format_args!(
                "<rect {geometry} fill=\"{fill}\"><title>{title}</title></rect>"
            ));
        }
    }

    /// The outline of a rectangle.
    pub(super) fn frame(&mut self, area: Area, colour: Rgb, thickness: f64) {
        self.push(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{}\"/>",
            number(area.x),
            number(area.y),
            number(area.width),
            number(area.height),
            number(thickness)
        ));
    }

    /// Straight lines through these points, open.
    pub(super) fn line(&mut self, points: &[(f64, f64)], colour: Rgb, thickness: f64) {
        self.lines(&[points.to_vec()], colour, thickness, 1.0);
    }

    /// Several open lines as one element.
    pub(super) fn lines(&mut self, lines: &[Points], colour: Rgb, thickness: f64, opacity: f64) {
        let path: String = lines.iter().map(|line| path_of(line)).collect();
        let thickness = number(thickness);
        let opacity =
            if opacity < 1.0 { format!(" stroke-opacity=\"{opacity}\"") } else { String::new() };
        self.push(format_args!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{thickness}\"{opacity}/>"
        ));
    }

    /// Several filled polygons as one element.
    pub(super) fn polygons(&mut self, polygons: &[Points], fill: Rgb) {
        let path: String = polygons.iter().map(|polygon| path_of(polygon) + "Z").collect();
        self.push(format_args!("<path d=\"{path}\" fill=\"{fill}\"/>"));
    }

    /// One open line, dashed.
    pub(super) fn dashes(&mut self, points: &[(f64, f64)], colour: Rgb, thickness: f64) {
        let (path, thickness) = (path_of(points), number(thickness));
        self.push(format_args!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{thickness}\" stroke-dasharray=\"3.2 2\"/>"
        ));
    }

    /// A filled polygon that what lies behind it shows through.
    pub(super) fn veil(&mut self, polygon: &[(f64, f64)], fill: Rgb, opacity: f64) {
        let path = path_of(polygon);
        self.push(format_args!("<path d=\"{path}Z\" fill=\"{fill}\" fill-opacity=\"{opacity}\"/>"));
    }

    /// A dot, with a tooltip where it is not empty.
    pub(super) fn dot(&mut self, (x, y): (f64, f64), radius: f64, fill: Rgb, tooltip: &str) {
        let (x, y, radius) = (number(x), number(y), number(radius));
        let title = match tooltip {
            "" => String::new(),
            text => format!("<title>{}</title>", escape(text)),
        };
        self.push(format_args!(
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{fill}\">{title}</circle>"
        ));
    }

    /// Opens a group of which only what lies inside the area shows. `id` names the area; it must
    /// be the only one of that name.
    pub(super) fn open_clipped(&mut self, class: &str, id: &str, area: Area) {
        let Area { x, y, width, height } = area;
        let (x, y, width, height) = (number(x), number(y), number(width), number(height));
        self.define(&format!(
            "<clipPath id=\"{id}\"><rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/></clipPath>"
        ));
        self.push(format_args!("<g class=\"{class}\" clip-path=\"url(#{id})\">"));
    }

    /// One line of text whose baseline starts, is centred, or ends at the position.
    pub(super) fn text(&mut self, x: f64, y: f64, text: &str, style: TextStyle) {
        let anchor = match style.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y) = (number(x), number(y));
        let turn = if style.upward {
            format!(" transform=\"rotate(-90 {x} {y})\"")
        } else {
            String::new()
        };
        self.push(format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" text-anchor=\"{anchor}\"{turn} fill=\"{}\">{}</text>",
            number(style.size),
            style.colour,
            escape(text)
        ));
    }

    /// The finished document of this size.
    pub(super) fn finish(self, width: f64, height: f64, title: &str) -> String {
        let (width, height) = (number(width.ceil()), number(height.ceil()));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}pt\" height=\"{height}pt\" viewBox=\"0 0 {width} {height}\" font-family=\"'{FONT}', sans-serif\">\n<title>{}</title>\n<defs>\n{}</defs>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{}</svg>\n",
            escape(title),
            self.definitions,
            self.body
        )
    }

    fn push(&mut self, element: std::fmt::Arguments) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.body, "{element}");
    }
}

/// A length with at most three decimals, never NaN.
pub(super) fn number(value: f64) -> String {
    debug_assert!(value.is_finite(), "a length must be finite");
    let text = format!("{:.3}", if value.is_finite() { value } else { 0.0 });
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn path_of(points: &[(f64, f64)]) -> String {
    let points: Vec<String> =
        points.iter().map(|(x, y)| format!("{} {}", number(*x), number(*y))).collect();
    format!("M{}", points.join("L"))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
