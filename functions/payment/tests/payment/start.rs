//! Starting to pay.
use axum::body::Body;
use axum::http::Request;
use time::Duration;
use yinxin_order::effect::Effect;
use yinxin_order::payment::{PaymentStatus, Provider};
use yinxin_order::state::State;

use crate::gateway::{Fault, Status};
use crate::world::{FIRST, SECOND, World};

const KEY: &str = "a key of sixteen or more";
const OTHER_KEY: &str = "another key of the caller";

#[tokio::test]
async fn a_started_payment_gives_a_code_to_scan() {
    let world = World::with_order_in(State::AwaitingPayment).await;
    let answer = world.start(KEY).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let code = answer.json();
    assert_eq!(code["attempt"], 1);
    assert_eq!(code["out_trade_no"], FIRST);
    assert_eq!(code["qr_code"], format!("https://qr.alipay.com/{FIRST}"));
    assert_eq!(code["amount_fen"], 22_000);
    assert_eq!(code["expires_at"], "2026-04-07T04:00:00Z");
    let picture = code["qr_svg"].as_str().unwrap();
    assert!(picture.starts_with("data:image/svg+xml;base64,"), "{picture}");
    assert_eq!(world.order().await.payments.len(), 1);
    assert_eq!(world.gateway.inner().trades[FIRST].amount_fen, 22_000);
}

#[tokio::test]
async fn an_open_attempt_is_shown_again_whatever_the_key() {
    let world = World::with_order_in(State::AwaitingPayment).await;
    let first = world.start(KEY).await.json();
    world.pass(Duration::minutes(89));
    assert_eq!(world.start(KEY).await.json(), first);
    assert_eq!(world.start(OTHER_KEY).await.json(), first);
    assert_eq!(world.order().await.payments.len(), 1);
}

#[tokio::test]
async fn an_attempt_whose_code_is_too_old_is_followed_by_another_one() {
    let world = World::with_order_in(State::AwaitingPayment).await;
    world.start(KEY).await;
    world.pass(Duration::minutes(90));
    // The key is remembered for a day, its code is not good for so long.
    assert_eq!(world.start(KEY).await.json()["out_trade_no"], SECOND);
    assert_eq!(world.start(OTHER_KEY).await.json()["out_trade_no"], SECOND);
}

#[tokio::test]
async fn an_attempt_that_the_provider_closed_is_followed_by_another_one() {
    let world = World::with_open_attempt().await;
    world.gateway.put(FIRST, 22_000, Status::Closed);
    assert_eq!(world.start(KEY).await.json()["out_trade_no"], SECOND);
}

#[tokio::test]
async fn a_payment_that_is_faster_than_its_notification_is_credited() {
    let world = World::with_open_attempt().await;
    world.gateway.put(FIRST, 22_000, Status::Paid);
    world.start(KEY).await.is_problem(409, "command-not-allowed");
    assert_eq!(world.order().await.state, State::AwaitingReview);
}

#[tokio::test]
async fn a_silent_provider_is_told_and_the_attempt_stays() {
    let world = World::with_order_in(State::AwaitingPayment).await;
    for fault in [Fault::Down, Fault::AnswerLost] {
        world.gateway.set_fault(fault);
        let answer = world.start(KEY).await;
        answer.is_problem(503, "payment-provider-busy");
        assert_eq!(answer.retry_after.as_deref(), Some("3"));
    }
    world.gateway.set_fault(Fault::None);
    assert_eq!(world.start(KEY).await.json()["out_trade_no"], FIRST);
}

#[tokio::test]
async fn changing_the_provider_closes_the_other_code_first() {
    let world = World::with_order_in(State::AwaitingPayment).await;
    world.start_at(Provider::Wechat, KEY).await;
    assert_eq!(world.start(OTHER_KEY).await.json()["out_trade_no"], SECOND);
    assert!(world.till.inner().trades[FIRST].closed);
    assert_eq!(
        world.order().await.payment(1).unwrap().status,
        PaymentStatus::Closed
    );
    assert!(world.till.pay(FIRST, None, world.app.platform.now()).is_none());
    // And back: a closed attempt is not opened again.
    let third = world
        .start_at(Provider::Wechat, "a third key of the caller")
        .await
        .json();
    assert_eq!(
        (&third["attempt"], &third["qr_code"]),
        (&3.into(), &"wechat://20260407A0000000007_03".into())
    );
}

#[tokio::test]
async fn a_code_that_was_paid_before_the_provider_was_changed_is_credited() {
    let world = World::with_order_in(State::AwaitingPayment).await;
    world.start_at(Provider::Wechat, KEY).await;
    world.till.pay(FIRST, None, world.app.platform.now()).unwrap();
    world
        .start(OTHER_KEY)
        .await
        .is_problem(409, "command-not-allowed");
    let order = world.order().await;
    assert_eq!(
        (order.state, order.ledger().kept()),
        (State::AwaitingReview, 22_000)
    );
}

#[tokio::test]
async fn a_provider_that_does_not_close_does_not_keep_the_payer_from_another_one() {
    let world = World::with_order_in(State::AwaitingPayment).await;
    world.start_at(Provider::Wechat, KEY).await;
    world.store.take_errands();
    world.till.inner().faults.push_back(crate::till::Fault::Down);
    assert_eq!(world.start(OTHER_KEY).await.json()["out_trade_no"], SECOND);
    let effects: Vec<Effect> = world.store.take_errands().into_iter().map(|e| e.effect).collect();
    assert_eq!(
        effects,
        [Effect::CloseAttempt { attempt: 1 }],
        "the queue closes it"
    );
}

#[tokio::test]
async fn attempts_are_limited() {
    let world = World::with_order_in(State::AwaitingPayment).await;
    for attempt in 1..=20 {
        let code = world.start(&format!("the key of call {attempt:04}")).await.json();
        assert_eq!(code["attempt"], attempt);
        world.pass(Duration::hours(2));
    }
    world.start(KEY).await.is_problem(409, "too-many-payments");
}

#[tokio::test]
async fn an_order_that_waits_for_no_payment_starts_none() {
    for state in [State::AwaitingDocuments, State::AwaitingReview, State::Cancelled] {
        let world = World::with_order_in(state).await;
        world.start(KEY).await.is_problem(409, "command-not-allowed");
        assert!(world.gateway.inner().asked.is_empty());
    }
}

#[tokio::test]
async fn who_calls_wrongly_learns_why() {
    let world = World::with_order_in(State::AwaitingPayment).await;
    let path = format!("/api/orders/{}/payments", World::id());
    let body = || Body::from(r#"{"provider":"alipay"}"#);

    let without_token = Request::post(&path).header("content-type", "application/json");
    let answer = world.send(without_token.body(body()).unwrap()).await;
    answer.is_problem(401, "token-missing");

    let with_other_token = Request::post(&path)
        .header("authorization", "Bearer another")
        .header("content-type", "application/json")
        .header("idempotency-key", KEY);
    let answer = world.send(with_other_token.body(body()).unwrap()).await;
    answer.is_problem(403, "not-your-order");

    world
        .start("too short")
        .await
        .is_problem(400, "idempotency-key-missing");

    let request = world.start_request(KEY).await.body(Body::from("alipay")).unwrap();
    world.send(request).await.is_problem(400, "not-json");

    let request = world.start_request(KEY).await;
    let answer = world
        .send(request.body(Body::from(r#"{"provider":"cash"}"#)).unwrap())
        .await;
    answer.is_problem(422, "body-shape");
    assert_eq!(answer.json()["pointer"], "/provider");
    assert!(world.order().await.payments.is_empty());
}
