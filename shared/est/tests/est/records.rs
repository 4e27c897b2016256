//! What is recorded, and what does not pass for a record.
use std::sync::Arc;

use serde_json::Value;
use yinxin_ca::{
    Answer, CaError, CertificateAuthority as _, DataKeySealer, Prepared, Record, RequestError, SoftCa,
    SoftCaConfig, SoftwareKey, Subject, ceremony,
};
use yinxin_est::EstRecord;
use yinxin_pki::{Name, Zeroizing};

use crate::vendor::{UNIT, Vendor, now, request, rng};

fn soft() -> SoftCa {
    let made = ceremony::init("testca", "测试数字证书认证有限公司", now(), &mut rng()).unwrap();
    SoftCa::new(
        "testca",
        made.chain(),
        Arc::new(SoftwareKey::new(made.issuing.key.clone())),
        SoftCaConfig::default(),
        Arc::new(DataKeySealer::new(Zeroizing::new([7; 16]))),
    )
    .unwrap()
}

#[tokio::test]
async fn records_of_a_software_ca_are_what_they_were_before() {
    let (_, csr, request) = request();
    let ca = soft();
    let prepared = ca.prepare(&request, now(), &mut rng()).unwrap();
    // As stored before there were several kinds of CA.
    let stored: Record = serde_json::from_str(&serde_json::to_string(&prepared).unwrap()).unwrap();
    let through_the_contract =
        yinxin_ca::CertificateAuthority::complete(&ca, &stored, now(), &mut rng()).await;
    assert!(matches!(through_the_contract, Ok(Answer::Issued(_))));
    let preparation =
        yinxin_ca::CertificateAuthority::prepare(&ca, &request, &csr, now(), &mut rng()).unwrap();
    let json = serde_json::to_string(&preparation.record).unwrap();
    let read: Prepared = serde_json::from_str(&json).unwrap();
    assert_eq!(preparation.serials, [read.signing_serial, read.encryption_serial]);
}

#[tokio::test]
async fn the_record_of_one_kind_of_ca_is_refused_by_the_other() {
    let Some(vendor) = Vendor::start(&[]) else { return };
    let (_, csr, request) = request();
    let (soft, est) = (soft(), vendor.authority());
    let softs = Record::of(&soft.prepare(&request, now(), &mut rng()).unwrap()).unwrap();
    let ests = est.prepare(&request, &csr, now(), &mut rng()).unwrap().record;
    assert_eq!(
        est.complete(&softs, now(), &mut rng()).await,
        Err(CaError::Record)
    );
    let refused = yinxin_ca::CertificateAuthority::complete(&soft, &ests, now(), &mut rng()).await;
    assert_eq!(refused, Err(CaError::Record));
}

#[tokio::test]
async fn a_request_that_does_not_fit_the_order_is_not_sent() {
    let Some(vendor) = Vendor::start(&[]) else { return };
    let ca = vendor.authority();
    let (_, csr, right) = request();
    let prepare = |request: &_| ca.prepare(request, &csr, now(), &mut rng()).err();
    assert_eq!(prepare(&right), None);
    let mut other = right.clone();
    other.subject = Subject::Unit {
        name: "另一家有限公司".into(),
        credit_code: "91320100MA1TEST00X".into(),
        region: None,
    };
    assert_eq!(prepare(&other), Some(CaError::Request(RequestError::Csr)));
    let mut other = right.clone();
    other.csr_sm3 = vec![0; 32];
    assert_eq!(prepare(&other), Some(CaError::Request(RequestError::Csr)));
    let mut other = right.clone();
    other.vendor = "another".into();
    assert_eq!(prepare(&other), Some(CaError::Request(RequestError::Vendor)));
    let mut other = right;
    other.term_years = 0;
    assert_eq!(prepare(&other), Some(CaError::Request(RequestError::Term)));
}

#[tokio::test]
async fn the_escrowed_key_opens_for_its_own_record_alone() {
    let Some(vendor) = Vendor::start(&[]) else { return };
    let ca = vendor.authority();
    let (_, csr, request) = request();
    let mut record = ca.prepare(&request, &csr, now(), &mut rng()).unwrap().record;
    for _ in 0..2 {
        let Answer::Progress(next) = ca.complete(&record, now(), &mut rng()).await.unwrap() else {
            panic!("the step gives no record");
        };
        record = next;
    }
    let sealer = DataKeySealer::new(Zeroizing::new([7; 16]));
    let read: EstRecord = record.read().unwrap();
    let key = read.escrowed_key(&sealer).unwrap();
    let json = serde_json::to_string(&record).unwrap();
    let scalar = key.to_scalar();
    let plain = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &scalar[..]);
    assert!(!json.contains(&plain));
    for printed in [format!("{record:?}"), format!("{read:?}"), format!("{ca:?}")] {
        assert!(!printed.contains(UNIT) && !printed.contains("9132"), "{printed}");
    }
    // Another subject, another request id, the other vendor's: each makes the record worthless.
    let other = Name::unit("另一家有限公司", None).unwrap();
    let other = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, other.as_der());
    for (field, value) in [
        ("subject", other.as_str()),
        ("request_id", "other"),
        ("vendor", "other"),
    ] {
        let mut changed: Value = serde_json::from_str(&json).unwrap();
        changed[field] = value.into();
        let changed: Record = serde_json::from_value(changed).unwrap();
        let refused = ca.complete(&changed, now(), &mut rng()).await;
        assert_eq!(refused, Err(CaError::Record), "{field}");
    }
}
