//! Refunds that do not simply arrive: no money in the merchant's account, a payer's account that takes none, a bank that waits.

use serde_json::json;
use yinxin_providers::payments::{Failure, Notification, Reason, RefundState};

use crate::shop::{Mode, PRICE_FEN, Shop};

const NUMBER: &str = "20230422A0007_01";
const REFUND: &str = "20230422A0007_R1";

async fn told_state(shop: &mut Shop, refund_no: &str) -> RefundState {
    match shop.inbox.next().await.read {
        Ok(Notification::Refund {
            out_trade_no,
            refund_no: told,
            state,
        }) if out_trade_no == NUMBER && told == refund_no => state,
        other => panic!("no refund: {other:?}"),
    }
}

fn is_done(state: RefundState) -> bool {
    matches!(
        state,
        RefundState::Done {
            amount_fen: PRICE_FEN,
            at: Some(_)
        }
    )
}

#[tokio::test]
async fn a_refund_for_which_there_is_no_money_can_be_asked_for_again() {
    for mode in Mode::ONE_OF_EACH {
        let Some(mut shop) = Shop::open(mode).await else {
            return;
        };
        shop.sell(NUMBER).await;
        shop.set_faults(json!({"not_enough": 1})).await;
        let refused = shop.refund(NUMBER, REFUND, PRICE_FEN).await;
        assert!(
            matches!(&refused, Err(Failure::Refused(refusal)) if refusal.reason == Reason::Operator),
            "{mode:?}: {refused:?}"
        );
        assert_eq!(
            shop.refund_query(NUMBER, REFUND).await.unwrap(),
            RefundState::NotFound
        );
        shop.refund(NUMBER, REFUND, PRICE_FEN).await.unwrap();
        assert!(is_done(told_state(&mut shop, REFUND).await), "{mode:?}");
    }
}

#[tokio::test]
async fn an_abnormal_refund_is_known_as_one_until_somebody_sees_to_it() {
    let Some(mut shop) = Shop::open(Mode::WechatBoth).await else {
        return;
    };
    shop.sell(NUMBER).await;
    shop.set_faults(json!({"refund_abnormal": 1})).await;
    let asked = shop.refund(NUMBER, REFUND, PRICE_FEN).await.unwrap();
    assert_eq!(asked, RefundState::Processing);
    assert_eq!(told_state(&mut shop, REFUND).await, RefundState::Abnormal);
    assert_eq!(
        shop.refund_query(NUMBER, REFUND).await.unwrap(),
        RefundState::Abnormal
    );
    let again = shop.refund(NUMBER, REFUND, PRICE_FEN).await.unwrap();
    assert_eq!(again, RefundState::Abnormal);
    assert_eq!(shop.play("refund", json!({"out_refund_no": REFUND})).await, [200]);
    assert!(is_done(told_state(&mut shop, REFUND).await));
    assert!(is_done(shop.refund_query(NUMBER, REFUND).await.unwrap()));
}

#[tokio::test]
async fn a_closed_refund_of_wechat_pay_stays_closed_and_a_new_number_arrives() {
    let Some(mut shop) = Shop::open(Mode::WechatBoth).await else {
        return;
    };
    shop.sell(NUMBER).await;
    shop.set_faults(json!({"refund_closed": 1})).await;
    let asked = shop.refund(NUMBER, REFUND, PRICE_FEN).await.unwrap();
    assert_eq!(asked, RefundState::Processing);
    assert_eq!(told_state(&mut shop, REFUND).await, RefundState::Closed);
    assert_eq!(
        shop.refund_query(NUMBER, REFUND).await.unwrap(),
        RefundState::Closed
    );
    let again = shop.refund(NUMBER, REFUND, PRICE_FEN).await.unwrap();
    assert_eq!(again, RefundState::Closed);
    let new = "20230422A0007_R2";
    shop.refund(NUMBER, new, PRICE_FEN).await.unwrap();
    assert!(is_done(told_state(&mut shop, new).await));
    assert_eq!(shop.recorded(NUMBER).await["refunded_fen"], PRICE_FEN);
}

#[tokio::test]
async fn a_closed_refund_of_alipay_is_tried_anew_under_its_number() {
    let Some(mut shop) = Shop::open(Mode::AlipayKey).await else {
        return;
    };
    shop.sell(NUMBER).await;
    shop.set_faults(json!({"refund_closed": 1})).await;
    let asked = shop.refund(NUMBER, REFUND, PRICE_FEN).await.unwrap();
    assert_eq!(asked, RefundState::NotFound);
    assert_eq!(
        shop.refund_query(NUMBER, REFUND).await.unwrap(),
        RefundState::NotFound
    );
    assert!(is_done(shop.refund(NUMBER, REFUND, PRICE_FEN).await.unwrap()));
    assert!(is_done(told_state(&mut shop, REFUND).await));
    assert_eq!(shop.recorded(NUMBER).await["refunded_fen"], PRICE_FEN);
}

#[tokio::test]
async fn a_refund_that_waits_moves_nothing_until_the_bank_lets_it_go() {
    for mode in Mode::ONE_OF_EACH {
        let Some(mut shop) = Shop::open(mode).await else {
            return;
        };
        shop.sell(NUMBER).await;
        shop.set_faults(json!({"refund_pending": 1})).await;
        // Alipay does not tell a refund that waits from one that was never asked for.
        let (waiting, wish) = if mode.is_alipay() {
            let wish = json!({"out_trade_no": NUMBER, "out_request_no": REFUND});
            (RefundState::NotFound, wish)
        } else {
            (RefundState::Processing, json!({"out_refund_no": REFUND}))
        };
        for _ in 0..2 {
            let asked = shop.refund(NUMBER, REFUND, PRICE_FEN).await.unwrap();
            assert_eq!(asked, waiting, "{mode:?}");
        }
        assert_eq!(shop.refund_query(NUMBER, REFUND).await.unwrap(), waiting);
        assert!(shop.inbox.is_empty());
        assert_eq!(shop.recorded(NUMBER).await["refunded_fen"], 0);
        assert_eq!(shop.play("refund", wish).await, [200], "{mode:?}");
        assert!(is_done(told_state(&mut shop, REFUND).await), "{mode:?}");
        assert!(is_done(shop.refund_query(NUMBER, REFUND).await.unwrap()));
    }
}
