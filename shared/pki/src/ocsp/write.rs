//! Writing answers: the to-be-signed bytes, what is sent, and errors.

use time::OffsetDateTime;

use super::{CertStatus, ResponderId, ResponseStatus, SingleResponse};
use crate::certificate::{Certificate, write_sm2_with_sm3};
use crate::crl::Reason;
use crate::der::{self, tag};
use crate::oid;
use crate::profile::extension::plain;

/// What an answer says.
#[derive(Debug, Clone, Copy)]
pub struct ResponseContent<'a> {
    /// Who signs.
    pub responder: &'a ResponderId,
    /// When it is signed.
    pub produced_at: OffsetDateTime,
    /// The answers. [`SingleResponse::unknown_critical`] is not written.
    pub responses: &'a [SingleResponse],
    /// The nonce of the request, if the answer is made for it.
    pub nonce: Option<&'a [u8]>,
}

impl ResponseContent<'_> {
    /// Writes the to-be-signed bytes (DER `ResponseData`).
    pub fn to_tbs(&self) -> Vec<u8> {
        let responder = match self.responder {
            ResponderId::ByName(name) => der::explicit(1, name.as_der()),
            ResponderId::ByKey(digest) => der::explicit(2, &der::octet_string(digest)),
        };
        let responses: Vec<u8> = self.responses.iter().flat_map(write_single).collect();
        let extensions = self
            .nonce
            .map(|nonce| {
                let extension = plain(oid::OCSP_NONCE, &der::octet_string(nonce));
                der::explicit(1, &der::sequence(&[&extension]))
            })
            .unwrap_or_default();
        der::sequence(&[
            &responder,
            &der::write_generalized_time(self.produced_at),
            &der::tlv(tag::SEQUENCE, &responses),
            &extensions,
        ])
    }
}

fn write_single(single: &SingleResponse) -> Vec<u8> {
    let status = match single.status {
        CertStatus::Good => der::context(0, &[]),
        CertStatus::Unknown => der::context(2, &[]),
        CertStatus::Revoked { at, reason } => {
            let reason = reason
                .filter(|reason| *reason != Reason::Unspecified)
                .map(|reason| der::explicit(0, &der::tlv(tag::ENUMERATED, &[reason.code()])))
                .unwrap_or_default();
            // [1] IMPLICIT SEQUENCE: constructed.
            der::explicit(1, &[der::write_generalized_time(at), reason].concat())
        }
    };
    let next_update = single
        .next_update
        .map(|at| der::explicit(0, &der::write_generalized_time(at)))
        .unwrap_or_default();
    der::sequence(&[
        single.cert_id.as_der(),
        &status,
        &der::write_generalized_time(single.this_update),
        &next_update,
    ])
}

/// Puts recorded to-be-signed bytes, a DER signature and the responder's certificates together: the answer, DER.
pub fn assemble_response(tbs: &[u8], signature: &[u8], certificates: &[&Certificate]) -> Vec<u8> {
    let list: Vec<u8> = certificates
        .iter()
        .flat_map(|certificate| certificate.as_der())
        .copied()
        .collect();
    let certificates = if list.is_empty() {
        list
    } else {
        der::explicit(0, &der::tlv(tag::SEQUENCE, &list))
    };
    let basic = der::sequence(&[
        tbs,
        &write_sm2_with_sm3(),
        &der::bit_string(0, signature),
        &certificates,
    ]);
    let body = der::sequence(&[&der::oid(oid::OCSP_BASIC), &der::octet_string(&basic)]);
    der::sequence(&[
        &der::tlv(tag::ENUMERATED, &[ResponseStatus::Successful.code()]),
        &der::explicit(0, &body),
    ])
}

/// An error: it carries no signature, so clients must not take it for a status. Not for [`ResponseStatus::Successful`].
pub fn error_response(status: ResponseStatus) -> Vec<u8> {
    der::sequence(&[&der::tlv(tag::ENUMERATED, &[status.code()])])
}
