//! Revocation lists and status answers: each lint finds its mistake.

use time::{Duration, OffsetDateTime};

use super::*;
use crate::crl::{CrlContent, Reason, Revocation};
use crate::der::tag;
use crate::ocsp::{CertId, CertStatus, OcspHash, ResponderId, ResponseContent, SingleResponse};

fn revocation(serial: u8) -> Revocation {
    Revocation {
        serial: vec![0x40, serial],
        at: NOW,
        reason: Reason::KeyCompromise,
        invalidity_date: Some(NOW - Duration::DAY),
    }
}

impl World {
    fn crl<'a>(&'a self, revoked: &'a [Revocation], change: impl FnOnce(&mut CrlContent<'a>)) -> Vec<u8> {
        let mut content = CrlContent {
            issuer: &self.issuer,
            number: 7,
            this_update: NOW,
            next_update: NOW + Duration::days(7),
            distribution_point: Some("http://ca.example/1.crl"),
            revoked,
        };
        change(&mut content);
        content.to_tbs()
    }

    fn crl_findings(&self, tbs: &[u8]) -> Vec<&'static str> {
        rules(&lint_crl(tbs, &self.issuing))
    }

    fn responder(&self, profile: Profile) -> Certificate {
        let tbs = self.tbs(profile, |_| ());
        let signature = self.issuing_key.sign(&tbs).unwrap();
        Certificate::from_der(&assemble(&tbs, &signature)).unwrap()
    }

    fn single(&self, serial: u8, status: CertStatus) -> SingleResponse {
        SingleResponse {
            cert_id: CertId::of(&self.issuing, &[0x40, serial], OcspHash::Sha1),
            status,
            this_update: NOW,
            next_update: Some(NOW + Duration::DAY),
            unknown_critical: false,
        }
    }
}

#[test]
fn a_written_list_is_clean() {
    let world = world();
    let plain = Revocation {
        reason: Reason::Unspecified,
        invalidity_date: None,
        ..revocation(3)
    };
    let many = [revocation(1), revocation(2), plain];
    assert_eq!(world.crl_findings(&world.crl(&many, |_| ())), [""; 0]);
    let bare = world.crl(&[], |content| content.distribution_point = None);
    assert_eq!(world.crl_findings(&bare), [""; 0]);
    assert_eq!(world.crl_findings(b"\x30\x00"), ["crl-structure"]);
}

#[test]
fn wrong_times_of_a_list_are_found() {
    let world = world();
    let until = |next: OffsetDateTime| world.crl(&[], |content| content.next_update = next);
    for next in [
        NOW,
        NOW - Duration::SECOND,
        NOW + Duration::days(366) + Duration::SECOND,
    ] {
        assert_eq!(world.crl_findings(&until(next)), ["crl-next-update"]);
    }
    let early = world.crl(&[], |content| content.this_update = NOW - Duration::SECOND);
    assert_eq!(world.crl_findings(&early), ["crl-issuer-validity"]);
    let list = [revocation(1)];
    let future = [Revocation {
        at: NOW + Duration::SECOND,
        ..revocation(1)
    }];
    assert_eq!(
        world.crl_findings(&world.crl(&future, |_| ())),
        ["crl-revocation-date"]
    );
    let later = [Revocation {
        invalidity_date: Some(NOW + Duration::SECOND),
        ..revocation(1)
    }];
    assert_eq!(
        world.crl_findings(&world.crl(&later, |_| ())),
        ["crl-invalidity-date"]
    );
    let long = der::write_generalized_time(NOW - Duration::DAY);
    let short = der::write_time(NOW - Duration::DAY);
    let broken = replaced(
        &world.crl(&list, |_| ()),
        &long,
        &[&short[..], &[5, 0][..]].concat(),
    );
    assert!(world.crl_findings(&broken).contains(&"crl-structure"));
}

#[test]
fn wrong_serial_numbers_and_numbers_of_lists_are_found() {
    let world = world();
    let twice = [revocation(1), revocation(1)];
    assert_eq!(
        world.crl_findings(&world.crl(&twice, |_| ())),
        ["crl-serial-twice"]
    );
    for serial in [vec![0], vec![0x40; 21]] {
        let list = [Revocation {
            serial,
            ..revocation(1)
        }];
        assert_eq!(world.crl_findings(&world.crl(&list, |_| ())), ["crl-serial"]);
    }
    let list = [revocation(1)];
    let negative = replaced(
        &world.crl(&list, |_| ()),
        &[tag::INTEGER, 2, 0x40, 1],
        &[2, 2, 0xc0, 1],
    );
    assert_eq!(world.crl_findings(&negative), ["crl-serial"]);
    let number = [0x55, 0x1d, 0x14, 4, 3, 2, 1, 7];
    let changed = replaced(
        &world.crl(&[], |_| ()),
        &number,
        &[0x55, 0x1d, 0x14, 4, 3, 2, 1, 0x87],
    );
    assert_eq!(world.crl_findings(&changed), ["crl-number"]);
}

