//! SM2 keys and signatures with the default signer identity (GM/T 0003.2, GM/T 0009).

use std::fmt;

use ::sm2::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use rand_core::CryptoRng;
use yinxin_sm2::{Nonce, SecretScalar, VerifyingPoint};
use zeroize::Zeroizing;

use crate::der::{self, DerError, Tlv, tag};
use crate::digest::{sm3, sm3_parts};
use crate::oid;

mod signature;

pub use signature::{signature_from_raw, signature_to_raw};

/// The signer identity of every certificate, request and signature (GM/T 0009-2012, 10).
pub const DEFAULT_ID: &str = "1234567812345678";

/// Why bytes are not a usable SM2 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The encoding is broken.
    #[error("the key is not well encoded")]
    Malformed,
    /// The key belongs to another algorithm or curve.
    #[error("the key is not an SM2 key")]
    UnsupportedAlgorithm,
    /// The point is compressed or hybrid; only 04 ‖ X ‖ Y is accepted.
    #[error("the public key is not an uncompressed point")]
    NotUncompressed,
    /// The point is not on the curve.
    #[error("the public key is not on the curve")]
    NotOnCurve,
    /// The private key is not in [1, n-2].
    #[error("the private key is out of range")]
    OutOfRange,
}

impl From<DerError> for KeyError {
    fn from(_: DerError) -> Self {
        Self::Malformed
    }
}

/// The signature is malformed or does not verify; which of them is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the SM2 signature does not verify")]
pub struct BadSignature;

/// The signature could not be made; the chance is below 2^-200 and another message helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the SM2 signature could not be made")]
pub struct SigningFailed;

/// The two ways to name the algorithm of an SM2 key (GM/T 0015-2023 allows both; readers here accept both).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyForm {
    /// id-ecPublicKey with the curve: known to every reader.
    #[default]
    EcPublicKey,
    /// The identifier of SM2 for algorithm and curve: says that the key is no plain elliptic-curve key. OpenSSL,
    /// Tongsuo and gmsm read it; BouncyCastle 1.72 finds no key in such a certificate.
    Sm2,
}

/// An SM2 public key: a point on the curve, kept uncompressed.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    encoded: [u8; 65],
    point: VerifyingPoint,
}

impl PublicKey {
    /// From 04 ‖ X ‖ Y.
    pub fn from_sec1(bytes: &[u8]) -> Result<Self, KeyError> {
        let coordinates = match bytes {
            [0x02 | 0x03 | 0x06 | 0x07, ..] => return Err(KeyError::NotUncompressed),
            [0x04, coordinates @ ..] => coordinates.try_into().map_err(|_| KeyError::Malformed)?,
            _ => return Err(KeyError::Malformed),
        };
        VerifyingPoint::from_bytes(coordinates)
            .map(Self::from_point)
            .map_err(|_| KeyError::NotOnCurve)
    }

    fn from_point(point: VerifyingPoint) -> Self {
        let mut encoded = [0x04; 65];
        encoded[1..].copy_from_slice(&point.to_bytes());
        Self { encoded, point }
    }

    /// 04 ‖ X ‖ Y.
    pub fn to_sec1(&self) -> [u8; 65] {
        self.encoded
    }

    /// From a DER `SubjectPublicKeyInfo`. The algorithm may be id-ecPublicKey or the SM2 identifier
    /// (GM/T 0015-2023); the curve must be named. Explicit curve parameters are refused.
    pub fn from_spki_der(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut spki = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let mut algorithm = spki.expect(tag::SEQUENCE)?.reader();
        let identifier = der::object_identifier(algorithm.any()?)?;
        let curve = der::object_identifier(algorithm.any()?).map_err(|_| KeyError::UnsupportedAlgorithm)?;
        algorithm.finish()?;
        if ![oid::EC_PUBLIC_KEY, oid::SM2].contains(&identifier) || curve != oid::SM2 {
            return Err(KeyError::UnsupportedAlgorithm);
        }
        let point = spki.expect(tag::BIT_STRING)?;
        spki.finish()?;
        Self::from_sec1(point.whole_bits()?)
    }

