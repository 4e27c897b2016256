//! Whom the certificate names: the private extensions of GM/T 0015-2012, 5.2.4, and how they and the subject go together.

use super::Findings;
use crate::certificate::TbsCertificate;
use crate::der::{Tlv, tag};
use crate::oid;
use crate::profile::Profile;

const CREDIT_CODE_CHARACTERS: usize = 18;
const MAX_NUMBER_BYTES: usize = 64;

pub(super) fn check(findings: &mut Findings, profile: Profile, tbs: &TbsCertificate) {
    check_numbers(findings, tbs);
    check_subject(findings, profile, tbs);
}

fn check_subject(findings: &mut Findings, profile: Profile, tbs: &TbsCertificate) {
    let subject = tbs.subject();
    let holder = matches!(profile, Profile::Signing | Profile::Encryption);
    findings.require(
        holder || subject.organization().is_some(),
        "subject-organization",
        "the subject names no organisation, but is no person on his own",
    );
    let has = |oids: &[oid::ObjectIdentifier]| oids.iter().any(|oid| tbs.extension(*oid).is_some());
    let unit = has(&[
        oid::ORGANIZATION_CODE,
        oid::BUSINESS_REGISTRATION_NUMBER,
        oid::TAX_NUMBER,
    ]);
    let person = has(&[oid::IDENTIFY_CODE, oid::INSURANCE_NUMBER]);
    findings.require(
        !(unit && person),
        "subject-kind",
        "the certificate has numbers of a unit and of a person",
    );
    findings.require(
        !(unit && holder) || subject.organization() == subject.common_name(),
        "subject-unit",
        "a unit is not named by organisation and common name alike",
    );
}

fn check_numbers(findings: &mut Findings, tbs: &TbsCertificate) {
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
    for oid in [
        oid::INSURANCE_NUMBER,
        oid::BUSINESS_REGISTRATION_NUMBER,
        oid::TAX_NUMBER,
    ] {
        let Some(extension) = tbs.extension(oid) else {
            continue;
        };
        let number = Tlv::whole_of(tag::PRINTABLE_STRING, &extension.value).map(|element| element.value);
        let valid = number.is_ok_and(|number| {
            (1..=MAX_NUMBER_BYTES).contains(&number.len())
                && number
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"()-/".contains(byte))
        });
        findings.require(
            valid,
            "register-number",
            "a number in a register is empty, too long or not printable",
        );
    }
}
