//! Notifications that go wrong: under another key, for another app, tests of whether we verify, keys that change.

use std::collections::BTreeSet;

use serde_json::json;
use yinxin_providers::payments::{Doubt, Failure, Notification, NotificationError, Query};

use crate::shop::{Mode, PRICE_FEN, Shop};

const NUMBER: &str = "20230422A0007_01";

fn amount_fen(told: Result<Notification, NotificationError>) -> i64 {
    match told {
        Ok(Notification::Paid { paid, .. }) => paid.amount_fen,
        other => panic!("no payment: {other:?}"),
    }
}

/// For every mode: another key under the right name is not believed, nor a probe; what follows them is.
pub async fn only_the_provider_is_believed(shop: &mut Shop) {
    let (mode, stranger, probed) = (shop.mode, "20230422A0012_01", "20230422A0013_01");
    shop.ask_for_code(stranger).await.unwrap();
    shop.set_faults(json!({"wrong_key": true})).await;
    assert_eq!(shop.pay(stranger).await, [400], "{mode:?}");
    let told = shop.inbox.next().await.read;
    assert!(
        matches!(told, Err(NotificationError::BadSignature)),
        "{mode:?}: {told:?}"
    );
    shop.set_faults(json!({"wrong_key": false})).await;
    let again = shop.play("notify", json!({"out_trade_no": stranger})).await;
    assert_eq!(again, [200], "{mode:?}");
    assert_eq!(amount_fen(shop.inbox.next().await.read), PRICE_FEN);
    if mode.is_alipay() {
        return;
    }
    shop.ask_for_code(probed).await.unwrap();
    shop.set_faults(json!({"probe": 1})).await;
    assert_eq!(shop.pay(probed).await, [400, 200], "{mode:?}");
    let probe = shop.inbox.next().await.read;
    assert!(
        matches!(probe, Err(NotificationError::Probe)),
        "{mode:?}: {probe:?}"
    );
    assert_eq!(amount_fen(shop.inbox.next().await.read), PRICE_FEN);
    assert_eq!(shop.recorded(probed).await["probe_accepted"], false);
}

#[tokio::test]
async fn what_a_notification_says_is_read_as_it_stands() {
    for mode in Mode::ONE_OF_EACH {
        let Some(mut shop) = Shop::open(mode).await else {
            return;
        };
        is_for_another_app(&mut shop).await;
        has_a_wrong_amount(&mut shop).await;
        comes_twice(&mut shop).await;
    }
}

async fn is_for_another_app(shop: &mut Shop) {
    let other = if shop.mode.is_alipay() {
        "2021999999999999"
    } else {
        "wx9999999999999999"
    };
    shop.ask_for_code("20230422A0001_01").await.unwrap();
    shop.set_faults(json!({"wrong_app_id": other})).await;
    assert_eq!(shop.pay("20230422A0001_01").await, [400]);
    let told = shop.inbox.next().await.read;
    assert!(matches!(told, Err(NotificationError::WrongApp)), "{told:?}");
    shop.set_faults(json!({"wrong_app_id": null})).await;
}

async fn has_a_wrong_amount(shop: &mut Shop) {
    let number = "20230422A0002_01";
    shop.ask_for_code(number).await.unwrap();
    shop.set_faults(json!({"wrong_amount": "0.01"})).await;
    shop.pay(number).await;
    assert_eq!(amount_fen(shop.inbox.next().await.read), 1);
    let query = shop.query(number).await.unwrap();
    assert!(
        matches!(&query, Query::Paid(paid) if paid.amount_fen == 1),
        "{query:?}"
    );
    shop.set_faults(json!({"wrong_amount": null})).await;
}

async fn comes_twice(shop: &mut Shop) {
    shop.ask_for_code("20230422A0003_01").await.unwrap();
    shop.set_faults(json!({"duplicate": 2})).await;
    assert_eq!(shop.pay("20230422A0003_01").await, [200, 200]);
    let first = shop.inbox.next().await.read.unwrap();
    assert_eq!(shop.inbox.next().await.read.unwrap(), first);
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
