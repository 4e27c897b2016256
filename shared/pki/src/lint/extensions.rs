//! The extensions: which of them, how marked, and what they say.

use const_oid::ObjectIdentifier;

use super::Findings;
use crate::certificate::TbsCertificate;
use crate::der::{self, Tlv};
use crate::oid;
use crate::profile::Profile;

const MAX_URL_BYTES: usize = 256;

pub(super) fn check(findings: &mut Findings, profile: Profile, tbs: &TbsCertificate) {
    check_set(findings, profile, tbs);
    check_key_identifiers(findings, tbs);
    check_urls(findings, tbs);
}

fn check_set(findings: &mut Findings, profile: Profile, tbs: &TbsCertificate) {
    let must = [
        oid::AUTHORITY_KEY_IDENTIFIER,
        oid::SUBJECT_KEY_IDENTIFIER,
        oid::KEY_USAGE,
    ];
    for oid in must {
        findings.require(
            tbs.extension(oid).is_some(),
            "extension-missing",
            "a required extension is missing",
        );
    }
    for (at, extension) in tbs.extensions().iter().enumerate() {
        findings.require(
            allowed(profile, extension.oid),
            "extension-unknown",
            "an extension is not in the profile",
        );
        // RFC 3161, 2.3: the purpose of a time stamp's certificate is critical.
        let critical = [oid::KEY_USAGE, oid::BASIC_CONSTRAINTS].contains(&extension.oid)
            || (profile == Profile::TimeStamp && extension.oid == oid::EXTENDED_KEY_USAGE);
        findings.require(
            extension.critical == critical,
            "extension-critical",
            "an extension is not marked critical as the profile says",
        );
        let again = tbs.extensions()[..at]
            .iter()
            .any(|earlier| earlier.oid == extension.oid);
        findings.require(!again, "extension-twice", "an extension stands twice");
        findings.require(
            Tlv::whole(&extension.value).is_ok(),
            "extension-value",
            "the content of an extension is not one DER element",
        );
    }
}

fn allowed(profile: Profile, extension: ObjectIdentifier) -> bool {
    let always = [
        oid::AUTHORITY_KEY_IDENTIFIER,
        oid::SUBJECT_KEY_IDENTIFIER,
        oid::KEY_USAGE,
    ];
    let services = [
        oid::CRL_DISTRIBUTION_POINTS,
        oid::AUTHORITY_INFO_ACCESS,
        oid::CERTIFICATE_POLICIES,
    ];
    let identity = [
        oid::IDENTIFY_CODE,
        oid::INSURANCE_NUMBER,
        oid::BUSINESS_REGISTRATION_NUMBER,
        oid::ORGANIZATION_CODE,
        oid::TAX_NUMBER,
    ];
    let subscriber = matches!(
        profile,
        Profile::Signing | Profile::Encryption | Profile::SealMaker | Profile::Officer
    );
    let purposes = matches!(
        profile,
        Profile::OcspResponder | Profile::TimeStamp | Profile::Officer | Profile::TrustListSigner
    );
    always.contains(&extension)
        || (profile.is_ca() && extension == oid::BASIC_CONSTRAINTS)
        || (profile != Profile::RootCa && services.contains(&extension))
        || (subscriber && identity.contains(&extension))
        || (purposes && extension == oid::EXTENDED_KEY_USAGE)
        || (profile == Profile::OcspResponder && extension == oid::OCSP_NO_CHECK)
}

fn check_key_identifiers(findings: &mut Findings, tbs: &TbsCertificate) {
    findings.require(
        tbs.public_key()
            .is_some_and(|key| tbs.subject_key_identifier() == Some(&key.key_identifier())),
        "subject-key-identifier",
        "the subject key identifier does not belong to the key",
    );
    findings.require(
        tbs.authority_key_identifier()
            .is_some_and(|identifier| !identifier.is_empty()),
        "authority-key-identifier",
        "the authority key identifier is empty",
    );
}

fn check_urls(findings: &mut Findings, tbs: &TbsCertificate) {
    for oid in [oid::CRL_DISTRIBUTION_POINTS, oid::AUTHORITY_INFO_ACCESS] {
        let Some(extension) = tbs.extension(oid) else {
            continue;
        };
        let urls = urls(&extension.value);
        findings.require(!urls.is_empty(), "url-missing", "an extension names no URL");
        findings.require(
            urls.into_iter().all(is_plain_url),
            "url",
            "a URL is not a short plain http URL",
        );
    }
}

/// Revocation data are signed themselves; over HTTPS their fetch would go round in circles.
pub(super) fn is_plain_url(url: &[u8]) -> bool {
    url.starts_with(b"http://") && url.len() <= MAX_URL_BYTES && url.iter().all(u8::is_ascii_graphic)
}

/// The uniformResourceIdentifiers `[6]` at any depth.
fn urls(value: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut open = vec![der::Reader::new(value)];
    while let Some(reader) = open.last_mut() {
        match reader.any() {
            Ok(element) if element.tag == 0x86 => found.push(element.value),
            Ok(element) if element.tag & 0x20 != 0 => open.push(element.reader()),
            Ok(_) => {}
            Err(_) => {
                open.pop();
            }
        }
    }
    found
}
