//! Orders as they are written, and what is refused before anything is sent.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use super::{fixtures, text, wechat};
use crate::payments::{Failure, NewRefund, NewTrade, Paid, Query, RefundState};
use crate::wechat::trade::{Native, Refund, RefundOrder, Transaction, refund_number, trade_number};

const NOW: OffsetDateTime = datetime!(2024-05-20 02:11:12 UTC);
const TRADE: NewTrade<'_> = NewTrade {
    out_trade_no: "20230422A0007",
    amount_fen: 22_000,
    subject: "CA数字证书 企业版",
    expires_at: datetime!(2024-05-20 02:41:12.5 UTC),
};
const REFUND: NewRefund<'_> = NewRefund {
    out_trade_no: "20230422A0007",
    refund_no: "20230422A0007R1",
    amount_fen: 1_000,
    total_fen: 22_000,
    reason: "退款",
};

fn transaction(state: &str, changes: &Value) -> Option<Query> {
    let mut json = json!({
        "appid": "wx0000000000000001", "mchid": "1900000001", "out_trade_no": "20230422A0007", "trade_state": state,
        "transaction_id": "4200", "success_time": "2024-05-20T10:12:14+08:00",
        "amount": {"total": 22_000, "payer_total": 100, "currency": "CNY"},
    });
    for (name, value) in changes.as_object().unwrap() {
        json[name] = value.clone();
    }
    serde_json::from_value::<Transaction>(json).unwrap().state()
}

#[test]
fn an_order_is_written_as_the_vector() {
    let wechat = wechat();
    let order = Native::new(&wechat.account, &TRADE, NOW).unwrap();
    assert_eq!(
        serde_json::to_string(&order).unwrap(),
        text(&fixtures()["request"]["body"])
    );
}

#[test]
fn a_refund_names_all_that_makes_it_the_same_when_repeated() {
    let wechat = wechat();
    let order = serde_json::to_value(RefundOrder::new(&wechat.account, &REFUND).unwrap()).unwrap();
    let expected = json!({
        "out_trade_no": "20230422A0007", "out_refund_no": "20230422A0007R1", "reason": "退款",
        "notify_url": "https://ca.example.com/notify/wechat",
        "amount": {"refund": 1_000, "total": 22_000, "currency": "CNY"},
    });
    assert_eq!(order, expected);
    // Empty texts are refused by the provider as nulls are.
    let order = RefundOrder::new(&wechat.account, &NewRefund { reason: "", ..REFUND }).unwrap();
    assert!(serde_json::to_value(order).unwrap().get("reason").is_none());
}

#[test]
fn trades_against_the_rules_are_not_sent() {
    let wechat = wechat();
    let long = "长".repeat(128);
    for trade in [
        NewTrade {
            out_trade_no: "12345",
            ..TRADE
        },
        NewTrade {
            out_trade_no: "123456789012345678901234567890123",
            ..TRADE
        },
        NewTrade {
            out_trade_no: "2023/0422",
            ..TRADE
        },
        NewTrade {
            amount_fen: 0,
            ..TRADE
        },
        NewTrade {
            amount_fen: -1,
            ..TRADE
        },
        NewTrade {
            amount_fen: 2_147_483_648,
            ..TRADE
        },
        NewTrade { subject: "", ..TRADE },
        NewTrade {
            subject: &long,
            ..TRADE
        },
        NewTrade {
            expires_at: NOW,
            ..TRADE
        },
    ] {
        let order = Native::new(&wechat.account, &trade, NOW);
        assert!(matches!(order, Err(Failure::NotSent(_))), "{trade:?}");
    }
    let longest = "长".repeat(127);
    Native::new(
        &wechat.account,
        &NewTrade {
            subject: &longest,
            ..TRADE
        },
        NOW,
    )
    .unwrap();
}

#[test]
fn refunds_against_the_rules_are_not_sent() {
    let wechat = wechat();
    let long = "长".repeat(81);
    for refund in [
        NewRefund {
            refund_no: "",
            ..REFUND
        },
        NewRefund {
            refund_no: "a?b=c",
            ..REFUND
        },
        NewRefund {
            out_trade_no: "1",
            ..REFUND
        },
        NewRefund {
            amount_fen: 0,
            ..REFUND
        },
        NewRefund {
            amount_fen: 22_001,
            ..REFUND
        },
        NewRefund {
            reason: &long,
            ..REFUND
        },
    ] {
        let order = RefundOrder::new(&wechat.account, &refund);
        assert!(matches!(order, Err(Failure::NotSent(_))), "{refund:?}");
    }
    assert!(trade_number("a_1234").is_ok() && refund_number(&"r".repeat(64)).is_ok());
    assert!(refund_number(&"r".repeat(65)).is_err());
}

#[test]
fn a_paid_trade_counts_with_its_own_total_and_stays_paid_after_refunds() {
    let paid = Query::Paid(Paid {
        trade_no: "4200".to_owned(),
        amount_fen: 22_000,
        paid_at: Some(datetime!(2024-05-20 02:12:14 UTC)),
    });
    assert_eq!(transaction("SUCCESS", &json!({})), Some(paid.clone()));
    assert_eq!(transaction("REFUND", &json!({})), Some(paid));
}

#[test]
fn other_states_are_open_or_closed() {
    for state in ["NOTPAY", "USERPAYING", "PAYERROR", "ACCEPT"] {
        assert_eq!(transaction(state, &json!({})), Some(Query::Unpaid), "{state}");
    }
    for state in ["CLOSED", "REVOKED"] {
        assert_eq!(transaction(state, &json!({})), Some(Query::Closed), "{state}");
    }
    assert_eq!(transaction("NEW_STATE", &json!({})), None);
}

#[test]
fn a_payment_without_its_number_amount_or_currency_is_malformed() {
    for changes in [
        json!({"transaction_id": null}),
        json!({"transaction_id": ""}),
        json!({"amount": null}),
        json!({"amount": {"total": 0, "currency": "CNY"}}),
        json!({"amount": {"total": 22_000, "currency": "USD"}}),
    ] {
        assert_eq!(transaction("SUCCESS", &changes), None, "{changes}");
    }
}

#[test]
fn refunds_stand_as_they_say() {
    let state = |status: &str, amount: Value| {
        let json = json!({
            "out_trade_no": "20230422A0007", "out_refund_no": "R1", "status": status,
            "success_time": "2024-05-21T09:00:00+08:00", "amount": amount,
        });
        serde_json::from_value::<Refund>(json).unwrap().state()
    };
    let amount = || json!({"refund": 1_000, "total": 22_000, "currency": "CNY"});
    let done = RefundState::Done {
        amount_fen: 1_000,
        at: Some(datetime!(2024-05-21 01:00:00 UTC)),
    };
    assert_eq!(state("SUCCESS", amount()), Some(done));
    assert_eq!(state("PROCESSING", amount()), Some(RefundState::Processing));
    assert_eq!(state("ABNORMAL", amount()), Some(RefundState::Abnormal));
    assert_eq!(state("CLOSED", amount()), Some(RefundState::Closed));
    assert_eq!(state("NEW_STATE", amount()), None);
    assert_eq!(
        state("SUCCESS", json!({"refund": 1_000, "currency": "USD"})),
        None
    );
    assert_eq!(state("SUCCESS", json!({"refund": 0})), None);
}
