//! Delivery receipts: believed over a secret address, stored before they are answered, repeated without harm.
use serde_json::{Value, json};
use time::macros::datetime;
use yinxin_order::form::sample::unit;
use yinxin_order::state::State;
use yinxin_store::deliveries::{Deliveries as _, DeliveryReceipt};

use crate::world::{NOW, World};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

async fn world() -> World {
    let world = World::with(State::AwaitingDocuments, unit(1)).await;
    *world.sms.receipt_token.lock().unwrap() = Some(TOKEN.to_owned());
    world
}

fn aliyun(number: &str, success: bool, code: &str, time: &str) -> Value {
    json!({"phone_number": "13800138000", "send_time": "2026-04-07 10:00:00", "report_time": time,
        "success": success, "err_code": code, "err_msg": "m", "sms_size": "1", "biz_id": number, "out_id": "o-1"})
}

async fn push(world: &World, provider: &str, token: &str, body: &Value) -> (u16, String) {
    let path = format!("/api/notify/sms/{provider}/{token}");
    world.post(&path, &body.to_string()).await
}

#[tokio::test]
async fn aliyuns_receipts_are_stored_and_answered_in_its_words() {
    let world = world().await;
    let body = json!([
        aliyun("9006^0", true, "DELIVERED", "2026-04-07 10:00:05"),
        aliyun("9007^0", false, "MOBILE_NOT_ON_SERVICE", "2026-04-07 10:00:06"),
    ]);
    // Before anything is known of the messages, and twice.
    for _ in 0..2 {
        let answer = push(&world, "aliyun", TOKEN, &body).await;
        assert_eq!(answer, (200, r#"{"code":0,"msg":"接收成功"}"#.to_owned()));
    }
    let delivered = world.store.receipt("aliyun", "9006^0").await.unwrap().unwrap();
    assert_eq!(
        delivered,
        DeliveryReceipt {
            delivered: true,
            code: "DELIVERED".to_owned(),
            at: datetime!(2026-04-07 02:00:05 UTC),
        }
    );
    let failed = world.store.receipt("aliyun", "9007^0").await.unwrap().unwrap();
    assert_eq!(
        (failed.delivered, failed.code.as_str()),
        (false, "MOBILE_NOT_ON_SERVICE")
    );
}

#[tokio::test]
async fn tencents_receipts_are_stored_and_answered_in_its_words() {
    let world = world().await;
    let body = json!([{"user_receive_time": "2026-04-07 10:00:05", "nationcode": "86", "mobile": "13800138000",
        "report_status": "FAIL", "errmsg": "MK:0001", "description": "空号", "sid": "5000:1045"}]);
    let answer = push(&world, "tencent", TOKEN, &body).await;
    assert_eq!(answer, (200, r#"{"result":0,"errmsg":"OK"}"#.to_owned()));
    let failed = world
        .store
        .receipt("tencent", "5000:1045")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((failed.delivered, failed.code.as_str()), (false, "MK:0001"));
    assert!(
        world
            .store
            .receipt("aliyun", "5000:1045")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn receipts_may_come_in_any_order() {
    let world = world().await;
    for (success, code, time) in [
        (true, "DELIVERED", "2026-04-07 10:05:00"),
        (false, "UNDELIV", "2026-04-07 10:01:00"),
    ] {
        push(
            &world,
            "aliyun",
            TOKEN,
            &json!([aliyun("9006^0", success, code, time)]),
        )
        .await;
    }
    let kept = world.store.receipt("aliyun", "9006^0").await.unwrap().unwrap();
    assert!(kept.delivered);
}

#[tokio::test]
async fn a_sent_message_leads_to_its_receipt() {
    let world = world().await;
    world.deliver(&world.code("482913").await).await.unwrap();
    push(
        &world,
        "aliyun",
        TOKEN,
        &json!([aliyun("9006^0", true, "DELIVERED", "")]),
    )
    .await;
    let kept = world.store.receipt("aliyun", "9006^0").await.unwrap().unwrap();
    // The push named no time that can be read.
    assert_eq!(kept.at, NOW);
}

#[tokio::test]
async fn a_wrong_address_is_none() {
    let world = world().await;
    let body = json!([aliyun("9006^0", true, "DELIVERED", "2026-04-07 10:00:05")]);
    for token in [
        "x",
        &TOKEN[1..],
        &format!("{TOKEN}0"),
        "0123456789abcdef0123456789abcdee",
    ] {
        let (status, text) = push(&world, "aliyun", token, &body).await;
        assert_eq!(status, 404, "{token}");
        assert!(text.contains("no-such-route"));
    }
    // A secret without a token, and one that could be guessed.
    for weak in [None, Some("short")] {
        *world.sms.receipt_token.lock().unwrap() = weak.map(str::to_owned);
        for token in [TOKEN, "short"] {
            assert_eq!(push(&world, "aliyun", token, &body).await.0, 404);
            assert_eq!(push(&world, "tencent", token, &body).await.0, 404);
        }
    }
    assert!(world.store.receipt("aliyun", "9006^0").await.unwrap().is_none());
}

#[tokio::test]
async fn what_is_no_list_of_receipts_is_refused_whole() {
    let world = world().await;
    let good = aliyun("9006^0", true, "DELIVERED", "2026-04-07 10:00:05");
    let many = vec![good.clone(); 101];
    for body in [
        json!([]),
        json!({"biz_id": "9006^0"}),
        json!([good, {"biz_id": "9007^0"}]),
        json!(many),
    ] {
        let (status, text) = push(&world, "aliyun", TOKEN, &body).await;
        assert_eq!(status, 422, "{text}");
        assert!(!text.contains("9006"));
    }
    let huge = json!([{"biz_id": "x".repeat(70_000), "success": true}]);
    assert_eq!(push(&world, "aliyun", TOKEN, &huge).await.0, 413);
    assert!(world.store.receipt("aliyun", "9006^0").await.unwrap().is_none());
}
