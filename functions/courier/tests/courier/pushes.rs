//! The service's messages.
use serde_json::json;
use time::macros::datetime;
use yinxin_order::effect::Effect;
use yinxin_order::parcel::{Tracking, TrackingStatus};
use yinxin_order::state::State;

use crate::service::{body, told};
use crate::world::{NOW, WAYBILL, World};

async fn subscribed() -> World {
    let world = World::new().await;
    assert!(world.deliver(Effect::TrackParcel).await);
    world
}

fn tracking(status: TrackingStatus, at: time::OffsetDateTime) -> Tracking {
    Tracking { status, at }
}

#[tokio::test]
async fn a_push_is_recorded_and_then_answered() {
    let world = subscribed().await;
    let push = world.service.push(&told(WAYBILL, "5", "2026-04-07 09:30:00"));
    for _ in 0..2 {
        let answer = world.push(push.clone()).await;
        let taken = json!({"result": true, "returnCode": "200", "message": "成功"});
        assert_eq!((answer.status, answer.json()), (200, taken));
    }
    let known = tracking(TrackingStatus::OutForDelivery, datetime!(2026-04-07 01:30 UTC));
    assert_eq!(world.tracking().await, Some(known));
    // Nothing of the courier's sentences is kept.
    let stored = serde_json::to_string(&world.order().await).unwrap();
    assert!(!stored.contains("派送") && !stored.contains("13800000000"));
}

#[tokio::test]
async fn pushes_may_come_in_any_order_and_nothing_comes_after_the_signature() {
    let world = subscribed().await;
    let pushes = [
        ("5", "2026-04-07 09:00:00", TrackingStatus::OutForDelivery),
        ("1", "2026-04-07 08:10:00", TrackingStatus::OutForDelivery),
        ("3", "2026-04-07 09:45:00", TrackingStatus::Signed),
        ("0", "2026-04-07 08:30:00", TrackingStatus::Signed),
        ("6", "2026-04-07 09:50:00", TrackingStatus::Signed),
    ];
    for (state, time, known) in pushes {
        let push = world.service.push(&told(WAYBILL, state, time));
        assert_eq!(world.push(push).await.status, 200);
        assert_eq!(world.tracking().await.unwrap().status, known, "after {state}");
    }
    assert_eq!(
        world.order().await.state,
        State::AwaitingReceipt,
        "signed is not received"
    );
}

#[tokio::test]
async fn a_time_to_come_is_now() {
    let world = subscribed().await;
    let push = world.service.push(&told(WAYBILL, "0", "2036-04-07 09:00:00"));
    assert_eq!(world.push(push).await.status, 200);
    assert_eq!(
        world.tracking().await,
        Some(tracking(TrackingStatus::InTransit, NOW))
    );
}

#[tokio::test]
async fn a_push_with_a_wrong_signature_changes_nothing() {
    let world = subscribed().await;
    let param = told(WAYBILL, "3", "2026-04-07 09:00:00");
    let forged = world.push(body(&param, "00112233445566778899AABBCCDDEEFF")).await;
    forged.is_problem(400, "courier-signature");
    world
        .push("param=%7B%7D".to_owned())
        .await
        .is_problem(400, "courier-signature");
    // A salt is good for one order.
    let good = world.service.push(&param);
    let elsewhere = world.push_about("0b6e8c1f2a9d4f7e8b3c5d6e7f809142", good).await;
    elsewhere.is_problem(400, "courier-signature");
    assert_eq!(world.tracking().await, None);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_or_tolerated() {
    let world = subscribed().await;
    let another = world
        .service
        .push(&told("EM000000002CN", "3", "2026-04-07 09:00:00"));
    world.push(another).await.is_problem(404, "no-such-parcel");
    let malformed = world.service.push(&json!("text"));
    world.push(malformed).await.is_problem(400, "courier-malformed");
    for nothing in [
        told(WAYBILL, "99", "2026-04-07 09:00:00"),
        json!({"status": "abort", "message": "3天查询无记录"}),
    ] {
        let push = world.service.push(&nothing);
        assert_eq!(world.push(push).await.status, 200);
    }
    assert_eq!(world.tracking().await, None);
    world
        .push_about("no-order", String::new())
        .await
        .is_problem(404, "no-such-parcel");
}

#[tokio::test]
async fn a_push_may_be_larger_than_other_calls_and_has_a_limit() {
    let world = subscribed().await;
    let mut param = told(WAYBILL, "0", "2026-04-07 09:00:00");
    param["message"] = json!("x".repeat(100 * 1024));
    assert_eq!(world.push(world.service.push(&param)).await.status, 200);
    param["message"] = json!("x".repeat(300 * 1024));
    world
        .push(world.service.push(&param))
        .await
        .is_problem(413, "body-too-large");
}
