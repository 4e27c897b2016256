//! What a client cannot be made of.

use super::{MERCHANT_KEY, PROVIDER_PUBLIC, PUBLIC_KEY_ID, SM2_KEY, SM2_PUBLIC, config};
use crate::http::Http;
use crate::wechat::{Config, ConfigError, Merchant, PlatformCertificates, Scheme, WechatPay};

fn made(change: impl FnOnce(&mut Config)) -> Result<WechatPay, ConfigError> {
    let mut config = config();
    change(&mut config);
    WechatPay::new(config, Http::new("wechat").unwrap())
}

#[test]
fn the_secret_s_json_is_read() {
    let json = serde_json::json!({
        "mchid": "1900000001", "appid": "wx0000000000000001",
        "certificate_serial": "3775B6A45ACD588826D15E583A95F5DD00000001",
        "private_key": SM2_KEY, "api_v3_key": "0123456789abcdefGHIJKLMNOPQRSTUV",
        "platform_certificates": "download", "signature": "sm2",
    });
    let merchant: Merchant = serde_json::from_value(json).unwrap();
    assert_eq!(merchant.scheme, Scheme::Sm2);
    assert_eq!(
        merchant.platform_certificates,
        Some(PlatformCertificates::Download)
    );
    assert!(made(|config| config.merchant = merchant).is_ok());
}

#[test]
fn keys_may_be_bare_base64() {
    let bare = |pem: &str| -> String { pem.lines().filter(|line| !line.starts_with('-')).collect() };
    let client = made(|config| {
        config.merchant.private_key = bare(MERCHANT_KEY).into();
        config.merchant.public_key = Some(bare(PROVIDER_PUBLIC));
    });
    assert!(client.is_ok());
}

#[test]
fn private_keys_are_of_the_configured_scheme() {
    for (scheme, key) in [
        (Scheme::Rsa, SM2_KEY),
        (Scheme::Sm2, MERCHANT_KEY),
        (Scheme::Rsa, PROVIDER_PUBLIC),
        (Scheme::Rsa, ""),
    ] {
        let client = made(|config| {
            config.merchant.scheme = scheme;
            config.merchant.private_key = key.into();
        });
        assert!(matches!(client, Err(ConfigError::PrivateKey)), "{scheme:?} {key}");
    }
}

#[test]
fn a_public_key_comes_with_its_identifier() {
    let id = || Some(PUBLIC_KEY_ID.to_owned());
    for (id, key) in [
        (None, Some(PROVIDER_PUBLIC)),
        (id(), None),
        (
            Some("5157F09EFDC096DE15EBE81A47057A7200000001".to_owned()),
            Some(PROVIDER_PUBLIC),
        ),
        (id(), Some(MERCHANT_KEY)),
        (id(), Some("no key")),
    ] {
        let client = made(|config| {
            config.merchant.public_key_id = id.clone();
            config.merchant.public_key = key.map(str::to_owned);
        });
        assert!(matches!(client, Err(ConfigError::PublicKey)), "{id:?} {key:?}");
    }
    let sm2 = made(|config| config.merchant.public_key = Some(SM2_PUBLIC.to_owned()));
    assert!(sm2.is_ok());
}

#[test]
fn something_must_verify_answers() {
    let client = made(|config| {
        config.merchant.public_key_id = None;
        config.merchant.public_key = None;
    });
    assert!(matches!(client, Err(ConfigError::NothingToVerifyWith)));
}

#[test]
fn identity_serial_and_addresses_are_checked() {
    let wrong_id = made(|config| config.merchant.mchid = "19\"".to_owned());
    assert!(matches!(wrong_id, Err(ConfigError::Identity)));
    let wrong_id = made(|config| config.merchant.appid = String::new());
    assert!(matches!(wrong_id, Err(ConfigError::Identity)));
    let wrong_serial = made(|config| config.merchant.certificate_serial = "37:75".to_owned());
    assert!(matches!(wrong_serial, Err(ConfigError::Serial)));
    for url in [
        "api.mch.weixin.qq.com",
        "ftp://api.mch.weixin.qq.com",
        "https://ca.example.com/?a=b",
    ] {
        let base = made(|config| config.base_url = url.to_owned());
        assert!(matches!(base, Err(ConfigError::Url)), "{url}");
        let notify = made(|config| config.notify_url = url.to_owned());
        assert!(matches!(notify, Err(ConfigError::Url)), "{url}");
    }
    let long = format!("https://ca.example.com/{}", "n".repeat(255));
    assert!(matches!(
        made(|config| config.notify_url = long),
        Err(ConfigError::Url)
    ));
}

#[test]
fn no_key_is_printed() {
    let config = config();
    let printed = format!("{config:?}{:?}", made(|_| {}).unwrap());
    assert!(!printed.contains("0123456789abcdef") && !printed.contains("MIIEv"));
}
