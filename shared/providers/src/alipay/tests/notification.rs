//! Notifications: vectors of another implementation, and what this test's key signs.

use time::macros::datetime;

use super::{PROVIDER_KEY, fixtures, provider, text};
use crate::alipay::keys::SigningKey;
use crate::alipay::notification::{self, MAX_BYTES, Notice};
use crate::alipay::wire::joined;
use crate::payments::{NotificationError, Paid};

fn read(body: &[u8]) -> Result<Notice, NotificationError> {
    notification::read(body, &provider().key, "2021000000000001", "2088000000000001")
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

#[test]
fn a_notification_is_decoded_once_and_read() {
    let fixtures = fixtures();
    let body = text(&fixtures["alipay_notify"]["form_body"]);
    let paid = Paid {
        trade_no: "2024052022001400000500000001".to_owned(),
        amount_fen: 22_000,
        paid_at: Some(datetime!(2024-05-20 02:12:14 UTC)),
    };
    let out_trade_no = "20230422A0007".to_owned();
    assert_eq!(
        read(body.as_bytes()).unwrap(),
        Notice::Paid { out_trade_no, paid }
    );
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
        let verified = read(changed.as_bytes());
        assert!(
            matches!(verified, Err(NotificationError::BadSignature)),
            "{changed}"
        );
    }
}

#[test]
fn a_name_twice_is_malformed() {
    let fixtures = fixtures();
    let body = format!(
        "{}&total_amount=0.01",
        text(&fixtures["alipay_notify"]["form_body"])
    );
    for body in [body.as_bytes(), &vec![b'a'; MAX_BYTES + 1]] {
        assert!(matches!(read(body), Err(NotificationError::Malformed)));
    }
}

#[test]
fn a_notification_for_others_is_told_apart() {
    for change in [("app_id", "2021000000000002"), ("seller_id", "2088000000000009")] {
        let verified = read(&notification(&[change]));
        assert!(matches!(verified, Err(NotificationError::WrongApp)), "{change:?}");
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
        let verified = read(&notification(&[change]));
        assert!(
            matches!(verified, Err(NotificationError::Malformed)),
            "{change:?}"
        );
    }
}

#[test]
fn a_refund_s_notification_is_no_payment() {
    let out_trade_no = || "20230422A0007".to_owned();
    for changes in [
        &[("refund_fee", "10.00"), ("gmt_refund", "2024-05-21 10:00:00.123")][..],
        &[("refund_fee", "0.01")],
        &[
            ("trade_status", "TRADE_CLOSED"),
            ("gmt_refund", "2024-05-21 10:00:00.123"),
        ],
    ] {
        let other = Notice::Other {
            out_trade_no: out_trade_no(),
        };
        assert_eq!(read(&notification(changes)).unwrap(), other, "{changes:?}");
    }
    let refund = Notice::Refund {
        out_trade_no: out_trade_no(),
        refund_no: "20230422A0007R1".to_owned(),
    };
    for status in ["TRADE_SUCCESS", "TRADE_CLOSED"] {
        let body = notification(&[("out_biz_no", "20230422A0007R1"), ("trade_status", status)]);
        assert_eq!(read(&body).unwrap(), refund, "{status}");
    }
}

#[test]
fn only_a_paid_trade_s_notification_is_a_payment() {
    for (status, is_paid) in [
        ("TRADE_SUCCESS", true),
        ("TRADE_FINISHED", true),
        ("TRADE_CLOSED", false),
        ("WAIT_BUYER_PAY", false),
    ] {
        let body = notification(&[("trade_status", status), ("refund_fee", "0.00")]);
        let notice = read(&body).unwrap();
        assert_eq!(matches!(notice, Notice::Paid { .. }), is_paid, "{status}");
    }
}

#[test]
fn empty_values_and_the_sign_type_may_be_signed_or_not() {
    // An empty value that was signed; then one that was added after signing.
    assert!(read(&notification(&[("voucher_detail_list", "")])).is_ok());
    let mut appended = notification(&[]);
    appended.extend_from_slice(b"&voucher_detail_list=");
    assert!(read(&appended).is_ok());
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
    assert!(read(body.as_bytes()).is_ok());
}
