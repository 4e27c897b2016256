//! Distinguished encoding: what the lenient reader forgives, a writer must not do.

use super::Findings;
use crate::der::{Reader, Tlv, tag};

/// Elements in one certificate; more means that something went wrong.
const MAX_ELEMENTS: usize = 512;
/// A subscriber's token has little room.
const MAX_TBS_BYTES: usize = 2048;

pub(super) fn check_certificate(findings: &mut Findings, tbs: &[u8]) {
    findings.require(
        tbs.len() <= MAX_TBS_BYTES,
        "size",
        "the to-be-signed bytes exceed 2048 bytes",
    );
    findings.require(
        is_distinguished(tbs, MAX_ELEMENTS),
        "der",
        "the bytes are not distinguished DER",
    );
}

/// Whether the bytes are DER of at most so many elements, as far as tags and lengths tell.
pub(super) fn is_distinguished(bytes: &[u8], max_elements: usize) -> bool {
    let mut open = vec![Reader::new(bytes)];
    let mut count = 0;
    while let Some(reader) = open.last_mut() {
        if reader.is_empty() {
            open.pop();
            continue;
        }
        count += 1;
        let Ok(element) = reader.any() else { return false };
        if count > max_elements || !minimal_length(element) || !plain_value(element) {
            return false;
        }
        if element.tag & 0x20 != 0 {
            open.push(element.reader());
        }
    }
    true
}

fn minimal_length(element: Tlv<'_>) -> bool {
    let header = element.raw.len() - element.value.len();
    header
        == match element.value.len() {
            0..0x80 => 2,
            0x80..0x100 => 3,
            0x100..0x1_0000 => 4,
            _ => 5,
        }
}

fn plain_value(element: Tlv<'_>) -> bool {
    match (element.tag, element.value) {
        (tag::BOOLEAN, value) => value == [0xff],
        (tag::INTEGER | tag::BIT_STRING, []) => false,
        (tag::INTEGER, [0x00, next, ..]) => next & 0x80 != 0,
        (tag::INTEGER, [0xff, next, ..]) => next & 0x80 == 0,
        (tag::BIT_STRING, [unused]) => *unused == 0,
        (tag::BIT_STRING, [unused, .., last]) => *unused < 8 && last.trailing_zeros() >= u32::from(*unused),
        _ => true,
    }
}
