//! The protocol against vectors of other implementations.

mod bill;
mod config;
mod judge;
mod notification;
mod seal;
mod trade;
mod wire;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::keys::{Scheme, SigningKey};
use super::{Config, Merchant, PlatformCertificates, WechatPay};
use crate::http::Http;

const MERCHANT_KEY: &str = include_str!("../../tests/fixtures/merchant.key.pem");
const PROVIDER_KEY: &str = include_str!("../../tests/fixtures/provider.key.pem");
const PROVIDER_PUBLIC: &str = include_str!("../../tests/fixtures/provider.pub.pem");
const SM2_KEY: &str = include_str!("../../tests/fixtures/wechat.sm2.key.pem");
const SM2_PUBLIC: &str = include_str!("../../tests/fixtures/wechat.sm2.pub.pem");
const API_KEY: &str = "0123456789abcdefGHIJKLMNOPQRSTUV";
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000000012024010100000000000001";

fn fixtures() -> Value {
    serde_json::from_str(include_str!("../../tests/fixtures/wechat.json")).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn config() -> Config {
    Config {
        merchant: Merchant {
            mchid: "1900000001".to_owned(),
            appid: "wx0000000000000001".to_owned(),
            certificate_serial: "3775b6a45acd588826d15e583a95f5dd00000001".to_owned(),
            private_key: MERCHANT_KEY.into(),
            api_v3_key: API_KEY.into(),
            public_key_id: Some(PUBLIC_KEY_ID.to_owned()),
            public_key: Some(PROVIDER_PUBLIC.to_owned()),
            platform_certificates: None::<PlatformCertificates>,
            scheme: Scheme::Rsa,
        },
        base_url: "https://api.mch.weixin.qq.com".to_owned(),
        notify_url: "https://ca.example.com/notify/wechat".to_owned(),
    }
}

fn wechat() -> WechatPay {
    WechatPay::new(config(), Http::new("wechat").unwrap()).unwrap()
}

fn headers(of: &Value) -> HeaderMap {
    let pairs = of.as_object().unwrap().iter();
    pairs
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), text(value).parse().unwrap()))
        .collect()
}

/// Headers with which WeChat Pay's side signs a body.
fn signed(key: &str, scheme: Scheme, timestamp: i64, body: &str) -> HeaderMap {
    let key = SigningKey::parse(scheme, key).unwrap();
    let signature = key
        .sign(format!("{timestamp}\nNONCE\n{body}\n").as_bytes())
        .unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("wechatpay-timestamp", timestamp.to_string()),
        ("wechatpay-nonce", "NONCE".to_owned()),
        ("wechatpay-serial", PUBLIC_KEY_ID.to_owned()),
        ("wechatpay-signature-type", scheme.word().to_owned()),
        ("wechatpay-signature", signature),
    ] {
        headers.insert(name, HeaderValue::from_str(&value).unwrap());
    }
    headers
}
