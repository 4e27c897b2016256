//! The standard's structures as bytes (GM/T 0016-2012, 6.4): packed, numbers little-endian, values of 256 bits
//! right-aligned in 64 bytes.
//!
//! | structure | bytes | fields at |
//! | --- | --- | --- |
//! | `DEVINFO` | 294 | `Version` 0, `Manufacturer` 2, `Issuer` 66, `Label` 130, `SerialNumber` 162, `HWVersion` 194, `FirmwareVersion` 196, `AlgSymCap` 198, `AlgAsymCap` 202, `AlgHashCap` 206, `DevAuthAlgId` 210, `TotalSpace` 214, `FreeSpace` 218, `MaxECCBufferSize` 222, `MaxBufferSize` 226, `Reserved` 230 |
//! | `ECCPUBLICKEYBLOB` | 132 | `BitLen` 0, `XCoordinate` 4, `YCoordinate` 68 |
//! | `ECCSIGNATUREBLOB` | 128 | `r` 0, `s` 64 |
//! | `ECCCIPHERBLOB` | 164 + n | `XCoordinate` 0, `YCoordinate` 64, `HASH` 128, `CipherLen` 160, `Cipher` 164 |
//! | `FILEATTRIBUTE` | 44 | `FileName` 0, `FileSize` 32, `ReadRights` 36, `WriteRights` 40 |
use yinxin_pki::{
    PublicKey,
    der::{self, DerError, Tlv, tag},
};

use crate::{call::length, error::Error};

/// `sizeof(DEVINFO)`.
pub const DEVICE_INFO_BYTES: usize = 294;
/// `sizeof(ECCPUBLICKEYBLOB)`.
pub const PUBLIC_KEY_BYTES: usize = 132;
/// The same in libraries of before 2012, whose fields have 32 bytes.
pub const OLD_PUBLIC_KEY_BYTES: usize = 68;
/// `sizeof(ECCSIGNATUREBLOB)`.
pub const SIGNATURE_BYTES: usize = 128;
/// `sizeof(FILEATTRIBUTE)`.
pub const FILE_ATTRIBUTE_BYTES: usize = 44;

const FIELD_BYTES: usize = 64;
const VALUE_BYTES: usize = 32;
const KEY_BITS: u32 = 256;
/// Offset of `XCoordinate` in `ECCPUBLICKEYBLOB`.
const PUBLIC_KEY_X: usize = 4;
/// Offset of `FileSize`.
const FILE_SIZE: usize = 32;

