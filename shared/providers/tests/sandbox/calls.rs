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

/// A trade that is paid and refunded, and one that is opened and closed.
struct Numbers {
    paid: String,
    open: String,
    refund: String,
}

impl Numbers {
    fn of(fault: &str) -> Self {
        Self {
            paid: format!("{fault}_P"),
            open: format!("{fault}_O"),
            refund: format!("{fault}_R"),
        }
    }
}

async fn make(shop: &Shop, call: Call, numbers: &Numbers) -> Result<(), Failure> {
    let Numbers { paid, open, refund } = numbers;
    match call {
        Call::Open => shop.ask_for_code(open).await.map(drop),
        Call::Query => shop.query(paid).await.map(drop),
        Call::Close => shop.close(open).await.map(drop),
        Call::Refund => shop.refund(paid, refund, PRICE_FEN).await.map(drop),
        Call::RefundQuery => shop.refund_query(paid, refund).await.map(drop),
    }
}

/// Each call fails once by this fault, which leaves open what happened, and then goes as it should.
async fn each_call_survives(shop: &mut Shop, fault: &str, is_expected: fn(&Doubt) -> bool) {
    let numbers = Numbers::of(fault);
    shop.sell(&numbers.paid).await;
    for call in CALLS {
        shop.set_faults(json!({fault: 1})).await;
        let failed = make(shop, call, &numbers).await;
        let mode = shop.mode;
        assert!(
            matches!(&failed, Err(Failure::Unknown(doubt)) if is_expected(doubt)),
            "{mode:?} {call:?}: {failed:?}"
        );
        let again = make(shop, call, &numbers).await;
        assert!(again.is_ok(), "{mode:?} {fault} {call:?}: {again:?}");
        if matches!(call, Call::Refund) && mode.is_alipay() {
            // Reading it asks about the refund, which would meet the next fault.
            shop.inbox.next().await.read.unwrap();
        }
    }
}

fn is_busy(doubt: &Doubt) -> bool {
    matches!(doubt, Doubt::Busy(_))
}

#[tokio::test]
async fn an_error_of_alipay_leaves_open_what_happened() {
    let Some(mut shop) = Shop::open(Mode::AlipayKey).await else {
        return;
    };
    each_call_survives(&mut shop, "system_error", is_busy).await;
    let is_limit = |doubt: &Doubt| matches!(doubt, Doubt::Status(429));
    each_call_survives(&mut shop, "rate_limited", is_limit).await;
}

#[tokio::test]
async fn an_error_of_wechat_pay_leaves_open_what_happened() {
    let Some(mut shop) = Shop::open(Mode::WechatBoth).await else {
        return;
    };
    for fault in ["system_error", "rate_limited"] {
        each_call_survives(&mut shop, fault, is_busy).await;
    }
}

#[tokio::test]
async fn what_was_accepted_and_not_done_is_asked_for_again() {
    for mode in [Mode::WechatPublicKey, Mode::WechatSm] {
        let Some(mut shop) = Shop::open(mode).await else {
            return;
        };
        // Even an answer that says nothing is signed.
        let is_accepted = |doubt: &Doubt| matches!(doubt, Doubt::Busy(code) if code == "202");
        each_call_survives(&mut shop, "accepted_not_done", is_accepted).await;
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
    let numbers = Numbers::of("wrong_cert_sn");
    shop.sell(&numbers.paid).await;
    shop.set_faults(json!({"wrong_cert_sn": true})).await;
    for call in CALLS {
        let answered = make(&shop, call, &numbers).await;
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
