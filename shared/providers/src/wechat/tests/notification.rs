//! Notifications: the vectors, and what is not believed.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::{API_KEY, PROVIDER_KEY, fixtures, headers, signed, text, wechat};
use crate::payments::{Delivery, Notification, NotificationError, Paid, PaymentGateway as _, RefundState};
use crate::wechat::keys::Scheme;
use crate::wechat::notification::MAX_BYTES;

const NOW: OffsetDateTime = datetime!(2024-05-20 02:12:15 UTC);

async fn read(
    headers: &HeaderMap,
    body: &str,
    now: OffsetDateTime,
) -> Result<Notification, NotificationError> {
    let delivery = Delivery {
        headers,
        body: body.as_bytes(),
    };
    wechat().read_notification(&delivery, now).await
}

/// A body that WeChat Pay encrypts.
fn sealed(event_type: &str, plain: &Value) -> String {
    let mut text = plain.to_string().into_bytes();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, API_KEY.as_bytes()).unwrap());
    let nonce = Nonce::assume_unique_for_key(*b"fdasflkja484");
    key.seal_in_place_append_tag(nonce, Aad::from(b"event"), &mut text)
        .unwrap();
    json!({
        "id": "EV-1", "event_type": event_type,
        "resource": {
            "algorithm": "AEAD_AES_256_GCM", "ciphertext": STANDARD.encode(text),
            "associated_data": "event", "nonce": "fdasflkja484",
        },
    })
    .to_string()
}

async fn told(event_type: &str, plain: &Value) -> Result<Notification, NotificationError> {
    let body = sealed(event_type, plain);
    let headers = signed(PROVIDER_KEY, Scheme::Rsa, NOW.unix_timestamp(), &body);
    read(&headers, &body, NOW).await
}

fn payment() -> Value {
    serde_json::from_str(text(&fixtures()["notify"]["plaintext"])).unwrap()
}

fn refund() -> Value {
    serde_json::from_str(text(&fixtures()["refund_notify"]["plaintext"])).unwrap()
}

fn with(mut json: Value, name: &str, value: Value) -> Value {
    json[name] = value;
    json
}

#[tokio::test]
async fn the_vector_s_payment_is_read() {
    let vector = &fixtures()["notify"];
    let notification = read(&headers(&vector["headers"]), text(&vector["body"]), NOW).await;
    let expected = Notification::Paid {
        out_trade_no: "20230422A0007".to_owned(),
        paid: Paid {
            trade_no: "4200000000202405200000000001".to_owned(),
            amount_fen: 22_000,
            paid_at: Some(datetime!(2024-05-20 02:12:14 UTC)),
        },
    };
    assert_eq!(notification.unwrap(), expected);
}

#[tokio::test]
async fn the_vector_s_refund_is_read() {
    let vector = &fixtures()["refund_notify"];
    let now = datetime!(2024-05-21 01:00:01 UTC);
    let notification = read(&headers(&vector["headers"]), text(&vector["body"]), now).await;
    let expected = Notification::Refund {
        out_trade_no: "20230422A0007".to_owned(),
        refund_no: "20230422A0007R1".to_owned(),
        state: RefundState::Done {
            amount_fen: 22_000,
            at: Some(datetime!(2024-05-21 01:00:00 UTC)),
        },
    };
    assert_eq!(notification.unwrap(), expected);
}

#[tokio::test]
async fn a_changed_body_is_not_believed() {
    let vector = &fixtures()["notify"];
    let headers = headers(&vector["headers"]);
    for body in [
        text(&vector["body"]).replace("TRANSACTION", "REFUND"),
        format!("{} ", text(&vector["body"])),
        text(&fixtures()["refund_notify"]["body"]).to_owned(),
    ] {
        let notification = read(&headers, &body, NOW).await;
        assert!(matches!(notification, Err(NotificationError::BadSignature)));
    }
}

#[tokio::test]
async fn an_old_notification_is_stale_and_a_probe_is_a_probe() {
    let vector = &fixtures()["notify"];
    let (mut headers, body) = (headers(&vector["headers"]), text(&vector["body"]));
    let late = read(&headers, body, NOW + Duration::minutes(5)).await;
    assert!(matches!(late, Err(NotificationError::Stale)));
    headers.insert("wechatpay-signature", "WECHATPAY/SIGNTEST/AAAA".parse().unwrap());
    let probe = read(&headers, body, NOW).await;
    assert!(matches!(probe, Err(NotificationError::Probe)));
}

