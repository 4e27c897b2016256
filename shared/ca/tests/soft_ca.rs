//! The soft CA: what it records, what it signs, what it refuses.

#![allow(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use std::sync::Arc;

use getrandom::SysRng;
use rand_core::UnwrapErr;
use time::OffsetDateTime;
use time::macros::datetime;
use yinxin_ca::{
    CaError, DataKeySealer, IdDocument, IdDocumentKind, IssueRequest, Prepared, RequestError, SealError,
    SoftCa, SoftCaConfig, SoftwareKey, Subject, ceremony,
};
use yinxin_pki::certificate::{KeyUsage, TbsCertificate};
use yinxin_pki::chain::{is_pair, verify_chain};
use yinxin_pki::profile::Services;
use yinxin_pki::{Certificate, EnvelopedKey, KeyForm, SigningKey, Zeroizing, oid, sm3};

const NOW: OffsetDateTime = datetime!(2026-11-23 08:00:00 UTC);

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

fn soft_ca(ceremony: &ceremony::Ceremony, data_key: u8) -> SoftCa {
    let services = Services {
        crl: Some("http://ca.example/testca/issuing.crl".into()),
        ocsp: Some("http://ca.example/testca/ocsp".into()),
        ..Services::default()
    };
    let sealer = Arc::new(DataKeySealer::new(Zeroizing::new([data_key; 16])));
    let config = SoftCaConfig {
        services,
        ..SoftCaConfig::default()
    };
    SoftCa::new(
        "testca",
        ceremony.chain(),
        Arc::new(SoftwareKey::new(ceremony.issuing.key.clone())),
        config,
        sealer,
    )
    .unwrap()
}

fn authority() -> SoftCa {
    soft_ca(
        &ceremony::init("testca", "测试数字证书认证有限公司", NOW, &mut rng()).unwrap(),
        7,
    )
}

fn unit() -> Subject {
    Subject::Unit {
        name: "南京测试有限公司".into(),
        credit_code: "91320100MA1TEST00X".into(),
        region: Some("江苏省".into()),
    }
}

fn person() -> Subject {
    Subject::Person {
        name: "张三".into(),
        id_document: IdDocument {
            kind: IdDocumentKind::ResidentId,
            number: "11010519491231002X".into(),
        },
        employer: Some("南京测试有限公司".into()),
    }
}

fn request(key: &SigningKey, subject: Subject) -> IssueRequest {
    IssueRequest {
        request_id: "20261123A00000001".into(),
        vendor: "testca".into(),
        subject,
        public_key: key.public_key().to_spki_der(),
        csr_sm3: sm3(b"request").to_vec(),
        term_years: 1,
    }
}

#[tokio::test]
async fn a_unit_gets_a_working_double_certificate() {
    let (ca, token) = (authority(), SigningKey::generate(&mut rng()));
    let prepared = ca.prepare(&request(&token, unit()), NOW, &mut rng()).unwrap();
    let pair = ca.complete(&prepared).await.unwrap();
    let read = |der: &Vec<u8>| Certificate::from_der(der).unwrap();
    let (signing, encryption) = (read(&pair.signing), read(&pair.encryption));
    let chain: Vec<_> = pair.chain.iter().map(read).collect();
    for certificate in [&signing, &encryption] {
        assert_eq!(verify_chain(certificate, &chain, NOW), Ok(()));
        assert_eq!(
            certificate.organization_code().as_deref(),
            Some("91320100MA1TEST00X")
        );
        assert_eq!(certificate.subject().common_name(), Some("南京测试有限公司"));
        assert_eq!(certificate.not_before(), NOW);
        assert_eq!(certificate.not_after(), datetime!(2027-11-23 07:59:59 UTC));
    }
    assert!(is_pair(&signing, &encryption));
    assert_eq!(signing.key_usage(), Some(KeyUsage::SIGNING));
    assert_eq!(encryption.key_usage(), Some(KeyUsage::ENCRYPTION));
    assert_eq!(signing.public_key(), Some(token.public_key()));

    let enveloped = EnvelopedKey::from_der(&pair.enveloped_key).unwrap();
    let opened = enveloped.open(&token).unwrap();
    assert_eq!(Some(opened.public_key()), encryption.public_key());
    let secret = encryption
        .public_key()
        .unwrap()
        .encrypt(b"a bid", &mut rng())
        .unwrap();
    assert_eq!(opened.decrypt(&secret).unwrap().as_slice(), b"a bid");
}

