//! The two forms of a signature: DER in certificates and requests, r ‖ s from tokens.
//!
//! ```text
//! SM2Signature ::= SEQUENCE { r INTEGER, s INTEGER }   -- GM/T 0009-2012, 7.3
//! ```

use yinxin_sm2::Signature;

use super::BadSignature;
use crate::der::{self, DerError, Tlv, tag};

/// Turns r ‖ s, as tokens return it, into the DER form of certificates and requests.
pub fn signature_from_raw(raw: &[u8; 64]) -> Result<Vec<u8>, BadSignature> {
    let signature = Signature::from_bytes(raw).map_err(|_| BadSignature)?;
    Ok(to_der(&signature))
}

/// Turns a DER signature into r ‖ s.
pub fn signature_to_raw(der: &[u8]) -> Result<[u8; 64], BadSignature> {
    from_der(der).map(|signature| signature.to_bytes())
}

pub(super) fn to_der(signature: &Signature) -> Vec<u8> {
    let bytes = signature.to_bytes();
    let (r, s) = bytes.split_at(32);
    der::sequence(&[&der::integer(r), &der::integer(s)])
}

/// Strict: a signature that could be written in another way would give a certificate a second form and a second fingerprint.
pub(super) fn from_der(bytes: &[u8]) -> Result<Signature, BadSignature> {
    let raw = read(bytes).ok().flatten().ok_or(BadSignature)?;
    let signature = Signature::from_bytes(&raw).map_err(|_| BadSignature)?;
    if to_der(&signature) == bytes {
        Ok(signature)
    } else {
        Err(BadSignature)
    }
}

/// r ‖ s; none where one of them has more than 32 bytes.
fn read(bytes: &[u8]) -> Result<Option<[u8; 64]>, DerError> {
    let mut sequence = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
    let mut raw = [0; 64];
    for half in raw.chunks_mut(32) {
        let magnitude = der::unsigned(sequence.any()?)?;
        let Some(padding) = half.len().checked_sub(magnitude.len()) else {
            return Ok(None);
        };
        half[padding..].copy_from_slice(magnitude);
    }
    sequence.finish()?;
    Ok(Some(raw))
}
