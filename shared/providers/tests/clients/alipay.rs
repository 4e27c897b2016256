//! The Alipay client's calls over HTTP, with answers that the test's provider key signs.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use time::macros::{date, datetime};
use time::{Date, OffsetDateTime};
use yinxin_providers::alipay::{Alipay, Config, Merchant};
use yinxin_providers::http;
use yinxin_providers::payments::{
    Close, Delivery, Doubt, Failure, Movement, NewRefund, NewTrade, Notification, NotificationError, Paid,
    PaymentGateway as _, Query, Reason, RefundState,
};

use crate::fake::{self, Asked, Behaviour, Fake, NOW};

const NUMBER: &str = "20230422A0007_01";
const TRADE: NewTrade<'_> = NewTrade {
    out_trade_no: NUMBER,
    amount_fen: 22_000,
    subject: "CA数字证书 企业版",
    expires_at: datetime!(2024-05-20 04:00:00 UTC),
};
const REFUND: NewRefund<'_> = NewRefund {
    out_trade_no: NUMBER,
    refund_no: "R1",
    amount_fen: 1_000,
    total_fen: 22_000,
    reason: "退款",
};
const REFUND_MOVED: &str = r#"{"code":"10000","out_trade_no":"20230422A0007_01","fund_change":"Y","refund_fee":"30.00","gmt_refund_pay":"2024-05-20 10:12:14"}"#;
const REFUND_ON_RECORD: &str = r#"{"code":"10000","out_trade_no":"20230422A0007_01","out_request_no":"R1","refund_status":"REFUND_SUCCESS","refund_amount":"10.00","total_amount":"220.00","gmt_refund_pay":"2024-05-20 10:12:14"}"#;
const REFUND_UNKNOWN: &str = r#"{"code":"10000","msg":"Success"}"#;
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

