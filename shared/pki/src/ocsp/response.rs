//! Answers.
//!
//! ```text
//! OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT SEQUENCE { responseType OBJECT IDENTIFIER,
//!     response OCTET STRING } OPTIONAL }
//! BasicOCSPResponse ::= SEQUENCE { tbsResponseData ResponseData, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING,
//!     certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
//! ResponseData ::= SEQUENCE { version [0] EXPLICIT INTEGER DEFAULT v1, responderID ResponderID, producedAt GeneralizedTime,
//!     responses SEQUENCE OF SingleResponse, responseExtensions [1] EXPLICIT Extensions OPTIONAL }
//! ResponderID ::= CHOICE { byName [1] EXPLICIT Name, byKey [2] EXPLICIT OCTET STRING }
//! SingleResponse ::= SEQUENCE { certID CertID, certStatus CertStatus, thisUpdate GeneralizedTime,
//!     nextUpdate [0] EXPLICIT GeneralizedTime OPTIONAL, singleExtensions [1] EXPLICIT Extensions OPTIONAL }
//! CertStatus ::= CHOICE { good [0] IMPLICIT NULL, revoked [1] IMPLICIT SEQUENCE { revocationTime GeneralizedTime,
//!     revocationReason [0] EXPLICIT CRLReason OPTIONAL }, unknown [2] IMPLICIT NULL }
//! ```

use time::OffsetDateTime;

use super::{CertId, OcspError, OcspHash, key_bits, read_nonce};
use crate::algorithm::{SignatureAlgorithm, SubjectKey, VerifyError};
use crate::certificate::{Certificate, Extension, read_extensions};
use crate::crl::Reason;
use crate::der::{self, DerError, Reader, Tlv, tag};
use crate::name::Name;
use crate::oid;

/// An answer larger than this is not read.
pub const MAX_RESPONSE_BYTES: usize = 256 * 1024;

/// How a responder deals with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponseStatus {
    /// An answer follows.
    Successful,
    /// The request is not understood.
    MalformedRequest,
    /// The responder is broken.
    InternalError,
    /// Ask again later.
    TryLater,
    /// Requests must be signed.
    SigRequired,
    /// The responder does not speak for this certificate, or not to this client.
    Unauthorized,
}

impl ResponseStatus {
    /// The code of `OCSPResponseStatus`; 4 is not in use.
    pub fn code(self) -> u8 {
        match self {
            Self::Successful => 0,
            Self::MalformedRequest => 1,
            Self::InternalError => 2,
            Self::TryLater => 3,
            Self::SigRequired => 5,
            Self::Unauthorized => 6,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        use ResponseStatus as Status;
        [
            Status::Successful,
            Status::MalformedRequest,
            Status::InternalError,
            Status::TryLater,
            Status::SigRequired,
            Status::Unauthorized,
        ]
        .into_iter()
        .find(|status| status.code() == code)
    }
}

/// An answer, or an error without a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspResponse {
    der: Vec<u8>,
    /// How the responder dealt with the request.
    pub status: ResponseStatus,
    /// The answer; present if, and only if, the status is [`ResponseStatus::Successful`].
    pub basic: Option<BasicResponse>,
}

impl OcspResponse {
    /// Reads a DER answer. Nothing is verified yet.
    pub fn from_der(bytes: &[u8]) -> Result<Self, OcspError> {
        if bytes.len() > MAX_RESPONSE_BYTES {
            return Err(OcspError::TooLarge);
        }
        let mut fields = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let status = match fields.expect(tag::ENUMERATED)?.value {
            [code] => ResponseStatus::from_code(*code).ok_or(DerError::Value)?,
            _ => return Err(DerError::Value.into()),
        };
        let body = fields.optional(0xa0)?;
        fields.finish()?;
        let basic = match (status, body) {
            (ResponseStatus::Successful, Some(body)) => Some(read_body(body)?),
            (ResponseStatus::Successful, None) => return Err(DerError::Truncated.into()),
            (_, _) => None,
        };
        Ok(Self {
            der: bytes.to_vec(),
            status,
            basic,
        })
    }

