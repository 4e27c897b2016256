//! QR codes as pictures that a page can show at once.
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

/// The smallest side, in pixels.
const SIDE: u32 = 240;

/// `text` as a QR code: SVG in a data URI; nothing where the text is too long for one.
pub(crate) fn picture(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let svg = code.render::<svg::Color<'_>>().min_dimensions(SIDE, SIDE).build();
    Some(format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg)))
}
