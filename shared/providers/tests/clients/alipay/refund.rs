//! Refunds: done when the money moved, or when it is on record.

use yinxin_providers::alipay::Alipay;
use yinxin_providers::payments::{Doubt, Failure, NewRefund, PaymentGateway as _, Reason, RefundState};

use super::{NUMBER, REFUND_ON_RECORD, REFUNDED_AT, alipay, answering, content, signed};
use crate::fake::{Behaviour, Fake, NOW};

const REFUND: NewRefund<'_> = NewRefund {
    out_trade_no: NUMBER,
    refund_no: "R1",
    amount_fen: 1_000,
    total_fen: 22_000,
    reason: "退款",
};
const REFUND_MOVED: &str = r#"{"code":"10000","out_trade_no":"20230422A0007_01","fund_change":"Y","refund_fee":"30.00","gmt_refund_pay":"2024-05-20 10:12:14"}"#;
const REFUND_UNKNOWN: &str = r#"{"code":"10000","msg":"Success"}"#;

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
