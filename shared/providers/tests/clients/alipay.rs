//! The Alipay client's five calls over HTTP, with answers that the test's provider key signs.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use time::macros::datetime;
use yinxin_providers::alipay::{
    Alipay, Close, Config, Doubt, Failure, Merchant, Query, Reason, Refund, RefundQuery, TradeStatus,
};
use yinxin_providers::http;

use crate::fake::{self, Behaviour, Fake, NOW};

const NUMBER: &str = "20230422A0007_01";

fn alipay(base: &str) -> Alipay {
    let merchant = Merchant {
        app_id: "2021000000000001".to_owned(),
        app_private_key: include_str!("../fixtures/merchant.key.pem").into(),
        alipay_public_key: include_str!("../fixtures/provider.pub.pem").to_owned(),
        seller_id: "2088000000000001".to_owned(),
        product_code: Some("FACE_TO_FACE_PAYMENT".to_owned()),
    };
    let config = Config {
        merchant,
        gateway_url: format!("{base}/alipay/gateway.do"),
        notify_url: "https://ca.example.com/api/notify/alipay".to_owned(),
    };
    Alipay::new(config, fake::http()).unwrap()
}

fn signature(text: &str) -> String {
    let pem = include_str!("../fixtures/provider.key.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .unwrap();
    STANDARD.encode(signature)
}

async fn answering(method: &str, node: &str) -> (Fake, Alipay) {
    let name = method.replace('.', "_");
    let body = format!(r#"{{"{name}_response":{node},"sign":"{}"}}"#, signature(node));
    let fake = Fake::answering(200, body).await;
    let alipay = alipay(&fake.url);
    (fake, alipay)
}

fn content(fake: &Fake) -> Value {
    serde_json::from_str(&fake.asked_once().parameter("biz_content")).unwrap()
}

#[tokio::test]
async fn precreate_asks_for_a_qr_code_and_names_the_notify_url() {
    let node = r#"{"code":"10000","msg":"Success","out_trade_no":"20230422A0007_01","qr_code":"https:\/\/qr.alipay.com\/bax0"}"#;
    let (fake, alipay) = answering("alipay.trade.precreate", node).await;
    let code = alipay
        .precreate(NUMBER, 22_000, "CA数字证书 企业版", 30, NOW)
        .await
        .unwrap();
    assert_eq!(code, "https://qr.alipay.com/bax0");
    let asked = fake.asked_once();
    assert_eq!(asked.uri.path(), "/alipay/gateway.do");
    assert_eq!(
        asked.header("content-type"),
        "application/x-www-form-urlencoded;charset=utf-8"
    );
    assert!(asked.header("user-agent").starts_with("yinxin/"));
    assert_eq!(asked.parameter("timestamp"), "2024-05-20 10:11:12");
    assert_eq!(
        asked.parameter("notify_url"),
        "https://ca.example.com/api/notify/alipay"
    );
    let content = content(&fake);
    assert_eq!(content["total_amount"], "220.00");
    assert_eq!(content["timeout_express"], "30m");
    assert_eq!(content["product_code"], "FACE_TO_FACE_PAYMENT");
}

#[tokio::test]
async fn query_reads_the_trade() {
    let node = r#"{"code":"10000","out_trade_no":"20230422A0007_01","trade_no":"2024","trade_status":"TRADE_SUCCESS","total_amount":"220.00","send_pay_date":"2024-05-20 10:12:14"}"#;
    let (fake, alipay) = answering("alipay.trade.query", node).await;
    let Query::Trade(trade) = alipay.query(NUMBER, NOW).await.unwrap() else {
        panic!("a trade")
    };
    assert_eq!((trade.status, trade.amount_fen), (TradeStatus::Success, 22_000));
    assert_eq!(trade.paid_at, Some(datetime!(2024-05-20 02:12:14 UTC)));
    assert!(
        fake.asked_once()
            .parameters()
            .iter()
            .all(|(name, _)| name != "notify_url")
    );
}

#[tokio::test]
async fn a_code_that_nobody_scanned_is_not_an_error() {
    let node = r#"{"code":"40004","msg":"Business Failed","sub_code":"ACQ.TRADE_NOT_EXIST"}"#;
    let (_fake, alipay) = answering("alipay.trade.query", node).await;
    assert_eq!(alipay.query(NUMBER, NOW).await.unwrap(), Query::NotScanned);
    let (_fake, alipay) = answering("alipay.trade.close", node).await;
    assert_eq!(alipay.close(NUMBER, NOW).await.unwrap(), Close::NotScanned);
}

#[tokio::test]
async fn close_is_idempotent_and_tells_a_paid_trade() {
    for (node, expected) in [
        (
            r#"{"code":"10000","out_trade_no":"20230422A0007_01","trade_no":"2024"}"#,
            Close::Closed,
        ),
        (
            r#"{"code":"40004","sub_code":"ACQ.TRADE_HAS_CLOSE"}"#,
            Close::Closed,
        ),
        (
            r#"{"code":"40004","sub_code":"ACQ.TRADE_HAS_SUCCESS"}"#,
            Close::Paid,
        ),
        (
            r#"{"code":"40004","sub_code":"ACQ.REASON_TRADE_STATUS_INVALID"}"#,
            Close::Paid,
        ),
    ] {
        let (_fake, alipay) = answering("alipay.trade.close", node).await;
        assert_eq!(alipay.close(NUMBER, NOW).await.unwrap(), expected, "{node}");
    }
}

#[tokio::test]
async fn a_refund_is_done_only_when_money_moved() {
    let moved =
        r#"{"code":"10000","out_trade_no":"20230422A0007_01","fund_change":"Y","refund_fee":"30.00"}"#;
    let (fake, alipay) = answering("alipay.trade.refund", moved).await;
    let refund = alipay
        .refund(NUMBER, "20230422A0007R2", 1_000, "退款", NOW)
        .await
        .unwrap();
    assert_eq!(
        refund,
        Refund::Moved {
            total_refunded_fen: 3_000
        }
    );
    let content = content(&fake);
    assert_eq!(content["refund_amount"], "10.00");
    assert_eq!(content["out_request_no"], "20230422A0007R2");

    let repeated = moved.replace('Y', "N");
    let (_fake, alipay) = answering("alipay.trade.refund", &repeated).await;
    let refund = alipay
        .refund(NUMBER, "20230422A0007R2", 1_000, "退款", NOW)
        .await
        .unwrap();
    assert_eq!(refund, Refund::MustQuery);

    let refused = r#"{"code":"40004","sub_code":"ACQ.DISCORDANT_REPEAT_REQUEST"}"#;
    let (_fake, alipay) = answering("alipay.trade.refund", refused).await;
    let refund = alipay.refund(NUMBER, "20230422A0007R2", 1_000, "退款", NOW).await;
    assert!(matches!(refund, Err(Failure::Refused(refusal)) if refusal.reason == Reason::NumberTaken));
}

#[tokio::test]
async fn refund_query_says_done_or_not() {
    let method = "alipay.trade.fastpay.refund.query";
    let done = r#"{"code":"10000","out_trade_no":"20230422A0007_01","out_request_no":"R1","refund_status":"REFUND_SUCCESS","refund_amount":"10.00","total_amount":"220.00"}"#;
    let (_fake, alipay) = answering(method, done).await;
    assert_eq!(
        alipay.refund_query(NUMBER, "R1", NOW).await.unwrap(),
        RefundQuery::Done { amount_fen: 1_000 }
    );
    let other = alipay.refund_query(NUMBER, "R2", NOW).await;
    assert!(matches!(other, Err(Failure::Unknown(Doubt::Malformed))));
    let (_fake, alipay) = answering(method, r#"{"code":"10000","msg":"Success"}"#).await;
    assert_eq!(
        alipay.refund_query(NUMBER, "R1", NOW).await.unwrap(),
        RefundQuery::NotDone
    );
}

#[tokio::test]
async fn an_answer_signed_by_another_key_is_unknown() {
    let node = r#"{"code":"10000","out_trade_no":"20230422A0007_01","trade_no":"2024","trade_status":"TRADE_SUCCESS","total_amount":"220.00"}"#;
    let other = signature(&node.replace("220", "221"));
    let fake = Fake::answering(
        200,
        format!(r#"{{"alipay_trade_query_response":{node},"sign":"{other}"}}"#),
    )
    .await;
    let answer = alipay(&fake.url).query(NUMBER, NOW).await;
    assert!(matches!(answer, Err(Failure::Unknown(Doubt::BadSignature))));
}

#[tokio::test]
async fn a_signed_answer_with_another_status_is_unknown() {
    let node = r#"{"code":"10000","out_trade_no":"20230422A0007_01","qr_code":"q"}"#;
    let body = format!(
        r#"{{"alipay_trade_precreate_response":{node},"sign":"{}"}}"#,
        signature(node)
    );
    let fake = Fake::answering(500, body).await;
    let answer = alipay(&fake.url).precreate(NUMBER, 1, "s", 30, NOW).await;
    assert!(matches!(answer, Err(Failure::Unknown(Doubt::Status(500)))));
}

#[tokio::test]
async fn no_usable_answer_is_unknown_and_is_asked_once() {
    for (name, fake) in fake::useless().await {
        let answer = alipay(&fake.url).refund(NUMBER, "R1", 1, "r", NOW).await;
        assert!(matches!(answer, Err(Failure::Unknown(_))), "{name}");
        assert!(fake.asked().len() <= 1, "{name}");
    }
}

#[tokio::test]
async fn the_limits_on_time_and_size_hold() {
    let hang = Fake::start(Behaviour::Hang).await;
    let answer = alipay(&hang.url).query(NUMBER, NOW).await;
    assert!(matches!(
        answer,
        Err(Failure::Unknown(Doubt::Transport(http::Failure::Timeout)))
    ));
    let flood = Fake::start(Behaviour::Flood).await;
    let answer = alipay(&flood.url).query(NUMBER, NOW).await;
    assert!(matches!(
        answer,
        Err(Failure::Unknown(Doubt::Transport(http::Failure::TooLarge)))
    ));
}
