//! The gateway's protocol against vectors of another implementation and of Alipay itself.

mod certificates;
mod notification;
mod wire;

use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;

use super::keys::{Verifier, VerifyingKey};
use super::{Alipay, Config, Merchant};
use crate::http::Http;

const NOW: OffsetDateTime = datetime!(2024-05-20 02:11:12 UTC);

const MERCHANT_KEY: &str = include_str!("../../tests/fixtures/merchant.key.pem");
const PROVIDER_KEY: &str = include_str!("../../tests/fixtures/provider.key.pem");
const PROVIDER_PUBLIC: &str = include_str!("../../tests/fixtures/provider.pub.pem");
const APP_CERTIFICATE: &str = include_str!("../../tests/fixtures/alipay-certificates/app.pem");
const ALIPAY_CERTIFICATE: &str = include_str!("../../tests/fixtures/alipay-certificates/alipay.pem");
const ROOT_CERTIFICATES: &str = include_str!("../../tests/fixtures/alipay-certificates/roots.pem");

fn fixtures() -> Value {
    serde_json::from_str(include_str!("../../tests/fixtures/alipay.json")).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn merchant() -> Merchant {
    Merchant {
        app_id: "2021000000000001".to_owned(),
        app_private_key: MERCHANT_KEY.into(),
        alipay_public_key: Some(PROVIDER_PUBLIC.to_owned()),
        app_certificate: None,
        alipay_certificate: None,
        alipay_root_certificates: None,
        seller_id: "2088000000000001".to_owned(),
        product_code: None,
    }
}

fn client(merchant: Merchant) -> Alipay {
    let config = Config {
        merchant,
        gateway_url: "https://openapi.alipay.com/gateway.do".to_owned(),
        notify_url: "https://ca.example.com/notify/alipay".to_owned(),
    };
    Alipay::new(config, Http::new("alipay").unwrap(), NOW).unwrap()
}

fn alipay() -> Alipay {
    client(merchant())
}

fn alipay_by_certificates() -> Alipay {
    client(Merchant {
        alipay_public_key: None,
        app_certificate: Some(APP_CERTIFICATE.to_owned()),
        alipay_certificate: Some(ALIPAY_CERTIFICATE.to_owned()),
        alipay_root_certificates: Some(ROOT_CERTIFICATES.to_owned()),
        ..merchant()
    })
}

fn provider() -> Verifier {
    Verifier {
        key: VerifyingKey::parse(PROVIDER_PUBLIC).unwrap(),
        certificate: None,
    }
}

#[test]
fn debug_of_a_client_holds_no_key() {
    let shown = format!("{:?}", alipay_by_certificates());
    assert!(
        shown.contains("2021000000000001") && !shown.contains("MII") && shown.len() < 200,
        "{shown}"
    );
}
