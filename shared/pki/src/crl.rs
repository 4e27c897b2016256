//! Certificate revocation lists (RFC 5280, 5; GM/T 0015-2012, 5.3): read leniently with the raw bytes kept, written strictly.
//!
//! ```text
//! CertificateList ::= SEQUENCE { tbsCertList TBSCertList, signatureAlgorithm AlgorithmIdentifier, signatureValue BIT STRING }
//! TBSCertList ::= SEQUENCE { version INTEGER OPTIONAL, signature AlgorithmIdentifier, issuer Name, thisUpdate Time,
//!     nextUpdate Time OPTIONAL, revokedCertificates SEQUENCE OF SEQUENCE { userCertificate INTEGER, revocationDate Time,
//!     crlEntryExtensions Extensions OPTIONAL } OPTIONAL, crlExtensions [0] EXPLICIT Extensions OPTIONAL }
//! ```

use const_oid::ObjectIdentifier;
use time::OffsetDateTime;

use crate::algorithm::{SignatureAlgorithm, SubjectKey, VerifyError};
use crate::certificate::{self, Extension};
use crate::der::{self, DerError, Tlv, tag};
use crate::name::Name;
use crate::oid;
use crate::pem;

mod distribution_point;
mod entry;
mod reason;
mod write;

pub use distribution_point::IssuingDistributionPoint;
pub use entry::RevokedEntry;
pub use reason::{Reason, ReasonFlags};
pub use write::{CrlContent, Revocation};

/// A list larger than this is not read. At 36 bytes an entry it holds some 450 thousand.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Why bytes are not a revocation list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CrlError {
    /// It is larger than [`MAX_BYTES`].
    #[error("the revocation list is too large")]
    TooLarge,
    /// The structure is broken.
    #[error("the revocation list is malformed")]
    Malformed(#[from] DerError),
    /// The text is not a PEM revocation list.
    #[error("the text is not a PEM revocation list")]
    Pem,
    /// Its two algorithm fields differ.
    #[error("the revocation list names two different signature algorithms")]
    Algorithm,
}

/// What is to be signed, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TbsCrl {
    pub(crate) der: Vec<u8>,
    pub(crate) version: u8,
    pub(crate) signature_algorithm: SignatureAlgorithm,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) issuer: Name,
    pub(crate) this_update: OffsetDateTime,
    pub(crate) next_update: Option<OffsetDateTime>,
    pub(crate) entries: Vec<RevokedEntry>,
    pub(crate) extensions: Vec<Extension>,
}

/// A revocation list: to-be-signed part, signature, and the bytes as they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    der: Vec<u8>,
    tbs: TbsCrl,
    signature: Vec<u8>,
}

impl Crl {
    /// Reads a DER list. Nothing is verified yet.
    pub fn from_der(bytes: &[u8]) -> Result<Self, CrlError> {
        if bytes.len() > MAX_BYTES {
            return Err(CrlError::TooLarge);
        }
        let mut fields = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let tbs = fields.expect(tag::SEQUENCE)?;
        let algorithm = fields.expect(tag::SEQUENCE)?;
        let signature = fields.expect(tag::BIT_STRING)?.whole_bits()?.to_vec();
        fields.finish()?;
        let tbs = TbsCrl::from_der(tbs.raw)?;
        // RFC 5280, 5.1.1.2: the inner and the outer identifier must be the same.
        if algorithm.raw != tbs.algorithm {
            return Err(CrlError::Algorithm);
        }
        Ok(Self {
            der: bytes.to_vec(),
            tbs,
            signature,
        })
    }

    /// Reads a PEM list.
    pub fn from_pem(text: &str) -> Result<Self, CrlError> {
        if text.len() > 2 * MAX_BYTES {
            return Err(CrlError::TooLarge);
        }
        let der = pem::decode_one(pem::X509_CRL, text).map_err(|_| CrlError::Pem)?;
        Self::from_der(&der)
    }

    /// The list as it came.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// PEM.
    pub fn to_pem(&self) -> String {
        pem::encode(pem::X509_CRL, &self.der)
    }

    /// The to-be-signed part.
    pub fn tbs(&self) -> &TbsCrl {
        &self.tbs
    }

    /// The bytes that are signed.
    pub fn tbs_der(&self) -> &[u8] {
        &self.tbs.der
    }

