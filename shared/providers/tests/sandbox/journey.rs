//! The whole way of a trade in every mode: a code, a payment, refunds, the day's bill; and what closing comes to.

use serde_json::json;
use time::macros::offset;
use time::{Date, Duration, OffsetDateTime};
use yinxin_providers::payments::{
    BillLine, Close, Doubt, Failure, Movement, NewTrade, Notification, Paid, Query, Reason, RefundState,
};

use crate::notifications::only_the_provider_is_believed;
use crate::shop::{Mode, PRICE_FEN, Shop, now};

const NUMBER: &str = "20230422A0007_01";
const FIRST_FEN: i64 = 5_000;
const REST_FEN: i64 = PRICE_FEN - FIRST_FEN;

#[tokio::test]
async fn alipay_is_understood_with_keys() {
    understood_in(Mode::AlipayKey).await;
}

#[tokio::test]
async fn alipay_is_understood_with_certificates() {
    understood_in(Mode::AlipayCertificate).await;
}

#[tokio::test]
async fn wechat_pay_is_understood_with_its_public_key() {
    understood_in(Mode::WechatPublicKey).await;
}

#[tokio::test]
async fn wechat_pay_is_understood_with_its_certificates() {
    understood_in(Mode::WechatCertificate).await;
}

#[tokio::test]
async fn wechat_pay_is_understood_with_both_kinds_of_keys() {
    understood_in(Mode::WechatBoth).await;
}

#[tokio::test]
async fn wechat_pay_is_understood_with_sm_algorithms() {
    understood_in(Mode::WechatSm).await;
}

async fn understood_in(mode: Mode) {
    let Some(mut shop) = Shop::open(mode).await else {
        return;
    };
    let paid = paid(&mut shop).await;
    let back = [
        refunded(&mut shop, "20230422A0007_R1", FIRST_FEN).await,
        refunded(&mut shop, "20230422A0007_R2", REST_FEN).await,
    ];
    // Nothing is left, and yet it was paid.
    assert_eq!(shop.query(NUMBER).await.unwrap(), Query::Paid(paid.clone()));
    assert_eq!(shop.recorded(NUMBER).await["refunded_fen"], PRICE_FEN);
    billed(&shop, &paid, back).await;
    closed(&mut shop).await;
    only_the_provider_is_believed(&mut shop).await;
}

/// Open, pay, believe the notification, ask.
async fn paid(shop: &mut Shop) -> Paid {
    let code = shop.ask_for_code(NUMBER).await.unwrap();
    let scheme = if shop.mode.is_alipay() {
        "https://qr.alipay.com/"
    } else {
        "weixin://wxpay/"
    };
    assert!(code.starts_with(scheme), "{code}");
    shop.ask_for_code(NUMBER).await.expect("the same trade again");
    assert_eq!(shop.query(NUMBER).await.unwrap(), Query::Unpaid);
    let dearer = NewTrade {
        amount_fen: PRICE_FEN + 1,
        ..shop.trade(NUMBER)
    };
    let other = shop.gateway.open(&dearer, now()).await;
    assert_eq!(reason(other), Reason::NumberTaken);

    assert_eq!(shop.pay(NUMBER).await, [200]);
    let told = shop.inbox.next().await.read.unwrap();
    let Notification::Paid { out_trade_no, paid } = told else {
        panic!("{told:?}");
    };
    assert_eq!((out_trade_no.as_str(), paid.amount_fen), (NUMBER, PRICE_FEN));
    assert_eq!(shop.recorded(NUMBER).await["trade_no"], paid.trade_no);
    is_recent(paid.paid_at);
    assert_eq!(shop.query(NUMBER).await.unwrap(), Query::Paid(paid.clone()));
    assert_eq!(reason(shop.ask_for_code(NUMBER).await), Reason::AlreadyPaid);
    paid
}

/// Refund, again, believe the notification, ask; when it was done.
async fn refunded(shop: &mut Shop, refund_no: &str, fen: i64) -> (String, i64, OffsetDateTime) {
    let unknown = shop.refund_query(NUMBER, refund_no).await.unwrap();
    assert_eq!(unknown, RefundState::NotFound);
    let at_once = shop.refund(NUMBER, refund_no, fen).await.unwrap();
    if shop.mode.is_alipay() {
        assert!(
            matches!(at_once, RefundState::Done { amount_fen, .. } if amount_fen == fen),
            "{at_once:?}"
        );
    } else {
        assert_eq!(at_once, RefundState::Processing);
    }
    let again = shop.refund(NUMBER, refund_no, fen).await.unwrap();
    assert!(
        matches!(again, RefundState::Done { amount_fen, .. } if amount_fen == fen) || again == at_once,
        "{again:?}"
    );
    let told = shop.inbox.next().await.read.unwrap();
    let Notification::Refund { state, .. } = told else {
        panic!("{told:?}");
    };
    let RefundState::Done { at, .. } = state else {
        panic!("{state:?}");
    };
    let expected = RefundState::Done { amount_fen: fen, at };
    let expected_notification = Notification::Refund {
        out_trade_no: NUMBER.to_owned(),
        refund_no: refund_no.to_owned(),
        state: expected,
    };
    assert_eq!(told, expected_notification);
    is_recent(at);
    assert_eq!(shop.refund_query(NUMBER, refund_no).await.unwrap(), expected);
    (refund_no.to_owned(), fen, at.unwrap())
}

