//! Signatures of requests and answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderValue};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::{
    MERCHANT_KEY, PROVIDER_PUBLIC, PUBLIC_KEY_ID, SM2_KEY, SM2_PUBLIC, fixtures, headers, signed, text,
};
use crate::wechat::keys::{Scheme, SigningKey, VerifyingKey};
use crate::wechat::wire::{Distrust, Signed, Signer, message};

const NOW: OffsetDateTime = datetime!(2024-05-20 02:11:12 UTC);
const NONCE: &str = "593BEC0C930BF1AFEB40B4A08C8FB242";

fn signer(scheme: Scheme, key: &str) -> Signer {
    Signer {
        mchid: "1900000001".to_owned(),
        serial: "3775B6A45ACD588826D15E583A95F5DD00000001".to_owned(),
        key: SigningKey::parse(scheme, key).unwrap(),
    }
}

fn check(headers: &HeaderMap, body: &str, now: OffsetDateTime) -> Result<(), Distrust> {
    let key = VerifyingKey::parse(PROVIDER_PUBLIC).unwrap();
    Signed::read(headers)?.check(&key, body.as_bytes(), now)
}

#[test]
fn a_request_is_signed_as_the_vector() {
    let vector = &fixtures()["request"];
    let body = text(&vector["body"]);
    let target = "/v3/pay/transactions/native";
    assert_eq!(
        message("POST", target, 1_716_171_072, NONCE, body),
        text(&vector["message"])
    );
    let signed = signer(Scheme::Rsa, MERCHANT_KEY).authorization_with("POST", target, body, NOW, NONCE);
    assert_eq!(signed.unwrap(), text(&vector["authorization"]));
}

