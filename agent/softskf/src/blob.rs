//! The structures of GM/T 0016-2012, 6.4: packed, little-endian, numbers of 256 bits right-aligned in 64 bytes.
use yinxin_pki::{
    PublicKey, SigningKey,
    der::{self, DerError, Tlv, tag},
    key::{signature_from_raw, signature_to_raw},
};
use zeroize::{Zeroize, Zeroizing};

use crate::{Sar, constants::MAX_ECC_BYTES};

const KEY_BITS: u32 = 256;
const NUMBER_BYTES: usize = 32;
const FIELD_BYTES: usize = 64;

/// Bytes of `ECCCIPHERBLOB` before its ciphertext.
pub const CIPHER_HEADER_BYTES: u32 = 164;
/// Bytes of `ENVELOPEDKEYBLOB` before its ciphertext.
pub const ENVELOPED_HEADER_BYTES: u32 = 372;

/// `ECCPUBLICKEYBLOB`, 132 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, packed)]
pub struct EccPublicKeyBlob {
    /// `BitLen`, 256.
    pub bit_len: u32,
    /// `XCoordinate`.
    pub x: [u8; FIELD_BYTES],
    /// `YCoordinate`.
    pub y: [u8; FIELD_BYTES],
}

/// `ECCPRIVATEKEYBLOB`, 68 bytes.
#[derive(Clone, Copy)]
#[repr(C, packed)]
pub struct EccPrivateKeyBlob {
    /// `BitLen`, 256.
    pub bit_len: u32,
    /// `PrivateKey`.
    pub private_key: [u8; FIELD_BYTES],
}

/// `ECCSIGNATUREBLOB`, 128 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, packed)]
pub struct EccSignatureBlob {
    /// `r`.
    pub r: [u8; FIELD_BYTES],
    /// `s`.
    pub s: [u8; FIELD_BYTES],
}

/// `BLOCKCIPHERPARAM`, 44 bytes; handed over by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, packed)]
pub struct BlockCipherParam {
    /// `IV`.
    pub iv: [u8; 32],
    /// `IVLen`.
    pub iv_len: u32,
    /// `PaddingType`: 0 none, 1 PKCS#5.
    pub padding_type: u32,
    /// `FeedBitLen`, of modes that are not offered.
    pub feed_bit_len: u32,
}

/// `ECCCIPHERBLOB`, 164 bytes and the ciphertext.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EccCipher {
    x: [u8; NUMBER_BYTES],
    y: [u8; NUMBER_BYTES],
    hash: [u8; NUMBER_BYTES],
    text: Vec<u8>,
}

fn field(number: &[u8]) -> [u8; FIELD_BYTES] {
    let mut field = [0; FIELD_BYTES];
    field[FIELD_BYTES - number.len()..].copy_from_slice(number);
    field
}

fn number(field: &[u8; FIELD_BYTES]) -> Result<[u8; NUMBER_BYTES], Sar> {
    let (zeros, number) = field.split_at(FIELD_BYTES - NUMBER_BYTES);
    let number = number.try_into().map_err(|_| Sar::Fail)?;
    zeros
        .iter()
        .all(|&byte| byte == 0)
        .then_some(number)
        .ok_or(Sar::Data)
}

impl EccPublicKeyBlob {
    /// Lays a key out.
    pub fn new(key: &PublicKey) -> Self {
        let point = key.to_sec1();
        Self {
            bit_len: KEY_BITS,
            x: field(&point[1..=NUMBER_BYTES]),
            y: field(&point[NUMBER_BYTES + 1..]),
        }
    }

    /// Reads the key; a point off the curve is none.
    pub fn key(&self) -> Result<PublicKey, Sar> {
        if self.bit_len != KEY_BITS {
            return Err(Sar::Data);
        }
        let point = [&[4][..], &number(&self.x)?, &number(&self.y)?].concat();
        PublicKey::from_sec1(&point).map_err(|_| Sar::Data)
    }

    /// As the bytes that `SKF_ExportPublicKey` gives.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&{ self.bit_len }.to_le_bytes()[..], &self.x, &self.y].concat()
    }
}

impl EccPrivateKeyBlob {
    /// Reads the key.
    pub fn key(&self) -> Result<SigningKey, Sar> {
        if self.bit_len != KEY_BITS {
            return Err(Sar::Data);
        }
        let scalar = Zeroizing::new(number(&self.private_key)?);
        SigningKey::from_scalar(&scalar).map_err(|_| Sar::Data)
    }
}

impl Zeroize for EccPrivateKeyBlob {
    fn zeroize(&mut self) {
        self.private_key.zeroize();
    }
}

impl EccSignatureBlob {
    /// Lays a DER signature out.
    pub fn from_der(der: &[u8]) -> Result<Self, Sar> {
        let raw = signature_to_raw(der).map_err(|_| Sar::Data)?;
        let (r, s) = raw.split_at(NUMBER_BYTES);
        Ok(Self {
            r: field(r),
            s: field(s),
        })
    }

