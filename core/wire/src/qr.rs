//! QR codes as dark and light modules; whoever shows them draws them.

use fast_qr::ECL;
use fast_qr::qr::{QRBuilder, QRCodeError};

/// A square of modules, row by row, without the quiet zone (four modules on each side).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// Modules on a side.
    pub side: usize,
    /// `side × side` modules, row by row; true is dark.
    pub dark: Vec<bool>,
}

/// A text that no QR holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("too long for a QR code")]
pub struct TooLong;

/// The QR of a text, with medium error correction.
///
/// # Errors
/// [`TooLong`] beyond what a QR holds.
pub fn matrix(text: &str) -> Result<Matrix, TooLong> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().map_err(|error: QRCodeError| match error {
        QRCodeError::EncodedData | QRCodeError::SpecifiedVersion => TooLong,
    })?;
    let rows = code.data.chunks(code.size).take(code.size);
    Ok(Matrix { side: code.size, dark: rows.flatten().map(|module| module.value()).collect() })
}
