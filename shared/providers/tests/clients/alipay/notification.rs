//! Notifications, of which those about refunds need a question back.

use yinxin_providers::alipay::Alipay;
use yinxin_providers::payments::{
    Delivery, Doubt, Failure, Notification, NotificationError, Paid, PaymentGateway as _, RefundState,
};

use super::{NUMBER, REFUND_ON_RECORD, REFUNDED_AT, answering, content, signature};
use crate::fake::NOW;

/// A notification's body, signed with the provider's key.
fn notification(parameters: &[(&str, &str)]) -> String {
    let mut pairs = vec![
        ("app_id", "2021000000000001"),
        ("out_trade_no", NUMBER),
        ("seller_id", "2088000000000001"),
        ("total_amount", "220.00"),
        ("trade_no", "2024"),
        ("trade_status", "TRADE_SUCCESS"),
    ];
    pairs.extend(parameters);
    pairs.sort_unstable();
    let text: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let signature = signature(&text.join("&"));
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .append_pair("sign", &signature)
        .append_pair("sign_type", "RSA2")
        .finish()
}

async fn read(alipay: &Alipay, body: &str) -> Result<Notification, NotificationError> {
    let delivery = Delivery {
        headers: &axum::http::HeaderMap::new(),
        body: body.as_bytes(),
    };
    alipay.read_notification(&delivery, NOW).await
}

#[tokio::test]
async fn a_payment_s_notification_is_believed_without_asking() {
    let (fake, alipay) = answering("alipay.trade.query", REFUND_ON_RECORD).await;
    let expected = Notification::Paid {
        out_trade_no: NUMBER.to_owned(),
        paid: Paid {
            trade_no: "2024".to_owned(),
            amount_fen: 22_000,
            paid_at: None,
        },
    };
    assert_eq!(read(&alipay, &notification(&[])).await.unwrap(), expected);
    assert_eq!(fake.asked().len(), 0);
}

#[tokio::test]
async fn a_refund_s_notification_tells_what_this_refund_moved() {
    let method = "alipay.trade.fastpay.refund.query";
    let (fake, alipay) = answering(method, REFUND_ON_RECORD).await;
    // All refunds of the trade together.
    let body = notification(&[("out_biz_no", "R1"), ("refund_fee", "30.00")]);
    let expected = Notification::Refund {
        out_trade_no: NUMBER.to_owned(),
        refund_no: "R1".to_owned(),
        state: RefundState::Done {
            amount_fen: 1_000,
            at: Some(REFUNDED_AT),
        },
    };
    assert_eq!(read(&alipay, &body).await.unwrap(), expected);
    assert_eq!(content(&fake.asked_once())["out_request_no"], "R1");
}

#[tokio::test]
async fn nothing_is_asked_about_a_notification_that_nobody_signed() {
    let (fake, alipay) = answering("alipay.trade.fastpay.refund.query", REFUND_ON_RECORD).await;
    let body = notification(&[("out_biz_no", "R1")]).replace("R1", "R2");
    assert!(matches!(
        read(&alipay, &body).await,
        Err(NotificationError::BadSignature)
    ));
    assert_eq!(fake.asked().len(), 0);
}

#[tokio::test]
async fn a_refund_s_notification_waits_for_the_gateway() {
    let (_fake, alipay) = answering(
        "alipay.trade.fastpay.refund.query",
        r#"{"code":"20000","sub_code":"isp.unknow-error"}"#,
    )
    .await;
    let body = notification(&[("out_biz_no", "R1")]);
    assert!(matches!(
        read(&alipay, &body).await,
        Err(NotificationError::Unverified(Failure::Unknown(Doubt::Busy(_))))
    ));
}

#[tokio::test]
async fn a_refund_with_a_number_that_is_not_ours_is_told_as_something_else() {
    let (fake, alipay) = answering("alipay.trade.fastpay.refund.query", REFUND_ON_RECORD).await;
    let body = notification(&[("out_biz_no", "portal-1")]);
    let other = Notification::Other {
        out_trade_no: NUMBER.to_owned(),
    };
    assert_eq!(read(&alipay, &body).await.unwrap(), other);
    assert_eq!(fake.asked().len(), 0);
}
