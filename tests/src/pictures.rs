//! Pictures to upload, good ones and others.
use std::io::Cursor;

use anyhow::Result;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// The limit that the platform tells its users (1.5 MB), in bytes.
pub const LIMIT_BYTES: usize = 1_500_000;

/// What is uploaded, with the type that it claims to have.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The claimed media type.
    pub content_type: &'static str,
    /// The content.
    pub bytes: Vec<u8>,
}

/// A small picture; another one for each `number`, in each format that is taken.
pub fn good(number: u32) -> Result<Picture> {
    match number % 3 {
        0 => encoded(number, ImageFormat::Png, "image/png"),
        1 => encoded(number, ImageFormat::Jpeg, "image/jpeg"),
        _ => encoded(number, ImageFormat::Gif, "image/gif"),
    }
}

fn encoded(number: u32, format: ImageFormat, content_type: &'static str) -> Result<Picture> {
    let picture = RgbImage::from_fn(96, 64, |x, y| {
        let shade = |value: u32| u8::try_from(value % 256).unwrap_or_default();
        Rgb([shade(x * 2 + number), shade(y * 3), shade(x * y)])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture).write_to(&mut bytes, format)?;
    Ok(Picture {
        content_type,
        bytes: bytes.into_inner(),
    })
}

/// The first half of a PNG.
pub fn truncated_png() -> Result<Picture> {
    let mut picture = encoded(7, ImageFormat::Png, "image/png")?;
    picture.bytes.truncate(picture.bytes.len() / 2);
    Ok(picture)
}

/// A good picture with so much behind its end that it has 1.6 MB.
pub fn too_large() -> Result<Picture> {
    let mut picture = encoded(8, ImageFormat::Png, "image/png")?;
    picture.bytes.resize(1_600_000, 0);
    Ok(picture)
}

/// A PDF under the name of a picture.
pub fn renamed_pdf() -> Picture {
    Picture {
        content_type: "image/png",
        bytes: b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
            .to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_pictures_are_what_they_claim_and_small() {
        for number in 0..3 {
            let picture = good(number).expect("it is encoded");
            let format = image::guess_format(&picture.bytes).expect("it is a picture");
            assert_eq!(format.to_mime_type(), picture.content_type);
            assert!(picture.bytes.len() < LIMIT_BYTES);
            image::load_from_memory(&picture.bytes).expect("it decodes");
        }
    }

    #[test]
    fn the_truncated_picture_still_looks_like_one() {
        let picture = truncated_png().expect("it is encoded");
        assert!(image::guess_format(&picture.bytes).is_ok());
        assert!(image::load_from_memory(&picture.bytes).is_err());
    }
}
