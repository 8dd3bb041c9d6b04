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
    // Under the last row and column too, which the figure covers in part.
    pixels.fill(tiny_skia::Color::WHITE);
    resvg::render(&tree, tiny_skia::Transform::from_scale(zoom, zoom), &mut pixels.as_mut());
    let bytes = encode(&pixels).map_err(|error| failed(error.to_string()))?;
    std::fs::write(path, bytes).map_err(AnalyzeError::io(path))
}

/// As small as it gets without loss: figures have no transparency and large plain areas.
fn encode(pixels: &tiny_skia::Pixmap) -> std::result::Result<Vec<u8>, png::EncodingError> {
    let opaque: Vec<u8> = pixels
        .pixels()
        .iter()
        .flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()])
        .collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let per_metre = (f64::from(PNG_DPI) / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: per_metre,
        yppu: per_metre,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&opaque)?;
    writer.finish()?;
    Ok(bytes)
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
