//! Certificate requests (PKCS#10): built around a signing callback, read leniently, proved over the bytes that came.
//!
//! ```text
//! CertificationRequest ::= SEQUENCE { info CertificationRequestInfo, algorithm AlgorithmIdentifier, signature BIT STRING }
//! CertificationRequestInfo ::= SEQUENCE { version INTEGER(0), subject Name, subjectPKInfo SubjectPublicKeyInfo, [0] attributes }
//! ```

use crate::certificate::{sm2_with_sm3, write_sm2_with_sm3};
use crate::der::{self, DerError, Tlv, tag};
use crate::key::{KeyError, PublicKey};
use crate::name::Name;
use crate::pem;

/// A request is small; what is larger is not one.
pub const MAX_BYTES: usize = 16 * 1024;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// It is larger than [`MAX_BYTES`].
    #[error("the certificate request is too large")]
    TooLarge,
    /// The structure is broken.
    #[error("the certificate request is malformed")]
    Malformed(#[source] DerError),
    /// The text is not a PEM certificate request.
    #[error("the text is not a PEM certificate request")]
    Pem,
    /// The public key is not a usable SM2 key.
    #[error("the key of the certificate request is not usable")]
    Key(#[source] KeyError),
    /// It is not signed with SM2 and SM3.
    #[error("the certificate request is not signed with SM2 and SM3")]
    Algorithm,
    /// The sender does not hold the private key.
    #[error("the certificate request does not prove possession of its key")]
    Proof,
}

impl From<DerError> for CsrError {
    fn from(error: DerError) -> Self {
        Self::Malformed(error)
    }
}

/// What is to be signed, and how the request is put together afterwards.
#[derive(Debug, Clone)]
pub struct CsrBuilder {
    info: Vec<u8>,
}

impl CsrBuilder {
    /// A request of this subject for this key.
    pub fn new(subject: &Name, public_key: &PublicKey) -> Self {
        // attributes [0] is not optional in PKCS#10: an empty one is written.
        let info = der::sequence(&[
            &der::integer(&[0]),
            subject.as_der(),
            &public_key.to_spki_der(),
            &der::explicit(0, &[]),
        ]);
        Self { info }
    }

    /// The bytes to be signed (SM2 over SM3(Z ‖ these bytes), default identity).
    pub fn to_be_signed(&self) -> &[u8] {
        &self.info
    }

    /// The request with a DER signature over [`Self::to_be_signed`].
    pub fn assemble(&self, signature: &[u8]) -> Vec<u8> {
        der::sequence(&[&self.info, &write_sm2_with_sm3(), &der::bit_string(0, signature)])
    }

    /// Signs by a callback, for instance in a token; the callback returns a DER signature.
    pub fn sign_with<E>(&self, sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>) -> Result<Vec<u8>, E> {
        sign(&self.info).map(|signature| self.assemble(&signature))
    }
}

/// A request whose proof of possession has been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csr {
    der: Vec<u8>,
    subject: Name,
    public_key: PublicKey,
}

impl Csr {
    /// Reads a DER request and verifies its proof of possession. Attributes are not looked into.
    pub fn from_der(bytes: &[u8]) -> Result<Self, CsrError> {
        if bytes.len() > MAX_BYTES {
            return Err(CsrError::TooLarge);
        }
        let mut request = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let info = request.expect(tag::SEQUENCE)?;
        let algorithm = request.expect(tag::SEQUENCE)?;
        let signature = request.expect(tag::BIT_STRING)?.whole_bits()?;
        request.finish()?;

        let mut fields = info.reader();
        let version = der::unsigned(fields.expect(tag::INTEGER)?)?;
        if !version.is_empty() {
            return Err(CsrError::Malformed(DerError::Value));
        }
        let subject = Name::from_der(fields.expect(tag::SEQUENCE)?.raw)?;
        let public_key =
            PublicKey::from_spki_der(fields.expect(tag::SEQUENCE)?.raw).map_err(CsrError::Key)?;
        fields.optional(0xa0)?;
        fields.finish()?;

        if !sm2_with_sm3(algorithm) {
            return Err(CsrError::Algorithm);
        }
        public_key
            .verify(info.raw, signature)
            .map_err(|_| CsrError::Proof)?;
        Ok(Self {
            der: bytes.to_vec(),
            subject,
            public_key,
        })
    }

    /// Reads a PEM request.
    pub fn from_pem(text: &str) -> Result<Self, CsrError> {
        if text.len() > 2 * MAX_BYTES {
            return Err(CsrError::TooLarge);
        }
        let der = pem::decode_one(pem::CERTIFICATE_REQUEST, text).map_err(|_| CsrError::Pem)?;
        Self::from_der(&der)
    }

    /// The request as it came.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The subject that the sender asks for.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The key that the sender has proved to hold.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

#[cfg(test)]
mod tests;