/// The bill of today has one payment and both refunds, each on its day: midnight may have come between them.
async fn billed(shop: &Shop, paid: &Paid, back: [(String, i64, OffsetDateTime); 2]) {
    let paid_at = paid.paid_at.unwrap();
    let early = shop.gateway.bill(china_day(paid_at), now()).await;
    assert!(
        matches!(early, Err(Failure::Unknown(Doubt::Busy(_)))),
        "{early:?}"
    );
    shop.set_faults(json!({"bill_of_today": true})).await;
    let line = |movement, amount_fen| BillLine {
        out_trade_no: NUMBER.to_owned(),
        trade_no: paid.trade_no.clone(),
        movement,
        amount_fen,
    };
    let mut expected = vec![(paid_at, line(Movement::Payment, PRICE_FEN))];
    for (refund_no, fen, at) in back {
        expected.push((at, line(Movement::Refund { refund_no }, fen)));
    }
    let mut days: Vec<Date> = expected.iter().map(|(at, _)| china_day(*at)).collect();
    days.dedup();
    let mut lines = Vec::new();
    for day in days {
        lines.extend(shop.gateway.bill(day, now()).await.unwrap());
    }
    let expected: Vec<BillLine> = expected.into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, expected);
    let idle = china_day(now()) - Duration::days(3);
    assert_eq!(shop.gateway.bill(idle, now()).await.unwrap(), []);
}

/// Closing a trade that is unpaid, paid, not scanned, unknown.
async fn closed(shop: &mut Shop) {
    let (scanned, unscanned, paid) = ("20230422A0008_01", "20230422A0009_01", "20230422A0010_01");
    for number in [scanned, unscanned, paid] {
        shop.ask_for_code(number).await.unwrap();
    }
    shop.play("scan", json!({"out_trade_no": scanned})).await;
    assert_eq!(shop.query(scanned).await.unwrap(), Query::Unpaid);
    for _ in 0..2 {
        assert_eq!(shop.close(scanned).await.unwrap(), Close::Closed);
        assert_eq!(shop.query(scanned).await.unwrap(), Query::Closed);
    }
    assert_eq!(reason(shop.ask_for_code(scanned).await), Reason::AlreadyClosed);
    assert_eq!(try_to_pay(shop, scanned).await, 409);

    // Alipay's trade comes into being with the scan; WeChat Pay's order is there and can be closed.
    let (close, then, payable) = if shop.mode.is_alipay() {
        (Close::NotScanned, Query::Unpaid, 200)
    } else {
        (Close::Closed, Query::Closed, 409)
    };
    assert_eq!(shop.close(unscanned).await.unwrap(), close);
    assert_eq!(shop.query(unscanned).await.unwrap(), then);
    assert_eq!(try_to_pay(shop, unscanned).await, payable);
    if payable == 200 {
        // Late, and to be believed.
        is_told_as_paid(shop, unscanned).await;
    }

    assert_eq!(shop.pay(paid).await, [200]);
    is_told_as_paid(shop, paid).await;
    assert_eq!(shop.close(paid).await.unwrap(), Close::Paid);
    assert!(matches!(shop.query(paid).await.unwrap(), Query::Paid(_)));

    let unknown = "20230422A0011_01";
    assert_eq!(shop.close(unknown).await.unwrap(), Close::NotScanned);
    assert_eq!(shop.query(unknown).await.unwrap(), Query::Unpaid);
}

async fn is_told_as_paid(shop: &mut Shop, number: &str) {
    let told = shop.inbox.next().await.read.unwrap();
    assert!(
        matches!(&told, Notification::Paid { out_trade_no, .. } if out_trade_no == number),
        "{told:?}"
    );
}

async fn try_to_pay(shop: &Shop, out_trade_no: &str) -> u16 {
    let wish = json!({"out_trade_no": out_trade_no});
    shop.sandbox.try_control(&shop.control("pay"), &wish).await.0
}

fn reason<T: std::fmt::Debug>(refused: Result<T, Failure>) -> Reason {
    match refused {
        Err(Failure::Refused(refusal)) => refusal.reason,
        other => panic!("not refused: {other:?}"),
    }
}

fn is_recent(at: Option<OffsetDateTime>) {
    let age = now() - at.expect("a time is told");
    assert!(
        (Duration::seconds(-1)..Duration::minutes(1)).contains(&age),
        "{age}"
    );
}

fn china_day(at: OffsetDateTime) -> Date {
    at.to_offset(offset!(+8)).date()
}