/// A number at an offset of a structure; the caller knows that it is there.
pub fn number(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

/// `FileSize` of a `FILEATTRIBUTE`.
pub fn file_size(bytes: &[u8; FILE_ATTRIBUTE_BYTES]) -> usize {
    number(bytes, FILE_SIZE) as usize
}

/// An `ECCPUBLICKEYBLOB`; `None` for zeros, which some tokens give for a key that is not there.
pub fn public_key(call: &'static str, bytes: &[u8]) -> Result<Option<PublicKey>, Error> {
    if bytes.len() == OLD_PUBLIC_KEY_BYTES {
        return Err(Error::misbehaved(call, "the structures of before 2012"));
    }
    let Some(blob) = bytes.first_chunk::<PUBLIC_KEY_BYTES>() else {
        return Err(Error::misbehaved(call, "a public key that is too short"));
    };
    if blob[PUBLIC_KEY_X..].iter().all(|&byte| byte == 0) {
        return Ok(None);
    }
    if number(blob, 0) != KEY_BITS {
        return Err(Error::misbehaved(call, "a public key that is not of 256 bits"));
    }
    let (x, y) = blob[PUBLIC_KEY_X..].split_at(FIELD_BYTES);
    let (x, y) = (value(call, x)?, value(call, y)?);
    PublicKey::from_sec1(&[&[4], x, y].concat())
        .map(Some)
        .map_err(|_| Error::misbehaved(call, "a public key that is no point of the curve"))
}

/// An `ECCSIGNATUREBLOB` as DER `SM2Signature`.
pub fn signature(call: &'static str, bytes: &[u8; SIGNATURE_BYTES]) -> Result<Vec<u8>, Error> {
    let (r, s) = bytes.split_at(FIELD_BYTES);
    Ok(der::sequence(&[
        &der::integer(value(call, r)?),
        &der::integer(value(call, s)?),
    ]))
}

/// A DER `SM2Cipher` as `ECCCIPHERBLOB`, and how long the plaintext is.
pub fn cipher(ciphertext: &[u8], limit_bytes: usize) -> Result<(Vec<u8>, usize), DerError> {
    let mut fields = Tlv::whole_of(tag::SEQUENCE, ciphertext)?.reader();
    let x = der::unsigned(fields.expect(tag::INTEGER)?)?;
    let y = der::unsigned(fields.expect(tag::INTEGER)?)?;
    let hash = fields.expect(tag::OCTET_STRING)?.value;
    let text = fields.expect(tag::OCTET_STRING)?.value;
    fields.finish()?;
    if hash.len() != VALUE_BYTES || text.is_empty() || text.len() > limit_bytes {
        return Err(DerError::Value);
    }
    let mut blob = Vec::new();
    for coordinate in [x, y] {
        if coordinate.len() > VALUE_BYTES {
            return Err(DerError::Value);
        }
        blob.resize(blob.len() + FIELD_BYTES - coordinate.len(), 0);
        blob.extend(coordinate);
    }
    blob.extend(hash);
    blob.extend(length(text).to_le_bytes());
    blob.extend(text);
    Ok((blob, text.len()))
}

/// The 32 bytes of a right-aligned field.
fn value<'a>(call: &'static str, field: &'a [u8]) -> Result<&'a [u8], Error> {
    let (zeros, value) = field.split_at(FIELD_BYTES - VALUE_BYTES);
    if zeros.iter().any(|&byte| byte != 0) {
        return Err(Error::misbehaved(call, "a value that is not right-aligned"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use yinxin_pki::SigningKey;

    use super::*;
    use crate::fake::TestRandom;

    const CALL: &str = "SKF_ExportPublicKey";

    fn blob(key: &PublicKey) -> Vec<u8> {
        let point = key.to_sec1();
        [
            &256_u32.to_le_bytes()[..],
            &[0; 32],
            &point[1..33],
            &[0; 32],
            &point[33..],
        ]
        .concat()
    }

    fn key() -> SigningKey {
        SigningKey::from_scalar(&[7; 32]).unwrap()
    }

    #[test]
    fn a_public_key_is_read_from_its_132_bytes() {
        let key = key();
        let bytes = blob(key.public_key());
        assert_eq!(bytes.len(), PUBLIC_KEY_BYTES);
        assert_eq!(public_key(CALL, &bytes).unwrap().as_ref(), Some(key.public_key()));
        assert_eq!(public_key(CALL, &[0; PUBLIC_KEY_BYTES]), Ok(None));
    }

    #[test]
    fn a_public_key_of_another_shape_is_refused_with_its_reason() {
        let whole = blob(key().public_key());
        let reason = |bytes: &[u8]| match public_key(CALL, bytes) {
            Err(Error::Misbehaved { fault, .. }) => fault,
            other => panic!("{other:?}"),
        };
        assert!(reason(&whole[..OLD_PUBLIC_KEY_BYTES]).contains("before 2012"));
        assert!(reason(&whole[..100]).contains("too short"));
        let mut left = whole.clone();
        left[4..68].rotate_left(32);
        assert!(reason(&left).contains("right-aligned"));
        let mut off = whole.clone();
        off[131] ^= 1;
        assert!(reason(&off).contains("point"));
        let mut bits = whole;
        bits[0..4].copy_from_slice(&512_u32.to_le_bytes());
        assert!(reason(&bits).contains("256 bits"));
    }

    #[test]
    fn a_signature_loses_its_zeros() {
        let mut bytes = [0; SIGNATURE_BYTES];
        bytes[63] = 0x80;
        bytes[127] = 1;
        assert_eq!(
            signature(CALL, &bytes).unwrap(),
            [0x30, 7, 2, 2, 0, 0x80, 2, 1, 1]
        );
    }

    // `ENVELOPEDKEYBLOB` ends with an `ECCCIPHERBLOB`, and shared/pki has a published example of one.
    #[test]
    fn a_ciphertext_is_laid_out_as_in_an_enveloped_key_blob() {
        let key = key();
        let mut random = TestRandom(1);
        let enveloped = yinxin_pki::EnvelopedKey::seal(&key, key.public_key(), &mut random);
        let whole = yinxin_pki::EnvelopedKeyBlob::new(&enveloped, yinxin_pki::skf_blob::Layout::RightAligned)
            .unwrap();
        let (blob, plaintext) = cipher(enveloped.encrypted_session_key(), 64).unwrap();
        assert_eq!(plaintext, 16);
        assert_eq!(blob, whole.as_bytes()[208..]);
        assert!(cipher(enveloped.encrypted_session_key(), 15).is_err());
    }
}