    /// DER `SubjectPublicKeyInfo` in the usual form, [`KeyForm::EcPublicKey`]: 91 bytes.
    pub fn to_spki_der(&self) -> Vec<u8> {
        self.to_spki_der_as(KeyForm::EcPublicKey)
    }

    /// DER `SubjectPublicKeyInfo` in a chosen form.
    pub fn to_spki_der_as(&self, form: KeyForm) -> Vec<u8> {
        let algorithm = match form {
            KeyForm::EcPublicKey => oid::EC_PUBLIC_KEY,
            KeyForm::Sm2 => oid::SM2,
        };
        let algorithm = der::sequence(&[&der::oid(algorithm), &der::oid(oid::SM2)]);
        der::sequence(&[&algorithm, &der::bit_string(0, &self.encoded)])
    }

    /// Z: what binds the default identity and this key into every signed digest (GM/T 0003.2, 5.5).
    pub fn z(&self) -> [u8; 32] {
        self.z_as(DEFAULT_ID).expect("the default identity is short")
    }

    /// Z of a signer with another identity; `None` where its length does not fit into two octets of bits.
    pub fn z_as(&self, id: &str) -> Option<[u8; 32]> {
        // ENTL ‖ ID ‖ a ‖ b ‖ xG ‖ yG ‖ xA ‖ yA
        let bits = u16::try_from(id.len().checked_mul(8)?).ok()?;
        Some(sm3_parts(&[
            &bits.to_be_bytes(),
            id.as_bytes(),
            &CURVE_PARAMETERS,
            &self.encoded[1..],
        ]))
    }

    /// e = SM3(Z ‖ M): what is signed in the end, also by a token that takes digests.
    pub fn message_digest(&self, message: &[u8]) -> [u8; 32] {
        sm3_parts(&[&self.z(), message])
    }

    /// e of a signer with another identity than the usual one; `None` if the identity is longer than 8191 bytes.
    pub fn message_digest_as(&self, id: &str, message: &[u8]) -> Option<[u8; 32]> {
        Some(sm3_parts(&[&self.z_as(id)?, message]))
    }

    /// Verifies a DER signature over a message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        self.verify_digest(&self.message_digest(message), signature)
    }

    /// Verifies a DER signature over the digest e itself.
    pub fn verify_digest(&self, e: &[u8; 32], signature: &[u8]) -> Result<(), BadSignature> {
        let signature = signature::from_der(signature)?;
        if self.point.verify_digest(e, &signature) {
            Ok(())
        } else {
            Err(BadSignature)
        }
    }

    /// The identifier of the key in certificates: the first 160 bits of SM3 over the point's octets
    /// (RFC 5280, 4.2.1.2 leaves the method open).
    pub fn key_identifier(&self) -> [u8; 20] {
        let digest = sm3(&self.encoded);
        *digest.first_chunk().expect("an SM3 digest has 32 bytes")
    }

    pub(crate) fn point(&self) -> &VerifyingPoint {
        &self.point
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey(")?;
        self.key_identifier()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, ")")
    }
}

/// An SM2 private key in memory. It is erased when dropped and never printed.
#[derive(Clone)]
pub struct SigningKey {
    secret: SecretScalar,
    public: PublicKey,
    /// Z of the public key: each signature over a message needs it.
    z: [u8; 32],
}