#[test]
fn another_issuer_of_a_list_is_found() {
    let world = world();
    let tbs = world.crl(&[], |_| ());
    assert_eq!(
        rules(&lint_crl(&tbs, &world.root)),
        ["crl-issuer-name", "crl-authority-key-identifier"]
    );
    let subscriber = world.responder(Profile::Signing);
    let issuer = Issuer::of(&subscriber);
    let tbs = world.crl(&[], |content| content.issuer = &issuer);
    assert_eq!(rules(&lint_crl(&tbs, &subscriber)), ["crl-issuer-usage"]);
}

#[test]
fn wrong_forms_in_a_list_are_found() {
    let world = world();
    let list = [revocation(1)];
    let tbs = world.crl(&list, |_| ());
    let version = replaced(&tbs, &[2, 1, 1, 0x30], &[2, 1, 0, 0x30]);
    assert_eq!(world.crl_findings(&version), ["crl-version"]);
    for code in [0, 7, 8, 11] {
        let reason = replaced(&tbs, &[4, 3, 0x0a, 1, 1], &[4, 3, 0x0a, 1, code]);
        assert_eq!(world.crl_findings(&reason), ["crl-entry-form"], "{code}");
    }
    let unknown = replaced(&tbs, &der::oid(oid::INVALIDITY_DATE), &der::oid(oid::CRL_NUMBER));
    assert_eq!(world.crl_findings(&unknown), ["crl-entry-form"]);
    let not_true = replaced(&tbs, &[1, 1, 0xff], &[1, 1, 1]);
    assert_eq!(world.crl_findings(&not_true), ["crl-der"]);
    let not_critical = replaced(&tbs, &[1, 1, 0xff], &[1, 1, 0]);
    assert_eq!(
        world.crl_findings(&not_critical),
        ["crl-der", "crl-extension-critical"]
    );
    let delta = replaced(
        &tbs,
        &der::oid(oid::CRL_NUMBER),
        &der::oid(oid::DELTA_CRL_INDICATOR),
    );
    assert_eq!(world.crl_findings(&delta), ["crl-extension", "crl-number"]);
    let algorithm = replaced(
        &tbs,
        &der::oid(oid::SM2_WITH_SM3),
        &der::oid(oid::ObjectIdentifier::new_unwrap("1.2.156.10197.1.502")),
    );
    assert_eq!(world.crl_findings(&algorithm), ["crl-algorithm"]);
    let empty = der::tlv(tag::SEQUENCE, &[]);
    let parsed = TbsCrlParts::of(&world.crl(&[], |_| ()));
    assert_eq!(
        world.crl_findings(&parsed.with_entries(&empty)),
        ["crl-entry-form"]
    );
    let secure = replaced(&tbs, b"http://ca.example/1.crl", b"https://ca.exampl/1.crl");
    assert_eq!(world.crl_findings(&secure), ["crl-distribution-point"]);
}

/// A list without entries: what stands before them and behind.
struct TbsCrlParts(Vec<u8>, Vec<u8>);

impl TbsCrlParts {
    fn of(tbs: &[u8]) -> Self {
        let mut fields = der::Tlv::whole(tbs).unwrap().reader();
        let mut parts = Vec::new();
        while !fields.is_empty() {
            parts.push(fields.any().unwrap().raw);
        }
        let (last, before) = parts.split_last().unwrap();
        Self(before.concat(), last.to_vec())
    }

    fn with_entries(&self, entries: &[u8]) -> Vec<u8> {
        der::sequence(&[&self.0, entries, &self.1])
    }
}

