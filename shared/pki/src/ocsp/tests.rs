//! What is written is read, and what other clients write with it.

use getrandom::SysRng;
use rand_core::UnwrapErr;
use time::OffsetDateTime;
use time::macros::datetime;

use super::*;
use crate::algorithm::{SubjectKey, VerifyError};
use crate::crl::Reason;
use crate::profile::{Content, Issuer, Profile, Serial, Services, Validity, assemble};
use crate::{KeyForm, Name, SigningKey};

const NOW: OffsetDateTime = datetime!(2026-11-23 08:00:00 UTC);

fn root() -> (SigningKey, Certificate) {
    let rng = &mut UnwrapErr(SysRng);
    let key = SigningKey::generate(rng);
    let name = Name::unit("测试根", None).unwrap();
    let tbs = Profile::RootCa.to_tbs(&Content {
        serial: &Serial::random(rng),
        issuer: &Issuer::itself(name.clone(), key.public_key()),
        validity: Validity::years(NOW, 30).unwrap(),
        subject: &name,
        public_key: key.public_key(),
        key_form: KeyForm::EcPublicKey,
        identity: None,
        services: &Services::default(),
    });
    let certificate = Certificate::from_der(&assemble(&tbs, &key.sign(&tbs).unwrap())).unwrap();
    (key, certificate)
}

#[test]
fn a_written_request_is_read() {
    let (_, root) = root();
    let serial = [0x41, 2, 3];
    for hash in [OcspHash::Sha1, OcspHash::Sha256, OcspHash::Sm3] {
        let cert_id = CertId::of(&root, &serial, hash);
        let request = OcspRequest::new(vec![cert_id.clone()], Some(&[7; 32]));
        let read = OcspRequest::from_der(request.as_der()).unwrap();
        assert_eq!(read, request);
        assert_eq!(read.nonce(), Some(&[7; 32][..]));
        assert!(read.cert_ids()[0].names(&root, &serial) && !read.cert_ids()[0].names(&root, &[1]));
        assert_eq!(OcspHash::from_oid(cert_id.hash_algorithm()), Some(hash));
    }
    let (_, other) = self::root();
    assert!(!CertId::of(&root, &serial, OcspHash::Sm3).names_issuer(&other));
    assert_eq!(
        OcspHash::Sha1.digest(b"abc"),
        hex::decode("a9993e364706816aba3e25717850c26c9cd0d89d").unwrap()
    );
}

#[test]
fn a_request_without_certificates_or_with_an_oversized_nonce_is_refused() {
    let (_, root) = root();
    let empty = OcspRequest::new(Vec::new(), None);
    assert_eq!(
        OcspRequest::from_der(empty.as_der()),
        Err(OcspError::Malformed(DerError::Value))
    );
    let cert_id = CertId::of(&root, &[1], OcspHash::Sha1);
    for (length, accepted) in [(0, false), (1, true), (128, true), (129, false)] {
        let request = OcspRequest::new(vec![cert_id.clone()], Some(&vec![7; length]));
        assert_eq!(
            OcspRequest::from_der(request.as_der()).is_ok(),
            accepted,
            "{length}"
        );
    }
    let large = vec![cert_id; 300];
    let large = OcspRequest::new(large, None);
    assert_eq!(OcspRequest::from_der(large.as_der()), Err(OcspError::TooLarge));
}

#[test]
fn the_parameters_of_the_digest_make_no_difference() {
    let (_, root) = root();
    let cert_id = CertId::of(&root, &[1], OcspHash::Sha1);
    let bytes = der::sequence(&[
        &der::sequence(&[&der::oid(oid::SHA1)]),
        &der::octet_string(cert_id.issuer_name_hash()),
        &der::octet_string(cert_id.issuer_key_hash()),
        &der::integer(&[1]),
    ]);
    let absent = CertId::read(Tlv::whole(&bytes).unwrap()).unwrap();
    assert_eq!(absent, cert_id);
    assert_eq!(absent.as_der(), bytes);
}

fn single(root: &Certificate, serial: u8, status: CertStatus) -> SingleResponse {
    SingleResponse {
        cert_id: CertId::of(root, &[serial], OcspHash::Sha1),
        status,
        this_update: NOW,
        next_update: Some(datetime!(2026-11-24 08:00:00 UTC)),
        unknown_critical: false,
    }
}

#[test]
fn a_written_answer_is_read() {
    let (key, root) = root();
    let revoked = |reason| CertStatus::Revoked { at: NOW, reason };
    let responses = [
        single(&root, 1, CertStatus::Good),
        single(&root, 2, revoked(Some(Reason::Superseded))),
        single(&root, 3, revoked(None)),
        single(&root, 4, CertStatus::Unknown),
    ];
    let by_name = ResponderId::ByName(root.subject().clone());
    for responder in [ResponderId::key_of(&root), by_name] {
        assert!(responder.names(&root));
        let tbs = ResponseContent {
            responder: &responder,
            produced_at: NOW,
            responses: &responses,
            nonce: Some(&[9; 16]),
        }
        .to_tbs();
        let bytes = assemble_response(&tbs, &key.sign(&tbs).unwrap(), &[&root]);
        let response = OcspResponse::from_der(&bytes).unwrap();
        assert_eq!(response.status, ResponseStatus::Successful);
        let basic = response.basic.unwrap();
        assert_eq!(
            (basic.tbs_der(), basic.responder(), basic.produced_at()),
            (&tbs[..], &responder, NOW)
        );
        assert_eq!(basic.responses(), responses);
        assert_eq!(basic.nonce(), Some(&[9; 16][..]));
        assert_eq!(basic.certificates(), std::slice::from_ref(&root));
        assert_eq!(basic.find(&root, &[2]), Some(&responses[1]));
        assert_eq!(basic.find(&root, &[5]), None);
        basic.verify_signature(root.key()).unwrap();
        let other = SubjectKey::Sm2(SigningKey::from_scalar(&[8; 32]).unwrap().public_key().clone());
        assert_eq!(basic.verify_signature(&other), Err(VerifyError::BadSignature));
    }
}

#[test]
fn an_error_carries_its_status_and_nothing_else() {
    use ResponseStatus as Status;
    for status in [
        Status::MalformedRequest,
        Status::InternalError,
        Status::TryLater,
        Status::SigRequired,
        Status::Unauthorized,
    ] {
        let response = OcspResponse::from_der(&error_response(status)).unwrap();
        assert_eq!((response.status, response.basic), (status, None));
    }
    assert!(OcspResponse::from_der(&error_response(Status::Successful)).is_err());
    assert!(OcspResponse::from_der(&[0x30, 3, 0x0a, 1, 4]).is_err());
}
