//! Judges a document by its content: a whole gif, jpeg or png picture within limits, or not.
use std::io::Cursor;

use image::{ImageFormat, ImageReader, Limits};
use yinxin_order::document::{MAX_DOCUMENT_BYTES, Verdict};

/// The media types that a document may have.
pub const MEDIA_TYPES: [&str; 3] = ["image/gif", "image/jpeg", "image/png"];

/// The longest side of a picture, in pixels.
const MAX_SIDE: u32 = 16_000;
/// The most pixels: more than cameras make, few enough to decode within the function's memory.
const MAX_PIXELS: u64 = 40_000_000;
/// What the decoder may allocate: 40 million pixels of four bytes, and what it works with.
const MAX_DECODED_BYTES: u64 = 256 * 1024 * 1024;

/// What `content` is.
pub fn judge(content: &[u8]) -> Verdict {
    let bytes = content.len() as u64;
    if bytes > MAX_DOCUMENT_BYTES {
        return refused("document-too-large");
    }
    let Some((format, media_type)) = format_of(content) else {
        return refused("document-not-an-image");
    };
    if !is_complete(format, content) || !decodes(format, content) {
        return refused("document-undecodable");
    }
    Verdict::Accepted {
        content_type: media_type.to_owned(),
        bytes,
    }
}

fn refused(code: &str) -> Verdict {
    Verdict::Refused {
        code: code.to_owned(),
    }
}

/// The format by its signature.
fn format_of(content: &[u8]) -> Option<(ImageFormat, &'static str)> {
    if content.starts_with(b"GIF87a") || content.starts_with(b"GIF89a") {
        Some((ImageFormat::Gif, "image/gif"))
    } else if content.starts_with(&[0xff, 0xd8, 0xff]) {
        Some((ImageFormat::Jpeg, "image/jpeg"))
    } else if content.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some((ImageFormat::Png, "image/png"))
    } else {
        None
    }
}

fn decodes(format: ImageFormat, content: &[u8]) -> bool {
    let dimensions = ImageReader::with_format(Cursor::new(content), format).into_dimensions();
    let fits = dimensions.is_ok_and(|(width, height)| u64::from(width) * u64::from(height) <= MAX_PIXELS);
    if !fits {
        return false;
    }
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    reader.limits(limits);
    reader.decode().is_ok()
}

/// Decoders forgive a JPEG that breaks off, and paint the rest grey; an officer could not read it.
fn is_complete(format: ImageFormat, content: &[u8]) -> bool {
    format != ImageFormat::Jpeg || jpeg_scan(content).is_some_and(has_end_of_image)
}

/// What follows the header of the first scan. ITU-T T.81, B.1.1.4: segments carry their length.
fn jpeg_scan(content: &[u8]) -> Option<&[u8]> {
    const START_OF_SCAN: u8 = 0xda;
    let mut rest = content.get(2..)?;
    loop {
        let (&[prefix, marker], after) = rest.split_first_chunk::<2>()?;
        if prefix != 0xff {
            return None;
        }
        // ITU-T T.81, B.1.1.2: any marker may be preceded by fill bytes.
        if marker == 0xff {
            rest = &rest[1..];
            continue;
        }
        let length = usize::from(u16::from_be_bytes(*after.first_chunk::<2>()?));
        rest = after.get(length..)?;
        if marker == START_OF_SCAN {
            return Some(rest);
        }
    }
}

/// Inside of scans a byte FF is followed by 00 or a restart marker, so that the marker cannot stand there by chance.
fn has_end_of_image(scan: &[u8]) -> bool {
    const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
    scan.windows(2).any(|pair| pair == END_OF_IMAGE)
}
