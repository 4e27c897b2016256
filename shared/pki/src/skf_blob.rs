//! The enveloped key as a token's import function takes it: `ENVELOPEDKEYBLOB` (GM/T 0016-2012, 6.4).
//!
//! A packed C structure with little-endian numbers; every coordinate stands right-aligned in 64 bytes:
//!
//! | offset | bytes | field |
//! | --- | --- | --- |
//! | 0 | 4 | `Version`, 1 |
//! | 4 | 4 | `ulSymmAlgID`, `SGD_SM4_ECB` |
//! | 8 | 4 | `ulBits`, 256 |
//! | 12 | 64 | `cbEncryptedPriKey`, see [`Layout`] |
//! | 76 | 4 | `PubKey.BitLen`, 256 |
//! | 80, 144 | 64 each | `PubKey`: X, Y |
//! | 208, 272 | 64 each | `ECCCipherBlob`: X, Y |
//! | 336 | 32 | `ECCCipherBlob.HASH` |
//! | 368 | 4 | `ECCCipherBlob.CipherLen`, 16 |
//! | 372 | 16 | `ECCCipherBlob.Cipher`: the encrypted session key |

use crate::der::{self, DerError, Tlv, tag};
use crate::enveloped_key::EnvelopedKey;
use crate::key::{KeyError, PublicKey};
use crate::symmetric::{KEY_BYTES, sm4_ecb_encrypt};

/// The length of a blob that carries an SM4 session key.
pub const BLOB_BYTES: usize = 388;

const VERSION: u32 = 1;
/// `SGD_SM4_ECB` (GM/T 0006-2012, 5.2.1).
const SGD_SM4_ECB: u32 = 0x0000_0401;
const KEY_BITS: u32 = 256;
const COORDINATE_BYTES: usize = 32;
/// `ECC_MAX_XCOORDINATE_BITS_LEN / 8`, which is also the length of `cbEncryptedPriKey`.
const FIELD_BYTES: usize = 64;

/// Where the encrypted private key stands in its 64 bytes: the standard says how long it is, and vendors differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// 32 zero bytes, then the encrypted key.
    RightAligned,
    /// The whole 64 bytes encrypted, the zeros too: two equal blocks, then the encrypted key. Nobody makes it
    /// without the session key.
    EncryptedWhole,
    /// The encrypted key, then 32 zero bytes.
    LeftAligned,
}

/// Why a blob cannot be read or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// It is not as long as its kind.
    #[error("the enveloped key blob has not 388 bytes")]
    Length,
    /// `Version` is not 1.
    #[error("the enveloped key blob is of an unknown version")]
    Version,
    /// `ulSymmAlgID` is not SM4-ECB.
    #[error("the enveloped key blob uses an unsupported cipher")]
    UnsupportedCipher,
    /// `ulBits`, `BitLen` or `CipherLen` is another.
    #[error("the enveloped key blob holds a key of another size")]
    KeySize,
    /// A coordinate does not stand right-aligned behind zeros.
    #[error("a coordinate of the enveloped key blob is too large")]
    Coordinate,
    /// `cbEncryptedPriKey` has none of the known layouts.
    #[error("the encrypted private key has no known layout")]
    Layout,
    /// The public key, or the point of the ciphertext, is not on the curve.
    #[error("a point of the enveloped key blob is not usable")]
    Point(#[source] KeyError),
    /// The encrypted session key is malformed, or not of 16 bytes.
    #[error("the encrypted session key is malformed")]
    SessionKey,
    /// [`Layout::EncryptedWhole`] takes the session key.
    #[error("this layout cannot be made without the session key")]
    SessionKeyNeeded,
}

impl From<DerError> for BlobError {
    fn from(_: DerError) -> Self {
        Self::SessionKey
    }
}

/// An `ENVELOPEDKEYBLOB` with its layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopedKeyBlob {
    layout: Layout,
    bytes: [u8; BLOB_BYTES],
}

impl EnvelopedKeyBlob {
    /// Lays an enveloped key out anew; nothing is decrypted, so [`Layout::EncryptedWhole`] is refused.
    pub fn new(enveloped: &EnvelopedKey, layout: Layout) -> Result<Self, BlobError> {
        let mut field = [0; FIELD_BYTES];
        let place = match layout {
            Layout::RightAligned => COORDINATE_BYTES..FIELD_BYTES,
            Layout::LeftAligned => 0..COORDINATE_BYTES,
            Layout::EncryptedWhole => return Err(BlobError::SessionKeyNeeded),
        };
        field[place].copy_from_slice(enveloped.encrypted_private_key());
        Self::written(enveloped, layout, &field)
    }

    /// The blob in [`Layout::EncryptedWhole`], by somebody who knows the session key.
    pub fn encrypted_whole(
        enveloped: &EnvelopedKey,
        session_key: &[u8; KEY_BYTES],
    ) -> Result<Self, BlobError> {
        // ECB blocks do not depend on each other: the zeros in front change nothing behind them.
        let zeros = sm4_ecb_encrypt(session_key, &[0; COORDINATE_BYTES]).ok_or(BlobError::SessionKey)?;
        let mut field = [0; FIELD_BYTES];
        field[..COORDINATE_BYTES].copy_from_slice(&zeros);
        field[COORDINATE_BYTES..].copy_from_slice(enveloped.encrypted_private_key());
        Self::written(enveloped, Layout::EncryptedWhole, &field)
    }

