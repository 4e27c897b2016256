//! The extensions of each profile, in the order in which they are written.

use const_oid::ObjectIdentifier;

use super::extension::{authority_key_identifier, critical, plain, uri};
use super::{Content, Identity, Profile, Services};
use crate::certificate::KeyUsage;
use crate::der::{self, tag};
use crate::oid;

/// SEQUENCE OF Extension.
pub(super) fn write(profile: Profile, content: &Content<'_>) -> Vec<u8> {
    let mut list = vec![
        plain(
            oid::AUTHORITY_KEY_IDENTIFIER,
            &authority_key_identifier(&content.issuer.key_identifier),
        ),
        plain(
            oid::SUBJECT_KEY_IDENTIFIER,
            &der::octet_string(&content.public_key.key_identifier()),
        ),
    ];
    match profile {
        Profile::RootCa => list.push(critical(oid::BASIC_CONSTRAINTS, &basic_constraints(None))),
        Profile::IssuingCa => list.push(critical(oid::BASIC_CONSTRAINTS, &basic_constraints(Some(0)))),
        _ => {}
    }
    list.push(critical(oid::KEY_USAGE, &key_usage(profile.key_usage())));
    list.extend(purposes(profile));
    if profile == Profile::OcspResponder {
        list.push(plain(oid::OCSP_NO_CHECK, &der::null()));
    }
    // A root is trusted by itself: nobody asks its own services about it.
    if profile != Profile::RootCa {
        list.extend(services(content.services));
    }
    list.extend(content.identity.and_then(identity));
    der::tlv(tag::SEQUENCE, &list.concat())
}

/// `BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }`
fn basic_constraints(path_length: Option<u8>) -> Vec<u8> {
    let path_length = path_length
        .map(|length| der::integer(&[length]))
        .unwrap_or_default();
    der::sequence(&[&der::boolean_true(), &path_length])
}

/// A named BIT STRING drops its trailing zero bits (X.690, 11.2.2).
fn key_usage(usage: KeyUsage) -> Vec<u8> {
    let unused = u8::try_from(usage.0.trailing_zeros()).unwrap_or(0);
    der::bit_string(unused, &[usage.0])
}

/// `ExtKeyUsageSyntax ::= SEQUENCE OF OBJECT IDENTIFIER`; critical for time stamps alone (RFC 3161, 2.3).
fn purposes(profile: Profile) -> Option<Vec<u8>> {
    let list: Vec<u8> = profile
        .purposes()
        .iter()
        .flat_map(|purpose| der::oid(*purpose))
        .collect();
    let mark = if profile == Profile::TimeStamp {
        critical
    } else {
        plain
    };
    (!list.is_empty()).then(|| mark(oid::EXTENDED_KEY_USAGE, &der::tlv(tag::SEQUENCE, &list)))
}

fn services(services: &Services) -> Vec<Vec<u8>> {
    let mut list = Vec::new();
    if let Some(policy) = services.policy {
        // CertificatePolicies ::= SEQUENCE OF PolicyInformation { policyIdentifier, .. }
        let policies = der::sequence(&[&der::sequence(&[&der::oid(policy)])]);
        list.push(plain(oid::CERTIFICATE_POLICIES, &policies));
    }
    if let Some(url) = &services.crl {
        // CRLDistributionPoints ::= SEQUENCE OF { distributionPoint [0] { fullName [0] GeneralNames } }
        let full_name = der::explicit(0, &uri(url));
        let point = der::sequence(&[&der::explicit(0, &full_name)]);
        list.push(plain(oid::CRL_DISTRIBUTION_POINTS, &der::sequence(&[&point])));
    }
    let access = |method: ObjectIdentifier, url: &Option<String>| {
        url.as_deref()
            .map(|url| der::sequence(&[&der::oid(method), &uri(url)]))
            .unwrap_or_default()
    };
    // AuthorityInfoAccessSyntax ::= SEQUENCE OF { accessMethod, accessLocation GeneralName }
    let descriptions = [
        access(oid::AD_OCSP, &services.ocsp),
        access(oid::AD_CA_ISSUERS, &services.ca_issuers),
    ]
    .concat();
    if !descriptions.is_empty() {
        list.push(plain(
            oid::AUTHORITY_INFO_ACCESS,
            &der::tlv(tag::SEQUENCE, &descriptions),
        ));
    }
    list
}

/// The private extensions of GM/T 0015-2012, 5.2.4; `None` if the number has characters they do not allow, which
/// the lints then report as missing.
fn identity(identity: &Identity) -> Option<Vec<u8>> {
    // IdentifyCode ::= CHOICE { residenterCardNumber [0] PrintableString,
    //     militaryOfficerCardNumber [1] UTF8String, passportNumber [2] PrintableString }
    // The standard leaves the tagging open; EXPLICIT is what readers in the field accept.
    let choice = |number, text: Vec<u8>| plain(oid::IDENTIFY_CODE, &der::explicit(number, &text));
    let number = |oid, number| der::printable_string(number).map(|text| plain(oid, &text));
    match identity {
        Identity::CreditCode(code) => number(oid::ORGANIZATION_CODE, code),
        Identity::Insurance(insurance) => number(oid::INSURANCE_NUMBER, insurance),
        Identity::BusinessRegistration(registration) => {
            number(oid::BUSINESS_REGISTRATION_NUMBER, registration)
        }
        Identity::Tax(tax) => number(oid::TAX_NUMBER, tax),
        Identity::ResidentId(number) => der::printable_string(number).map(|text| choice(0, text)),
        Identity::MilitaryOfficer(number) => Some(choice(1, der::utf8_string(number))),
        Identity::Passport(number) => der::printable_string(number).map(|text| choice(2, text)),
    }
}