#[tokio::test]
async fn another_serial_number_is_not_looked_up_without_certificates() {
    let vector = &fixtures()["notify"];
    let mut headers = headers(&vector["headers"]);
    for serial in ["PUB_KEY_ID_02", "5157F09EFDC096DE15EBE81A47057A7200000001"] {
        headers.insert("wechatpay-serial", serial.parse().unwrap());
        let notification = read(&headers, text(&vector["body"]), NOW).await;
        assert!(
            matches!(notification, Err(NotificationError::BadSignature)),
            "{serial}"
        );
    }
}

#[tokio::test]
async fn notifications_for_others_are_not_ours() {
    for (event, plain) in [
        (
            "TRANSACTION.SUCCESS",
            with(payment(), "mchid", json!("1900000002")),
        ),
        (
            "TRANSACTION.SUCCESS",
            with(payment(), "appid", json!("wx0000000000000002")),
        ),
        ("REFUND.SUCCESS", with(refund(), "mchid", json!("1900000002"))),
        (
            "OTHER.EVENT",
            json!({"mchid": "1900000002", "out_trade_no": "20230422A0007"}),
        ),
    ] {
        let notification = told(event, &plain).await;
        assert!(
            matches!(notification, Err(NotificationError::WrongApp)),
            "{plain}"
        );
    }
}

#[tokio::test]
async fn only_success_is_a_payment() {
    let other = Notification::Other {
        out_trade_no: "20230422A0007".to_owned(),
    };
    for state in ["NOTPAY", "CLOSED", "REFUND", "USERPAYING"] {
        let plain = with(payment(), "trade_state", json!(state));
        assert_eq!(
            told("TRANSACTION.SUCCESS", &plain).await.unwrap(),
            other,
            "{state}"
        );
    }
    let event = json!({"mchid": "1900000001", "out_trade_no": "20230422A0007"});
    assert_eq!(told("OTHER.EVENT", &event).await.unwrap(), other);
}

#[tokio::test]
async fn a_refund_s_state_is_the_encrypted_one() {
    for (status, expected) in [
        ("ABNORMAL", RefundState::Abnormal),
        ("CLOSED", RefundState::Closed),
        ("PROCESSING", RefundState::Processing),
    ] {
        let plain = with(refund(), "refund_status", json!(status));
        let Notification::Refund { state, .. } = told("REFUND.SUCCESS", &plain).await.unwrap() else {
            panic!("a refund")
        };
        assert_eq!(state, expected);
    }
}

#[tokio::test]
async fn signed_nonsense_is_malformed() {
    let foreign_currency = with(payment(), "amount", json!({"total": 22_000, "currency": "USD"}));
    for (event, plain) in [
        ("TRANSACTION.SUCCESS", foreign_currency),
        (
            "TRANSACTION.SUCCESS",
            with(payment(), "transaction_id", json!(null)),
        ),
        ("TRANSACTION.SUCCESS", refund()),
        ("REFUND.SUCCESS", with(refund(), "refund_status", json!("LOST"))),
        ("REFUND.SUCCESS", with(refund(), "mchid", json!(null))),
        ("OTHER.EVENT", json!({"mchid": "1900000001"})),
    ] {
        let notification = told(event, &plain).await;
        assert!(
            matches!(notification, Err(NotificationError::Malformed)),
            "{plain}"
        );
    }
    let other_context =
        sealed("TRANSACTION.SUCCESS", &payment()).replace(r#"_data":"event""#, r#"_data":"tnevE""#);
    for body in [other_context.as_str(), "{}", "", "[1]"] {
        let headers = signed(PROVIDER_KEY, Scheme::Rsa, NOW.unix_timestamp(), body);
        let notification = read(&headers, body, NOW).await;
        assert!(
            matches!(notification, Err(NotificationError::Malformed)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_even_verified() {
    let body = " ".repeat(MAX_BYTES + 1);
    let notification = read(&HeaderMap::new(), &body, NOW).await;
    assert!(matches!(notification, Err(NotificationError::Malformed)));
}