impl SigningKey {
    /// A fresh key.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        loop {
            let mut scalar = Zeroizing::new([0; 32]);
            rng.fill_bytes(&mut scalar[..]);
            // Out of range with a chance of 2^-32: draw again, never reduce.
            if let Ok(key) = Self::from_scalar(&scalar) {
                return key;
            }
        }
    }

    /// From the private scalar d, big-endian, in [1, n-2]: 1+d must have an inverse (GM/T 0003.1).
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = SecretScalar::from_bytes(scalar).map_err(|_| KeyError::OutOfRange)?;
        let public = PublicKey::from_point(secret.public_point());
        let z = public.z();
        Ok(Self { secret, public, z })
    }

    /// The private scalar d, big-endian.
    pub fn to_scalar(&self) -> Zeroizing<[u8; 32]> {
        self.secret.to_bytes()
    }

    /// From PKCS#8 DER (not encrypted).
    pub fn from_pkcs8_der(bytes: &[u8]) -> Result<Self, KeyError> {
        let secret = ::sm2::SecretKey::from_pkcs8_der(bytes).map_err(|_| KeyError::Malformed)?;
        Self::from_scalar(&Zeroizing::new(secret.to_bytes().into()))
    }

    /// PKCS#8 DER (not encrypted).
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        let document = ::sm2::SecretKey::from_slice(&self.to_scalar()[..])
            .ok()
            .and_then(|secret| secret.to_pkcs8_der().ok())
            .expect("an SM2 key always has a PKCS#8 form");
        Zeroizing::new(document.as_bytes().to_vec())
    }

    /// From PKCS#8 PEM (not encrypted).
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, KeyError> {
        let der = crate::pem::decode_one(crate::pem::PRIVATE_KEY, text).map_err(|_| KeyError::Malformed)?;
        Self::from_pkcs8_der(&Zeroizing::new(der))
    }

    /// PKCS#8 PEM (not encrypted).
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(crate::pem::encode(crate::pem::PRIVATE_KEY, &self.to_pkcs8_der()))
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a message; DER. Deterministic (RFC 6979 with SM3): the same message gives the same signature.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        self.sign_digest(&sm3_parts(&[&self.z, message]))
    }

    /// Signs a message with fresh randomness mixed into the nonce; DER.
    pub fn sign_hedged(
        &self,
        message: &[u8],
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Vec<u8>, SigningFailed> {
        let mut random = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut random[..]);
        let e = sm3_parts(&[&self.z, message]);
        let signature = self.secret.sign_digest(&e, Nonce::Hedged(&random));
        Ok(signature::to_der(&signature))
    }

    /// Signs the digest e itself, as a token does; DER, deterministic.
    pub fn sign_digest(&self, e: &[u8; 32]) -> Result<Vec<u8>, SigningFailed> {
        let signature = self.secret.sign_digest(e, Nonce::Deterministic);
        Ok(signature::to_der(&signature))
    }

    pub(crate) fn secret(&self) -> &SecretScalar {
        &self.secret
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// a ‖ b ‖ xG ‖ yG of sm2p256v1 (GM/T 0003.5).
const CURVE_PARAMETERS: [u8; 128] = [
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc, 0x28, 0xe9,
    0xfa, 0x9e, 0x9d, 0x9f, 0x5e, 0x34, 0x4d, 0x5a, 0x9e, 0x4b, 0xcf, 0x65, 0x09, 0xa7, 0xf3, 0x97, 0x89,
    0xf5, 0x15, 0xab, 0x8f, 0x92, 0xdd, 0xbc, 0xbd, 0x41, 0x4d, 0x94, 0x0e, 0x93, 0x32, 0xc4, 0xae, 0x2c,
    0x1f, 0x19, 0x81, 0x19, 0x5f, 0x99, 0x04, 0x46, 0x6a, 0x39, 0xc9, 0x94, 0x8f, 0xe3, 0x0b, 0xbf, 0xf2,
    0x66, 0x0b, 0xe1, 0x71, 0x5a, 0x45, 0x89, 0x33, 0x4c, 0x74, 0xc7, 0xbc, 0x37, 0x36, 0xa2, 0xf4, 0xf6,
    0x77, 0x9c, 0x59, 0xbd, 0xce, 0xe3, 0x6b, 0x69, 0x21, 0x53, 0xd0, 0xa9, 0x87, 0x7c, 0xc6, 0x2a, 0x47,
    0x40, 0x02, 0xdf, 0x32, 0xe5, 0x21, 0x39, 0xf0, 0xa0,
];

#[cfg(test)]
mod tests;
