//! Certificate requests (PKCS#10) of any algorithm, read without judging them: for people and programs that look at requests of
//! others. What the platform itself accepts is [`crate::Csr`].

use crate::algorithm::{SignatureAlgorithm, SubjectKey, VerifyError};
use crate::csr::{CsrError, MAX_BYTES};
use crate::der::{DerError, Tlv, tag, unsigned};
use crate::name::Name;

/// A request as it came; its proof of possession is not verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificationRequest {
    info: Vec<u8>,
    subject: Name,
    key: SubjectKey,
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
}

impl CertificationRequest {
    /// Reads a DER request. Attributes are not looked into: vendors have their own ways with them.
    pub fn from_der(bytes: &[u8]) -> Result<Self, CsrError> {
        if bytes.len() > MAX_BYTES {
            return Err(CsrError::TooLarge);
        }
        let mut request = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let info = request.expect(tag::SEQUENCE)?;
        let algorithm = SignatureAlgorithm::from_der(request.expect(tag::SEQUENCE)?)?;
        let signature = request.expect(tag::BIT_STRING)?.whole_bits()?.to_vec();
        request.finish()?;
        let mut fields = info.reader();
        if !unsigned(fields.expect(tag::INTEGER)?)?.is_empty() {
            return Err(CsrError::Malformed(DerError::Value));
        }
        let subject = Name::from_der(fields.expect(tag::SEQUENCE)?.raw)?;
        let key = SubjectKey::from_spki_der(fields.expect(tag::SEQUENCE)?.raw).map_err(CsrError::Key)?;
        fields.optional(0xa0)?;
        fields.finish()?;
        Ok(Self {
            info: info.raw.to_vec(),
            subject,
            key,
            algorithm,
            signature,
        })
    }

    /// The subject that the sender asks for.
    pub fn subject(&self) -> &Name {
        &self.subject
    }

    /// The key that the request is about.
    pub fn key(&self) -> &SubjectKey {
        &self.key
    }

    /// How it is signed.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// Verifies that the sender holds the private key; `id` is the identity of an SM2 signer.
    pub fn verify_proof(&self, id: &str) -> Result<(), VerifyError> {
        self.key
            .verify_as(id, self.algorithm, &self.info, &self.signature)
    }
}
