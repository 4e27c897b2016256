//! What is written is read, and lists of other producers with it.

use time::macros::datetime;

use super::*;
use crate::profile::{Issuer, assemble};
use crate::{Name, SigningKey};

const NOW: OffsetDateTime = datetime!(2026-11-23 08:00:00 UTC);

fn revoked() -> Vec<Revocation> {
    let at = |reason, serial: &[u8]| Revocation {
        serial: serial.to_vec(),
        at: NOW,
        reason,
        invalidity_date: None,
    };
    vec![
        at(Reason::Unspecified, &[0x41, 1]),
        Revocation {
            invalidity_date: Some(datetime!(2026-11-01 00:00:00 UTC)),
            ..at(Reason::KeyCompromise, &[0x81])
        },
    ]
}

fn list(distribution_point: Option<&str>, revoked: &[Revocation]) -> (SigningKey, Crl) {
    let key = SigningKey::from_scalar(&[7; 32]).unwrap();
    let issuer = Issuer::itself(Name::unit("测试签发", None).unwrap(), key.public_key());
    let tbs = CrlContent {
        issuer: &issuer,
        number: 258,
        this_update: NOW,
        next_update: datetime!(2050-01-01 00:00:00 UTC),
        distribution_point,
        revoked,
    }
    .to_tbs();
    let signature = key.sign(&tbs).unwrap();
    (key, Crl::from_der(&assemble(&tbs, &signature)).unwrap())
}

#[test]
fn a_written_list_is_read() {
    let url = "http://ca.example/7.crl";
    let (key, crl) = list(Some(url), &revoked());
    crl.verify_signature(&SubjectKey::Sm2(key.public_key().clone()))
        .unwrap();
    assert_eq!(crl.issuer().common_name(), Some("测试签发"));
    assert_eq!(crl.number(), Some(&[1, 2][..]));
    assert_eq!(crl.base_number(), None);
    assert_eq!(
        crl.authority_key_identifier(),
        Some(&key.public_key().key_identifier()[..])
    );
    assert_eq!(crl.this_update(), NOW);
    assert_eq!(crl.next_update(), Some(datetime!(2050-01-01 00:00:00 UTC)));
    let point = crl.issuing_distribution_point().unwrap().unwrap();
    assert_eq!(point.full_names, [crate::profile::extension::uri(url)]);
    assert!(!point.indirect && !point.only_ca && !point.only_user && !point.only_attribute);
    let first = crl.find(&[0x41, 1]).unwrap();
    assert_eq!(
        (first.revoked_at, first.reason, first.invalidity_date),
        (NOW, None, None)
    );
    // Above 0x7f the INTEGER needs a leading zero octet, which belongs to its content.
    assert_eq!(crl.find(&[0x81]), None);
    let second = crl.find(&[0, 0x81]).unwrap();
    assert_eq!(second.reason, Some(Reason::KeyCompromise));
    assert_eq!(second.invalidity_date, Some(datetime!(2026-11-01 00:00:00 UTC)));
    assert_eq!(Crl::from_pem(&crl.to_pem()).unwrap(), crl);
}

#[test]
fn an_empty_list_has_no_field_of_entries() {
    let (_, crl) = list(None, &[]);
    assert_eq!(crl.entries(), []);
    assert_eq!(crl.issuing_distribution_point(), Ok(None));
    assert_eq!(crl.extensions().len(), 2);
}

#[test]
fn another_key_does_not_verify_a_list() {
    let (_, crl) = list(None, &revoked());
    let other = SigningKey::from_scalar(&[8; 32]).unwrap();
    assert_eq!(
        crl.verify_signature(&SubjectKey::Sm2(other.public_key().clone())),
        Err(VerifyError::BadSignature)
    );
}

#[test]
fn a_list_with_two_algorithms_is_refused() {
    let (_, crl) = list(None, &[]);
    let null = der::sequence(&[&der::oid(oid::SM2_WITH_SM3), &der::null()]);
    let mixed = der::sequence(&[crl.tbs_der(), &null, &der::bit_string(0, crl.signature())]);
    assert_eq!(Crl::from_der(&mixed), Err(CrlError::Algorithm));
}

fn entry(serial: u8, extensions: &[Vec<u8>]) -> Vec<u8> {
    der::sequence(&[
        &der::integer(&[serial]),
        &der::write_time(NOW),
        &der::tlv(tag::SEQUENCE, &extensions.concat()),
    ])
}

#[test]
fn an_indirect_list_hands_the_issuer_on_to_the_next_entries() {
    use crate::profile::extension::{critical, plain};
    let (name, other) = (Name::unit("甲", None).unwrap(), Name::unit("乙", None).unwrap());
    let issuer = critical(
        oid::CERTIFICATE_ISSUER,
        &der::sequence(&[&der::explicit(4, other.as_der())]),
    );
    let unknown = critical(oid::FRESHEST_CRL, &der::null());
    let held = plain(oid::REASON_CODE, &der::tlv(tag::ENUMERATED, &[6]));
    let entries = [
        entry(1, std::slice::from_ref(&held)),
        entry(2, &[issuer]),
        entry(3, std::slice::from_ref(&held)),
        entry(4, &[unknown]),
    ];
    let tbs = der::sequence(&[
        &certificate::write_sm2_with_sm3(),
        name.as_der(),
        &der::write_time(NOW),
        &der::tlv(tag::SEQUENCE, &entries.concat()),
    ]);
    let crl = Crl::from_der(&assemble(&tbs, &[])).unwrap();
    assert_eq!((crl.tbs().version, crl.next_update()), (0, None));
    let issuers: Vec<_> = crl
        .entries()
        .iter()
        .map(|entry| entry.certificate_issuer.as_deref())
        .collect();
    assert_eq!(issuers, [None, Some(&other), Some(&other), Some(&other)]);
    assert_eq!(crl.find(&[1]).unwrap().reason, Some(Reason::CertificateHold));
    assert_eq!(crl.find(&[3]), None);
    let unknown: Vec<_> = crl.entries().iter().map(|entry| entry.unknown_critical).collect();
    assert_eq!(unknown, [false, false, false, true]);
}

#[test]
fn every_reason_has_its_code() {
    for reason in Reason::ALL {
        assert_eq!(Reason::from_code(reason.code()), Some(reason));
    }
    assert_eq!((Reason::from_code(7), Reason::from_code(11)), (None, None));
    let codes: Vec<u8> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 8, 9, 10]);
}

#[test]
fn a_distribution_point_tells_its_limits() {
    let bytes = der::sequence(&[
        &der::explicit(0, &der::tlv(0xa1, &der::sequence(&[]))),
        &der::context(1, &[0xff]),
        &der::context(3, &[7, 0x60, 0x80]),
        &der::context(4, &[0xff]),
    ]);
    let point = IssuingDistributionPoint::from_der(&bytes).unwrap();
    assert_eq!(
        point,
        IssuingDistributionPoint {
            relative_name: Some(der::sequence(&[])),
            only_user: true,
            only_some_reasons: Some(ReasonFlags(0x6080)),
            indirect: true,
            ..IssuingDistributionPoint::default()
        }
    );
    assert!(!ReasonFlags(0x6080).contains(ReasonFlags::ALL));
    let longer = der::sequence(&[&der::context(5, &[0xff]), &der::null()]);
    assert_eq!(
        IssuingDistributionPoint::from_der(&longer),
        Err(DerError::Trailing)
    );
}
