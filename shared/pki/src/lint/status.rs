//! Lints of status answers (RFC 6960, 4.2).

use time::Duration;

use super::encoding::is_distinguished;
use super::purposes::purposes;
use super::{Finding, Findings};
use crate::certificate::Certificate;
use crate::crl::Reason;
use crate::der::{Tlv, tag};
use crate::ocsp::{CertStatus, OcspHash, SingleResponse, TbsResponse};
use crate::oid;

/// An answer that stands longer hides a revocation too long.
const MAX_TERM: Duration = Duration::days(10);
/// Elements in one answer.
const MAX_ELEMENTS: usize = 4096;
/// RFC 5280, 4.1.2.2.
const MAX_SERIAL_BYTES: usize = 20;

/// Checks the to-be-signed bytes of an answer against the certificate of the responder that is to sign it. An empty list of
/// findings means that the bytes may be signed.
pub fn lint_ocsp(tbs: &[u8], responder: &Certificate) -> Vec<Finding> {
    let mut findings = Findings::default();
    findings.require(
        is_distinguished(tbs, MAX_ELEMENTS),
        "ocsp-der",
        "the bytes are not distinguished DER",
    );
    match TbsResponse::from_der(tbs) {
        Ok(parsed) => {
            // X.690, 11.5: a default is left out.
            let first = Tlv::whole(tbs).ok().and_then(|whole| whole.reader().peek());
            findings.require(
                first != Some(0xa0),
                "ocsp-version",
                "the version, which is the default, is written",
            );
            check_responder(&mut findings, &parsed, responder);
            check_extensions(&mut findings, &parsed);
            check_responses(&mut findings, &parsed);
        }
        Err(_) => findings.require(false, "ocsp-structure", "the bytes are not a ResponseData"),
    }
    findings.0
}

fn check_responder(findings: &mut Findings, tbs: &TbsResponse, responder: &Certificate) {
    findings.require(
        tbs.responder.names(responder),
        "ocsp-responder",
        "the answer names another responder",
    );
    let delegated = responder
        .extension(oid::EXTENDED_KEY_USAGE)
        .is_some_and(|extension| {
            purposes(&extension.value).is_ok_and(|purposes| purposes.contains(&oid::OCSP_SIGNING))
        });
    let signs = responder
        .key_usage()
        .is_some_and(crate::certificate::KeyUsage::signs);
    findings.require(
        delegated && signs,
        "ocsp-responder-usage",
        "the responder may not sign answers",
    );
    findings.require(
        (responder.not_before()..=responder.not_after()).contains(&tbs.produced_at),
        "ocsp-responder-validity",
        "the responder is not valid when it signs",
    );
}

fn check_extensions(findings: &mut Findings, tbs: &TbsResponse) {
    let known = match tbs.extensions.as_slice() {
        [] => true,
        [only] => {
            only.oid == oid::OCSP_NONCE
                && !only.critical
                && Tlv::whole_of(tag::OCTET_STRING, &only.value).is_ok()
        }
        _ => false,
    };
    findings.require(
        known,
        "ocsp-extension",
        "the answer has more than a nonce that is not critical",
    );
}

fn check_responses(findings: &mut Findings, tbs: &TbsResponse) {
    findings.require(
        !tbs.responses.is_empty(),
        "ocsp-empty",
        "the answer speaks of no certificate",
    );
    for (at, single) in tbs.responses.iter().enumerate() {
        check_cert_id(findings, single);
        findings.require(
            tbs.responses[..at]
                .iter()
                .all(|earlier| earlier.cert_id != single.cert_id),
            "ocsp-twice",
            "the answer speaks of a certificate twice",
        );
        findings.require(
            single.this_update <= tbs.produced_at,
            "ocsp-this-update",
            "the status is known from after the signature",
        );
        findings.require(
            single
                .next_update
                .is_some_and(|next| tbs.produced_at < next && next - single.this_update <= MAX_TERM),
            "ocsp-next-update",
            "the next update is missing, over already, or more than ten days away",
        );
        findings.require(
            !single.unknown_critical,
            "ocsp-extension",
            "the answer has an extension that is critical",
        );
        if let CertStatus::Revoked { at, reason } = single.status {
            findings.require(
                at <= tbs.produced_at,
                "ocsp-revocation-time",
                "a revocation lies after the answer",
            );
            findings.require(
                !matches!(reason, Some(Reason::Unspecified | Reason::RemoveFromCrl)),
                "ocsp-reason",
                "the reason is one that is left out or belongs into lists of changes",
            );
        }
    }
}

fn check_cert_id(findings: &mut Findings, single: &SingleResponse) {
    let cert_id = &single.cert_id;
    let octets = match OcspHash::from_oid(cert_id.hash_algorithm()) {
        Some(OcspHash::Sha1) => 20,
        Some(OcspHash::Sha256 | OcspHash::Sm3) => 32,
        None => 0,
    };
    findings.require(
        octets > 0 && cert_id.issuer_name_hash().len() == octets && cert_id.issuer_key_hash().len() == octets,
        "ocsp-issuer",
        "the issuer is not named by a known digest",
    );
    let serial = cert_id.serial_content();
    findings.require(
        serial.first().is_some_and(|first| first & 0x80 == 0) && serial.len() <= MAX_SERIAL_BYTES,
        "ocsp-serial",
        "the serial number is negative or longer than 20 bytes",
    );
}
