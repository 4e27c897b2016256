//! Lints of revocation lists (RFC 5280, 5).

use std::collections::HashSet;

use time::Duration;

use super::encoding::is_distinguished;
use super::extensions::is_plain_url;
use super::{Finding, Findings};
use crate::certificate::{Certificate, read_extensions, write_sm2_with_sm3};
use crate::crl::TbsCrl;
use crate::der::{self, DerError, Reader, Tlv, tag};
use crate::oid;

/// A list of a root may stand for a year.
const MAX_TERM: Duration = Duration::days(366);
/// RFC 5280, 5.2.3 and 4.1.2.2.
const MAX_NUMBER_BYTES: usize = 20;
/// Elements in one list: ten for each of a million entries.
const MAX_ELEMENTS: usize = 10_000_000;

/// Checks the to-be-signed bytes of a revocation list against the certificate of the CA that is to sign it. An empty list of
/// findings means that the bytes may be signed.
pub fn lint_crl(tbs: &[u8], issuer: &Certificate) -> Vec<Finding> {
    let mut findings = Findings::default();
    findings.require(
        is_distinguished(tbs, MAX_ELEMENTS),
        "crl-der",
        "the bytes are not distinguished DER",
    );
    match TbsCrl::from_der(tbs) {
        Ok(parsed) => {
            check_fields(&mut findings, &parsed);
            check_issuer(&mut findings, &parsed, issuer);
            check_extensions(&mut findings, &parsed);
            check_entries(&mut findings, &parsed);
            findings.require(
                entries_are_strict(tbs).unwrap_or(false),
                "crl-entry-form",
                "an entry has a time in another form, a needless or unknown extension, or the list is empty but there",
            );
        }
        Err(_) => findings.require(false, "crl-structure", "the bytes are not a TBSCertList"),
    }
    findings.0
}

fn check_fields(findings: &mut Findings, tbs: &TbsCrl) {
    findings.require(tbs.version == 1, "crl-version", "the version is not 2");
    findings.require(
        tbs.algorithm == write_sm2_with_sm3(),
        "crl-algorithm",
        "the algorithm is not SM2 with SM3 without parameters",
    );
    findings.require(
        tbs.next_update
            .is_some_and(|next| tbs.this_update < next && next - tbs.this_update <= MAX_TERM),
        "crl-next-update",
        "the next update is missing, not later than this one, or more than a year away",
    );
}

fn check_issuer(findings: &mut Findings, tbs: &TbsCrl, issuer: &Certificate) {
    findings.require(
        &tbs.issuer == issuer.subject(),
        "crl-issuer-name",
        "the issuer has another name",
    );
    findings.require(
        tbs.authority_key_identifier().is_some()
            && tbs.authority_key_identifier() == issuer.subject_key_identifier(),
        "crl-authority-key-identifier",
        "the issuer has another key identifier",
    );
    findings.require(
        issuer.is_ca() && issuer.key_usage().is_some_and(|usage| usage.0 & 0x02 != 0),
        "crl-issuer-usage",
        "the issuer may not sign revocation lists",
    );
    findings.require(
        (issuer.not_before()..=issuer.not_after()).contains(&tbs.this_update),
        "crl-issuer-validity",
        "the issuer is not valid when the list is made",
    );
}

fn check_extensions(findings: &mut Findings, tbs: &TbsCrl) {
    for (at, extension) in tbs.extensions.iter().enumerate() {
        let known = [
            oid::AUTHORITY_KEY_IDENTIFIER,
            oid::CRL_NUMBER,
            oid::ISSUING_DISTRIBUTION_POINT,
        ];
        let again = tbs.extensions[..at]
            .iter()
            .any(|earlier| earlier.oid == extension.oid);
        findings.require(
            known.contains(&extension.oid) && !again,
            "crl-extension",
            "an extension is unknown or stands twice",
        );
        findings.require(
            extension.critical == (extension.oid == oid::ISSUING_DISTRIBUTION_POINT),
            "crl-extension-critical",
            "just the distribution point is critical",
        );
    }
    let number = tbs.extension(oid::CRL_NUMBER).map(|extension| &extension.value);
    findings.require(
        tbs.integer(oid::CRL_NUMBER).is_some()
            && number
                .is_some_and(|number| is_distinguished(number, 1) && number.len() <= 2 + MAX_NUMBER_BYTES),
        "crl-number",
        "the number is missing, negative or longer than 20 bytes",
    );
    let plain = match tbs.issuing_distribution_point() {
        Ok(None) => true,
        Ok(Some(point)) => {
            let one_url = matches!(point.full_names.as_slice(), [name] if is_url(name));
            let limited = point.only_user
                || point.only_ca
                || point.only_attribute
                || point.indirect
                || point.only_some_reasons.is_some();
            one_url && point.relative_name.is_none() && !limited
        }
        Err(_) => false,
    };
    findings.require(
        plain,
        "crl-distribution-point",
        "the distribution point is more than one short plain http URL",
    );
}

