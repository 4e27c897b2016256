//! Where the parcel is, for the applicant.
use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use time::Duration;
use yinxin_order::effect::Effect;
use yinxin_order::form::sample::unit;
use yinxin_order::sample::{order_id, order_in};
use yinxin_order::state::State;

use crate::service::told;
use crate::world::{NOW, SEED, WAYBILL, World};

#[tokio::test]
async fn the_courier_is_asked_at_most_every_half_an_hour() {
    let world = World::new().await;
    let seen = world.show().await;
    let tracking = json!({"status": "in_transit", "at": "2026-04-07T01:00:00Z"});
    assert_eq!(
        seen.json(),
        json!({"carrier": "ems", "waybill": WAYBILL, "tracking": tracking})
    );
    world.service.inner().state = "5".to_owned();
    world.pass(Duration::minutes(29));
    assert_eq!(world.show().await.json()["tracking"], tracking);
    assert_eq!(world.service.inner().queries.len(), 1);
    world.pass(Duration::minutes(2));
    world.show().await;
    assert_eq!(world.service.inner().queries.len(), 2);
}

#[tokio::test]
async fn nobody_is_asked_about_a_parcel_that_was_signed_for() {
    let world = World::new().await;
    assert!(world.deliver(Effect::TrackParcel).await);
    world
        .push(world.service.push(&told(WAYBILL, "3", "2026-04-07 09:30:00")))
        .await;
    assert_eq!(world.show().await.json()["tracking"]["status"], "signed");
    assert!(world.service.inner().queries.is_empty());
}

#[tokio::test]
async fn a_silent_courier_does_not_hide_the_parcel() {
    let world = World::new().await;
    world.service.inner().is_down = true;
    let seen = world.show().await;
    assert_eq!(
        (seen.status, seen.json()),
        (200, json!({"carrier": "ems", "waybill": WAYBILL}))
    );
}

#[tokio::test]
async fn a_parcel_of_any_other_courier_is_shown_with_its_number() {
    let world = World::mailed_with("某某同城").await;
    assert_eq!(world.show().await.json()["carrier"], "某某同城");
    assert!(world.service.inner().queries.is_empty());
}

#[tokio::test]
async fn who_calls_wrongly_learns_why() {
    let waiting = order_in(State::AwaitingDispatch, SEED, unit(SEED), NOW);
    let world = World::with(waiting, "kuaidi100").await;
    world.show().await.is_problem(404, "no-such-parcel");
    let path = format!("/api/orders/{}/parcel", order_id(SEED));
    let answer = world.send(Request::get(&path).body(Body::empty()).unwrap()).await;
    answer.is_problem(401, "token-missing");
    let request = Request::get(&path).header("authorization", "Bearer another");
    world
        .send(request.body(Body::empty()).unwrap())
        .await
        .is_problem(403, "not-your-order");
}
