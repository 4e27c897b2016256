//! The enveloped encryption key: how the encryption private key travels from the CA to the token
//! (GM/T 0009-2012, 7.4; GB/T 35276-2017).
//!
//! ```text
//! SM2EnvelopedKey ::= SEQUENCE {
//!     symAlgID               AlgorithmIdentifier,  -- SM4-ECB
//!     symEncryptedKey        SM2Cipher,            -- the session key, to the signing public key
//!     sm2PublicKey           BIT STRING,           -- of the encryption key pair
//!     sm2EncryptedPrivateKey BIT STRING }          -- SM4-ECB(session key, d), 32 bytes, no padding
//! ```

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::der::{self, DerError, Reader, Tlv, tag};
use crate::digest::constant_time_eq;
use crate::key::{KeyError, PublicKey, SigningKey};
use crate::oid;
use crate::symmetric::{KEY_BYTES, sm4_ecb_decrypt, sm4_ecb_encrypt};

/// Why an enveloped key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The structure is broken.
    #[error("the enveloped key is malformed")]
    Malformed(#[source] DerError),
    /// The symmetric algorithm is not SM4-ECB.
    #[error("the enveloped key uses an unsupported cipher")]
    UnsupportedCipher,
    /// The public key inside is not usable.
    #[error("the public key of the enveloped key is not usable")]
    PublicKey(#[source] KeyError),
    /// It was made for another signing key, or the two halves of the pair do not belong together.
    #[error("the enveloped key does not open with this signing key")]
    CannotOpen,
}

impl From<DerError> for EnvelopeError {
    fn from(error: DerError) -> Self {
        Self::Malformed(error)
    }
}

/// A parsed `SM2EnvelopedKey`. Its fields are what a token's import needs (GM/T 0016, 6.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopedKey {
    der: Vec<u8>,
    session_key: Vec<u8>,
    public_key: PublicKey,
    private_key: [u8; 32],
}

impl EnvelopedKey {
    /// Envelopes the encryption key pair to the holder of the signing key.
    pub fn seal(encryption: &SigningKey, signing: &PublicKey, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut session = Zeroizing::new([0; KEY_BYTES]);
        rng.fill_bytes(&mut session[..]);
        let session_key = signing
            .encrypt(&session[..], rng)
            .expect("a session key is not empty");
        let blocks = sm4_ecb_encrypt(&session, &encryption.to_scalar()[..]).expect("32 bytes are two blocks");
        let private_key: [u8; 32] = blocks.try_into().expect("ECB keeps the length");
        Self::from_parts(session_key, encryption.public_key().clone(), private_key)
    }

    /// From its parts: the session key as DER `SM2Cipher`, the private key under the session key.
    pub(crate) fn from_parts(session_key: Vec<u8>, public_key: PublicKey, private_key: [u8; 32]) -> Self {
        let algorithm = der::sequence(&[&der::oid(oid::SM4_ECB), &der::null()]);
        let der = der::sequence(&[
            &algorithm,
            &session_key,
            &der::bit_string(0, &public_key.to_sec1()),
            &der::bit_string(0, &private_key),
        ]);
        Self {
            der,
            session_key,
            public_key,
            private_key,
        }
    }

    /// Reads the DER form.
    pub fn from_der(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut fields = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        check_algorithm(fields.expect(tag::SEQUENCE)?.reader())?;
        let session_key = fields.expect(tag::SEQUENCE)?.raw.to_vec();
        let point = fields.expect(tag::BIT_STRING)?.whole_bits()?;
        let public_key = PublicKey::from_sec1(point).map_err(EnvelopeError::PublicKey)?;
        let private_key = fields.expect(tag::BIT_STRING)?.whole_bits()?;
        fields.finish()?;
        let private_key = private_key.try_into().map_err(|_| DerError::Value)?;
        Ok(Self {
            der: bytes.to_vec(),
            session_key,
            public_key,
            private_key,
        })
    }

    /// The DER form.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The session key as DER `SM2Cipher`, encrypted to the signing public key.
    pub fn encrypted_session_key(&self) -> &[u8] {
        &self.session_key
    }

    /// The public key of the encryption key pair.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The private key of the encryption key pair under the session key, SM4-ECB.
    pub fn encrypted_private_key(&self) -> &[u8; 32] {
        &self.private_key
    }

    /// Opens it with the signing key and checks that private and public key belong together.
    pub fn open(&self, signing: &SigningKey) -> Result<SigningKey, EnvelopeError> {
        let session = signing
            .decrypt(&self.session_key)
            .map_err(|_| EnvelopeError::CannotOpen)?;
        let session: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(
            session
                .as_slice()
                .try_into()
                .map_err(|_| EnvelopeError::CannotOpen)?,
        );
        let scalar = sm4_ecb_decrypt(&session, &self.private_key).ok_or(EnvelopeError::CannotOpen)?;
        let scalar: Zeroizing<[u8; 32]> = Zeroizing::new(
            scalar
                .as_slice()
                .try_into()
                .map_err(|_| EnvelopeError::CannotOpen)?,
        );
        let key = SigningKey::from_scalar(&scalar).map_err(|_| EnvelopeError::CannotOpen)?;
        // The standard does not authenticate the private key: d·G must give the public key.
        if constant_time_eq(&key.public_key().to_sec1(), &self.public_key.to_sec1()) {
            Ok(key)
        } else {
            Err(EnvelopeError::CannotOpen)
        }
    }
}

/// SM4-ECB with NULL or absent parameters; bare SM4 without parameters means the same.
fn check_algorithm(mut algorithm: Reader<'_>) -> Result<(), EnvelopeError> {
    let cipher = der::object_identifier(algorithm.any()?)?;
    algorithm.optional(tag::NULL)?;
    if ![oid::SM4_ECB, oid::SM4].contains(&cipher) || !algorithm.is_empty() {
        return Err(EnvelopeError::UnsupportedCipher);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
