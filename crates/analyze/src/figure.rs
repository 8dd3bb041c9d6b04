//! Figures: shared pieces (scene, text, ticks, colours, legend) and one module a kind of figure.
//!
//! A figure is an SVG scene in points, laid out with the metrics of the font it is drawn in,
//! then rasterised (resvg) or converted to PDF (svg2pdf) with that same font and no other. An
//! own scene rather than a plotting crate: hatching, cell states and shared scales are what
//! these figures are about, and plotters and kuva have none of them.

mod colour;
mod heat_map;
mod legend;
mod marks;
mod numbers;
mod output;
mod panel;
mod scale;
mod scene;
mod text;
mod ticks;

pub use heat_map::heat_map;
pub(crate) use output::{write_pdf, write_png, write_svg};