    /// Reads a blob of any layout.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlobError> {
        let bytes: [u8; BLOB_BYTES] = bytes.try_into().map_err(|_| BlobError::Length)?;
        let mut fields = Fields(&bytes);
        if fields.number() != VERSION {
            return Err(BlobError::Version);
        }
        if fields.number() != SGD_SM4_ECB {
            return Err(BlobError::UnsupportedCipher);
        }
        let key_bits = fields.number();
        let layout = layout_of(fields.take(FIELD_BYTES))?;
        if (key_bits, fields.number()) != (KEY_BITS, KEY_BITS) {
            return Err(BlobError::KeySize);
        }
        for _ in ["public key", "ciphertext"] {
            let (x, y) = (fields.coordinate()?, fields.coordinate()?);
            point(x, y)?;
        }
        fields.take(COORDINATE_BYTES);
        if fields.number() as usize != KEY_BYTES {
            return Err(BlobError::KeySize);
        }
        Ok(Self { layout, bytes })
    }

    /// The bytes that a token imports.
    pub fn as_bytes(&self) -> &[u8; BLOB_BYTES] {
        &self.bytes
    }

    /// Where the encrypted private key stands.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The same as `SM2EnvelopedKey`.
    pub fn to_enveloped_key(&self) -> Result<EnvelopedKey, BlobError> {
        let mut fields = Fields(&self.bytes[12..]);
        let private_key = fields.take(FIELD_BYTES);
        let private_key = match self.layout {
            Layout::LeftAligned => &private_key[..COORDINATE_BYTES],
            Layout::RightAligned | Layout::EncryptedWhole => &private_key[COORDINATE_BYTES..],
        };
        fields.number();
        let public_key = point(fields.coordinate()?, fields.coordinate()?)?;
        let (x, y) = (fields.coordinate()?, fields.coordinate()?);
        let hash = fields.take(COORDINATE_BYTES);
        fields.number();
        let session_key = der::sequence(&[
            &der::integer(x),
            &der::integer(y),
            &der::octet_string(hash),
            &der::octet_string(fields.take(KEY_BYTES)),
        ]);
        let private_key = private_key.try_into().map_err(|_| BlobError::Layout)?;
        Ok(EnvelopedKey::from_parts(session_key, public_key, private_key))
    }

    fn written(
        enveloped: &EnvelopedKey,
        layout: Layout,
        field: &[u8; FIELD_BYTES],
    ) -> Result<Self, BlobError> {
        let mut cipher = Tlv::whole_of(tag::SEQUENCE, enveloped.encrypted_session_key())?.reader();
        let x = der::unsigned(cipher.expect(tag::INTEGER)?)?;
        let y = der::unsigned(cipher.expect(tag::INTEGER)?)?;
        let hash = cipher.expect(tag::OCTET_STRING)?.value;
        let session_key = cipher.expect(tag::OCTET_STRING)?.value;
        cipher.finish()?;
        if (hash.len(), session_key.len()) != (COORDINATE_BYTES, KEY_BYTES) {
            return Err(BlobError::SessionKey);
        }
        let public_key = enveloped.public_key().to_sec1();
        let mut bytes = Vec::with_capacity(BLOB_BYTES);
        for number in [VERSION, SGD_SM4_ECB, KEY_BITS] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(field);
        bytes.extend(KEY_BITS.to_le_bytes());
        for coordinate in [&public_key[1..33], &public_key[33..], x, y] {
            let zeros = FIELD_BYTES
                .checked_sub(coordinate.len())
                .filter(|&zeros| zeros >= FIELD_BYTES - COORDINATE_BYTES)
                .ok_or(BlobError::Coordinate)?;
            bytes.resize(bytes.len() + zeros, 0);
            bytes.extend(coordinate);
        }
        bytes.extend(hash);
        bytes.extend((u32::try_from(KEY_BYTES).unwrap_or_default()).to_le_bytes());
        bytes.extend(session_key);
        // Whatever is handed to a token could be read back.
        Self::from_bytes(&bytes).map(|blob| Self { layout, ..blob })
    }
}

/// A layout by what stands in its 64 bytes.
fn layout_of(field: &[u8]) -> Result<Layout, BlobError> {
    let (front, behind) = field.split_at(COORDINATE_BYTES);
    let is_zero = |half: &[u8]| half.iter().all(|&byte| byte == 0);
    match (is_zero(front), is_zero(behind)) {
        (true, false) => Ok(Layout::RightAligned),
        (false, true) => Ok(Layout::LeftAligned),
        // The same block twice is what ECB makes of the same plaintext twice.
        (false, false) if front[..KEY_BYTES] == front[KEY_BYTES..] => Ok(Layout::EncryptedWhole),
        _ => Err(BlobError::Layout),
    }
}

fn point(x: &[u8], y: &[u8]) -> Result<PublicKey, BlobError> {
    let sec1 = [&[4], x, y].concat();
    PublicKey::from_sec1(&sec1).map_err(BlobError::Point)
}

/// The fields of a blob in their order; the whole length was checked before.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (field, rest) = self.0.split_at(length);
        self.0 = rest;
        field
    }

    fn number(&mut self) -> u32 {
        self.take(4)
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | u32::from(byte))
    }

    fn coordinate(&mut self) -> Result<&'a [u8], BlobError> {
        let (zeros, coordinate) = self.take(FIELD_BYTES).split_at(COORDINATE_BYTES);
        if zeros.iter().any(|&byte| byte != 0) {
            return Err(BlobError::Coordinate);
        }
        Ok(coordinate)
    }
}

#[cfg(test)]
mod tests;
