//! The parts of `multipart/mixed` (RFC 2046, 5.1), as far as `serverkeygen` needs them.

use crate::error::EstError;

/// Parts that are read at most.
const MAX_PARTS: usize = 4;

/// One part: its media type without parameters in lower case, and its body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The media type.
    pub media_type: &'a str,
    /// The body.
    pub body: &'a str,
}

// A part may be a private key.
impl std::fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Part({}, ..)", self.media_type)
    }
}

/// The parts of a body whose `Content-Type` header is given.
pub fn parts_of<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, EstError> {
    const BROKEN: EstError = EstError::Form("the answer is no whole multipart message");
    let boundary = boundary(content_type).ok_or(BROKEN)?;
    let text = std::str::from_utf8(body).map_err(|_| BROKEN)?;
    let mut parts = Vec::new();
    let delimiter = format!("--{boundary}");
    // What stands before the first delimiter means nothing.
    let mut pieces = text.split(delimiter.as_str());
    pieces.next().ok_or(BROKEN)?;
    for piece in pieces {
        if piece.starts_with("--") {
            return Ok(parts);
        }
        if parts.len() == MAX_PARTS {
            return Err(EstError::Form("the answer has too many parts"));
        }
        parts.push(part(piece).ok_or(BROKEN)?);
    }
    // The closing delimiter is missing: the message was cut off.
    Err(BROKEN)
}

fn boundary(content_type: &str) -> Option<&str> {
    let mut fields = content_type.split(';').map(str::trim);
    if !fields.next()?.eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let value = fields.find_map(|field| {
        let (name, value) = field.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then_some(value.trim())
    })?;
    let value = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value);
    // RFC 2046, 5.1.1: one to seventy characters.
    (1..=70).contains(&value.len()).then_some(value)
}

fn part(piece: &str) -> Option<Part<'_>> {
    let piece = piece.trim_start_matches([' ', '\t']);
    let piece = piece.strip_prefix("\r\n").or_else(|| piece.strip_prefix('\n'))?;
    let (headers, body) = piece
        .split_once("\r\n\r\n")
        .or_else(|| piece.split_once("\n\n"))?;
    let media_type = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-type").then_some(value)
    })?;
    let media_type = media_type.split(';').next()?.trim();
    Some(Part { media_type, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_of_a_message_are_found() {
        let body = b"--b1\r\nContent-Type: application/pkcs8\r\n\r\nkey\r\n--b1\r\ncontent-type: \
                     application/pkcs7-mime; smime-type=certs-only\r\n\r\ncert\r\n--b1--\r\n";
        let parts = parts_of("multipart/mixed; boundary=\"b1\"", body).expect("it is whole");
        let found: Vec<_> = parts
            .iter()
            .map(|part| (part.media_type, part.body.trim()))
            .collect();
        assert_eq!(
            found,
            [("application/pkcs8", "key"), ("application/pkcs7-mime", "cert")]
        );
    }

    #[test]
    fn a_message_that_was_cut_off_is_refused() {
        let body = b"--b1\r\nContent-Type: application/pkcs8\r\n\r\nkey\r\n";
        assert!(parts_of("multipart/mixed; boundary=b1", body).is_err());
        assert!(parts_of("multipart/mixed", body).is_err());
        assert!(parts_of("text/plain; boundary=b1", body).is_err());
    }
}
