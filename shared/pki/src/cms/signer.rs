//! One signer of a message: what is signed, and how it is verified (GM/T 0010-2012; RFC 5652, 5.3 to 5.6).

use aws_lc_rs::digest;

use super::issuer_and_serial;
use crate::algorithm::{Hash, SignatureAlgorithm, SubjectKey, VerifyError};
use crate::certificate::Certificate;
use crate::der::{self, DerError, Tlv, tag};
use crate::digest::{constant_time_eq, sm3};
use crate::key;
use crate::name::Name;
use crate::oid::{self, ObjectIdentifier};

/// Whose certificate is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerId {
    /// By issuer and serial number (content octets). `None` is an issuer that is no name: then just the number counts.
    IssuerAndSerial(Option<Name>, Vec<u8>),
    /// By the subject key identifier.
    KeyIdentifier(Vec<u8>),
}

impl SignerId {
    pub(crate) fn read(element: Tlv<'_>) -> Result<Self, DerError> {
        match element.tag {
            tag::SEQUENCE => {
                issuer_and_serial(element).map(|(issuer, serial)| Self::IssuerAndSerial(issuer, serial))
            }
            0x80 => Ok(Self::KeyIdentifier(element.value.to_vec())),
            found => Err(DerError::Tag {
                expected: tag::SEQUENCE,
                found,
            }),
        }
    }

    /// Whether it means this certificate.
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial(issuer, serial) => {
                serial == certificate.serial_content()
                    && issuer
                        .as_ref()
                        .is_none_or(|issuer| issuer.matches(certificate.issuer()))
            }
            Self::KeyIdentifier(identifier) => {
                certificate.subject_key_identifier() == Some(identifier.as_slice())
            }
        }
    }
}

/// Why a signature in a message does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// The digest no longer resists collisions.
    #[error("the signature's digest no longer resists collisions")]
    Weak,
    /// The digest is not known here.
    #[error("the digest algorithm is not supported")]
    Digest,
    /// The signed attributes name another digest, or none.
    #[error("the content is not the one that was signed")]
    Content,
    /// The signature itself.
    #[error(transparent)]
    Signature(#[from] VerifyError),
}

/// One signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerInfo {
    /// Whose certificate.
    pub id: SignerId,
    /// The digest algorithm.
    pub digest: ObjectIdentifier,
    /// The signature algorithm's identifier.
    pub algorithm: ObjectIdentifier,
    named: SignatureAlgorithm,
    /// The signed attributes as they came, with their tag.
    attributes: Option<Vec<u8>>,
    signature: Vec<u8>,
}

impl SignerInfo {
    pub(super) fn from_der(element: Tlv<'_>) -> Result<Self, DerError> {
        let mut fields = element.reader();
        fields.expect(tag::INTEGER)?;
        let id = SignerId::read(fields.any()?)?;
        let digest = super::algorithm(fields.expect(tag::SEQUENCE)?)?;
        let attributes = fields.optional(0xa0)?.map(|attributes| attributes.raw.to_vec());
        let algorithm = fields.expect(tag::SEQUENCE)?;
        let signature = fields.expect(tag::OCTET_STRING)?.value.to_vec();
        fields.optional(0xa1)?;
        fields.finish()?;
        Ok(Self {
            id,
            digest,
            algorithm: super::algorithm(algorithm)?,
            named: SignatureAlgorithm::from_der(algorithm)?,
            attributes,
            signature,
        })
    }

    /// Whether attributes are signed along with the content.
    pub fn has_attributes(&self) -> bool {
        self.attributes.is_some()
    }

    /// Verifies the signature over this content; `id` is the identity of an SM2 signer. Says nothing about the certificate.
    pub fn verify(&self, content: &[u8], key: &SubjectKey, id: &str) -> Result<(), SignatureFault> {
        let algorithm = self.signature_algorithm(key);
        if self.digest == oid::SHA1 || algorithm.is_broken() {
            return Err(SignatureFault::Weak);
        }
        let signature = match algorithm {
            // r ‖ s without DER occurs in the field.
            SignatureAlgorithm::Sm2WithSm3 => match self.signature.as_slice().try_into() {
                Ok(raw) => key::signature_from_raw(raw).map_err(|_| VerifyError::BadSignature)?,
                Err(_) => self.signature.clone(),
            },
            _ => self.signature.clone(),
        };
        let Some(attributes) = &self.attributes else {
            return Ok(key.verify_as(id, algorithm, content, &signature)?);
        };
        let made = digest_of(self.digest, content).ok_or(SignatureFault::Digest)?;
        let said = message_digest(attributes).ok().flatten();
        if !said.is_some_and(|said| constant_time_eq(&said, &made)) {
            return Err(SignatureFault::Content);
        }
        // What is signed has the tag of a SET, the rest exactly as it came: some producers do not sort.
        let mut signed = attributes.clone();
        if let Some(first) = signed.first_mut() {
            *first = tag::SET;
        }
        Ok(key.verify_as(id, algorithm, &signed, &signature)?)
    }

    /// PKCS #7 names the key's algorithm and the digest apart, CMS mostly both at once.
    fn signature_algorithm(&self, key: &SubjectKey) -> SignatureAlgorithm {
        let hash = match self.digest {
            oid::SHA256 => Some(Hash::Sha256),
            oid::SHA384 => Some(Hash::Sha384),
            oid::SHA512 => Some(Hash::Sha512),
            oid::SHA1 => Some(Hash::Sha1),
            _ => None,
        };
        match (self.named, self.algorithm, hash, key) {
            (
                SignatureAlgorithm::Unknown(_),
                oid::SM2_SIGN | oid::SM2 | oid::EC_PUBLIC_KEY,
                None,
                SubjectKey::Sm2(_),
            ) if self.digest == oid::SM3 => SignatureAlgorithm::Sm2WithSm3,
            (SignatureAlgorithm::Unknown(_), oid::RSA_ENCRYPTION, Some(hash), _) => {
                SignatureAlgorithm::RsaPkcs1(hash)
            }
            (SignatureAlgorithm::Unknown(_), oid::EC_PUBLIC_KEY, Some(hash), _) => {
                SignatureAlgorithm::Ecdsa(hash)
            }
            (named, ..) => named,
        }
    }
}

/// The value of the attribute messageDigest.
fn message_digest(attributes: &[u8]) -> Result<Option<Vec<u8>>, DerError> {
    let mut list = Tlv::whole(attributes)?.reader();
    let mut found = None;
    while !list.is_empty() {
        let mut attribute = list.expect(tag::SEQUENCE)?.reader();
        let kind = der::object_identifier(attribute.any()?)?;
        let values = attribute.expect(tag::SET)?;
        if kind == oid::MESSAGE_DIGEST {
            // Twice would leave open which one counts (RFC 5652, 11.2).
            if found.is_some() {
                return Err(DerError::Value);
            }
            found = Some(Tlv::whole_of(tag::OCTET_STRING, values.value)?.value.to_vec());
        }
    }
    Ok(found)
}

fn digest_of(algorithm: ObjectIdentifier, content: &[u8]) -> Option<Vec<u8>> {
    let with = |algorithm| digest::digest(algorithm, content).as_ref().to_vec();
    Some(match algorithm {
        oid::SM3 => sm3(content).to_vec(),
        oid::SHA256 => with(&digest::SHA256),
        oid::SHA384 => with(&digest::SHA384),
        oid::SHA512 => with(&digest::SHA512),
        _ => return None,
    })
}
