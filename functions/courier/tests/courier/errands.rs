//! Subscribing to a parcel.
use yinxin_order::effect::Effect;
use yinxin_order::form::sample::unit;
use yinxin_order::sample::{order_id, order_in};
use yinxin_order::state::State;

use crate::world::{NOW, SEED, WAYBILL, World};

#[tokio::test]
async fn a_mailed_parcel_is_subscribed_to() {
    let world = World::new().await;
    assert!(world.deliver(Effect::TrackParcel).await);
    let subscription = world.service.inner().subscriptions[0].clone();
    assert_eq!(
        (&subscription["company"], &subscription["number"]),
        (&"ems".into(), &WAYBILL.into())
    );
    let callback = format!("http://127.0.0.1/api/notify/courier/kuaidi100/{}", order_id(SEED));
    assert_eq!(subscription["parameters"]["callbackurl"], callback);
    assert!(subscription["parameters"].get("phone").is_none());
    let world = World::mailed_with("顺丰速运").await;
    assert!(world.deliver(Effect::TrackParcel).await);
    let subscription = world.service.inner().subscriptions[0].clone();
    assert_eq!(subscription["company"], "shunfeng");
    let form = unit(SEED);
    assert_eq!(
        subscription["parameters"]["phone"],
        form.notice_mobile().as_str()[7..]
    );
}

#[tokio::test]
async fn a_repeated_subscription_is_as_good() {
    let world = World::new().await;
    for code in ["200", "501"] {
        world.service.inner().code = code.to_owned();
        assert!(world.deliver(Effect::TrackParcel).await, "{code}");
    }
}

#[tokio::test]
async fn a_parcel_that_the_service_does_not_follow_is_left_alone() {
    let world = World::new().await;
    world.service.inner().code = "702".to_owned();
    assert!(world.deliver(Effect::TrackParcel).await);
    let world = World::mailed_with("某某同城").await;
    assert!(world.deliver(Effect::TrackParcel).await);
    assert!(world.service.inner().subscriptions.is_empty());
    let mailed = order_in(State::AwaitingReceipt, SEED, unit(SEED), NOW);
    let world = World::with(mailed, "manual").await;
    assert!(world.deliver(Effect::TrackParcel).await);
    assert!(world.service.inner().subscriptions.is_empty());
}

#[tokio::test]
async fn a_service_that_fails_is_asked_again() {
    let world = World::new().await;
    world.service.inner().is_down = true;
    assert!(!world.deliver(Effect::TrackParcel).await);
    world.service.inner().is_down = false;
    world.service.inner().code = "601".to_owned();
    assert!(
        !world.deliver(Effect::TrackParcel).await,
        "the account's key has ended"
    );
    assert!(!world.deliver(Effect::AskCa).await, "another function's errand");
}
