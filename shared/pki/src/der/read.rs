//! Reading DER (and the harmless part of BER) over slices, without copying and without recursion.

use const_oid::ObjectIdentifier;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use super::tag;

/// The bytes are not the expected structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DerError {
    /// The input ends inside an element.
    #[error("the DER ends early")]
    Truncated,
    /// An indefinite length, a multi-byte tag or a length beyond 4 bytes.
    #[error("the DER uses an encoding that is not supported")]
    Unsupported,
    /// Another element stands where this one must be.
    #[error("unexpected DER tag {found:#04x} where {expected:#04x} must stand")]
    Tag {
        /// The tag that must stand here.
        expected: u8,
        /// The tag that stands here.
        found: u8,
    },
    /// Bytes follow the structure.
    #[error("bytes follow the end of the DER")]
    Trailing,
    /// The element's content is not of its type.
    #[error("the content of a DER element is not valid for its type")]
    Value,
}

/// One element: its tag, its content, and all its bytes as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The identifier octet.
    pub tag: u8,
    /// The content octets.
    pub value: &'a [u8],
    /// Identifier, length and content.
    pub raw: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// Exactly one element, nothing behind it.
    pub fn whole(bytes: &'a [u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(bytes);
        let element = reader.any()?;
        reader.finish()?;
        Ok(element)
    }

    /// Exactly one element of this tag, nothing behind it.
    pub fn whole_of(tag: u8, bytes: &'a [u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(bytes);
        let element = reader.expect(tag)?;
        reader.finish()?;
        Ok(element)
    }

    /// A reader over the content.
    pub fn reader(&self) -> Reader<'a> {
        Reader::new(self.value)
    }

    /// The bits of a BIT STRING that fills whole octets.
    pub fn whole_bits(&self) -> Result<&'a [u8], DerError> {
        match self.value.split_first() {
            Some((0, bits)) if self.tag == tag::BIT_STRING => Ok(bits),
            _ => Err(DerError::Value),
        }
    }
}

/// Reads elements one after the other.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the start of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag of the next element.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next element, whatever it is.
    pub fn any(&mut self) -> Result<Tlv<'a>, DerError> {
        let (&tag, after_tag) = self.rest.split_first().ok_or(DerError::Truncated)?;
        if tag & 0x1f == 0x1f {
            return Err(DerError::Unsupported);
        }
        let (&first, after_first) = after_tag.split_first().ok_or(DerError::Truncated)?;
        let (length, content) = if first < 0x80 {
            (usize::from(first), after_first)
        } else {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return Err(DerError::Unsupported);
            }
            let (octets, content) = after_first.split_at_checked(count).ok_or(DerError::Truncated)?;
            let length = octets
                .iter()
                .fold(0_u64, |sum, octet| (sum << 8) | u64::from(*octet));
            (
                usize::try_from(length).map_err(|_| DerError::Unsupported)?,
                content,
            )
        };
        let (value, rest) = content.split_at_checked(length).ok_or(DerError::Truncated)?;
        let raw = &self.rest[..self.rest.len() - rest.len()];
        self.rest = rest;
        Ok(Tlv { tag, value, raw })
    }

    /// The next element, which must have this tag.
    pub fn expect(&mut self, expected: u8) -> Result<Tlv<'a>, DerError> {
        let found = self.peek().ok_or(DerError::Truncated)?;
        if found == expected {
            self.any()
        } else {
            Err(DerError::Tag { expected, found })
        }
    }

    /// The next element if it has this tag.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, DerError> {
        if self.peek() == Some(tag) {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Nothing may be left.
    pub fn finish(&self) -> Result<(), DerError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DerError::Trailing)
        }
    }
}

/// An OBJECT IDENTIFIER.
pub fn object_identifier(element: Tlv<'_>) -> Result<ObjectIdentifier, DerError> {
    if element.tag != tag::OBJECT_IDENTIFIER {
        return Err(DerError::Tag {
            expected: tag::OBJECT_IDENTIFIER,
            found: element.tag,
        });
    }
    ObjectIdentifier::from_bytes(element.value).map_err(|_| DerError::Value)
}

/// A BOOLEAN.
pub fn boolean(element: Tlv<'_>) -> Result<bool, DerError> {
    match (element.tag, element.value) {
        (tag::BOOLEAN, [octet]) => Ok(*octet != 0),
        _ => Err(DerError::Value),
    }
}

/// The magnitude of an INTEGER that is not negative, without leading zeros.
pub fn unsigned(element: Tlv<'_>) -> Result<&[u8], DerError> {
    let first = *element.value.first().ok_or(DerError::Value)?;
    if element.tag != tag::INTEGER || first & 0x80 != 0 {
        return Err(DerError::Value);
    }
    let zeros = element.value.iter().take_while(|octet| **octet == 0).count();
    Ok(&element.value[zeros..])
}

/// A character string of any type used in names.
pub fn text(element: Tlv<'_>) -> Result<String, DerError> {
    match element.tag {
        tag::UTF8_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING => {
            String::from_utf8(element.value.to_vec()).map_err(|_| DerError::Value)
        }
        tag::TELETEX_STRING => Ok(element.value.iter().copied().map(char::from).collect()),
        tag::BMP_STRING => {
            let (pairs, odd) = element.value.as_chunks::<2>();
            if !odd.is_empty() {
                return Err(DerError::Value);
            }
            let units: Vec<u16> = pairs.iter().copied().map(u16::from_be_bytes).collect();
            String::from_utf16(&units).map_err(|_| DerError::Value)
        }
        _ => Err(DerError::Value),
    }
}

/// A `UTCTime` or `GeneralizedTime` in the one form RFC 5280, 4.1.2.5 allows: seconds, and Z.
pub fn time(element: Tlv<'_>) -> Result<OffsetDateTime, DerError> {
    let digits = element.value.strip_suffix(b"Z").ok_or(DerError::Value)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(DerError::Value);
    }
    let number = |part: &[u8]| {
        part.iter()
            .fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'))
    };
    let (year, rest) = match (element.tag, digits.len()) {
        (tag::UTC_TIME, 12) => {
            let short = number(&digits[..2]);
            (
                if short >= 50 { 1900 + short } else { 2000 + short },
                &digits[2..],
            )
        }
        (tag::GENERALIZED_TIME, 14) => (number(&digits[..4]), &digits[4..]),
        _ => return Err(DerError::Value),
    };
    let pair = |at: usize| u8::try_from(number(&rest[at..at + 2])).map_err(|_| DerError::Value);
    let month = Month::try_from(pair(0)?).map_err(|_| DerError::Value)?;
    let date = Date::from_calendar_date(i32::from(year), month, pair(2)?).map_err(|_| DerError::Value)?;
    let time = Time::from_hms(pair(4)?, pair(6)?, pair(8)?).map_err(|_| DerError::Value)?;
    Ok(PrimitiveDateTime::new(date, time).assume_utc())
}
