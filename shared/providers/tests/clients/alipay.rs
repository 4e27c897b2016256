//! The Alipay client's calls over HTTP, with answers that the test's provider key signs.

mod bill;
mod notification;
mod refund;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;
use yinxin_providers::alipay::{Alipay, Config, Merchant};
use yinxin_providers::http;
use yinxin_providers::payments::{Close, Doubt, Failure, NewTrade, Paid, PaymentGateway as _, Query};

use crate::fake::{self, Asked, Behaviour, Fake, NOW};

const NUMBER: &str = "20230422A0007_01";
const TRADE: NewTrade<'_> = NewTrade {
    out_trade_no: NUMBER,
    amount_fen: 22_000,
    subject: "CA数字证书 企业版",
    expires_at: datetime!(2024-05-20 04:00:00 UTC),
};
const REFUND_ON_RECORD: &str = r#"{"code":"10000","out_trade_no":"20230422A0007_01","out_request_no":"R1","refund_status":"REFUND_SUCCESS","refund_amount":"10.00","total_amount":"220.00","gmt_refund_pay":"2024-05-20 10:12:14"}"#;
const REFUNDED_AT: OffsetDateTime = datetime!(2024-05-20 02:12:14 UTC);

fn alipay(base: &str) -> Alipay {
    let merchant = Merchant {
        app_id: "2021000000000001".to_owned(),
        app_private_key: include_str!("../fixtures/merchant.key.pem").into(),
        alipay_public_key: Some(include_str!("../fixtures/provider.pub.pem").to_owned()),
        app_certificate: None,
        alipay_certificate: None,
        alipay_root_certificates: None,
        seller_id: "2088000000000001".to_owned(),
        product_code: Some("FACE_TO_FACE_PAYMENT".to_owned()),
    };
    let config = Config {
        merchant,
        gateway_url: format!("{base}/alipay/gateway.do"),
        notify_url: "https://ca.example.com/api/notify/alipay".to_owned(),
    };
    Alipay::new(config, fake::http(), NOW).unwrap()
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

fn signed(method: &str, node: &str) -> String {
    let name = method.replace('.', "_");
    format!(r#"{{"{name}_response":{node},"sign":"{}"}}"#, signature(node))
}

async fn answering(method: &str, node: &str) -> (Fake, Alipay) {
    let fake = Fake::answering(200, signed(method, node)).await;
    let alipay = alipay(&fake.url);
    (fake, alipay)
}

fn content(asked: &Asked) -> Value {
    serde_json::from_str(&asked.parameter("biz_content")).unwrap()
}

#[tokio::test]
async fn opening_asks_for_a_qr_code_and_names_the_notify_url() {
    let node = r#"{"code":"10000","msg":"Success","out_trade_no":"20230422A0007_01","qr_code":"https:\/\/qr.alipay.com\/bax0"}"#;
    let (fake, alipay) = answering("alipay.trade.precreate", node).await;
    let code = alipay.open(&TRADE, NOW).await.unwrap();
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
    let content = content(&asked);
    assert_eq!(content["total_amount"], "220.00");
    assert_eq!(content["time_expire"], "2024-05-20 12:00:00");
    assert_eq!(content["product_code"], "FACE_TO_FACE_PAYMENT");
}

#[tokio::test]
async fn query_reads_the_trade() {
    let paid = Query::Paid(Paid {
        trade_no: "2024".to_owned(),
        amount_fen: 22_000,
        paid_at: Some(datetime!(2024-05-20 02:12:14 UTC)),
    });
    let date = r#","send_pay_date":"2024-05-20 10:12:14""#;
    for (status, date, expected) in [
        ("TRADE_SUCCESS", date, &paid),
        ("TRADE_FINISHED", date, &paid),
        // Paid, and refunded whole.
        ("TRADE_CLOSED", date, &paid),
        ("TRADE_CLOSED", "", &Query::Closed),
        ("WAIT_BUYER_PAY", "", &Query::Unpaid),
    ] {
        let node = format!(
            r#"{{"code":"10000","out_trade_no":"20230422A0007_01","trade_no":"2024","trade_status":"{status}","total_amount":"220.00"{date}}}"#
        );
        let (fake, alipay) = answering("alipay.trade.query", &node).await;
        assert_eq!(&alipay.query(NUMBER, NOW).await.unwrap(), expected, "{node}");
        let parameters = fake.asked_once().parameters();
        assert!(parameters.iter().all(|(name, _)| name != "notify_url"));
    }
}

#[tokio::test]
async fn a_state_that_nobody_knows_is_no_state() {
    let node = r#"{"code":"10000","trade_no":"2024","trade_status":"TRADE_PENDING","total_amount":"220.00"}"#;
    let (_fake, alipay) = answering("alipay.trade.query", node).await;
    let answer = alipay.query(NUMBER, NOW).await;
    assert!(matches!(answer, Err(Failure::Unknown(Doubt::Malformed))));
}

#[tokio::test]
async fn a_code_that_nobody_scanned_is_not_an_error() {
    let node = r#"{"code":"40004","msg":"Business Failed","sub_code":"ACQ.TRADE_NOT_EXIST"}"#;
    let (_fake, alipay) = answering("alipay.trade.query", node).await;
    assert_eq!(alipay.query(NUMBER, NOW).await.unwrap(), Query::Unpaid);
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
    let answer = alipay(&fake.url).open(&TRADE, NOW).await;
    assert!(matches!(answer, Err(Failure::Unknown(Doubt::Status(500)))));
}

#[tokio::test]
async fn no_usable_answer_is_unknown_and_is_asked_twice_at_most() {
    for (name, fake) in fake::useless().await {
        let answer = alipay(&fake.url).close(NUMBER, NOW).await;
        assert!(matches!(answer, Err(Failure::Unknown(_))), "{name}");
        assert!(fake.asked().len() <= 2, "{name}");
    }
}

#[tokio::test]
async fn a_gateway_that_is_back_answers_the_second_try() {
    let node = r#"{"code":"10000","out_trade_no":"20230422A0007_01","qr_code":"q"}"#;
    let in_turn = Behaviour::InTurn(vec![
        (502, "<html>Bad Gateway</html>".into()),
        (200, signed("alipay.trade.precreate", node).into()),
    ]);
    let fake = Fake::start(in_turn).await;
    assert_eq!(alipay(&fake.url).open(&TRADE, NOW).await.unwrap(), "q");
    let asked = fake.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(content(&asked[0]), content(&asked[1]));
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
