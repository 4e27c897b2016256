//! What the key is for: key usage, purposes, whether it is a CA's.

use const_oid::ObjectIdentifier;

use super::Findings;
use crate::certificate::TbsCertificate;
use crate::der::{self, DerError, Tlv, tag};
use crate::oid;
use crate::profile::Profile;

pub(super) fn check(findings: &mut Findings, profile: Profile, tbs: &TbsCertificate) {
    check_key_usage(findings, profile, tbs);
    check_basic_constraints(findings, profile, tbs);
    check_purposes(findings, profile, tbs);
    check_no_check(findings, profile, tbs);
}

fn check_key_usage(findings: &mut Findings, profile: Profile, tbs: &TbsCertificate) {
    findings.require(
        tbs.key_usage() == Some(profile.key_usage()),
        "key-usage",
        "the key usage is not the profile's",
    );
    // The lenient reader skips the count of unused bits; a named BIT STRING has no trailing zero bits.
    let minimal = tbs.extension(oid::KEY_USAGE).is_some_and(|extension| {
        matches!(extension.value.as_slice(), [3, 2, unused, bits] if bits.trailing_zeros() == u32::from(*unused))
    });
    findings.require(
        minimal,
        "key-usage-encoding",
        "the key usage is not minimally encoded",
    );
}

fn check_basic_constraints(findings: &mut Findings, profile: Profile, tbs: &TbsCertificate) {
    findings.require(
        tbs.is_ca() == profile.is_ca(),
        "basic-constraints",
        "just a CA is marked as a CA",
    );
    if profile == Profile::IssuingCa {
        findings.require(
            tbs.path_length() == Some(0),
            "path-length",
            "an issuing CA has no CA under it",
        );
    }
}

fn check_purposes(findings: &mut Findings, profile: Profile, tbs: &TbsCertificate) {
    let expected: &[ObjectIdentifier] = match profile {
        Profile::OcspResponder => &[oid::OCSP_SIGNING],
        Profile::TimeStamp => &[oid::TIME_STAMPING],
        Profile::Officer => &[oid::CLIENT_AUTH, oid::EMAIL_PROTECTION],
        Profile::TrustListSigner => &[oid::TRUST_LIST_SIGNING],
        _ => return,
    };
    let found = tbs
        .extension(oid::EXTENDED_KEY_USAGE)
        .map(|extension| purposes(&extension.value));
    findings.require(
        found == Some(Ok(expected.to_vec())),
        "extended-key-usage",
        "the purposes are not the profile's",
    );
}

/// `ExtKeyUsageSyntax ::= SEQUENCE OF OBJECT IDENTIFIER`
pub(super) fn purposes(value: &[u8]) -> Result<Vec<ObjectIdentifier>, DerError> {
    let mut list = Tlv::whole_of(tag::SEQUENCE, value)?.reader();
    let mut purposes = Vec::new();
    while !list.is_empty() {
        purposes.push(der::object_identifier(list.any()?)?);
    }
    Ok(purposes)
}

fn check_no_check(findings: &mut Findings, profile: Profile, tbs: &TbsCertificate) {
    if profile == Profile::OcspResponder {
        // RFC 6960, 4.2.2.2.1: the content is NULL.
        let value = tbs
            .extension(oid::OCSP_NO_CHECK)
            .map(|extension| extension.value.as_slice());
        findings.require(
            value == Some(&[tag::NULL, 0]),
            "ocsp-no-check",
            "a responder's certificate does not say that nobody asks about it",
        );
    }
}
