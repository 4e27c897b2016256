//! Notifications that go wrong: under another key, for another app, tests of whether we verify, keys that change.

use std::collections::BTreeSet;

use serde_json::json;
use yinxin_providers::payments::{Doubt, Failure, Notification, NotificationError, Query};

use crate::shop::{Mode, PRICE_FEN, Shop};

const NUMBER: &str = "20230422A0007_01";

fn amount_fen(told: Result<Notification, NotificationError>) -> i64 {
    match told {
        Ok(Notification::Paid { out_trade_no, paid }) if out_trade_no == NUMBER => paid.amount_fen,
        other => panic!("no payment: {other:?}"),
    }
}

#[tokio::test]
async fn a_signature_of_another_key_is_believed_in_no_mode() {
    for mode in Mode::ALL {
        let Some(mut shop) = Shop::open(mode).await else {
            return;
        };
        shop.ask_for_code(NUMBER).await.unwrap();
        shop.set_faults(json!({"wrong_key": true})).await;
        assert_eq!(shop.pay(NUMBER).await, [400], "{mode:?}");
        let told = shop.inbox.next().await.read;
        assert!(
            matches!(told, Err(NotificationError::BadSignature)),
            "{mode:?}: {told:?}"
        );
        shop.set_faults(json!({"wrong_key": false})).await;
        let again = shop.play("notify", json!({"out_trade_no": NUMBER})).await;
        assert_eq!(again, [200], "{mode:?}");
        assert_eq!(amount_fen(shop.inbox.next().await.read), PRICE_FEN);
    }
}

#[tokio::test]
async fn a_payment_to_another_app_is_not_ours() {
    for (mode, other) in [
        (Mode::AlipayKey, "2021999999999999"),
        (Mode::WechatBoth, "wx9999999999999999"),
    ] {
        let Some(mut shop) = Shop::open(mode).await else {
            return;
        };
        shop.ask_for_code(NUMBER).await.unwrap();
        shop.set_faults(json!({"wrong_app_id": other})).await;
        assert_eq!(shop.pay(NUMBER).await, [400]);
        let told = shop.inbox.next().await.read;
        assert!(matches!(told, Err(NotificationError::WrongApp)), "{told:?}");
    }
}

#[tokio::test]
async fn a_wrong_amount_is_told_and_answered_as_it_is() {
    for mode in Mode::ONE_OF_EACH {
        let Some(mut shop) = Shop::open(mode).await else {
            return;
        };
        shop.ask_for_code(NUMBER).await.unwrap();
        shop.set_faults(json!({"wrong_amount": "0.01"})).await;
        shop.pay(NUMBER).await;
        assert_eq!(amount_fen(shop.inbox.next().await.read), 1);
        let query = shop.query(NUMBER).await.unwrap();
        assert!(
            matches!(&query, Query::Paid(paid) if paid.amount_fen == 1),
            "{query:?}"
        );
    }
}

#[tokio::test]
async fn a_notification_that_comes_twice_says_the_same() {
    for mode in Mode::ONE_OF_EACH {
        let Some(mut shop) = Shop::open(mode).await else {
            return;
        };
        shop.ask_for_code(NUMBER).await.unwrap();
        shop.set_faults(json!({"duplicate": 2})).await;
        assert_eq!(shop.pay(NUMBER).await, [200, 200]);
        let first = shop.inbox.next().await.read.unwrap();
        assert_eq!(shop.inbox.next().await.read.unwrap(), first);
    }
}

#[tokio::test]
async fn a_probe_is_known_as_one_and_what_follows_it_is_believed() {
    for mode in Mode::WECHAT {
        let Some(mut shop) = Shop::open(mode).await else {
            return;
        };
        shop.ask_for_code(NUMBER).await.unwrap();
        shop.set_faults(json!({"probe": 1})).await;
        assert_eq!(shop.pay(NUMBER).await, [400, 200], "{mode:?}");
        let probe = shop.inbox.next().await.read;
        assert!(
            matches!(probe, Err(NotificationError::Probe)),
            "{mode:?}: {probe:?}"
        );
        assert_eq!(amount_fen(shop.inbox.next().await.read), PRICE_FEN);
        assert_eq!(shop.recorded(NUMBER).await["probe_accepted"], false);
    }
}

#[tokio::test]
async fn both_kinds_of_keys_are_believed_while_they_alternate() {
    let Some(mut shop) = Shop::open(Mode::WechatBoth).await else {
        return;
    };
    shop.set_faults(json!({"key_switch": "alternate", "duplicate": 4}))
        .await;
    // As many answers, the list of certificates among them.
    shop.ask_for_code(NUMBER).await.unwrap();
    for _ in 0..4 {
        assert_eq!(shop.query(NUMBER).await.unwrap(), Query::Unpaid);
    }
    assert_eq!(shop.pay(NUMBER).await, [200; 4]);
    let mut serials = BTreeSet::new();
    for _ in 0..4 {
        let told = shop.inbox.next().await;
        assert_eq!(amount_fen(told.read), PRICE_FEN);
        serials.insert(told.serial.unwrap());
    }
    let public_keys = serials.iter().filter(|serial| serial.starts_with("PUB_KEY_ID_"));
    assert_eq!((serials.len(), public_keys.count()), (2, 1));
}

#[tokio::test]
async fn a_kind_of_key_that_is_not_configured_is_not_believed() {
    for (mode, kind) in [
        (Mode::WechatPublicKey, "certificate"),
        (Mode::WechatCertificate, "public_key"),
    ] {
        let Some(mut shop) = Shop::open(mode).await else {
            return;
        };
        shop.ask_for_code(NUMBER).await.unwrap();
        shop.set_faults(json!({"key_switch": kind})).await;
        let query = shop.query(NUMBER).await;
        assert!(
            matches!(query, Err(Failure::Unknown(Doubt::BadSignature))),
            "{query:?}"
        );
        assert_eq!(shop.pay(NUMBER).await, [400]);
        let told = shop.inbox.next().await.read;
        assert!(matches!(told, Err(NotificationError::BadSignature)), "{told:?}");
    }
}
