//! Writing DER: small functions that nest, each giving the bytes of one element.

use const_oid::ObjectIdentifier;
use time::OffsetDateTime;

use super::tag;

/// One element.
pub fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 6);
    out.push(tag);
    match value.len() {
        // The casts cannot lose bits: each arm bounds the length.
        short @ 0..0x80 => out.push(short.to_le_bytes()[0]),
        long => {
            let octets = long.to_be_bytes();
            let significant = &octets[octets.iter().take_while(|octet| **octet == 0).count()..];
            out.push(0x80 | significant.len().to_le_bytes()[0]);
            out.extend_from_slice(significant);
        }
    }
    out.extend_from_slice(value);
    out
}

/// SEQUENCE of elements already written.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(tag::SEQUENCE, &parts.concat())
}

/// SET of elements already written; DER sorts them.
pub fn set(parts: &[&[u8]]) -> Vec<u8> {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    tlv(tag::SET, &sorted.concat())
}

/// `[number] EXPLICIT` around an element.
pub fn explicit(number: u8, inner: &[u8]) -> Vec<u8> {
    tlv(0xa0 | number, inner)
}

/// `[number] IMPLICIT`, primitive.
pub fn context(number: u8, value: &[u8]) -> Vec<u8> {
    tlv(0x80 | number, value)
}

/// INTEGER that is not negative, from a big-endian magnitude of any length.
pub fn integer(magnitude: &[u8]) -> Vec<u8> {
    let zeros = magnitude.iter().take_while(|octet| **octet == 0).count();
    let significant = &magnitude[zeros..];
    match significant.first() {
        None => tlv(tag::INTEGER, &[0]),
        Some(first) if first & 0x80 != 0 => tlv(tag::INTEGER, &[&[0], significant].concat()),
        Some(_) => tlv(tag::INTEGER, significant),
    }
}

/// OBJECT IDENTIFIER.
pub fn oid(identifier: ObjectIdentifier) -> Vec<u8> {
    tlv(tag::OBJECT_IDENTIFIER, identifier.as_bytes())
}

/// OCTET STRING.
pub fn octet_string(value: &[u8]) -> Vec<u8> {
    tlv(tag::OCTET_STRING, value)
}

/// BIT STRING; the last `unused` bits of the last octet do not count.
pub fn bit_string(unused: u8, bits: &[u8]) -> Vec<u8> {
    tlv(tag::BIT_STRING, &[&[unused], bits].concat())
}

/// NULL.
pub fn null() -> Vec<u8> {
    tlv(tag::NULL, &[])
}

/// BOOLEAN TRUE; FALSE is always a default here and so never written.
pub fn boolean_true() -> Vec<u8> {
    tlv(tag::BOOLEAN, &[0xff])
}

/// `UTF8String`.
pub fn utf8_string(value: &str) -> Vec<u8> {
    tlv(tag::UTF8_STRING, value.as_bytes())
}

/// `PrintableString`, if the characters allow it.
pub fn printable_string(value: &str) -> Option<Vec<u8>> {
    let printable = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
    value
        .bytes()
        .all(printable)
        .then(|| tlv(tag::PRINTABLE_STRING, value.as_bytes()))
}

/// The time of a validity: `UTCTime` until 2049, `GeneralizedTime` from 2050 (RFC 5280, 4.1.2.5); whole seconds.
pub fn write_time(at: OffsetDateTime) -> Vec<u8> {
    let utc = at.to_offset(time::UtcOffset::UTC);
    if (1950..2050).contains(&utc.year()) {
        let text = format!("{:02}{}", utc.year() % 100, month_to_second(utc));
        tlv(tag::UTC_TIME, text.as_bytes())
    } else {
        write_generalized_time(at)
    }
}

/// `GeneralizedTime` of whole seconds, for fields that know no other form.
pub fn write_generalized_time(at: OffsetDateTime) -> Vec<u8> {
    let utc = at.to_offset(time::UtcOffset::UTC);
    let text = format!("{:04}{}", utc.year(), month_to_second(utc));
    tlv(tag::GENERALIZED_TIME, text.as_bytes())
}

fn month_to_second(utc: OffsetDateTime) -> String {
    format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        u8::from(utc.month()),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}
