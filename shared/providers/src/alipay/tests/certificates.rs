//! Certificate mode with test certificates and numbers of another implementation.

use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;
use yinxin_pki::chain::ChainError;

use super::{APP_CERTIFICATE, MERCHANT_KEY, NOW, PROVIDER_KEY, alipay_by_certificates, merchant, text};
use crate::Secret;
use crate::alipay::certificates::{CertificateError, Certificates};
use crate::alipay::keys::SigningKey;
use crate::alipay::wire::read;
use crate::alipay::{Alipay, Config, ConfigError, Merchant, answer};
use crate::http::Http;
use crate::payments::{Doubt, Failure, Query};

const ALIPAY: &str = super::ALIPAY_CERTIFICATE;
const ROOTS: &str = super::ROOT_CERTIFICATES;
const OF_STRANGER: &str = include_str!("../../../tests/fixtures/alipay-certificates/alipay-of-stranger.pem");
const BY_APP: &str = include_str!("../../../tests/fixtures/alipay-certificates/alipay-by-app.pem");
const END: &str = "-----END CERTIFICATE-----";

fn numbers() -> Value {
    serde_json::from_str(include_str!(
        "../../../tests/fixtures/alipay-certificates/numbers.json"
    ))
    .unwrap()
}

fn certificates(
    app: &str,
    alipay: &str,
    roots: &str,
    now: OffsetDateTime,
) -> Result<Certificates, CertificateError> {
    let signing = SigningKey::parse(MERCHANT_KEY).unwrap();
    Certificates::read(app, alipay, roots, &signing, now)
}

