//! What a certificate shows by itself, whoever issued it.

use std::collections::BTreeSet;

use const_oid::ObjectIdentifier;
use time::OffsetDateTime;

use super::report::{Checks, Outcome, Rule};
use crate::certificate::Certificate;
use crate::{extensions, oid};

/// Extensions that are processed here, so that they may be critical.
const PROCESSED: [ObjectIdentifier; 12] = [
    oid::AUTHORITY_KEY_IDENTIFIER,
    oid::SUBJECT_KEY_IDENTIFIER,
    oid::KEY_USAGE,
    oid::EXTENDED_KEY_USAGE,
    oid::BASIC_CONSTRAINTS,
    oid::SUBJECT_ALT_NAME,
    oid::NAME_CONSTRAINTS,
    oid::CERTIFICATE_POLICIES,
    oid::POLICY_MAPPINGS,
    oid::POLICY_CONSTRAINTS,
    oid::INHIBIT_ANY_POLICY,
    oid::CRL_DISTRIBUTION_POINTS,
];

/// RSA with MD2, MD4 or MD5.
const BROKEN: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.2"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.3"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4"),
];

/// The bit keyCertSign.
const KEY_CERT_SIGN: u8 = 0x04;

/// What a certificate shows by itself: structure, digest, validity, critical extensions.
pub(super) fn check_alone(
    checks: &mut Checks,
    place: usize,
    certificate: &Certificate,
    time: OffsetDateTime,
) {
    let here = Some(place);
    let (outcome, reason) = match structure_fault(certificate) {
        None => (Outcome::Passed, "version and extensions are in order"),
        Some(fault) => (Outcome::Failed, fault),
    };
    checks.add(Rule::Structure, here, outcome, reason);
    let algorithm = certificate.signature_algorithm();
    let weak = algorithm.is_broken()
        || matches!(algorithm, crate::SignatureAlgorithm::Unknown(oid) if BROKEN.contains(&oid));
    let (outcome, reason) = if weak {
        (
            Outcome::Failed,
            format!("signed by {algorithm}: its digest no longer resists collisions"),
        )
    } else {
        (Outcome::Passed, format!("signed by {algorithm}"))
    };
    checks.add(Rule::WeakSignature, here, outcome, reason);
    let reasons = (
        "the time lies within the validity",
        if time < certificate.not_before() {
            "the certificate is not yet valid at the time"
        } else {
            "the certificate has expired at the time"
        },
    );
    checks.require(Rule::Validity, here, is_valid_at(certificate, time), reasons);
    let unknown = certificate
        .tbs()
        .extensions()
        .iter()
        .find(|extension| extension.critical && !PROCESSED.contains(&extension.oid));
    match unknown {
        None => {
            let reason = "every critical extension is understood";
            checks.add(Rule::CriticalExtension, here, Outcome::Passed, reason);
        }
        Some(extension) => {
            let reason = format!("the critical extension {} is not understood", extension.oid);
            checks.add(Rule::CriticalExtension, here, Outcome::Failed, reason);
        }
    }
}

/// What is wrong with version or extensions.
fn structure_fault(certificate: &Certificate) -> Option<&'static str> {
    let tbs = certificate.tbs();
    let mut seen = BTreeSet::new();
    if !tbs.extensions().is_empty() && tbs.version != 2 {
        return Some("there are extensions but the version is not 3");
    }
    if !tbs
        .extensions()
        .iter()
        .all(|extension| seen.insert(extension.oid))
    {
        return Some("an extension is there twice");
    }
    if certificate.issuer().is_empty() {
        return Some("the issuer's name is empty");
    }
    let key_usage = tbs.extension(oid::KEY_USAGE).is_none() || tbs.key_usage().is_some();
    let readable = key_usage
        && extensions::certificate_policies(tbs).is_ok()
        && extensions::policy_mappings(tbs).is_ok()
        && extensions::policy_constraints(tbs).is_ok()
        && extensions::inhibit_any_policy(tbs).is_ok()
        && extensions::name_constraints(tbs).is_ok()
        && extensions::subject_alt_names(tbs).is_ok()
        && extensions::extended_key_usage(tbs).is_ok()
        && extensions::crl_distribution_points(tbs).is_ok();
    (!readable).then_some("an extension cannot be read")
}

pub(super) fn is_valid_at(certificate: &Certificate, time: OffsetDateTime) -> bool {
    (certificate.not_before()..=certificate.not_after()).contains(&time)
}

/// 6.1.4 n: where there is a key usage it must say so.
pub(super) fn may_sign_certificates(certificate: &Certificate) -> bool {
    let absent = certificate.extension(oid::KEY_USAGE).is_none();
    absent
        || certificate
            .key_usage()
            .is_some_and(|usage| usage.0 & KEY_CERT_SIGN != 0)
}
