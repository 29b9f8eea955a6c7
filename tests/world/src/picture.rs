//! QR codes as PNG files, as a screen would show them.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use moa_wire::qr::{self, Matrix};

/// Pixels on a side of a module.
const SCALE: usize = 8;
/// Light modules around the code, so that a camera finds it.
const QUIET: usize = 4;

/// Draws a text as a QR code.
///
/// # Errors
/// If the text is longer than a QR holds, or the file cannot be written.
pub fn save_qr(text: &str, path: &Path) -> io::Result<()> {
    let matrix = qr::matrix(text).map_err(io::Error::other)?;
    let side = (matrix.side + 2 * QUIET) * SCALE;
    let size = u32::try_from(side).map_err(io::Error::other)?;
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), size, size);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&pixels(&matrix, side))?;
    Ok(())
}

fn pixels(matrix: &Matrix, side: usize) -> Vec<u8> {
    let module = |pixel: usize| (pixel / SCALE).checked_sub(QUIET).filter(|module| *module < matrix.side);
    let mut pixels = Vec::with_capacity(side * side);
    for y in 0..side {
        for x in 0..side {
            let dark =
                module(y).zip(module(x)).is_some_and(|(row, column)| matrix.dark[row * matrix.side + column]);
            pixels.push(if dark { 0 } else { 255 });
        }
    }
    pixels
}
