//! Signature algorithms and keys as certificates name them: SM2 for all that the platform makes; RSA, ECDSA and Ed25519 for
//! what it has to judge. Read leniently; what is not known is kept and verifies nothing.

use std::fmt;

use aws_lc_rs::signature::{self as aws, UnparsedPublicKey, VerificationAlgorithm};
use const_oid::ObjectIdentifier;

use crate::der::{self, DerError, Tlv, tag};
use crate::key::{DEFAULT_ID, KeyError, PublicKey};
use crate::oid;

/// A digest inside a signature algorithm of RSA or ECDSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1: collisions are practical, so nothing signed with it is relied on.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// How something was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// SM2 over SM3 (GM/T 0009-2012).
    Sm2WithSm3,
    /// RSASSA-PKCS1-v1_5 (RFC 8017).
    RsaPkcs1(Hash),
    /// RSASSA-PSS (RFC 4055), the mask generation with the same digest, the salt as long as it.
    RsaPss(Hash),
    /// ECDSA (RFC 5758); the curve is the key's.
    Ecdsa(Hash),
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// Another one, which nothing here verifies.
    Unknown(ObjectIdentifier),
}

impl SignatureAlgorithm {
    /// Reads an `AlgorithmIdentifier`. Parameters of SM2, RSA PKCS #1 and ECDSA may be absent or NULL.
    pub fn from_der(algorithm: Tlv<'_>) -> Result<Self, DerError> {
        let mut fields = algorithm.reader();
        let identifier = der::object_identifier(fields.any()?)?;
        let known = match identifier {
            oid::RSASSA_PSS => {
                let parameters = fields.optional(tag::SEQUENCE)?;
                fields.finish()?;
                return Ok(parameters
                    .and_then(pss_hash)
                    .map_or(Self::Unknown(identifier), Self::RsaPss));
            }
            oid::SM2_WITH_SM3 => Self::Sm2WithSm3,
            oid::SHA1_WITH_RSA => Self::RsaPkcs1(Hash::Sha1),
            oid::SHA256_WITH_RSA => Self::RsaPkcs1(Hash::Sha256),
            oid::SHA384_WITH_RSA => Self::RsaPkcs1(Hash::Sha384),
            oid::SHA512_WITH_RSA => Self::RsaPkcs1(Hash::Sha512),
            oid::ECDSA_WITH_SHA1 => Self::Ecdsa(Hash::Sha1),
            oid::ECDSA_WITH_SHA256 => Self::Ecdsa(Hash::Sha256),
            oid::ECDSA_WITH_SHA384 => Self::Ecdsa(Hash::Sha384),
            oid::ECDSA_WITH_SHA512 => Self::Ecdsa(Hash::Sha512),
            oid::ED25519 => Self::Ed25519,
            other => return Ok(Self::Unknown(other)),
        };
        fields.optional(tag::NULL)?;
        fields.finish()?;
        Ok(known)
    }

    /// Whether its digest no longer resists collisions, so that a signature proves nothing.
    pub fn is_broken(self) -> bool {
        matches!(self, Self::RsaPkcs1(Hash::Sha1) | Self::Ecdsa(Hash::Sha1))
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = |hash: Hash| match hash {
            Hash::Sha1 => "SHA-1",
            Hash::Sha256 => "SHA-256",
            Hash::Sha384 => "SHA-384",
            Hash::Sha512 => "SHA-512",
        };
        match self {
            Self::Sm2WithSm3 => f.write_str("SM2 with SM3"),
            Self::RsaPkcs1(with) => write!(f, "RSA with {}", hash(*with)),
            Self::RsaPss(with) => write!(f, "RSA-PSS with {}", hash(*with)),
            Self::Ecdsa(with) => write!(f, "ECDSA with {}", hash(*with)),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Unknown(identifier) => write!(f, "{identifier}"),
        }
    }
}

/// `RSASSA-PSS-params`: the digest, if digest, mask digest and salt length fit together (RFC 4055, 3.1).
fn pss_hash(parameters: Tlv<'_>) -> Option<Hash> {
    let mut fields = parameters.reader();
    let digest = fields.optional(0xa0).ok()??;
    let mask = fields.optional(0xa1).ok()??;
    let salt = fields.optional(0xa2).ok()??;
    let identifier = |algorithm: Tlv<'_>| der::object_identifier(algorithm.reader().any().ok()?).ok();
    let named = identifier(Tlv::whole_of(tag::SEQUENCE, digest.value).ok()?)?;
    let mut mask = Tlv::whole_of(tag::SEQUENCE, mask.value).ok()?.reader();
    let mask_function = der::object_identifier(mask.any().ok()?).ok()?;
    let mask_digest = identifier(mask.expect(tag::SEQUENCE).ok()?)?;
    let salt = der::unsigned(Tlv::whole(salt.value).ok()?).ok()?;
    let (hash, octets) = match named {
        oid::SHA256 => (Hash::Sha256, 32),
        oid::SHA384 => (Hash::Sha384, 48),
        oid::SHA512 => (Hash::Sha512, 64),
        _ => return None,
    };
    (mask_function == oid::MGF1 && mask_digest == named && salt == [octets]).then_some(hash)
}

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The algorithm, or the key's, is not known here: nothing is said about the signature.
    #[error("the signature algorithm is not supported")]
    Unsupported,
    /// The key belongs to another algorithm than the signature.
    #[error("the key does not belong to the signature algorithm")]
    OtherKey,
    /// It is malformed or does not verify.
    #[error("the signature does not verify")]
    BadSignature,
}