/// An answer to a query, signed with the key of Alipay's test certificate.
fn answer_naming(certificate: Option<&str>) -> Vec<u8> {
    let node =
        r#"{"code":"10000","trade_no":"2024","trade_status":"WAIT_BUYER_PAY","total_amount":"220.00"}"#;
    let signature = SigningKey::parse(PROVIDER_KEY).unwrap().sign(node.as_bytes());
    let named = certificate.map(|number| format!(r#","alipay_cert_sn":"{number}""#));
    format!(
        r#"{{"alipay_trade_query_response":{node}{},"sign":"{}"}}"#,
        named.unwrap_or_default(),
        signature.unwrap()
    )
    .into_bytes()
}

#[test]
fn certificates_have_the_numbers_that_another_implementation_gives_them() {
    let read = certificates(APP_CERTIFICATE, ALIPAY, ROOTS, NOW).unwrap();
    let numbers = numbers();
    assert_eq!(read.app_number, text(&numbers["app"]));
    assert_eq!(read.alipay_number, text(&numbers["alipay"]));
    // Of four root certificates, the two that are signed with RSA.
    assert_eq!(ROOTS.matches(END).count(), 4);
    assert_eq!(read.root_number, text(&numbers["roots"]));
}

#[test]
fn the_files_may_have_any_line_ends_and_texts_between_certificates() {
    let windows = |text: &str| {
        text.replace('\n', "\r\n")
            .replace(END, &format!("{END}\r\nsubject=x"))
    };
    let read = certificates(&windows(APP_CERTIFICATE), &windows(ALIPAY), &windows(ROOTS), NOW);
    assert_eq!(read.unwrap().root_number, text(&numbers()["roots"]));
}

#[test]
fn a_request_names_and_signs_the_certificates() {
    let alipay = alipay_by_certificates();
    let request = alipay.request("alipay.trade.query", &(), None, NOW).unwrap();
    let (_, query) = request.url.split_once('?').unwrap();
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    pairs.extend(form_urlencoded::parse(request.body.as_bytes()).into_owned());
    let sign = pairs.extract_if(.., |(name, _)| name == "sign").next().unwrap().1;
    let value = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).unwrap().1.as_str();
    assert_eq!(value("app_cert_sn"), text(&numbers()["app"]));
    assert_eq!(value("alipay_root_cert_sn"), text(&numbers()["roots"]));
    let signed = crate::alipay::wire::joined(&pairs);
    let merchant =
        crate::alipay::keys::VerifyingKey::parse(include_str!("../../../tests/fixtures/merchant.pub.pem"));
    assert!(merchant.unwrap().verifies(signed.as_bytes(), &sign));
}

#[test]
fn an_answer_counts_only_under_the_certificate_that_is_loaded() {
    let verifier = alipay_by_certificates().verifier;
    let read = |body: &[u8]| read::<answer::Trade>(body, "alipay.trade.query", None, &verifier);
    let numbers = numbers();
    let loaded = text(&numbers["alipay"]);
    let trade = read(&answer_naming(Some(loaded))).unwrap();
    assert_eq!(trade.read().unwrap(), Query::Unpaid);
    for named in [None, Some(text(&numbers["app"])), Some("")] {
        let answer = read(&answer_naming(named));
        assert!(
            matches!(answer, Err(Failure::Unknown(Doubt::BadSignature))),
            "{named:?}"
        );
    }
    let forged = String::from_utf8(answer_naming(Some(loaded)))
        .unwrap()
        .replace("220.00", "0.01");
    assert!(matches!(
        read(forged.as_bytes()),
        Err(Failure::Unknown(Doubt::BadSignature))
    ));
}

#[test]
fn a_certificate_that_no_root_stands_behind_is_not_used() {
    let (alone, _) = ALIPAY.split_once(END).unwrap();
    let alone = format!("{alone}{END}\n");
    // The one for SM2.
    let (other_root, _) = ROOTS.split_once(END).unwrap();
    let other_root = format!("{other_root}{END}\n");
    for (what, alipay, roots) in [
        ("the issuer's file is missing", alone.as_str(), ROOTS),
        ("a stranger has the issuer's name", OF_STRANGER, ROOTS),
        ("the issuer is no CA", BY_APP, ROOTS),
        ("the root is another", ALIPAY, other_root.as_str()),
    ] {
        let read = certificates(APP_CERTIFICATE, alipay, roots, NOW);
        assert!(matches!(read, Err(CertificateError::Untrusted)), "{what}");
    }
}

#[test]
fn a_certificate_is_used_within_its_validity() {
    for now in [
        datetime!(2019-12-31 23:59:59 UTC),
        datetime!(2050-01-01 00:00 UTC),
    ] {
        let read = certificates(APP_CERTIFICATE, ALIPAY, ROOTS, now);
        assert!(
            matches!(read, Err(CertificateError::Chain(ChainError::Expired))),
            "{now}"
        );
    }
}

#[test]
fn the_app_s_certificate_is_for_the_app_s_key() {
    let read = certificates(ALIPAY, ALIPAY, ROOTS, NOW);
    assert!(matches!(read, Err(CertificateError::OtherKey)));
}

#[test]
fn what_is_no_certificate_is_told_by_its_place() {
    for (app, alipay, roots, expected) in [
        ("", ALIPAY, ROOTS, "the app's certificate"),
        (APP_CERTIFICATE, MERCHANT_KEY, ROOTS, "Alipay's certificate"),
        (
            APP_CERTIFICATE,
            ALIPAY,
            &ROOTS[..900],
            "Alipay's root certificates",
        ),
    ] {
        let read = certificates(app, alipay, roots, NOW);
        assert!(
            matches!(read, Err(CertificateError::Malformed(what)) if what == expected),
            "{expected}"
        );
    }
}

#[test]
fn key_and_certificates_exclude_each_other() {
    let public_key = merchant().alipay_public_key;
    let certificates = Merchant {
        alipay_public_key: None,
        app_certificate: Some(APP_CERTIFICATE.to_owned()),
        alipay_certificate: Some(ALIPAY.to_owned()),
        alipay_root_certificates: Some(ROOTS.to_owned()),
        ..merchant()
    };
    for merchant in [
        Merchant {
            alipay_public_key: public_key,
            ..certificates.clone()
        },
        Merchant {
            alipay_root_certificates: None,
            ..certificates.clone()
        },
        Merchant {
            alipay_public_key: None,
            ..merchant()
        },
    ] {
        let config = Config {
            merchant,
            gateway_url: String::new(),
            notify_url: String::new(),
        };
        let made = Alipay::new(config, Http::new("alipay").unwrap(), NOW);
        assert!(matches!(made, Err(ConfigError::Mode)));
    }
}

#[test]
fn the_secret_says_which_mode_it_is() {
    let secret = serde_json::json!({
        "app_id": "2021000000000001", "seller_id": "2088000000000001", "app_private_key": MERCHANT_KEY,
        "app_certificate": APP_CERTIFICATE, "alipay_certificate": ALIPAY, "alipay_root_certificates": ROOTS,
    });
    let merchant: Merchant = serde_json::from_value(secret).unwrap();
    assert_eq!(merchant.app_private_key, Secret::from(MERCHANT_KEY));
    let config = Config {
        merchant,
        gateway_url: String::new(),
        notify_url: String::new(),
    };
    let alipay = Alipay::new(config, Http::new("alipay").unwrap(), NOW).unwrap();
    assert_eq!(
        alipay.verifier.certificate.as_deref(),
        Some(text(&numbers()["alipay"]))
    );
}