    /// The DER signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// How the issuer signed.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.tbs.signature_algorithm
    }

    /// Who signed.
    pub fn issuer(&self) -> &Name {
        &self.tbs.issuer
    }

    /// When the list was made.
    pub fn this_update(&self) -> OffsetDateTime {
        self.tbs.this_update
    }

    /// By when the next list is there; lists of old may lack it.
    pub fn next_update(&self) -> Option<OffsetDateTime> {
        self.tbs.next_update
    }

    /// The extensions of the list in their order.
    pub fn extensions(&self) -> &[Extension] {
        &self.tbs.extensions
    }

    /// The extension of this type.
    pub fn extension(&self, oid: ObjectIdentifier) -> Option<&Extension> {
        self.tbs.extension(oid)
    }

    /// The number of the list: big-endian, without leading zeros (RFC 5280, 5.2.3).
    pub fn number(&self) -> Option<&[u8]> {
        self.tbs.integer(oid::CRL_NUMBER)
    }

    /// If the list only tells what has changed: the number of the list it starts from (RFC 5280, 5.2.4).
    pub fn base_number(&self) -> Option<&[u8]> {
        self.tbs.integer(oid::DELTA_CRL_INDICATOR)
    }

    /// The key identifier of the issuer's key.
    pub fn authority_key_identifier(&self) -> Option<&[u8]> {
        self.tbs.authority_key_identifier()
    }

    /// Which certificates the list speaks of; `None` if it speaks of all its issuer's.
    pub fn issuing_distribution_point(&self) -> Result<Option<IssuingDistributionPoint>, DerError> {
        self.tbs.issuing_distribution_point()
    }

    /// The revoked certificates in their order.
    pub fn entries(&self) -> &[RevokedEntry] {
        &self.tbs.entries
    }

    /// The first entry of the issuer's certificate with this serial number (content octets of its INTEGER). In an indirect list
    /// [`RevokedEntry::certificate_issuer`] may name another CA: look through [`Self::entries`] there.
    pub fn find(&self, serial_content: &[u8]) -> Option<&RevokedEntry> {
        self.tbs.entries.iter().find(|entry| {
            entry.serial == serial_content
                && entry
                    .certificate_issuer
                    .as_deref()
                    .is_none_or(|issuer| *issuer == self.tbs.issuer)
        })
    }

    /// Verifies the issuer's signature with the issuer's key, and nothing else.
    pub fn verify_signature(&self, issuer: &SubjectKey) -> Result<(), VerifyError> {
        issuer.verify(self.signature_algorithm(), &self.tbs.der, &self.signature)
    }
}

impl TbsCrl {
    /// Reads the DER of a to-be-signed list.
    pub fn from_der(bytes: &[u8]) -> Result<Self, CrlError> {
        let mut fields = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let version = match fields.optional(tag::INTEGER)? {
            Some(version) => match der::unsigned(version)? {
                [] => 0,
                [version] => *version,
                _ => return Err(DerError::Value.into()),
            },
            None => 0,
        };
        let algorithm = fields.expect(tag::SEQUENCE)?;
        let signature_algorithm = SignatureAlgorithm::from_der(algorithm)?;
        let issuer = Name::from_der(fields.expect(tag::SEQUENCE)?.raw)?;
        let this_update = der::time(fields.any()?)?;
        let next_update = match fields.peek() {
            Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => Some(der::time(fields.any()?)?),
            _ => None,
        };
        let entries = match fields.optional(tag::SEQUENCE)? {
            Some(list) => entry::read_all(list.reader())?,
            None => Vec::new(),
        };
        let extensions = match fields.optional(0xa0)? {
            Some(explicit) => {
                certificate::read_extensions(Tlv::whole_of(tag::SEQUENCE, explicit.value)?.reader())?
            }
            None => Vec::new(),
        };
        fields.finish()?;
        Ok(Self {
            der: bytes.to_vec(),
            version,
            signature_algorithm,
            algorithm: algorithm.raw.to_vec(),
            issuer,
            this_update,
            next_update,
            entries,
            extensions,
        })
    }

    /// The extension of this type.
    pub fn extension(&self, oid: ObjectIdentifier) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }

    pub(crate) fn integer(&self, oid: ObjectIdentifier) -> Option<&[u8]> {
        let value = &self.extension(oid)?.value;
        der::unsigned(Tlv::whole_of(tag::INTEGER, value).ok()?).ok()
    }

    pub(crate) fn authority_key_identifier(&self) -> Option<&[u8]> {
        certificate::key_identifier(&self.extension(oid::AUTHORITY_KEY_IDENTIFIER)?.value)
    }

    pub(crate) fn issuing_distribution_point(&self) -> Result<Option<IssuingDistributionPoint>, DerError> {
        self.extension(oid::ISSUING_DISTRIBUTION_POINT)
            .map(|extension| IssuingDistributionPoint::from_der(&extension.value))
            .transpose()
    }
}

#[cfg(test)]
mod tests;
