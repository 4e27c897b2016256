//! Path validation and the readers around it on arbitrary bytes: they answer, they never panic.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use proptest::collection::vec;
use proptest::prelude::*;
use time::macros::datetime;
use yinxin_pki::cms::Cms;
use yinxin_pki::path::{
    Options, Outcome, Revocation, TrustAnchor, validate, validate_list, validate_message, validate_request,
};
use yinxin_pki::profile::assemble;
use yinxin_pki::request::CertificationRequest;
use yinxin_pki::{Certificate, Crl, Name, SigningKey, SubjectKey, der, extensions, oid};

const READ: [oid::ObjectIdentifier; 12] = [
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
    oid::AUTHORITY_INFO_ACCESS,
    oid::AUTHORITY_KEY_IDENTIFIER,
];

fn key() -> SigningKey {
    SigningKey::from_scalar(&[9; 32]).unwrap()
}

/// A certificate of this name by itself, with these extensions.
fn certificate(name: &Name, extensions: &[(oid::ObjectIdentifier, Vec<u8>)], serial: u8) -> Certificate {
    let list: Vec<u8> = extensions
        .iter()
        .flat_map(|(kind, value)| der::sequence(&[&der::oid(*kind), &der::octet_string(value)]))
        .collect();
    let times = [datetime!(2020-01-01 00:00 UTC), datetime!(2040-01-01 00:00 UTC)].map(der::write_time);
    let tbs = der::sequence(&[
        &der::explicit(0, &der::integer(&[2])),
        &der::integer(&[serial]),
        &der::sequence(&[&der::oid(oid::SM2_WITH_SM3)]),
        name.as_der(),
        &der::sequence(&[&times[0], &times[1]]),
        name.as_der(),
        &key().public_key().to_spki_der(),
        &der::explicit(3, &der::tlv(der::tag::SEQUENCE, &list)),
    ]);
    Certificate::from_der(&assemble(&tbs, &key().sign(&tbs).unwrap())).unwrap()
}

/// Values of extensions: noise, noise in a SEQUENCE, and noise two SEQUENCEs deep.
fn values() -> impl Strategy<Value = Vec<(oid::ObjectIdentifier, Vec<u8>)>> {
    let wrap = |(kind, depth, mut bytes): (usize, u8, Vec<u8>)| {
        for _ in 0..depth {
            bytes = der::sequence(&[&bytes]);
        }
        (READ[kind], bytes)
    };
    vec(
        (0..READ.len(), 0..3_u8, vec(any::<u8>(), 0..24)).prop_map(wrap),
        0..6,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn certificates_with_arbitrary_extensions_are_judged(one in values(), two in values()) {
        let name = Name::unit("Test", None).unwrap();
        let (issuer, target) = (certificate(&name, &one, 1), certificate(&name, &two, 2));
        let options = Options {
            revocation: Revocation::IfNamed,
            require_explicit_policy: true,
            ..Options::at(datetime!(2026-01-01 00:00 UTC))
        };
        let anchors = [
            TrustAnchor::from_certificate(issuer.clone()),
            TrustAnchor::new(name, SubjectKey::Sm2(key().public_key().clone())),
        ];
        let report = validate(&target, &[issuer, target.clone()], &anchors, &options);
        prop_assert!(!report.checks.is_empty());
        // Without an extension that names a policy none is left, and one is required.
        let has_policies = target.extension(oid::CERTIFICATE_POLICIES).is_some();
        prop_assert!(has_policies || report.verdict != Outcome::Passed);
        drop(extensions::authority_info_access(target.tbs()));
    }

    #[test]
    fn arbitrary_bytes_are_no_message_request_or_list_or_are_judged(bytes in vec(any::<u8>(), 0..200)) {
        judge(&bytes);
        let signed = der::sequence(&[
            &der::oid(oid::GM_SIGNED_DATA),
            &der::explicit(0, &der::sequence(&[&der::integer(&[1]), &bytes])),
        ]);
        judge(&signed);
    }
}

fn judge(bytes: &[u8]) {
    let options = Options::at(datetime!(2026-01-01 00:00 UTC));
    if let Ok(Cms::Signed(message)) = Cms::from_der(bytes) {
        for signer in &message.signers {
            validate_message(&message, signer, Some(b""), &[], &[], &options);
        }
    }
    if let Ok(request) = CertificationRequest::from_der(bytes) {
        assert_ne!(validate_request(&request, &options).verdict, Outcome::Passed);
    }
    if let Ok(crl) = Crl::from_der(bytes) {
        assert_ne!(validate_list(&crl, &[], &[], &options).verdict, Outcome::Passed);
    }
}
