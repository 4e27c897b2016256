//! SM2 public-key encryption in the DER form of GM/T 0009-2012, 7.2.
//!
//! ```text
//! SM2Cipher ::= SEQUENCE {
//!     XCoordinate INTEGER, YCoordinate INTEGER,
//!     HASH OCTET STRING (SIZE(32)), CipherText OCTET STRING }
//! ```

use rand_core::CryptoRng;
use yinxin_sm2::{SecretScalar, VerifyingPoint};
use zeroize::Zeroizing;

use crate::der::{self, DerError, Tlv, tag};
use crate::digest::{constant_time_eq, sm3_parts};
use crate::key::{PublicKey, SigningKey};

/// Why nothing was encrypted or decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// There is nothing to encrypt: SM2 needs at least one byte.
    #[error("an empty message cannot be encrypted with SM2")]
    Empty,
    /// The ciphertext is malformed or was made for another key; one error for all, so that nothing is learnt.
    #[error("the SM2 ciphertext does not decrypt with this key")]
    CannotDecrypt,
}

impl PublicKey {
    /// Encrypts a message to the holder of the private key; DER `SM2Cipher`.
    pub fn encrypt(
        &self,
        message: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<u8>, CipherError> {
        if message.is_empty() {
            return Err(CipherError::Empty);
        }
        loop {
            let mut bytes = Zeroizing::new([0; 32]);
            rng.fill_bytes(&mut bytes[..]);
            // Out of range with a chance of 2^-32: draw again.
            let Ok(k) = SecretScalar::from_bytes(&bytes) else {
                continue;
            };
            let shared = Shared::new(&k, self.point());
            let mut text = message.to_vec();
            // A key stream of zeros, likely for no message but a tiny one, would send it in the clear (GM/T 0003.4, 6.1 A5).
            if !shared.apply_key_stream(&mut text) {
                continue;
            }
            let point = k.public_point().to_bytes();
            let (x, y) = point.split_at(32);
            return Ok(encode(x, y, &shared.digest(message), &text));
        }
    }
}

impl SigningKey {
    /// Decrypts a DER `SM2Cipher`.
    pub fn decrypt(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let parts = decode(ciphertext)
            .ok()
            .flatten()
            .ok_or(CipherError::CannotDecrypt)?;
        let point = VerifyingPoint::from_bytes(&parts.point).map_err(|_| CipherError::CannotDecrypt)?;
        let shared = Shared::new(self.secret(), &point);
        let mut text = Zeroizing::new(parts.text.to_vec());
        let masked = shared.apply_key_stream(&mut text);
        if masked && constant_time_eq(&shared.digest(&text), parts.digest) {
            Ok(text)
        } else {
            Err(CipherError::CannotDecrypt)
        }
    }
}

/// x2 ‖ y2, the point that both sides compute.
struct Shared(Zeroizing<[u8; 64]>);

impl Shared {
    fn new(scalar: &SecretScalar, point: &VerifyingPoint) -> Self {
        let product = Zeroizing::new(scalar.multiply(point));
        Self(Zeroizing::new(product.to_bytes()))
    }

    /// Adds the key stream SM3(x2 ‖ y2 ‖ 1) ‖ SM3(x2 ‖ y2 ‖ 2) … to the text; false if all of it is zero, as for an empty text.
    fn apply_key_stream(&self, text: &mut [u8]) -> bool {
        let mut any = 0;
        for (counter, block) in (1_u32..).zip(text.chunks_mut(32)) {
            let stream = Zeroizing::new(sm3_parts(&[&self.0[..], &counter.to_be_bytes()]));
            for (byte, stream) in block.iter_mut().zip(stream.iter()) {
                *byte ^= stream;
                any |= stream;
            }
        }
        any != 0
    }

    /// C3 = SM3(x2 ‖ M ‖ y2).
    fn digest(&self, message: &[u8]) -> [u8; 32] {
        let (x, y) = self.0.split_at(32);
        sm3_parts(&[x, message, y])
    }
}

fn encode(x: &[u8], y: &[u8], digest: &[u8; 32], text: &[u8]) -> Vec<u8> {
    der::sequence(&[
        &der::integer(x),
        &der::integer(y),
        &der::octet_string(digest),
        &der::octet_string(text),
    ])
}

struct Parts<'a> {
    point: [u8; 64],
    digest: &'a [u8],
    text: &'a [u8],
}

/// None where a coordinate has more than 32 bytes, or where the bytes are not the one way to write these parts.
fn decode(bytes: &[u8]) -> Result<Option<Parts<'_>>, DerError> {
    let mut sequence = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
    let mut point = [0; 64];
    for half in point.chunks_mut(32) {
        let magnitude = der::unsigned(sequence.any()?)?;
        let Some(padding) = half.len().checked_sub(magnitude.len()) else {
            return Ok(None);
        };
        half[padding..].copy_from_slice(magnitude);
    }
    let digest = sequence.expect(tag::OCTET_STRING)?.value;
    let text = sequence.expect(tag::OCTET_STRING)?.value;
    sequence.finish()?;
    let (x, y) = point.split_at(32);
    let strict = <&[u8; 32]>::try_from(digest).is_ok_and(|digest| encode(x, y, digest, text) == bytes);
    Ok(strict.then_some(Parts { point, digest, text }))
}