fn is_url(general_name: &[u8]) -> bool {
    Tlv::whole(general_name).is_ok_and(|name| name.tag == 0x86 && is_plain_url(name.value))
}

fn check_entries(findings: &mut Findings, tbs: &TbsCrl) {
    let mut serials = HashSet::new();
    for entry in &tbs.entries {
        let serial = entry.serial.as_slice();
        findings.require(
            serial[0] & 0x80 == 0 && serial != [0] && serial.len() <= MAX_NUMBER_BYTES,
            "crl-serial",
            "a serial number is not positive or longer than 20 bytes",
        );
        findings.require(
            serials.insert(serial),
            "crl-serial-twice",
            "a serial number stands twice",
        );
        findings.require(
            entry.revoked_at <= tbs.this_update,
            "crl-revocation-date",
            "a revocation lies after the list",
        );
        findings.require(
            entry.invalidity_date.is_none_or(|date| date <= entry.revoked_at),
            "crl-invalidity-date",
            "a key is invalid from after its revocation",
        );
    }
}

/// Looks at the raw entries, of which the reader forgives much.
fn entries_are_strict(tbs: &[u8]) -> Result<bool, DerError> {
    let mut fields = Tlv::whole_of(tag::SEQUENCE, tbs)?.reader();
    fields.optional(tag::INTEGER)?;
    fields.expect(tag::SEQUENCE)?;
    fields.expect(tag::SEQUENCE)?;
    let mut strict = true;
    while matches!(fields.peek(), Some(tag::UTC_TIME | tag::GENERALIZED_TIME)) {
        strict &= is_validity_time(fields.any()?)?;
    }
    let Some(list) = fields.optional(tag::SEQUENCE)? else {
        return Ok(strict);
    };
    let mut entries = list.reader();
    strict &= !entries.is_empty();
    while !entries.is_empty() {
        let mut entry = entries.expect(tag::SEQUENCE)?.reader();
        entry.expect(tag::INTEGER)?;
        strict &= is_validity_time(entry.any()?)?;
        if let Some(extensions) = entry.optional(tag::SEQUENCE)? {
            strict &= entry_extensions_are_strict(extensions.reader())?;
        }
    }
    Ok(strict)
}

fn entry_extensions_are_strict(list: Reader<'_>) -> Result<bool, DerError> {
    let extensions = read_extensions(list)?;
    let mut seen = HashSet::new();
    let each = extensions.iter().all(|extension| {
        let fits = match (extension.oid, extension.value.as_slice()) {
            // RFC 5280, 5.3.1: "unspecified" is left out; "removed" belongs into lists of changes; 7 is not in use.
            (oid::REASON_CODE, [tag::ENUMERATED, 1, code]) => matches!(code, 1..=6 | 9 | 10),
            (oid::INVALIDITY_DATE, [tag::GENERALIZED_TIME, ..]) => true,
            _ => false,
        };
        fits && !extension.critical && seen.insert(extension.oid)
    });
    Ok(each && !extensions.is_empty())
}

/// `UTCTime` until 2049, `GeneralizedTime` from 2050 (RFC 5280, 5.1.2.4).
fn is_validity_time(element: Tlv<'_>) -> Result<bool, DerError> {
    let short = (1950..2050).contains(&der::time(element)?.year());
    Ok(short == (element.tag == tag::UTC_TIME))
}
