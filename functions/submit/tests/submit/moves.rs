//! Confirmation, cancellation, resubmission, receipt.
use serde_json::json;
use yinxin_order::effect::Effect;
use yinxin_order::form::sample;
use yinxin_order::identifiers::OrderNumber;
use yinxin_order::state::State;

use crate::world::World;

#[tokio::test]
async fn a_confirmed_order_has_a_number_of_its_day() {
    let world = World::new().await;
    // 17:00 UTC is the next day in China.
    world.pass(time::Duration::hours(16));
    let held = world.draft(&sample::unit(1)).await;
    let confirmed = world.post(&held, "confirm", &json!({})).await;
    assert_eq!(confirmed.status, 200);
    assert_eq!(confirmed.body["state"], "awaiting_documents");
    let number = confirmed.text("number");
    assert!(number.starts_with("20260303A"), "{number}");
    let number: OrderNumber = number.parse().unwrap();
    assert_eq!(world.platform.orders.find(&number).await.unwrap(), held.id);
    assert_eq!(
        confirmed.body["missing_documents"],
        json!(["business_licence", "id_portrait", "id_emblem", "seal_specimen"])
    );
}

#[tokio::test]
async fn an_order_is_confirmed_once() {
    let world = World::new().await;
    let held = world.draft(&sample::unit(1)).await;
    let number = world.post(&held, "confirm", &json!({})).await.text("number");
    world
        .post(&held, "confirm", &json!({}))
        .await
        .refused(409, "command-not-allowed");
    assert_eq!(world.load(&held).await.number.unwrap().as_str(), number);
}

#[tokio::test]
async fn an_answer_shows_no_whole_personal_value() {
    let world = World::new().await;
    let form = sample::person(1);
    let held = world.draft(&form).await;
    let shown = world.post(&held, "confirm", &json!({})).await.body.to_string();
    for hidden in [
        form.holder_name(),
        form.holder_number(),
        form.notice_mobile().as_str(),
        form.notice_email().as_str(),
    ] {
        assert!(!shown.contains(hidden));
    }
}

#[tokio::test]
async fn an_unpaid_order_is_cancelled() {
    let world = World::new().await;
    let held = world.draft(&sample::person(1)).await;
    let cancelled = world.post(&held, "cancel", &json!({})).await;
    assert_eq!(
        (cancelled.status, &cancelled.body["state"]),
        (200, &json!("cancelled"))
    );
    world
        .post(&held, "cancel", &json!({}))
        .await
        .refused(409, "command-not-allowed");
    assert!(world.store.take_errands().is_empty());
}

#[tokio::test]
async fn a_paid_order_is_refunded() {
    use yinxin_order::command::{Actor, Command};
    use yinxin_order::payment::Provider;
    use yinxin_store::advance;

    let world = World::new().await;
    let held = world.with_documents(&sample::person(1)).await;
    world.put_into(&held, State::AwaitingPayment).await;
    let now = world.platform.now();
    let amount = world.load(&held).await.product.price;
    let pay = [
        Command::StartPayment {
            provider: Provider::Alipay,
        },
        Command::RecordPayment {
            attempt: 1,
            trade_no: "t1".to_owned(),
            amount,
            paid_at: now,
        },
    ];
    for command in pay {
        let by = Actor::platform("payment");
        advance(world.store.as_ref(), &held.id, &command, &by, now)
            .await
            .unwrap();
    }
    let cancelled = world.post(&held, "cancel", &json!({})).await;
    assert_eq!(cancelled.body["state"], "refunding");
    let effects: Vec<_> = world.store.take_errands().into_iter().map(|e| e.effect).collect();
    assert_eq!(effects, [Effect::Refund { attempt: 1 }]);
}

#[tokio::test]
async fn a_rejected_order_is_submitted_again() {
    let world = World::new().await;
    let held = world.with_documents(&sample::person(1)).await;
    world
        .post(&held, "resubmit", &json!({}))
        .await
        .refused(409, "command-not-allowed");
    world.put_into(&held, State::AwaitingCorrection).await;
    let again = world.post(&held, "resubmit", &json!({})).await;
    assert_eq!(
        (again.status, &again.body["state"]),
        (200, &json!("awaiting_review"))
    );
}

#[tokio::test]
async fn a_received_parcel_ends_the_order() {
    let world = World::new().await;
    let held = world.with_documents(&sample::person(1)).await;
    world
        .post(&held, "receipt", &json!({}))
        .await
        .refused(409, "command-not-allowed");
    world.put_into(&held, State::AwaitingReceipt).await;
    let done = world.post(&held, "receipt", &json!({})).await;
    assert_eq!((done.status, &done.body["state"]), (200, &json!("completed")));
}
