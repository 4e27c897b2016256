//! Certificate status on request (RFC 6960, GB/T 19713): requests and answers, read leniently with the raw bytes kept, written
//! strictly. SM2 changes nothing in the structures.

use aws_lc_rs::digest;
use const_oid::ObjectIdentifier;

use crate::certificate::Certificate;
use crate::der::{self, DerError, Tlv, tag};
use crate::digest::sm3;
use crate::oid;

mod request;
mod response;
mod write;

pub use request::{MAX_REQUEST_BYTES, OcspRequest};
pub use response::{
    BasicResponse, CertStatus, MAX_RESPONSE_BYTES, OcspResponse, ResponderId, ResponseStatus, SingleResponse,
    TbsResponse,
};
pub use write::{ResponseContent, assemble_response, error_response};

/// A nonce longer than this is refused (RFC 9654, 2.1).
pub const MAX_NONCE_BYTES: usize = 128;

/// Why bytes are not a request or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OcspError {
    /// It is larger than is read.
    #[error("the status message is too large")]
    TooLarge,
    /// The structure is broken.
    #[error("the status message is malformed")]
    Malformed(#[from] DerError),
    /// An answer of a type that is not known.
    #[error("the status answer has an unknown type")]
    Type,
}

/// The digests that name an issuer in a [`CertId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OcspHash {
    /// SHA-1: what most clients send. Here it only names an issuer; collisions harm nobody.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SM3.
    Sm3,
}

impl OcspHash {
    /// Its object identifier.
    pub fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => oid::SHA1,
            Self::Sha256 => oid::SHA256,
            Self::Sm3 => oid::SM3,
        }
    }

    /// The digest with this identifier.
    pub fn from_oid(identifier: ObjectIdentifier) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sm3]
            .into_iter()
            .find(|hash| hash.oid() == identifier)
    }

    /// The digest of these bytes.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        let with = |algorithm| digest::digest(algorithm, bytes).as_ref().to_vec();
        match self {
            Self::Sha1 => with(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            Self::Sha256 => with(&digest::SHA256),
            Self::Sm3 => sm3(bytes).to_vec(),
        }
    }
}

/// Which certificate is asked about.
///
/// ```text
/// CertID ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING,
///     serialNumber INTEGER }
/// ```
#[derive(Debug, Clone)]
pub struct CertId {
    der: Vec<u8>,
    hash_algorithm: ObjectIdentifier,
    issuer_name_hash: Vec<u8>,
    issuer_key_hash: Vec<u8>,
    serial: Vec<u8>,
}

impl CertId {
    /// Names the certificate of this issuer with this serial number (content octets of its INTEGER).
    pub fn of(issuer: &Certificate, serial_content: &[u8], hash: OcspHash) -> Self {
        let issuer_name_hash = hash.digest(issuer.subject().as_der());
        let issuer_key_hash = hash.digest(key_bits(issuer));
        // Parameters are NULL, as nearly every client and responder writes them; some compare the bytes.
        let algorithm = der::sequence(&[&der::oid(hash.oid()), &der::null()]);
        let der = der::sequence(&[
            &algorithm,
            &der::octet_string(&issuer_name_hash),
            &der::octet_string(&issuer_key_hash),
            &der::tlv(tag::INTEGER, serial_content),
        ]);
        Self {
            der,
            hash_algorithm: hash.oid(),
            issuer_name_hash,
            issuer_key_hash,
            serial: serial_content.to_vec(),
        }
    }

    pub(super) fn read(element: Tlv<'_>) -> Result<Self, DerError> {
        let mut fields = element.reader();
        let mut algorithm = fields.expect(tag::SEQUENCE)?.reader();
        let hash_algorithm = der::object_identifier(algorithm.any()?)?;
        let issuer_name_hash = fields.expect(tag::OCTET_STRING)?.value.to_vec();
        let issuer_key_hash = fields.expect(tag::OCTET_STRING)?.value.to_vec();
        let serial = fields.expect(tag::INTEGER)?.value;
        fields.finish()?;
        if serial.is_empty() {
            return Err(DerError::Value);
        }
        Ok(Self {
            der: element.raw.to_vec(),
            hash_algorithm,
            issuer_name_hash,
            issuer_key_hash,
            serial: serial.to_vec(),
        })
    }

    /// As written or as it came.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The digest algorithm, known here or not.
    pub fn hash_algorithm(&self) -> ObjectIdentifier {
        self.hash_algorithm
    }

    /// The digest of the issuer's name.
    pub fn issuer_name_hash(&self) -> &[u8] {
        &self.issuer_name_hash
    }

    /// The digest of the issuer's key.
    pub fn issuer_key_hash(&self) -> &[u8] {
        &self.issuer_key_hash
    }

    /// The content octets of the serial number's INTEGER.
    pub fn serial_content(&self) -> &[u8] {
        &self.serial
    }

    /// Whether it names this issuer, by the digest that it chose itself; never with an unknown digest.
    pub fn names_issuer(&self, issuer: &Certificate) -> bool {
        OcspHash::from_oid(self.hash_algorithm).is_some_and(|hash| {
            self.issuer_name_hash == hash.digest(issuer.subject().as_der())
                && self.issuer_key_hash == hash.digest(key_bits(issuer))
        })
    }

    /// Whether it names this certificate of this issuer.
    pub fn names(&self, issuer: &Certificate, serial_content: &[u8]) -> bool {
        self.serial == serial_content && self.names_issuer(issuer)
    }
}

/// Equal when they say the same, whatever the parameters of the algorithm.
impl PartialEq for CertId {
    fn eq(&self, other: &Self) -> bool {
        self.hash_algorithm == other.hash_algorithm
            && self.issuer_name_hash == other.issuer_name_hash
            && self.issuer_key_hash == other.issuer_key_hash
            && self.serial == other.serial
    }
}

impl Eq for CertId {}

/// The content of the BIT STRING in the subject's `SubjectPublicKeyInfo`, without the count of unused bits.
pub(crate) fn key_bits(certificate: &Certificate) -> &[u8] {
    let bits = || {
        let mut spki = Tlv::whole_of(tag::SEQUENCE, certificate.tbs().spki())
            .ok()?
            .reader();
        spki.expect(tag::SEQUENCE).ok()?;
        spki.expect(tag::BIT_STRING).ok()?.value.get(1..)
    };
    // The certificate has been read, so that the frame of its key is there.
    bits().unwrap_or_default()
}

/// The nonce: an OCTET STRING in extnValue, or, from old clients, the bare bytes.
fn read_nonce(extensions: &[crate::certificate::Extension]) -> Result<Option<Vec<u8>>, DerError> {
    let Some(extension) = extensions
        .iter()
        .find(|extension| extension.oid == oid::OCSP_NONCE)
    else {
        return Ok(None);
    };
    let nonce =
        Tlv::whole_of(tag::OCTET_STRING, &extension.value).map_or(&extension.value[..], |inner| inner.value);
    if nonce.is_empty() || nonce.len() > MAX_NONCE_BYTES {
        return Err(DerError::Value);
    }
    Ok(Some(nonce.to_vec()))
}

#[cfg(test)]
mod tests;
