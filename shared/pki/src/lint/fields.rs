//! The basic fields: version, serial number, algorithm, validity, names, key.

use const_oid::ObjectIdentifier;
use time::Duration;

use super::Findings;
use crate::certificate::{TbsCertificate, write_sm2_with_sm3};
use crate::der::{self, Tlv, tag};
use crate::key::KeyForm;
use crate::name::{Name, max_characters};
use crate::oid;
use crate::profile::Profile;

/// RFC 5280, 4.1.2.2.
const MAX_SERIAL_BYTES: usize = 20;
/// 64 random bits at least.
const MIN_SERIAL_BYTES: usize = 8;

pub(super) fn check(findings: &mut Findings, profile: Profile, tbs: &TbsCertificate) {
    findings.require(tbs.version == 2, "version", "the version is not 3");
    check_serial(findings, &tbs.serial);
    findings.require(
        tbs.algorithm == write_sm2_with_sm3(),
        "algorithm",
        "the algorithm is not SM2 with SM3 without parameters",
    );
    check_validity(findings, profile, tbs);
    check_name(findings, &tbs.issuer);
    check_name(findings, &tbs.subject);
    // GM/T 0015-2023 lets the algorithm be SM2 itself. RFC 8813, 3 forbids id-ecPublicKey the encipherment bits that
    // GM/T 0015 demands of an encryption certificate: there, and just there, the other form avoids the contradiction.
    let is = |form| {
        tbs.public_key()
            .is_some_and(|key| tbs.spki == key.to_spki_der_as(form))
    };
    let (usual, sm2) = (is(KeyForm::EcPublicKey), is(KeyForm::Sm2));
    findings.require(
        usual || (sm2 && profile == Profile::Encryption),
        "public-key-form",
        "the public key is not in a form of the profile",
    );
}

fn check_serial(findings: &mut Findings, serial: &[u8]) {
    findings.require(
        serial.first().is_some_and(|first| first & 0x80 == 0),
        "serial-positive",
        "the serial number is not positive",
    );
    findings.require(
        serial.len() <= MAX_SERIAL_BYTES,
        "serial-length",
        "the serial number exceeds 20 bytes",
    );
    findings.require(
        serial.len() >= MIN_SERIAL_BYTES,
        "serial-entropy",
        "the serial number is too short to hold 64 random bits",
    );
    // A generator that stands still shows as one repeated octet.
    let distinct = serial.iter().collect::<std::collections::BTreeSet<_>>().len();
    findings.require(
        distinct > serial.len() / 4,
        "serial-entropy",
        "the serial number is not random",
    );
}

fn check_validity(findings: &mut Findings, profile: Profile, tbs: &TbsCertificate) {
    let expected = der::sequence(&[&der::write_time(tbs.not_before), &der::write_time(tbs.not_after)]);
    findings.require(
        tbs.validity == expected,
        "validity-encoding",
        "times are UTCTime until 2049 and GeneralizedTime from 2050",
    );
    findings.require(
        tbs.not_before < tbs.not_after,
        "validity-order",
        "the validity ends before it begins",
    );
    let limit = Duration::days(366 * i64::from(profile.max_years()));
    findings.require(
        tbs.not_after - tbs.not_before <= limit,
        "validity-term",
        "the validity is longer than the profile allows",
    );
}

fn check_name(findings: &mut Findings, name: &Name) {
    findings.require(!name.is_empty(), "name-empty", "a name has no attributes");
    findings.require(
        name.common_name().is_some(),
        "name-common-name",
        "a name has no common name",
    );
    findings.require(
        name.attributes()
            .first()
            .is_some_and(|first| first.oid == oid::COUNTRY && first.value == "CN"),
        "name-country",
        "a name does not start with C=CN",
    );
    let known = [
        oid::COUNTRY,
        oid::STATE,
        oid::LOCALITY,
        oid::ORGANIZATION,
        oid::ORGANIZATIONAL_UNIT,
        oid::COMMON_NAME,
    ];
    for attribute in name.attributes() {
        findings.require(
            known.contains(&attribute.oid),
            "name-attribute",
            "a name has an unknown attribute",
        );
        let characters = attribute.value.chars().count();
        findings.require(
            (1..=max_characters(attribute.oid)).contains(&characters),
            "name-length",
            "a value of a name is empty or too long",
        );
        findings.require(
            !attribute.value.chars().any(is_unreadable) && attribute.value.trim() == attribute.value,
            "name-characters",
            "a value of a name has characters that are not seen or not the same everywhere, or surrounding spaces",
        );
    }
    check_order(findings, name, &known);
    findings.require(
        string_types_hold(name).unwrap_or(false),
        "name-string-type",
        "the country is not a PrintableString, or another value not a UTF8String",
    );
}

/// GM/T 0015-2012, 5.2.3.6: C, ST, L, O, OU, CN, from the whole to the part; each once, but units of units may follow.
fn check_order(findings: &mut Findings, name: &Name, order: &[ObjectIdentifier]) {
    let places: Vec<usize> = name
        .attributes()
        .iter()
        .filter_map(|attribute| order.iter().position(|oid| *oid == attribute.oid))
        .collect();
    let ascending = places
        .windows(2)
        .all(|pair| pair[0] < pair[1] || (pair[0] == pair[1] && order[pair[0]] == oid::ORGANIZATIONAL_UNIT));
    findings.require(
        ascending,
        "name-order",
        "the attributes of a name are repeated or not in the order C, ST, L, O, OU, CN",
    );
}

/// Characters that hide in a name or mean something else elsewhere: controls, zero-width and direction marks, private use, which
/// rare ideographs of old systems were put into, and the replacement character, which says that one was lost.
fn is_unreadable(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{00ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{ffff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}'
        )
}

fn string_types_hold(name: &Name) -> Option<bool> {
    let mut rdns = Tlv::whole(name.as_der()).ok()?.reader();
    let mut hold = true;
    while !rdns.is_empty() {
        let mut rdn = rdns.expect(tag::SET).ok()?.reader();
        let mut pair = rdn.expect(tag::SEQUENCE).ok()?.reader();
        let country = der::object_identifier(pair.any().ok()?).ok()? == oid::COUNTRY;
        let expected = if country {
            tag::PRINTABLE_STRING
        } else {
            tag::UTF8_STRING
        };
        hold &= pair.any().ok()?.tag == expected && rdn.is_empty();
    }
    Some(hold)
}