#[tokio::test]
async fn a_person_gets_one_with_the_identify_code() {
    let (ca, token) = (authority(), SigningKey::generate(&mut rng()));
    let prepared = ca.prepare(&request(&token, person()), NOW, &mut rng()).unwrap();
    let signing = Certificate::from_der(&ca.complete(&prepared).await.unwrap().signing).unwrap();
    assert_eq!(signing.subject().common_name(), Some("张三"));
    assert_eq!(signing.subject().organization(), Some("南京测试有限公司"));
    // [0] EXPLICIT PrintableString
    let code = &signing.extension(oid::IDENTIFY_CODE).unwrap().value;
    assert_eq!(code[..4], [0xa0, 20, 0x13, 18]);
    assert_eq!(&code[4..], b"11010519491231002X");
    assert_eq!(signing.organization_code(), None);
}

#[test]
fn what_is_prepared_is_recorded_whole_and_unsigned() {
    let (ca, token) = (authority(), SigningKey::generate(&mut rng()));
    let prepared = ca.prepare(&request(&token, unit()), NOW, &mut rng()).unwrap();
    let tbs = TbsCertificate::from_der(&prepared.signing_tbs).unwrap();
    assert_eq!(tbs.serial_hex(), prepared.signing_serial);
    assert_eq!(
        (prepared.signing_serial.len(), prepared.encryption_serial.len()),
        (32, 32)
    );
    assert_ne!(prepared.signing_serial, prepared.encryption_serial);
    assert!(Certificate::from_der(&prepared.signing_tbs).is_err());

    let json = serde_json::to_string(&prepared).unwrap();
    assert_eq!(serde_json::from_str::<Prepared>(&json).unwrap(), prepared);
    let fields: serde_json::Value = serde_json::from_str(&json).unwrap();
    let names: Vec<_> = fields.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "csr_sm3",
        "encryption_serial",
        "encryption_tbs",
        "enveloped_key",
        "request_id",
        "sealed_key",
        "signing_serial",
        "signing_tbs",
        "vendor",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_record_completed_twice_gives_the_same_certificates() {
    let ceremony = ceremony::init("testca", "测试", NOW, &mut rng()).unwrap();
    let (ca, token) = (soft_ca(&ceremony, 7), SigningKey::generate(&mut rng()));
    let prepared = ca.prepare(&request(&token, unit()), NOW, &mut rng()).unwrap();
    let json = serde_json::to_string(&prepared).unwrap();
    let first = ca.complete(&prepared).await.unwrap();
    // Another process, after a crash: the same keys, the record read back.
    let again = soft_ca(&ceremony, 7)
        .complete(&serde_json::from_str(&json).unwrap())
        .await
        .unwrap();
    assert_eq!(first, again);
    let pair = serde_json::to_string(&first).unwrap();
    assert_eq!(
        serde_json::from_str::<yinxin_ca::IssuedPair>(&pair).unwrap(),
        first
    );
}

#[tokio::test]
async fn a_changed_record_is_not_signed() {
    let (ca, token) = (authority(), SigningKey::generate(&mut rng()));
    let prepared = ca.prepare(&request(&token, unit()), NOW, &mut rng()).unwrap();
    let other = ca.prepare(&request(&token, person()), NOW, &mut rng()).unwrap();
    let tamperings: [fn(&mut Prepared, &Prepared); 9] = [
        |record, _| record.request_id.push('1'),
        |record, _| record.vendor = "otherca".into(),
        |record, other| record.signing_serial.clone_from(&other.signing_serial),
        |record, other| record.encryption_serial.clone_from(&other.encryption_serial),
        |record, other| record.signing_tbs.clone_from(&other.signing_tbs),
        |record, other| record.encryption_tbs.clone_from(&other.encryption_tbs),
        |record, other| record.enveloped_key.clone_from(&other.enveloped_key),
        |record, _| record.csr_sm3[0] ^= 1,
        |record, other| record.sealed_key.clone_from(&other.sealed_key),
    ];
    for (at, tamper) in tamperings.iter().enumerate() {
        let mut changed = prepared.clone();
        tamper(&mut changed, &other);
        assert_eq!(
            ca.complete(&changed).await,
            Err(CaError::Record),
            "tampering {at}"
        );
    }
    for at in 0..prepared.signing_tbs.len() {
        let mut changed = prepared.clone();
        changed.signing_tbs[at] ^= 1;
        assert_eq!(ca.complete(&changed).await, Err(CaError::Record), "byte {at}");
    }
}

#[tokio::test]
async fn a_record_of_another_ca_or_escrow_key_is_not_signed() {
    let ceremony = ceremony::init("testca", "测试", NOW, &mut rng()).unwrap();
    let token = SigningKey::generate(&mut rng());
    let prepared = soft_ca(&ceremony, 7)
        .prepare(&request(&token, unit()), NOW, &mut rng())
        .unwrap();
    assert_eq!(
        soft_ca(&ceremony, 8).complete(&prepared).await,
        Err(CaError::Record)
    );
    // The same escrow key, another issuing CA: the lints see the issuer.
    let error = authority().complete(&prepared).await.unwrap_err();
    assert!(
        matches!(&error, CaError::Lint(findings) if findings[0].rule == "issuer-name"),
        "{error:?}"
    );
}

#[test]
fn requests_that_cannot_be_granted_are_named() {
    let (ca, token) = (authority(), SigningKey::generate(&mut rng()));
    let refusal = |change: &dyn Fn(&mut IssueRequest)| {
        let mut request = request(&token, unit());
        change(&mut request);
        match ca.prepare(&request, NOW, &mut rng()) {
            Err(CaError::Request(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        refusal(&|request| request.vendor = "otherca".into()),
        RequestError::Vendor
    );
    assert_eq!(
        refusal(&|request| request.request_id.clear()),
        RequestError::RequestId
    );
    assert_eq!(refusal(&|request| request.term_years = 0), RequestError::Term);
    assert_eq!(refusal(&|request| request.term_years = 11), RequestError::Term);
    assert_eq!(refusal(&|request| request.public_key[90] ^= 1), RequestError::Key);
    let named = |name: String| Subject::Unit {
        name,
        credit_code: "91320100MA1TEST00X".into(),
        region: None,
    };
    let long = |request: &mut IssueRequest| request.subject = named("司".repeat(65));
    assert!(matches!(refusal(&long), RequestError::Name(_)));
    let number = |request: &mut IssueRequest| {
        request.subject = Subject::Unit {
            name: "司".into(),
            credit_code: "91320100MA1TEST0司".into(),
            region: None,
        };
    };
    assert_eq!(refusal(&number), RequestError::Number);
}

#[test]
fn nothing_is_prepared_beyond_the_life_of_the_ca() {
    let (ca, token) = (authority(), SigningKey::generate(&mut rng()));
    let late = NOW.replace_year(NOW.year() + 20).unwrap() - time::Duration::days(100);
    let error = ca
        .prepare(&request(&token, unit()), late, &mut rng())
        .unwrap_err();
    assert!(
        matches!(&error, CaError::Lint(findings) if findings[0].rule == "validity-nested"),
        "{error:?}"
    );
    let own = SigningKey::generate(&mut rng());
    let mut wrong = request(&own, unit());
    wrong.public_key = ca.chain()[0].tbs().spki().to_vec();
    let error = ca.prepare(&wrong, NOW, &mut rng()).unwrap_err();
    assert!(
        matches!(&error, CaError::Lint(findings) if findings[0].rule == "own-key"),
        "{error:?}"
    );
}

#[test]
fn the_escrowed_key_goes_to_a_new_token() {
    let (ca, old, new) = (
        authority(),
        SigningKey::generate(&mut rng()),
        SigningKey::generate(&mut rng()),
    );
    let prepared = ca.prepare(&request(&old, unit()), NOW, &mut rng()).unwrap();
    let sealer = DataKeySealer::new(Zeroizing::new([7; 16]));
    let again = prepared
        .envelope_again(new.public_key(), &sealer, &mut rng())
        .unwrap();
    let first = EnvelopedKey::from_der(&prepared.enveloped_key)
        .unwrap()
        .open(&old)
        .unwrap();
    let second = EnvelopedKey::from_der(&again).unwrap().open(&new).unwrap();
    assert_eq!(first.to_scalar(), second.to_scalar());
    let json = serde_json::to_string(&prepared).unwrap();
    let secret = first.to_scalar();
    assert!(
        !prepared
            .sealed_key
            .windows(32)
            .any(|window| window == &secret[..])
    );
    assert!(!json.contains(&hex::encode(&secret[..])));
}

#[test]
fn a_ca_whose_parts_do_not_fit_is_not_set_up() {
    let make = || ceremony::init("testca", "测试", NOW, &mut rng()).unwrap();
    let (one, two) = (make(), make());
    let sealer = Arc::new(DataKeySealer::new(Zeroizing::new([7; 16])));
    let set_up = |chain: Vec<Certificate>, key: &SigningKey| {
        SoftCa::new(
            "testca",
            chain,
            Arc::new(SoftwareKey::new(key.clone())),
            SoftCaConfig::default(),
            sealer.clone(),
        )
        .map(|_| ())
    };
    assert_eq!(set_up(one.chain(), &one.issuing.key), Ok(()));
    assert_eq!(set_up(one.chain(), &two.issuing.key), Err(CaError::SetUp));
    assert_eq!(set_up(one.chain(), &one.root.key), Err(CaError::SetUp));
    assert_eq!(set_up(vec![], &one.issuing.key), Err(CaError::SetUp));
    assert_eq!(
        set_up(one.chain()[..1].to_vec(), &one.issuing.key),
        Err(CaError::SetUp)
    );
    let mixed = vec![one.issuing.certificate.clone(), two.root.certificate.clone()];
    assert_eq!(set_up(mixed, &one.issuing.key), Err(CaError::SetUp));
}

#[test]
fn an_escrow_that_is_away_is_not_a_changed_record() {
    struct Away;
    impl yinxin_ca::Sealer for Away {
        fn seal(&self, _: &[u8], _: &[u8], _: &mut dyn rand_core::CryptoRng) -> Result<Vec<u8>, SealError> {
            Err(SealError::Unavailable)
        }
        fn open(&self, _: &[u8], _: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
            Err(SealError::Unavailable)
        }
    }
    let (ca, token) = (authority(), SigningKey::generate(&mut rng()));
    let prepared = ca.prepare(&request(&token, unit()), NOW, &mut rng()).unwrap();
    let error = prepared.escrowed_key(&Away).map(|_| ()).unwrap_err();
    assert_eq!(error, CaError::Escrow(SealError::Unavailable));
}

#[test]
fn nothing_personal_is_printed() {
    let (ca, token) = (authority(), SigningKey::generate(&mut rng()));
    let request = request(&token, person());
    let prepared = ca.prepare(&request, NOW, &mut rng()).unwrap();
    let shown = format!("{request:?} {:?} {prepared:?} {ca:?}", request.subject);
    for personal in ["张三", "南京", "11010519491231002X"] {
        assert!(!shown.contains(personal), "{shown}");
    }
    assert!(shown.contains("20261123A00000001"));
}

#[tokio::test]
async fn the_key_form_of_encryption_certificates_is_the_vendors_choice() {
    let ceremony = ceremony::init("testca", "测试", NOW, &mut rng()).unwrap();
    let token = SigningKey::generate(&mut rng());
    for form in [KeyForm::Sm2, KeyForm::EcPublicKey] {
        let config = SoftCaConfig {
            encryption_key_form: form,
            ..SoftCaConfig::default()
        };
        let sealer = Arc::new(DataKeySealer::new(Zeroizing::new([7; 16])));
        let ca = SoftCa::new(
            "testca",
            ceremony.chain(),
            Arc::new(SoftwareKey::new(ceremony.issuing.key.clone())),
            config,
            sealer,
        )
        .unwrap();
        let prepared = ca.prepare(&request(&token, unit()), NOW, &mut rng()).unwrap();
        let pair = ca.complete(&prepared).await.unwrap();
        let encryption = Certificate::from_der(&pair.encryption).unwrap();
        let spki = encryption.public_key().unwrap().to_spki_der_as(form);
        assert!(pair.encryption.windows(spki.len()).any(|window| window == spki));
    }
}