/// Curves of ECDSA keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

/// The key of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectKey {
    /// An SM2 key.
    Sm2(PublicKey),
    /// An RSA key: its `SubjectPublicKeyInfo`.
    Rsa(Vec<u8>),
    /// A key on a curve of NIST: its `SubjectPublicKeyInfo`.
    Ec(Curve, Vec<u8>),
    /// An Ed25519 key: its 32 bytes.
    Ed25519(Vec<u8>),
    /// Another key, which nothing here verifies with.
    Unknown(ObjectIdentifier),
}

impl SubjectKey {
    /// Reads a DER `SubjectPublicKeyInfo`. An SM2 key must be usable; of other keys just the frame is read.
    pub fn from_spki_der(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut spki = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let mut algorithm = spki.expect(tag::SEQUENCE)?.reader();
        let identifier = der::object_identifier(algorithm.any()?)?;
        let parameters = if algorithm.is_empty() {
            None
        } else {
            Some(algorithm.any()?)
        };
        let bits = spki.expect(tag::BIT_STRING)?;
        spki.finish()?;
        let curve = parameters.and_then(|parameters| der::object_identifier(parameters).ok());
        Ok(match (identifier, curve) {
            (oid::SM2, Some(_)) | (oid::EC_PUBLIC_KEY, Some(oid::SM2)) => {
                Self::Sm2(PublicKey::from_spki_der(bytes)?)
            }
            (oid::SM2 | oid::EC_PUBLIC_KEY, None)
                if parameters.is_some_and(|explicit| explicit.tag == tag::SEQUENCE) =>
            {
                // A curve of one's own choice could make any key verify: only the curve of SM2, written out, is taken.
                if !parameters.is_some_and(is_sm2_curve) {
                    return Err(KeyError::UnsupportedAlgorithm);
                }
                Self::Sm2(PublicKey::from_sec1(bits.whole_bits()?)?)
            }
            (oid::RSA_ENCRYPTION, _) => Self::Rsa(bytes.to_vec()),
            (oid::EC_PUBLIC_KEY, Some(oid::P256)) => Self::Ec(Curve::P256, bytes.to_vec()),
            (oid::EC_PUBLIC_KEY, Some(oid::P384)) => Self::Ec(Curve::P384, bytes.to_vec()),
            (oid::EC_PUBLIC_KEY, Some(oid::P521)) => Self::Ec(Curve::P521, bytes.to_vec()),
            (oid::ED25519, _) => Self::Ed25519(bits.whole_bits()?.to_vec()),
            (other, _) => Self::Unknown(other),
        })
    }

    /// The SM2 key, if it is one.
    pub fn sm2(&self) -> Option<&PublicKey> {
        match self {
            Self::Sm2(key) => Some(key),
            _ => None,
        }
    }

    /// Verifies a signature as certificates, lists and answers carry it (SM2 and ECDSA: DER).
    pub fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        self.verify_as(DEFAULT_ID, algorithm, message, signature)
    }

    /// As [`Self::verify`], for a signer whose SM2 identity is another than the usual one.
    pub fn verify_as(
        &self,
        id: &str,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        use SignatureAlgorithm as Algorithm;
        match (self, algorithm) {
            (Self::Unknown(_), _) | (_, Algorithm::Unknown(_)) => Err(VerifyError::Unsupported),
            (Self::Sm2(key), Algorithm::Sm2WithSm3) => {
                let e = key
                    .message_digest_as(id, message)
                    .ok_or(VerifyError::Unsupported)?;
                key.verify_digest(&e, signature)
                    .map_err(|_| VerifyError::BadSignature)
            }
            (Self::Rsa(spki), Algorithm::RsaPkcs1(hash)) => {
                with_aws(rsa_pkcs1(hash), spki, message, signature)
            }
            (Self::Rsa(spki), Algorithm::RsaPss(hash)) => match hash {
                Hash::Sha1 => Err(VerifyError::Unsupported),
                Hash::Sha256 => with_aws(&aws::RSA_PSS_2048_8192_SHA256, spki, message, signature),
                Hash::Sha384 => with_aws(&aws::RSA_PSS_2048_8192_SHA384, spki, message, signature),
                Hash::Sha512 => with_aws(&aws::RSA_PSS_2048_8192_SHA512, spki, message, signature),
            },
            (Self::Ec(curve, spki), Algorithm::Ecdsa(hash)) => {
                let algorithm = ecdsa(*curve, hash).ok_or(VerifyError::Unsupported)?;
                with_aws(algorithm, spki, message, signature)
            }
            (Self::Ed25519(key), Algorithm::Ed25519) => with_aws(&aws::ED25519, key, message, signature),
            _ => Err(VerifyError::OtherKey),
        }
    }
}