    /// The answer as it came.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }
}

fn read_body(explicit: Tlv<'_>) -> Result<BasicResponse, OcspError> {
    let mut fields = Tlv::whole_of(tag::SEQUENCE, explicit.value)?.reader();
    let kind = der::object_identifier(fields.any()?)?;
    let body = fields.expect(tag::OCTET_STRING)?.value;
    fields.finish()?;
    if kind != oid::OCSP_BASIC {
        return Err(OcspError::Type);
    }
    BasicResponse::from_der(body)
}

/// Who signed an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponderId {
    /// By the subject of the responder's certificate.
    ByName(Name),
    /// By the SHA-1 of the responder's key bits.
    ByKey(Vec<u8>),
}

impl ResponderId {
    /// The holder of this certificate, by key.
    pub fn key_of(certificate: &Certificate) -> Self {
        Self::ByKey(OcspHash::Sha1.digest(key_bits(certificate)))
    }

    /// Whether it means the holder of this certificate.
    pub fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::ByName(name) => name == certificate.subject(),
            Self::ByKey(_) => *self == Self::key_of(certificate),
        }
    }

    fn read(element: Tlv<'_>) -> Result<Self, DerError> {
        match element.tag {
            0xa1 => Name::from_der(element.value).map(Self::ByName),
            0xa2 => Ok(Self::ByKey(
                Tlv::whole_of(tag::OCTET_STRING, element.value)?.value.to_vec(),
            )),
            found => Err(DerError::Tag {
                expected: 0xa2,
                found,
            }),
        }
    }
}

/// What an answer says of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertStatus {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked {
        /// Since when.
        at: OffsetDateTime,
        /// Why; `None` if nothing is said.
        reason: Option<Reason>,
    },
    /// The responder does not know the certificate.
    Unknown,
}

/// The answer about one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleResponse {
    /// The certificate.
    pub cert_id: CertId,
    /// Its status.
    pub status: CertStatus,
    /// When the status was known to be this.
    pub this_update: OffsetDateTime,
    /// By when something newer is known.
    pub next_update: Option<OffsetDateTime>,
    /// Whether a critical extension is not understood, so that the answer must not be relied on.
    pub unknown_critical: bool,
}

/// What a responder signs, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TbsResponse {
    pub(crate) der: Vec<u8>,
    /// Who signs.
    pub responder: ResponderId,
    /// When it was signed.
    pub produced_at: OffsetDateTime,
    /// The answers in their order.
    pub responses: Vec<SingleResponse>,
    /// The nonce of the request, if it was answered afresh.
    pub nonce: Option<Vec<u8>>,
    /// All extensions.
    pub extensions: Vec<Extension>,
}

/// A signed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicResponse {
    tbs: TbsResponse,
    signature_algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    certificates: Vec<Certificate>,
}

impl BasicResponse {
    fn from_der(bytes: &[u8]) -> Result<Self, OcspError> {
        let mut fields = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let tbs = TbsResponse::from_der(fields.expect(tag::SEQUENCE)?.raw)?;
        let signature_algorithm = SignatureAlgorithm::from_der(fields.expect(tag::SEQUENCE)?)?;
        let signature = fields.expect(tag::BIT_STRING)?.whole_bits()?.to_vec();
        let mut certificates = Vec::new();
        if let Some(explicit) = fields.optional(0xa0)? {
            let mut list = Tlv::whole_of(tag::SEQUENCE, explicit.value)?.reader();
            while !list.is_empty() {
                // They help to find the responder's key and are not signed: one that is not readable is passed over.
                certificates.extend(Certificate::from_der(list.any()?.raw));
            }
        }
        fields.finish()?;
        Ok(Self {
            tbs,
            signature_algorithm,
            signature,
            certificates,
        })
    }

    /// The signed part.
    pub fn tbs(&self) -> &TbsResponse {
        &self.tbs
    }

    /// The bytes that are signed.
    pub fn tbs_der(&self) -> &[u8] {
        &self.tbs.der
    }

    /// Who signed.
    pub fn responder(&self) -> &ResponderId {
        &self.tbs.responder
    }

