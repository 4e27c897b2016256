//! The extensions: which of them, how marked, and what they say.

use const_oid::ObjectIdentifier;

use super::Findings;
use crate::certificate::TbsCertificate;
use crate::der::{self, Tlv, tag};
use crate::oid;
use crate::profile::Profile;

const CREDIT_CODE_CHARACTERS: usize = 18;
const MAX_URL_BYTES: usize = 256;

pub(super) fn check(findings: &mut Findings, profile: Profile, tbs: &TbsCertificate) {
    check_set(findings, profile, tbs);
    check_key_usage(findings, profile, tbs);
    check_basic_constraints(findings, profile, tbs);
    check_key_identifiers(findings, tbs);
    check_urls(findings, tbs);
    check_identity(findings, tbs);
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
        let critical = [oid::KEY_USAGE, oid::BASIC_CONSTRAINTS].contains(&extension.oid);
        findings.require(
            extension.critical == critical,
            "extension-critical",
            "just key usage and basic constraints are critical",
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
    let identity = [oid::IDENTIFY_CODE, oid::ORGANIZATION_CODE];
    always.contains(&extension)
        || (profile.is_ca() && extension == oid::BASIC_CONSTRAINTS)
        || (profile != Profile::RootCa && services.contains(&extension))
        || (!profile.is_ca() && identity.contains(&extension))
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
        for url in urls {
            let plain = url.len() <= MAX_URL_BYTES && url.iter().all(u8::is_ascii_graphic);
            // Revocation data are signed themselves; over HTTPS their fetch would go round in circles.
            findings.require(
                plain && url.starts_with(b"http://"),
                "url",
                "a URL is not a short plain http URL",
            );
        }
    }
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

fn check_identity(findings: &mut Findings, tbs: &TbsCertificate) {
    if let Some(extension) = tbs.extension(oid::ORGANIZATION_CODE) {
        let code = Tlv::whole_of(tag::PRINTABLE_STRING, &extension.value).map(|element| element.value);
        let valid = code.is_ok_and(|code| {
            code.len() == CREDIT_CODE_CHARACTERS
                && code
                    .iter()
                    .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        });
        findings.require(
            valid,
            "organization-code",
            "the organisation code is not a credit code",
        );
    }
    if let Some(extension) = tbs.extension(oid::IDENTIFY_CODE) {
        let inner = Tlv::whole(&extension.value).ok().and_then(|choice| {
            let text = Tlv::whole(choice.value).ok()?;
            Some((choice.tag, text.tag, text.value.is_empty()))
        });
        let valid = matches!(
            inner,
            Some((0xa0 | 0xa2, tag::PRINTABLE_STRING, false) | (0xa1, tag::UTF8_STRING, false))
        );
        findings.require(
            valid,
            "identify-code",
            "the identify code is not one of the standard's choices",
        );
    }
}
