//! Calls that go wrong: errors of the provider's system, limits, answers that come too late or cannot be verified.

use std::time::Duration;

use serde_json::json;
use yinxin_providers::http::{self, Limits};
use yinxin_providers::payments::{Close, Doubt, Failure, Query, RefundState};

use crate::shop::{Mode, PRICE_FEN, Shop};

const PAID: &str = "20230422A0007_01";
const OPEN: &str = "20230422A0008_01";
const REFUND: &str = "20230422A0007_R1";

/// Every call that changes something or asks, in an order in which each can succeed.
#[derive(Clone, Copy, Debug)]
enum Call {
    Open,
    Query,
    Close,
    Refund,
    RefundQuery,
}

const CALLS: [Call; 5] = [
    Call::Open,
    Call::Query,
    Call::Close,
    Call::Refund,
    Call::RefundQuery,
];

async fn make(shop: &Shop, call: Call) -> Result<(), Failure> {
    match call {
        Call::Open => shop.ask_for_code(OPEN).await.map(drop),
        Call::Query => shop.query(PAID).await.map(drop),
        Call::Close => shop.close(OPEN).await.map(drop),
        Call::Refund => shop.refund(PAID, REFUND, PRICE_FEN).await.map(drop),
        Call::RefundQuery => shop.refund_query(PAID, REFUND).await.map(drop),
    }
}

/// Each call fails once by this fault, which leaves open what happened, and then goes as it should.
async fn each_call_survives(mode: Mode, fault: &str, is_expected: fn(&Doubt) -> bool) {
    let Some(mut shop) = Shop::open(mode).await else {
        return;
    };
    shop.sell(PAID).await;
    for call in CALLS {
        shop.set_faults(json!({fault: 1})).await;
        let failed = make(&shop, call).await;
        assert!(
            matches!(&failed, Err(Failure::Unknown(doubt)) if is_expected(doubt)),
            "{mode:?} {call:?}: {failed:?}"
        );
        let again = make(&shop, call).await;
        assert!(again.is_ok(), "{mode:?} {call:?}: {again:?}");
    }
}

fn is_busy(doubt: &Doubt) -> bool {
    matches!(doubt, Doubt::Busy(_))
}

#[tokio::test]
async fn a_system_error_leaves_open_what_happened() {
    for mode in Mode::ONE_OF_EACH {
        each_call_survives(mode, "system_error", is_busy).await;
    }
}

#[tokio::test]
async fn who_asks_too_often_asks_later() {
    each_call_survives(Mode::AlipayKey, "rate_limited", |doubt| {
        matches!(doubt, Doubt::Status(429))
    })
    .await;
    each_call_survives(Mode::WechatBoth, "rate_limited", is_busy).await;
}

#[tokio::test]
async fn what_was_accepted_and_not_done_is_asked_for_again() {
    for mode in Mode::WECHAT {
        each_call_survives(
            mode,
            "accepted_not_done",
            |doubt| matches!(doubt, Doubt::Busy(code) if code == "202"),
        )
        .await;
    }
}

#[tokio::test]
async fn an_answer_that_came_too_late_is_found_out_about() {
    let impatient = Limits {
        total: Duration::from_secs(2),
        ..Limits::default()
    };
    for mode in Mode::ONE_OF_EACH {
        let Some(mut shop) = Shop::open_with(mode, impatient).await else {
            return;
        };
        shop.sell(PAID).await;
        shop.ask_for_code(OPEN).await.unwrap();
        shop.play("scan", json!({"out_trade_no": OPEN})).await;
        let late = json!({"timeout_after_processing": 1});

        shop.set_faults(late.clone()).await;
        let closed = shop.close(OPEN).await;
        assert!(is_timeout(&closed), "{mode:?}: {closed:?}");
        assert_eq!(shop.query(OPEN).await.unwrap(), Query::Closed);
        assert_eq!(shop.close(OPEN).await.unwrap(), Close::Closed);

        shop.set_faults(late).await;
        let refunded = shop.refund(PAID, REFUND, PRICE_FEN).await;
        if mode.is_alipay() {
            // The client asks by itself.
            assert!(matches!(refunded, Ok(RefundState::Done { .. })), "{refunded:?}");
        } else {
            assert!(is_timeout(&refunded), "{refunded:?}");
        }
        let again = shop.refund(PAID, REFUND, PRICE_FEN).await.unwrap();
        assert!(
            matches!(again, RefundState::Done { .. } | RefundState::Processing),
            "{mode:?}: {again:?}"
        );
        let told = shop.inbox.next().await.read.unwrap();
        assert_eq!(shop.recorded(PAID).await["refunded_fen"], PRICE_FEN, "{told:?}");
        assert_eq!(shop.recorded(PAID).await["refunds"].as_array().unwrap().len(), 1);
    }
}

fn is_timeout<T>(result: &Result<T, Failure>) -> bool {
    matches!(
        result,
        Err(Failure::Unknown(Doubt::Transport(http::Failure::Timeout)))
    )
}

#[tokio::test]
async fn an_answer_under_another_certificate_is_not_believed() {
    let Some(mut shop) = Shop::open(Mode::AlipayCertificate).await else {
        return;
    };
    shop.sell(PAID).await;
    shop.ask_for_code(OPEN).await.unwrap();
    shop.set_faults(json!({"wrong_cert_sn": true})).await;
    for call in CALLS {
        let answered = make(&shop, call).await;
        assert!(
            matches!(answered, Err(Failure::Unknown(Doubt::BadSignature))),
            "{call:?}: {answered:?}"
        );
    }
    // A refusal proves nothing either.
    let unknown = shop.query("20230422A0009_01").await;
    assert!(
        matches!(unknown, Err(Failure::Unknown(Doubt::BadSignature))),
        "{unknown:?}"
    );
}