    /// When it was signed.
    pub fn produced_at(&self) -> OffsetDateTime {
        self.tbs.produced_at
    }

    /// The answers in their order.
    pub fn responses(&self) -> &[SingleResponse] {
        &self.tbs.responses
    }

    /// The answer about this certificate.
    pub fn find(&self, issuer: &Certificate, serial_content: &[u8]) -> Option<&SingleResponse> {
        self.tbs
            .responses
            .iter()
            .find(|single| single.cert_id.names(issuer, serial_content))
    }

    /// The nonce of the request, if it was answered afresh.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.tbs.nonce.as_deref()
    }

    /// The certificates that came along; nothing vouches for them.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// How the responder signed.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.signature_algorithm
    }

    /// The DER signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Verifies the responder's signature with its key, and nothing else.
    pub fn verify_signature(&self, responder: &SubjectKey) -> Result<(), VerifyError> {
        responder.verify(self.signature_algorithm, &self.tbs.der, &self.signature)
    }
}

impl TbsResponse {
    /// Reads the DER `ResponseData`.
    pub fn from_der(bytes: &[u8]) -> Result<Self, OcspError> {
        let mut fields = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        if let Some(version) = fields.optional(0xa0)? {
            // v1 is the only one.
            if !der::unsigned(Tlv::whole(version.value)?)?.is_empty() {
                return Err(DerError::Value.into());
            }
        }
        let responder = ResponderId::read(fields.any()?)?;
        let produced_at = der::time(fields.expect(tag::GENERALIZED_TIME)?)?;
        let mut list = fields.expect(tag::SEQUENCE)?.reader();
        let mut responses = Vec::new();
        while !list.is_empty() {
            responses.push(read_single(list.expect(tag::SEQUENCE)?)?);
        }
        let extensions = optional_extensions(&mut fields)?;
        fields.finish()?;
        Ok(Self {
            der: bytes.to_vec(),
            responder,
            produced_at,
            responses,
            nonce: read_nonce(&extensions)?,
            extensions,
        })
    }
}

fn read_single(element: Tlv<'_>) -> Result<SingleResponse, DerError> {
    let mut fields = element.reader();
    let cert_id = CertId::read(fields.expect(tag::SEQUENCE)?)?;
    let status = read_status(fields.any()?)?;
    let this_update = der::time(fields.expect(tag::GENERALIZED_TIME)?)?;
    let next_update = match fields.optional(0xa0)? {
        Some(explicit) => Some(der::time(Tlv::whole_of(tag::GENERALIZED_TIME, explicit.value)?)?),
        None => None,
    };
    let extensions = optional_extensions(&mut fields)?;
    fields.finish()?;
    Ok(SingleResponse {
        cert_id,
        status,
        this_update,
        next_update,
        unknown_critical: extensions.iter().any(|extension| extension.critical),
    })
}

fn read_status(element: Tlv<'_>) -> Result<CertStatus, DerError> {
    match (element.tag, element.value) {
        (0x80, []) => Ok(CertStatus::Good),
        (0x82, []) => Ok(CertStatus::Unknown),
        (0xa1, _) => {
            let mut fields = element.reader();
            let at = der::time(fields.expect(tag::GENERALIZED_TIME)?)?;
            let reason = match fields.optional(0xa0)? {
                Some(explicit) => match Tlv::whole_of(tag::ENUMERATED, explicit.value)?.value {
                    // An unknown code reads as no reason: the certificate is revoked all the same.
                    [code] => Reason::from_code(*code),
                    _ => return Err(DerError::Value),
                },
                None => None,
            };
            fields.finish()?;
            Ok(CertStatus::Revoked { at, reason })
        }
        _ => Err(DerError::Value),
    }
}

fn optional_extensions(fields: &mut Reader<'_>) -> Result<Vec<Extension>, DerError> {
    match fields.optional(0xa1)? {
        Some(explicit) => read_extensions(Tlv::whole_of(tag::SEQUENCE, explicit.value)?.reader()),
        None => Ok(Vec::new()),
    }
}
