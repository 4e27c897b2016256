//! The gateway's protocol against vectors of another implementation and of Alipay itself.

use serde_json::Value;
use time::macros::datetime;

use super::failure::{Doubt, Failure, Reason};
use super::keys::{SigningKey, VerifyingKey};
use super::notification::MAX_BYTES;
use super::wire::{Request, joined, read};
use super::{Alipay, Config, Merchant, NotificationError, QueryAnswer, TradeStatus};
use crate::http::Http;

const MERCHANT_KEY: &str = include_str!("../../tests/fixtures/merchant.key.pem");
const PROVIDER_KEY: &str = include_str!("../../tests/fixtures/provider.key.pem");
const PROVIDER_PUBLIC: &str = include_str!("../../tests/fixtures/provider.pub.pem");

fn fixtures() -> Value {
    serde_json::from_str(include_str!("../../tests/fixtures/alipay.json")).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn alipay() -> Alipay {
    let merchant = Merchant {
        app_id: "2021000000000001".to_owned(),
        app_private_key: MERCHANT_KEY.into(),
        alipay_public_key: PROVIDER_PUBLIC.to_owned(),
        seller_id: "2088000000000001".to_owned(),
        product_code: None,
    };
    let config = Config {
        merchant,
        gateway_url: "https://openapi.alipay.com/gateway.do".to_owned(),
        notify_url: "https://ca.example.com/notify/alipay".to_owned(),
    };
    Alipay::new(config, Http::new("alipay").unwrap()).unwrap()
}

/// A form body that Alipay's side signed.
fn notification(changes: &[(&str, &str)]) -> Vec<u8> {
    let fixtures = fixtures();
    let mut pairs: Vec<(String, String)> =
        form_urlencoded::parse(text(&fixtures["alipay_notify"]["form_body"]).as_bytes())
            .into_owned()
            .filter(|(key, _)| key != "sign" && key != "sign_type")
            .collect();
    for (key, value) in changes {
        pairs.retain(|(present, _)| present != key);
        pairs.push(((*key).to_owned(), (*value).to_owned()));
    }
    signed(pairs)
}

fn signed(mut pairs: Vec<(String, String)>) -> Vec<u8> {
    let signature = SigningKey::parse(PROVIDER_KEY)
        .unwrap()
        .sign(joined(&pairs).as_bytes())
        .unwrap();
    pairs.push(("sign".to_owned(), signature));
    pairs.push(("sign_type".to_owned(), "RSA2".to_owned()));
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
        .into_bytes()
}

fn provider() -> VerifyingKey {
    VerifyingKey::parse(PROVIDER_PUBLIC).unwrap()
}

fn answer(node: &str) -> Vec<u8> {
    let signature = SigningKey::parse(PROVIDER_KEY)
        .unwrap()
        .sign(node.as_bytes())
        .unwrap();
    format!(r#"{{"alipay_trade_query_response":{node},"sign":"{signature}"}}"#).into_bytes()
}

fn read_query(body: &[u8]) -> Result<QueryAnswer, Failure> {
    read(body, "alipay.trade.query", "20230422A0007", &provider())
}

#[test]
fn a_request_is_signed_and_written_as_the_vector() {
    let vector = &fixtures()["alipay_request"];
    let alipay = alipay();
    let content = alipay
        .precreate_content("20230422A0007", 22_000, "CA数字证书 企业版", 30)
        .unwrap();
    let now = datetime!(2024-05-20 02:11:12 UTC);
    let request = alipay
        .request("alipay.trade.precreate", &content, Some(&alipay.notify_url), now)
        .unwrap();
    let expected = Request {
        url: text(&vector["url"]).to_owned(),
        body: text(&vector["body"]).to_owned(),
    };
    assert_eq!(request, expected);
}

#[test]
fn keys_are_taken_as_pem_and_bare_and_in_both_forms() {
    let vector = &fixtures()["alipay_request"];
    let message = text(&vector["sign_string"]).as_bytes();
    let bare: String = MERCHANT_KEY
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let pkcs1 = include_str!("../../tests/fixtures/merchant.pkcs1.pem");
    let windows = MERCHANT_KEY.replace('\n', "\r\n");
    for key in [MERCHANT_KEY, &bare, pkcs1, &windows] {
        assert_eq!(
            SigningKey::parse(key).unwrap().sign(message).unwrap(),
            text(&vector["sign"])
        );
    }
    let public = VerifyingKey::parse(include_str!("../../tests/fixtures/merchant.pub.pem")).unwrap();
    assert!(public.verifies(message, text(&vector["sign"])));
    assert!(!provider().verifies(message, text(&vector["sign"])));
    assert!(SigningKey::parse(PROVIDER_PUBLIC).is_err());
    assert!(VerifyingKey::parse("no key").is_err());
}

#[test]
fn what_alipay_itself_signed_verifies() {
    let fixtures = fixtures();
    for (name, part) in [("real_response", "signed_part"), ("real_notify", "verify_string")] {
        let vector = &fixtures[name];
        let key = VerifyingKey::parse(text(&vector["public_key"])).unwrap();
        let message = text(&vector[part]);
        assert!(key.verifies(message.as_bytes(), text(&vector["sign"])), "{name}");
        assert!(
            !key.verifies(format!("{message} ").as_bytes(), text(&vector["sign"])),
            "{name}"
        );
    }
}

#[test]
fn an_answer_is_verified_over_its_raw_text() {
    let fixtures = fixtures();
    let vector = &fixtures["alipay_response"];
    let body = text(&vector["body"]);
    let method = "alipay.trade.precreate";
    let answer: Value = read(body.as_bytes(), method, "20230422A0007", &provider()).unwrap();
    assert_eq!(
        answer["qr_code"],
        "https://qr.alipay.com/bax03431ljhokirwl38f00a7"
    );
    // The same JSON in other escapes is not what was signed.
    let rewritten = body.replace("\\/", "/");
    for forged in [
        rewritten,
        body.replace("bax0", "bax1"),
        body.replace(r#""sign":"ik"#, r#""sign":"jk"#),
    ] {
        let read = read::<Value>(forged.as_bytes(), method, "20230422A0007", &provider());
        assert!(matches!(read, Err(Failure::Unknown(Doubt::BadSignature))));
    }
    let other_trade = read::<Value>(body.as_bytes(), method, "20230422A0008", &provider());
    assert!(matches!(other_trade, Err(Failure::Unknown(Doubt::Malformed))));
}

#[test]
fn a_success_without_signature_is_no_success() {
    let vector = &fixtures()["alipay_response"];
    let body = format!(
        r#"{{"alipay_trade_precreate_response":{}}}"#,
        text(&vector["signed_part"])
    );
    let read = read::<Value>(
        body.as_bytes(),
        "alipay.trade.precreate",
        "20230422A0007",
        &provider(),
    );
    assert!(matches!(read, Err(Failure::Unknown(Doubt::BadSignature))));
}

#[test]
fn only_a_signed_refusal_is_definite() {
    let fixtures = fixtures();
    let body = text(&fixtures["alipay_query_not_exist"]["body"]);
    let Err(Failure::Refused(refusal)) = read_query(body.as_bytes()) else {
        panic!("refused")
    };
    assert_eq!(
        (refusal.sub_code.as_str(), refusal.reason),
        ("ACQ.TRADE_NOT_EXIST", Reason::NoSuchTrade)
    );
    let unsigned = br#"{"error_response":{"code":"40002","msg":"m","sub_code":"isv.invalid-signature"}}"#;
    assert!(
        matches!(read_query(unsigned), Err(Failure::Unknown(Doubt::Unsigned(code))) if code == "40002 isv.invalid-signature")
    );
}

#[test]
fn system_errors_leave_the_outcome_open() {
    for (code, sub_code) in [
        ("40004", "ACQ.SYSTEM_ERROR"),
        ("40004", "aop.ACQ.SYSTEM_ERROR"),
        ("20000", "isp.unknow-error"),
    ] {
        let node = format!(r#"{{"code":"{code}","msg":"m","sub_code":"{sub_code}"}}"#);
        assert!(
            matches!(read_query(&answer(&node)), Err(Failure::Unknown(Doubt::Busy(_)))),
            "{sub_code}"
        );
    }
}

#[test]
fn refusals_say_what_the_caller_can_do() {
    for (sub_code, reason) in [
        ("ACQ.CONTEXT_INCONSISTENT", Reason::NumberTaken),
        ("ACQ.TRADE_HAS_SUCCESS", Reason::AlreadyPaid),
        ("ACQ.REASON_TRADE_STATUS_INVALID", Reason::AlreadyPaid),
        ("ACQ.TRADE_HAS_CLOSE", Reason::AlreadyClosed),
        ("ACQ.SELLER_BALANCE_NOT_ENOUGH", Reason::Operator),
        ("isv.invalid-app-id", Reason::Operator),
    ] {
        let node = format!(r#"{{"code":"40004","msg":"m","sub_code":"{sub_code}"}}"#);
        let read = read_query(&answer(&node));
        assert!(
            matches!(read, Err(Failure::Refused(refusal)) if refusal.reason == reason),
            "{sub_code}"
        );
    }
}

#[test]
fn illegal_arguments_are_not_sent() {
    let alipay = alipay();
    for (number, fen, subject, minutes) in [
        ("a-1", 1, "s", 30),
        ("", 1, "s", 30),
        ("a", 0, "s", 30),
        ("a", 10_000_000_001, "s", 30),
        ("a", 1, "a/b", 30),
        ("a", 1, "", 30),
        ("a", 1, "s", 0),
    ] {
        let content = alipay.precreate_content(number, fen, subject, minutes);
        assert!(
            matches!(content, Err(Failure::NotSent(_))),
            "{number} {fen} {subject} {minutes}"
        );
    }
}

#[test]
fn a_notification_is_decoded_once_and_read() {
    let fixtures = fixtures();
    let body = text(&fixtures["alipay_notify"]["form_body"]);
    let notification = alipay().verify_notification(body.as_bytes()).unwrap();
    assert_eq!(notification.out_trade_no, "20230422A0007");
    assert_eq!(notification.trade_no, "2024052022001400000500000001");
    assert_eq!(notification.amount_fen, 22_000);
    assert_eq!(notification.status, TradeStatus::Success);
    assert_eq!(notification.paid_at, Some(datetime!(2024-05-20 02:12:14 UTC)));
    assert!(notification.is_payment());
}

#[test]
fn this_side_signs_a_notification_as_the_vector() {
    let fixtures = fixtures();
    let vector = &fixtures["alipay_notify"];
    let pairs: Vec<(String, String)> = form_urlencoded::parse(text(&vector["form_body"]).as_bytes())
        .into_owned()
        .filter(|(key, _)| key != "sign" && key != "sign_type")
        .collect();
    assert_eq!(joined(&pairs), text(&vector["verify_string"]));
    let signature = SigningKey::parse(PROVIDER_KEY)
        .unwrap()
        .sign(joined(&pairs).as_bytes())
        .unwrap();
    assert_eq!(signature, text(&vector["sign"]));
}

#[test]
fn a_changed_notification_is_not_believed() {
    let fixtures = fixtures();
    let body = text(&fixtures["alipay_notify"]["form_body"]);
    for changed in [
        body.replace("total_amount=220.00", "total_amount=0.01"),
        body.replace("20230422A0007", "20230422A0008"),
        body.replace("sign_type=RSA2", "sign_type=RSA"),
        body.replace("&sign=P", "&sign=Q"),
        body.split("&sign=").next().unwrap().to_owned(),
        format!("{body}&extra=1"),
        String::new(),
    ] {
        let verified = alipay().verify_notification(changed.as_bytes());
        assert_eq!(verified, Err(NotificationError::BadSignature), "{changed}");
    }
}

#[test]
fn a_name_twice_is_malformed() {
    let fixtures = fixtures();
    let body = format!(
        "{}&total_amount=0.01",
        text(&fixtures["alipay_notify"]["form_body"])
    );
    assert_eq!(
        alipay().verify_notification(body.as_bytes()),
        Err(NotificationError::Malformed)
    );
    assert_eq!(
        alipay().verify_notification(&vec![b'a'; MAX_BYTES + 1]),
        Err(NotificationError::Malformed)
    );
}

#[test]
fn a_notification_for_others_is_told_apart() {
    for change in [("app_id", "2021000000000002"), ("seller_id", "2088000000000009")] {
        let verified = alipay().verify_notification(&notification(&[change]));
        assert_eq!(verified, Err(NotificationError::WrongApp), "{change:?}");
    }
}

#[test]
fn a_signed_notification_without_sense_is_malformed() {
    for change in [
        ("total_amount", "1.001"),
        ("trade_status", "PAID"),
        ("out_trade_no", ""),
        ("refund_fee", "x"),
    ] {
        let verified = alipay().verify_notification(&notification(&[change]));
        assert_eq!(verified, Err(NotificationError::Malformed), "{change:?}");
    }
}

#[test]
fn a_refund_s_notification_is_no_payment() {
    for changes in [
        &[("refund_fee", "10.00"), ("gmt_refund", "2024-05-21 10:00:00.123")][..],
        &[("out_biz_no", "20230422A0007R1")],
        &[
            ("trade_status", "TRADE_CLOSED"),
            ("gmt_refund", "2024-05-21 10:00:00.123"),
        ],
    ] {
        let notification = alipay().verify_notification(&notification(changes)).unwrap();
        assert!(
            notification.is_refund && !notification.is_payment(),
            "{changes:?}"
        );
    }
    assert!(
        alipay()
            .verify_notification(&notification(&[("refund_fee", "0.00")]))
            .unwrap()
            .is_payment()
    );
}

#[test]
fn empty_values_and_the_sign_type_may_be_signed_or_not() {
    // An empty value that was signed; then one that was added after signing.
    assert!(
        alipay()
            .verify_notification(&notification(&[("voucher_detail_list", "")]))
            .is_ok()
    );
    let mut appended = notification(&[]);
    appended.extend_from_slice(b"&voucher_detail_list=");
    assert!(alipay().verify_notification(&appended).is_ok());
    // With sign_type inside the signed text.
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(&notification(&[]))
        .into_owned()
        .filter(|(key, _)| key != "sign")
        .collect();
    let signature = SigningKey::parse(PROVIDER_KEY)
        .unwrap()
        .sign(joined(&pairs).as_bytes())
        .unwrap();
    pairs.push(("sign".to_owned(), signature));
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    assert!(alipay().verify_notification(body.as_bytes()).is_ok());
}

#[test]
fn debug_of_a_client_holds_no_key() {
    let shown = format!("{:?}", alipay());
    assert!(
        shown.contains("2021000000000001") && !shown.contains("MII") && shown.len() < 200,
        "{shown}"
    );
}
