//! Figures: shared pieces (scene, text, ticks, colours, legend) and one module a kind of figure.
//!
//! A figure is an SVG scene in points, laid out with the metrics of the font it is drawn in,
//! then rasterised (resvg) or converted to PDF (svg2pdf) with that same font and no other. An
//! own scene rather than a plotting crate: hatching, cell states and shared scales are what
//! these figures are about, and plotters and kuva have none of them.

mod caption;
mod colour;
mod curve;
mod heat_map;
mod legend;
mod line_chart;
mod marks;
mod numbers;
mod output;
mod panel;
mod rpd;
mod scale;
mod scene;
mod text;
mod ticks;
mod value_axis;

pub use curve::curve_figure;
pub use heat_map::heat_map;
pub(crate) use output::{write_pdf, write_png, write_svg};
pub use rpd::rpd_figure;