impl fmt::Display for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sm2(_) => f.write_str("SM2"),
            Self::Rsa(_) => f.write_str("RSA"),
            Self::Ec(Curve::P256, _) => f.write_str("P-256"),
            Self::Ec(Curve::P384, _) => f.write_str("P-384"),
            Self::Ec(Curve::P521, _) => f.write_str("P-521"),
            Self::Ed25519(_) => f.write_str("Ed25519"),
            Self::Unknown(identifier) => write!(f, "{identifier}"),
        }
    }
}

/// Whether `ECParameters` (ANSI X9.62) spell out exactly sm2p256v1 (GM/T 0003.5). A seed and a cofactor of 1 may be there.
fn is_sm2_curve(parameters: Tlv<'_>) -> bool {
    let matches = || -> Result<bool, DerError> {
        let mut fields = parameters.reader();
        let version = der::unsigned(fields.expect(tag::INTEGER)?)?;
        let mut field = fields.expect(tag::SEQUENCE)?.reader();
        let kind = der::object_identifier(field.any()?)?;
        let prime = der::unsigned(field.expect(tag::INTEGER)?)?;
        field.finish()?;
        let mut curve = fields.expect(tag::SEQUENCE)?.reader();
        let a = curve.expect(tag::OCTET_STRING)?.value;
        let b = curve.expect(tag::OCTET_STRING)?.value;
        curve.optional(tag::BIT_STRING)?;
        curve.finish()?;
        let base = fields.expect(tag::OCTET_STRING)?.value;
        let order = der::unsigned(fields.expect(tag::INTEGER)?)?;
        let cofactor = match fields.optional(tag::INTEGER)? {
            Some(cofactor) => der::unsigned(cofactor)?,
            None => &[1],
        };
        fields.finish()?;
        Ok((1..=3).contains(&version.first().copied().unwrap_or_default())
            && version.len() == 1
            && kind == oid::PRIME_FIELD
            && prime == SM2_PRIME
            && a == SM2_A
            && b == SM2_B
            && base == SM2_BASE
            && order == SM2_ORDER
            && cofactor == [1])
    };
    matches().unwrap_or(false)
}

const SM2_PRIME: [u8; 32] = *b"\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
    \xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff";
const SM2_A: [u8; 32] = *b"\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
    \xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xfc";
const SM2_B: [u8; 32] = *b"\x28\xe9\xfa\x9e\x9d\x9f\x5e\x34\x4d\x5a\x9e\x4b\xcf\x65\x09\xa7\
    \xf3\x97\x89\xf5\x15\xab\x8f\x92\xdd\xbc\xbd\x41\x4d\x94\x0e\x93";
const SM2_ORDER: [u8; 32] = *b"\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
    \x72\x03\xdf\x6b\x21\xc6\x05\x2b\x53\xbb\xf4\x09\x39\xd5\x41\x23";
const SM2_BASE: [u8; 65] = *b"\x04\
    \x32\xc4\xae\x2c\x1f\x19\x81\x19\x5f\x99\x04\x46\x6a\x39\xc9\x94\
    \x8f\xe3\x0b\xbf\xf2\x66\x0b\xe1\x71\x5a\x45\x89\x33\x4c\x74\xc7\
    \xbc\x37\x36\xa2\xf4\xf6\x77\x9c\x59\xbd\xce\xe3\x6b\x69\x21\x53\
    \xd0\xa9\x87\x7c\xc6\x2a\x47\x40\x02\xdf\x32\xe5\x21\x39\xf0\xa0";

fn with_aws(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), VerifyError> {
    UnparsedPublicKey::new(algorithm, key)
        .verify(message, signature)
        .map_err(|_| VerifyError::BadSignature)
}

fn rsa_pkcs1(hash: Hash) -> &'static dyn VerificationAlgorithm {
    match hash {
        Hash::Sha1 => &aws::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &aws::RSA_PKCS1_2048_8192_SHA256,
        Hash::Sha384 => &aws::RSA_PKCS1_2048_8192_SHA384,
        Hash::Sha512 => &aws::RSA_PKCS1_2048_8192_SHA512,
    }
}

fn ecdsa(curve: Curve, hash: Hash) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (curve, hash) {
        (Curve::P256, Hash::Sha1) => &aws::ECDSA_P256_SHA1_ASN1,
        (Curve::P256, Hash::Sha256) => &aws::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Hash::Sha384) => &aws::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Hash::Sha512) => &aws::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Hash::Sha1) => return None,
        (Curve::P384, Hash::Sha256) => &aws::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Hash::Sha384) => &aws::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Hash::Sha512) => &aws::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Hash::Sha1) => &aws::ECDSA_P521_SHA1_ASN1,
        (Curve::P521, Hash::Sha256) => &aws::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Hash::Sha384) => &aws::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Hash::Sha512) => &aws::ECDSA_P521_SHA512_ASN1,
    })
}