#[test]
fn a_query_is_signed_over_its_path_and_query() {
    let vector = &fixtures()["get"];
    let target = "/v3/pay/transactions/out-trade-no/20230422A0007?mchid=1900000001";
    assert_eq!(
        message("GET", target, 1_716_171_072, NONCE, ""),
        text(&vector["message"])
    );
    let signed = signer(Scheme::Rsa, MERCHANT_KEY).authorization_with("GET", target, "", NOW, NONCE);
    let signature = format!(r#"signature="{}""#, text(&vector["signature"]));
    assert!(signed.unwrap().ends_with(&signature));
}

#[test]
fn the_published_message_has_an_empty_last_line() {
    let target = "/v3/pay/transactions/id/1217752501201407033233368018?mchid=1230000109";
    assert_eq!(
        message(
            "GET",
            target,
            1_652_750_623,
            "eBYqCOxa0QudMnPvVilkTzOg3gHh5Z3u",
            ""
        ),
        "GET\n/v3/pay/transactions/id/1217752501201407033233368018?mchid=1230000109\n1652750623\neBYqCOxa0QudMnPvVilkTzOg3gHh5Z3u\n\n"
    );
}

#[test]
fn every_request_has_a_nonce_of_its_own() {
    let signer = signer(Scheme::Rsa, MERCHANT_KEY);
    let authorization = || signer.authorization("GET", "/v3/certificates", "", NOW).unwrap();
    assert_ne!(authorization(), authorization());
}

#[test]
fn the_vector_s_answer_verifies() {
    let vector = &fixtures()["response"];
    check(&headers(&vector["headers"]), text(&vector["body"]), NOW).unwrap();
}

#[test]
fn an_answer_that_was_changed_anywhere_does_not_verify() {
    let vector = &fixtures()["response"];
    let body = text(&vector["body"]);
    let good = headers(&vector["headers"]);
    assert!(matches!(
        check(&good, &body.replace("p4lp", "p4lq"), NOW),
        Err(Distrust::BadSignature)
    ));
    for (name, value) in [
        ("wechatpay-timestamp", "1716171074"),
        ("wechatpay-nonce", "RESPNONCE0000002"),
        ("wechatpay-signature", "AAAA"),
        ("wechatpay-signature", "not base64"),
        ("wechatpay-signature-type", "WECHATPAY2-SM2-WITH-SM3"),
        ("wechatpay-signature-type", "WECHATPAY2-SHA1-RSA1024"),
    ] {
        let mut changed = good.clone();
        changed.insert(name, HeaderValue::from_static(value));
        let checked = check(&changed, body, NOW);
        assert!(matches!(checked, Err(Distrust::BadSignature)), "{name}: {value}");
    }
    for name in [
        "wechatpay-timestamp",
        "wechatpay-nonce",
        "wechatpay-signature",
        "wechatpay-serial",
    ] {
        let mut without = good.clone();
        without.remove(name);
        let checked = check(&without, body, NOW);
        assert!(matches!(checked, Err(Distrust::BadSignature)), "without {name}");
    }
}

#[test]
fn without_a_type_a_signature_is_rsa() {
    let vector = &fixtures()["response"];
    let mut headers = headers(&vector["headers"]);
    headers.remove("wechatpay-signature-type").unwrap();
    check(&headers, text(&vector["body"]), NOW).unwrap();
}

#[test]
fn a_signature_counts_for_less_than_five_minutes_both_ways() {
    let vector = &fixtures()["response"];
    let (headers, body) = (headers(&vector["headers"]), text(&vector["body"]));
    let signed_at = datetime!(2024-05-20 02:11:13 UTC);
    for seconds in [-299, 299] {
        check(&headers, body, signed_at + Duration::seconds(seconds)).unwrap();
    }
    for seconds in [-300, 300, 86_400] {
        let checked = check(&headers, body, signed_at + Duration::seconds(seconds));
        assert!(matches!(checked, Err(Distrust::Stale)), "{seconds}");
    }
}

#[test]
fn a_probe_is_never_believed() {
    let vector = &fixtures()["response"];
    let mut headers = headers(&vector["headers"]);
    let signature = format!(
        "WECHATPAY/SIGNTEST/{}",
        text(&vector["headers"]["Wechatpay-Signature"])
    );
    headers.insert("wechatpay-signature", signature.parse().unwrap());
    assert!(matches!(
        check(&headers, text(&vector["body"]), NOW),
        Err(Distrust::Probe)
    ));
}

#[test]
fn an_empty_body_is_signed_too() {
    let headers = signed(super::PROVIDER_KEY, Scheme::Rsa, NOW.unix_timestamp(), "");
    check(&headers, "", NOW).unwrap();
    assert!(matches!(check(&headers, "{}", NOW), Err(Distrust::BadSignature)));
}

#[test]
fn the_published_sm2_signature_verifies() {
    let key = VerifyingKey::parse(SM2_PUBLIC).unwrap();
    let signature =
        "MEYCIQD35Rp3CKt7pLme/a0GaCVmwSeOl7X/12+ppRivcJuf6QIhAO5Vpy4tSk9SJUrgH5I5Qy0aYhFG9lN0aof1f5wJOI05";
    assert!(key.verifies(Scheme::Sm2, b"message", signature));
    assert!(!key.verifies(Scheme::Sm2, b"massage", signature));
    assert!(!key.verifies(Scheme::Rsa, b"message", signature));
}

#[test]
fn the_published_sm2_key_is_the_pair_s_and_decrypts_the_published_text() {
    let key = yinxin_pki::SigningKey::from_pkcs8_pem(SM2_KEY).unwrap();
    assert_eq!(
        hex::encode(key.public_key().to_sec1()),
        "047bcd47f75ea19d04c0a72b4da70f57dd1b3f9337cc5dd1241881b913431939bf69a55ef6b46710c7e1724523d0f646dd694d2483976f6e850d466378fa8b2f7e"
    );
    let sealed = "MHECIAGn23Ew8nF0zRfu3qgdD6VATSmGM5wrVFvNqg1ToXneAiBgfOJLVi1NtpRVH2qanzooL4gOrDKKOloD7gS17g+iCQQgcTtJpGhytHZeV/HeTqYkg3YqOY+Vybx+OQx217Ktn0QECdMjiI7lpId5dg==";
    let sealed = STANDARD.decode(sealed).unwrap();
    assert_eq!(key.decrypt(&sealed).unwrap().as_slice(), b"plaintext");
}

#[test]
fn sm2_requests_and_answers_verify_with_the_other_side_s_key() {
    let key = VerifyingKey::parse(SM2_PUBLIC).unwrap();
    let authorization = signer(Scheme::Sm2, SM2_KEY)
        .authorization_with("GET", "/v3/certificates?algorithm_type=SM2", "", NOW, NONCE)
        .unwrap();
    let signature = authorization.split('"').nth(9).unwrap();
    assert!(authorization.starts_with("WECHATPAY2-SM2-WITH-SM3 mchid="));
    let text = message(
        "GET",
        "/v3/certificates?algorithm_type=SM2",
        NOW.unix_timestamp(),
        NONCE,
        "",
    );
    assert!(key.verifies(Scheme::Sm2, text.as_bytes(), signature));

    let headers = signed(SM2_KEY, Scheme::Sm2, NOW.unix_timestamp(), "{}");
    let answer = Signed::read(&headers).unwrap();
    assert_eq!(answer.serial, PUBLIC_KEY_ID);
    answer.check(&key, b"{}", NOW).unwrap();
    assert!(matches!(
        answer.check(&key, b"[]", NOW),
        Err(Distrust::BadSignature)
    ));
}