fn answer(
    responder: &Certificate,
    responses: &[SingleResponse],
    change: impl FnOnce(&mut ResponseContent<'_>),
) -> Vec<u8> {
    let by_key = ResponderId::key_of(responder);
    let mut content = ResponseContent {
        responder: &by_key,
        produced_at: NOW,
        responses,
        nonce: None,
    };
    change(&mut content);
    content.to_tbs()
}

#[test]
fn a_written_answer_is_clean() {
    let world = world();
    let responder = world.responder(Profile::OcspResponder);
    let revoked = |reason| CertStatus::Revoked { at: NOW, reason };
    let responses = [
        world.single(1, CertStatus::Good),
        world.single(2, CertStatus::Unknown),
        world.single(3, revoked(None)),
        world.single(4, revoked(Some(Reason::CaCompromise))),
    ];
    let tbs = answer(&responder, &responses, |content| content.nonce = Some(&[1; 32]));
    assert_eq!(lint_ocsp(&tbs, &responder), []);
    assert_eq!(rules(&lint_ocsp(b"\x30\x00", &responder)), ["ocsp-structure"]);
}

#[test]
fn another_responder_is_found() {
    let world = world();
    let responder = world.responder(Profile::OcspResponder);
    let responses = [world.single(1, CertStatus::Good)];
    let tbs = answer(&responder, &responses, |_| ());
    assert_eq!(
        rules(&lint_ocsp(&tbs, &world.issuing)),
        ["ocsp-responder", "ocsp-responder-usage"]
    );
    let subscriber = world.responder(Profile::Signing);
    assert_eq!(
        rules(&lint_ocsp(&tbs, &subscriber)),
        ["ocsp-responder-usage"],
        "it has the same key"
    );
    let late = NOW + Duration::days(400);
    let tbs = answer(&responder, &responses, |content| content.produced_at = late);
    assert_eq!(
        rules(&lint_ocsp(&tbs, &responder)),
        ["ocsp-responder-validity", "ocsp-next-update"]
    );
}

#[test]
fn wrong_answers_are_found() {
    let world = world();
    let responder = world.responder(Profile::OcspResponder);
    let findings =
        |responses: &[SingleResponse]| rules(&lint_ocsp(&answer(&responder, responses, |_| ()), &responder));
    let good = world.single(1, CertStatus::Good);
    assert_eq!(findings(&[]), ["ocsp-empty"]);
    assert_eq!(findings(&[good.clone(), good.clone()]), ["ocsp-twice"]);
    let with = |this_update, next_update| SingleResponse {
        this_update,
        next_update,
        ..good.clone()
    };
    assert_eq!(
        findings(&[with(NOW + Duration::SECOND, good.next_update)]),
        ["ocsp-this-update"]
    );
    for next in [None, Some(NOW), Some(NOW + Duration::days(10) + Duration::SECOND)] {
        assert_eq!(findings(&[with(NOW, next)]), ["ocsp-next-update"]);
    }
    let revoked = |at, reason| world.single(1, CertStatus::Revoked { at, reason });
    assert_eq!(
        findings(&[revoked(NOW + Duration::SECOND, None)]),
        ["ocsp-revocation-time"]
    );
    assert_eq!(
        findings(&[revoked(NOW, Some(Reason::RemoveFromCrl))]),
        ["ocsp-reason"]
    );
    let long = SingleResponse {
        cert_id: CertId::of(&world.issuing, &[0x40; 21], OcspHash::Sm3),
        ..good.clone()
    };
    assert_eq!(findings(&[long]), ["ocsp-serial"]);
}

#[test]
fn wrong_forms_in_an_answer_are_found() {
    let world = world();
    let responder = world.responder(Profile::OcspResponder);
    let responses = [world.single(1, CertStatus::Good)];
    let tbs = answer(&responder, &responses, |content| content.nonce = Some(&[1; 32]));
    let findings = |tbs: &[u8]| rules(&lint_ocsp(tbs, &responder));
    let other = replaced(&tbs, &der::oid(oid::OCSP_NONCE), &der::oid(oid::OCSP_NO_CHECK));
    assert_eq!(findings(&other), ["ocsp-extension"]);
    let digest = replaced(
        &tbs,
        &der::oid(oid::SHA1),
        &der::oid(oid::ObjectIdentifier::new_unwrap("1.3.14.3.2.27")),
    );
    assert_eq!(findings(&digest), ["ocsp-issuer"]);
    let inner = der::Tlv::whole(&tbs).unwrap().value;
    let version = der::sequence(&[&der::explicit(0, &der::integer(&[0])), inner]);
    assert_eq!(findings(&version), ["ocsp-version"]);
    let mut loose = vec![0x30, 0x83, 0];
    loose.extend(u16::try_from(inner.len()).unwrap().to_be_bytes());
    loose.extend(inner);
    assert_eq!(findings(&loose), ["ocsp-der"]);
}