/// Answers to `refund`, and to the query about it.
async fn refunding(refund: &str, query: &str) -> (Fake, Alipay) {
    let in_turn = Behaviour::InTurn(vec![
        (200, signed("alipay.trade.refund", refund).into()),
        (200, signed("alipay.trade.fastpay.refund.query", query).into()),
    ]);
    let fake = Fake::start(in_turn).await;
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
async fn a_refund_is_done_when_its_call_moved_money() {
    let (fake, alipay) = answering("alipay.trade.refund", REFUND_MOVED).await;
    // Not the 30.00 that went back in all.
    let done = RefundState::Done {
        amount_fen: 1_000,
        at: Some(REFUNDED_AT),
    };
    assert_eq!(alipay.refund(&REFUND, NOW).await.unwrap(), done);
    let content = content(&fake.asked_once());
    assert_eq!(content["refund_amount"], "10.00");
    assert_eq!(content["out_request_no"], "R1");
}

#[tokio::test]
async fn a_refund_that_moved_nothing_or_was_refused_is_done_when_it_is_on_record() {
    let done = RefundState::Done {
        amount_fen: 1_000,
        at: Some(REFUNDED_AT),
    };
    for answer in [
        r#"{"code":"10000","out_trade_no":"20230422A0007_01","fund_change":"N","refund_fee":"30.00"}"#,
        r#"{"code":"40004","sub_code":"ACQ.TRADE_HAS_CLOSE"}"#,
        r#"{"code":"40004","sub_code":"ACQ.SYSTEM_ERROR"}"#,
    ] {
        let (fake, alipay) = refunding(answer, REFUND_ON_RECORD).await;
        assert_eq!(alipay.refund(&REFUND, NOW).await.unwrap(), done, "{answer}");
        let asked = fake.asked();
        assert_eq!(asked.len(), 2, "{answer}");
        let (refund, query) = (content(&asked[0]), content(&asked[1]));
        assert_eq!(refund["out_request_no"], query["out_request_no"]);
    }
}

#[tokio::test]
async fn a_refund_that_is_not_on_record_is_not_done() {
    let repeated = r#"{"code":"10000","fund_change":"N","refund_fee":"0.00"}"#;
    let (_fake, alipay) = refunding(repeated, REFUND_UNKNOWN).await;
    assert_eq!(alipay.refund(&REFUND, NOW).await.unwrap(), RefundState::NotFound);

    let refused = r#"{"code":"40004","sub_code":"ACQ.SELLER_BALANCE_NOT_ENOUGH"}"#;
    let (_fake, alipay) = refunding(refused, REFUND_UNKNOWN).await;
    let refund = alipay.refund(&REFUND, NOW).await;
    assert!(matches!(refund, Err(Failure::Refused(refusal)) if refusal.reason == Reason::Operator));

    let busy = r#"{"code":"20000","sub_code":"isp.unknow-error"}"#;
    let (_fake, alipay) = refunding(busy, REFUND_UNKNOWN).await;
    let refund = alipay.refund(&REFUND, NOW).await;
    assert!(matches!(refund, Err(Failure::Unknown(Doubt::Busy(_)))));
}

#[tokio::test]
async fn another_amount_on_record_is_not_this_refund() {
    let other = REFUND_ON_RECORD.replace("10.00", "11.00");
    let refused = r#"{"code":"40004","sub_code":"ACQ.DISCORDANT_REPEAT_REQUEST"}"#;
    let (_fake, alipay) = refunding(refused, &other).await;
    let refund = alipay.refund(&REFUND, NOW).await;
    assert!(matches!(refund, Err(Failure::Refused(refusal)) if refusal.reason == Reason::NumberTaken));

    let repeated = r#"{"code":"10000","fund_change":"N","refund_fee":"11.00"}"#;
    let (_fake, alipay) = refunding(repeated, &other).await;
    let refund = alipay.refund(&REFUND, NOW).await;
    assert!(matches!(refund, Err(Failure::Unknown(Doubt::Malformed))));
}

#[tokio::test]
async fn a_refund_with_an_illegal_argument_is_not_sent() {
    let (fake, alipay) = refunding(REFUND_MOVED, REFUND_ON_RECORD).await;
    let refund = NewRefund {
        amount_fen: 0,
        ..REFUND
    };
    assert!(matches!(
        alipay.refund(&refund, NOW).await,
        Err(Failure::NotSent(_))
    ));
    assert_eq!(fake.asked().len(), 0);
}

#[tokio::test]
async fn refund_query_says_done_or_not() {
    let method = "alipay.trade.fastpay.refund.query";
    let (_fake, alipay) = answering(method, REFUND_ON_RECORD).await;
    let done = RefundState::Done {
        amount_fen: 1_000,
        at: Some(REFUNDED_AT),
    };
    assert_eq!(alipay.refund_query(NUMBER, "R1", NOW).await.unwrap(), done);
    let other = alipay.refund_query(NUMBER, "R2", NOW).await;
    assert!(matches!(other, Err(Failure::Unknown(Doubt::Malformed))));
    let no_trade = r#"{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}"#;
    for node in [REFUND_UNKNOWN, no_trade] {
        let (_fake, alipay) = answering(method, node).await;
        let asked = alipay.refund_query(NUMBER, "R1", NOW).await.unwrap();
        assert_eq!(asked, RefundState::NotFound, "{node}");
    }
}

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

const BILL: &[u8] = include_bytes!("../fixtures/alipay-bill.zip");
const BILL_METHOD: &str = "alipay.data.dataservice.bill.downloadurl.query";
const BILL_DAY: Date = date!(2024 - 05 - 19);

/// A gateway that sends the client on to this file.
async fn billing(file: &Fake) -> (Fake, Alipay) {
    let node = format!(
        r#"{{"code":"10000","bill_download_url":"{}/bill?token=1"}}"#,
        file.url
    );
    answering(BILL_METHOD, &node).await
}

#[tokio::test]
async fn a_bill_s_payments_and_refunds_are_read() {
    let file = Fake::answering(200, BILL).await;
    let (fake, alipay) = billing(&file).await;
    let bill = alipay.bill(BILL_DAY, NOW).await.unwrap();
    let refund = |number: &str| Movement::Refund {
        refund_no: number.to_owned(),
    };
    let read: Vec<_> = bill
        .iter()
        .map(|line| (line.out_trade_no.as_str(), line.movement.clone(), line.amount_fen))
        .collect();
    let expected = [
        ("20230422A0007_01", Movement::Payment, 22_000),
        ("20230422A0007_01", refund("20230422A0007_01R1"), 1_000),
        ("20230422A0007_01", refund("20230422A0007_01R2"), 21_000),
        ("20230422A0008_01", Movement::Payment, 10),
    ];
    assert_eq!(read, expected);
    assert_eq!(bill[3].trade_no, "2024051922001400000500000002");
    let content = content(&fake.asked_once());
    assert_eq!(content["bill_type"], "trade");
    assert_eq!(content["bill_date"], "2024-05-19");
    let fetched = file.asked_once();
    assert_eq!(
        (fetched.method.as_str(), fetched.uri.query()),
        ("GET", Some("token=1"))
    );
}

#[tokio::test]
async fn a_day_without_payments_has_no_bill() {
    for code in ["isp.bill_not_exist", "BILL_NOT_EXIST"] {
        let node = format!(r#"{{"code":"40004","msg":"Business Failed","sub_code":"{code}"}}"#);
        let (_fake, alipay) = answering(BILL_METHOD, &node).await;
        assert_eq!(alipay.bill(BILL_DAY, NOW).await.unwrap(), [], "{code}");
        // Today's is not empty, it is not written yet.
        let today = alipay.bill(date!(2024 - 05 - 20), NOW).await;
        assert!(matches!(today, Err(Failure::Unknown(Doubt::Busy(_)))), "{code}");
    }
}

#[tokio::test]
async fn a_bill_that_cannot_be_had_is_not_an_empty_one() {
    let refused = r#"{"code":"40006","sub_code":"isv.insufficient-isv-permissions"}"#;
    let (_fake, alipay) = answering(BILL_METHOD, refused).await;
    let bill = alipay.bill(BILL_DAY, NOW).await;
    assert!(matches!(bill, Err(Failure::Refused(refusal)) if refusal.reason == Reason::Operator));

    let expired = Fake::answering(403, "expired").await;
    let (_fake, alipay) = billing(&expired).await;
    let bill = alipay.bill(BILL_DAY, NOW).await;
    assert!(matches!(bill, Err(Failure::Unknown(Doubt::Status(403)))));

    let page = Fake::answering(200, "<html>login</html>").await;
    let (_fake, alipay) = billing(&page).await;
    let bill = alipay.bill(BILL_DAY, NOW).await;
    assert!(matches!(bill, Err(Failure::Unknown(Doubt::Malformed))));
}

#[tokio::test]
async fn a_bill_is_not_fetched_in_the_clear_nor_from_where_a_redirect_leads() {
    let node = r#"{"code":"10000","bill_download_url":"http://dwbillcenter.alipay.com/x"}"#;
    let (_fake, alipay) = answering(BILL_METHOD, node).await;
    let bill = alipay.bill(BILL_DAY, NOW).await;
    assert!(matches!(bill, Err(Failure::Unknown(Doubt::Malformed))));

    let file = Fake::answering(200, BILL).await;
    let elsewhere = Fake::start(Behaviour::RedirectTo(file.url.clone())).await;
    let (_fake, alipay) = billing(&elsewhere).await;
    let bill = alipay.bill(BILL_DAY, NOW).await;
    assert!(matches!(bill, Err(Failure::Unknown(Doubt::Status(307)))));
    assert_eq!(file.asked().len(), 0);
}

#[tokio::test]
async fn a_bill_may_be_larger_than_an_answer_and_has_a_limit_too() {
    // The file's end holds its directory, so what stands before it does not matter.
    let mut large = vec![b' '; http::Limits::default().answer_bytes];
    large.extend_from_slice(BILL);
    let file = Fake::answering(200, large).await;
    let (_fake, alipay) = billing(&file).await;
    assert_eq!(alipay.bill(BILL_DAY, NOW).await.unwrap().len(), 4);

    let file = Fake::answering(200, vec![b' '; 4 * 1024 * 1024 + 1]).await;
    let (_fake, alipay) = billing(&file).await;
    let bill = alipay.bill(BILL_DAY, NOW).await;
    assert!(matches!(
        bill,
        Err(Failure::Unknown(Doubt::Transport(http::Failure::TooLarge)))
    ));
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
