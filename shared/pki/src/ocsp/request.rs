//! Requests.
//!
//! ```text
//! OCSPRequest ::= SEQUENCE { tbsRequest TBSRequest, optionalSignature [0] EXPLICIT Signature OPTIONAL }
//! TBSRequest ::= SEQUENCE { version [0] EXPLICIT INTEGER DEFAULT v1, requestorName [1] EXPLICIT GeneralName OPTIONAL,
//!     requestList SEQUENCE OF Request, requestExtensions [2] EXPLICIT Extensions OPTIONAL }
//! Request ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] EXPLICIT Extensions OPTIONAL }
//! ```

use super::{CertId, OcspError, read_nonce};
use crate::certificate::read_extensions;
use crate::der::{self, DerError, Tlv, tag};
use crate::oid;
use crate::profile::extension::plain;

/// A request larger than this is not read.
pub const MAX_REQUEST_BYTES: usize = 16 * 1024;

/// A request. Signatures of requests are not looked at: anybody may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspRequest {
    der: Vec<u8>,
    cert_ids: Vec<CertId>,
    nonce: Option<Vec<u8>>,
    unknown_critical: bool,
}

impl OcspRequest {
    /// Asks about these certificates; with a nonce (1 to 128 bytes), the answer must be fresh.
    pub fn new(cert_ids: Vec<CertId>, nonce: Option<&[u8]>) -> Self {
        let list: Vec<u8> = cert_ids
            .iter()
            .flat_map(|cert_id| der::sequence(&[cert_id.as_der()]))
            .collect();
        let extensions = nonce
            .map(|nonce| {
                let extension = plain(oid::OCSP_NONCE, &der::octet_string(nonce));
                der::explicit(2, &der::sequence(&[&extension]))
            })
            .unwrap_or_default();
        let tbs = der::sequence(&[&der::tlv(tag::SEQUENCE, &list), &extensions]);
        Self {
            der: der::sequence(&[&tbs]),
            cert_ids,
            nonce: nonce.map(<[u8]>::to_vec),
            unknown_critical: false,
        }
    }

    /// Reads a request; at least one certificate is asked about.
    pub fn from_der(bytes: &[u8]) -> Result<Self, OcspError> {
        if bytes.len() > MAX_REQUEST_BYTES {
            return Err(OcspError::TooLarge);
        }
        let mut request = Tlv::whole_of(tag::SEQUENCE, bytes)?.reader();
        let mut fields = request.expect(tag::SEQUENCE)?.reader();
        request.optional(0xa0)?;
        request.finish()?;
        if let Some(version) = fields.optional(0xa0)? {
            // v1 is the only one.
            if !der::unsigned(Tlv::whole(version.value)?)?.is_empty() {
                return Err(DerError::Value.into());
            }
        }
        fields.optional(0xa1)?;
        let mut list = fields.expect(tag::SEQUENCE)?.reader();
        let mut unknown_critical = false;
        let mut cert_ids = Vec::new();
        while !list.is_empty() {
            let mut single = list.expect(tag::SEQUENCE)?.reader();
            cert_ids.push(CertId::read(single.expect(tag::SEQUENCE)?)?);
            if let Some(explicit) = single.optional(0xa0)? {
                let extensions = read_extensions(Tlv::whole_of(tag::SEQUENCE, explicit.value)?.reader())?;
                unknown_critical |= extensions.iter().any(|extension| extension.critical);
            }
            single.finish()?;
        }
        let extensions = match fields.optional(0xa2)? {
            Some(explicit) => read_extensions(Tlv::whole_of(tag::SEQUENCE, explicit.value)?.reader())?,
            None => Vec::new(),
        };
        fields.finish()?;
        if cert_ids.is_empty() {
            return Err(DerError::Value.into());
        }
        unknown_critical |= extensions
            .iter()
            .any(|extension| extension.critical && extension.oid != oid::OCSP_NONCE);
        Ok(Self {
            der: bytes.to_vec(),
            cert_ids,
            nonce: read_nonce(&extensions)?,
            unknown_critical,
        })
    }

    /// As written or as it came.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The certificates that are asked about, in their order; at least one.
    pub fn cert_ids(&self) -> &[CertId] {
        &self.cert_ids
    }

    /// The nonce, if the client wants a fresh answer.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// Whether a critical extension is not understood, so that the request cannot be answered.
    pub fn unknown_critical(&self) -> bool {
        self.unknown_critical
    }
}