    /// The DER form.
    pub fn to_der(&self) -> Result<Vec<u8>, Sar> {
        let mut raw = [0; 2 * NUMBER_BYTES];
        raw[..NUMBER_BYTES].copy_from_slice(&number(&self.r)?);
        raw[NUMBER_BYTES..].copy_from_slice(&number(&self.s)?);
        signature_from_raw(&raw).map_err(|_| Sar::Data)
    }
}

impl EccCipher {
    /// The length of the ciphertext that a header announces, within the limit.
    pub fn announced(header: &[u8; CIPHER_HEADER_BYTES as usize]) -> Result<u32, Sar> {
        let (_, length) = header.split_last_chunk::<4>().ok_or(Sar::Fail)?;
        let length = u32::from_le_bytes(*length);
        (1..=MAX_ECC_BYTES)
            .contains(&length)
            .then_some(length)
            .ok_or(Sar::DataLength)
    }

    /// From a whole blob; bytes behind it do not count.
    pub fn from_blob(blob: &[u8]) -> Result<Self, Sar> {
        let (header, rest) = blob.split_first_chunk().ok_or(Sar::DataLength)?;
        let text = rest
            .get(..Self::announced(header)? as usize)
            .ok_or(Sar::DataLength)?;
        let fields = header.as_chunks::<FIELD_BYTES>().0;
        let [x, y] = fields else { return Err(Sar::Fail) };
        let hash = &header[2 * FIELD_BYTES..][..NUMBER_BYTES];
        Ok(Self {
            x: number(x)?,
            y: number(y)?,
            hash: hash.try_into().map_err(|_| Sar::Fail)?,
            text: text.to_vec(),
        })
    }

    /// The blob.
    pub fn to_blob(&self) -> Result<Vec<u8>, Sar> {
        let length = u32::try_from(self.text.len()).map_err(|_| Sar::DataLength)?;
        Ok([
            &field(&self.x)[..],
            &field(&self.y),
            &self.hash,
            &length.to_le_bytes(),
            &self.text,
        ]
        .concat())
    }

    /// From DER `SM2Cipher`.
    pub fn from_der(bytes: &[u8]) -> Result<Self, Sar> {
        Self::read_der(bytes).ok().flatten().ok_or(Sar::Data)
    }

    fn read_der(bytes: &[u8]) -> Result<Option<Self>, DerError> {
        let mut sequence = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let mut point = [[0; NUMBER_BYTES]; 2];
        for coordinate in &mut point {
            let magnitude = der::unsigned(sequence.expect(tag::INTEGER)?)?;
            let Some(zeros) = NUMBER_BYTES.checked_sub(magnitude.len()) else {
                return Ok(None);
            };
            coordinate[zeros..].copy_from_slice(magnitude);
        }
        let hash = sequence.expect(tag::OCTET_STRING)?.value;
        let text = sequence.expect(tag::OCTET_STRING)?.value.to_vec();
        sequence.finish()?;
        let [x, y] = point;
        Ok(hash.try_into().ok().map(|hash| Self { x, y, hash, text }))
    }

    /// DER `SM2Cipher` (GM/T 0009-2012, 7.2).
    pub fn to_der(&self) -> Vec<u8> {
        der::sequence(&[
            &der::integer(&self.x),
            &der::integer(&self.y),
            &der::octet_string(&self.hash),
            &der::octet_string(&self.text),
        ])
    }
}

#[cfg(test)]
mod tests {
    use std::mem::size_of;

    use super::*;
    use crate::vault::rng;

    #[test]
    fn the_structures_are_as_long_as_in_the_standard() {
        assert_eq!(size_of::<EccPublicKeyBlob>(), 132);
        assert_eq!(size_of::<EccPrivateKeyBlob>(), 68);
        assert_eq!(size_of::<EccSignatureBlob>(), 128);
        assert_eq!(size_of::<BlockCipherParam>(), 44);
    }

    #[test]
    fn a_ciphertext_survives_both_forms() {
        let key = SigningKey::generate(&mut rng());
        let der = key.public_key().encrypt(b"session", &mut rng()).unwrap();
        let cipher = EccCipher::from_der(&der).unwrap();
        let blob = cipher.to_blob().unwrap();
        assert_eq!(blob.len(), 164 + 7);
        let read = EccCipher::from_blob(&blob).unwrap();
        assert_eq!(read, cipher);
        assert_eq!(key.decrypt(&read.to_der()).unwrap().as_slice(), b"session");
    }

    #[test]
    fn a_number_that_does_not_stand_behind_zeros_is_refused() {
        let key = SigningKey::generate(&mut rng());
        let mut blob = EccPublicKeyBlob::new(key.public_key());
        assert_eq!(blob.key().unwrap(), *key.public_key());
        blob.x[0] = 1;
        assert_eq!(blob.key(), Err(Sar::Data));
    }
}
