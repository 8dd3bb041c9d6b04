//! SVG documents as files: as they are, rasterised, or as PDF.

use super::scene::FONT;
use crate::error::{AnalyzeError, Result};
use resvg::{tiny_skia, usvg};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Dots per inch of a rasterised figure.
const PNG_DPI: f32 = 300.0;

/// usvg works in CSS pixels.
const CSS_DPI: f32 = 96.0;

/// Writes the document itself.
pub(crate) fn write_svg(svg: &str, path: &Path) -> Result<()> {
    std::fs::write(path, svg).map_err(AnalyzeError::io(path))
}

/// Writes a PNG at 300 dots per inch.
pub(crate) fn write_png(svg: &str, path: &Path) -> Result<()> {
    let failed = |reason: String| AnalyzeError::Render { path: path.to_path_buf(), reason };
    let tree = parse(svg).map_err(failed)?;
    let zoom = PNG_DPI / CSS_DPI;
    let size = tree.size();
    let (width, height) =
        ((size.width() * zoom).ceil() as u32, (size.height() * zoom).ceil() as u32);
    let mut pixels = tiny_skia::Pixmap::new(width, height)
        .ok_or_else(|| failed(format!("{width} x {height} pixels are too many")))?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(zoom, zoom), &mut pixels.as_mut());
    let bytes = pixels.encode_png().map_err(|error| failed(error.to_string()))?;
    std::fs::write(path, bytes).map_err(AnalyzeError::io(path))
}

/// Writes a PDF of the figure's size, text embedded as text.
pub(crate) fn write_pdf(svg: &str, path: &Path) -> Result<()> {
    let failed = |reason: String| AnalyzeError::Render { path: path.to_path_buf(), reason };
    let tree = parse(svg).map_err(failed)?;
    let page = svg2pdf::PageOptions { dpi: CSS_DPI };
    let bytes = svg2pdf::to_pdf(&tree, svg2pdf::ConversionOptions::default(), page)
        .map_err(|error| failed(error.to_string()))?;
    std::fs::write(path, bytes).map_err(AnalyzeError::io(path))
}

fn parse(svg: &str) -> std::result::Result<usvg::Tree, String> {
    static FONTS: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut database = usvg::fontdb::Database::new();
        database.load_font_data(dejavu::sans::regular().to_vec());
        database.set_sans_serif_family(FONT);
        Arc::new(database)
    });
    let options = usvg::Options {
        font_family: FONT.to_owned(),
        fontdb: Arc::clone(fonts),
        ..usvg::Options::default()
    };
    usvg::Tree::from_str(svg, &options).map_err(|error| error.to_string())
}
