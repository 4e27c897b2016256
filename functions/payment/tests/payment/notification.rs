//! Alipay's notifications.
use std::time::{Duration, Instant};

use serde_json::Value;
use yinxin_lambda::Function;
use yinxin_lambda::serve::router_of;
use yinxin_order::command::Command;
use yinxin_order::effect::Effect;
use yinxin_order::payment::{Provider, Refund};
use yinxin_order::state::State;
use yinxin_payment::routes;

use crate::gateway::notification;
use crate::world::{FIRST, InboxFault, SECOND, World};

#[tokio::test]
async fn a_payment_is_credited_and_answered_with_success() {
    let world = World::with_open_attempt().await;
    let answer = world.notify(notification(FIRST, &[])).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "success"));
    assert!(answer.content_type.starts_with("text/plain"));
    let order = world.order().await;
    assert_eq!(order.state, State::AwaitingReview);
    assert_eq!(order.ledger().kept(), 22_000);
}

#[tokio::test]
async fn a_repeated_notification_changes_nothing() {
    let world = World::with_open_attempt().await;
    world.notify(notification(FIRST, &[])).await;
    let before = world.order().await;
    for _ in 0..2 {
        assert_eq!(world.notify(notification(FIRST, &[])).await.text, "success");
    }
    assert_eq!(world.order().await, before);
}

#[tokio::test]
async fn another_amount_is_flagged_once_and_asked_about_and_never_credited() {
    let world = World::with_open_attempt().await;
    for _ in 0..2 {
        let answer = world
            .notify(notification(FIRST, &[("total_amount", "0.01")]))
            .await;
        assert_eq!(answer.text, "success", "it is kept");
    }
    let order = world.order().await;
    assert_eq!(order.state, State::AwaitingPayment);
    assert_eq!(order.flags.len(), 1);
    assert_eq!(order.flags[0].amount.fen(), 1);
    assert_eq!(order.ledger().received, 0);
    let effects: Vec<Effect> = world.store.take_errands().into_iter().map(|e| e.effect).collect();
    assert_eq!(effects, [Effect::QueryPayment { attempt: 1 }]);
}

#[tokio::test]
async fn a_notification_that_is_not_kept_has_to_come_again() {
    let world = World::with_open_attempt().await;
    *world.letters.fault.lock().unwrap() = InboxFault::Refuses;
    world
        .notify(notification(FIRST, &[]))
        .await
        .is_problem(503, "busy");
    *world.letters.fault.lock().unwrap() = InboxFault::None;
    assert_eq!(world.notify(notification(FIRST, &[])).await.text, "success");
    assert_eq!(world.order().await.state, State::AwaitingReview);
}

#[tokio::test]
async fn a_queue_that_does_not_answer_is_not_waited_for_longer_than_the_provider_waits() {
    let world = World::with_open_attempt().await;
    *world.letters.fault.lock().unwrap() = InboxFault::Hangs;
    let started = Instant::now();
    world
        .notify(notification(FIRST, &[]))
        .await
        .is_problem(503, "busy");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_answer_does_not_wait_for_the_tables() {
    let world = World::with_open_attempt().await;
    let answer = world.deliver(notification(FIRST, &[])).await;
    assert_eq!(answer.text, "success");
    assert_eq!(
        world.order().await.state,
        State::AwaitingPayment,
        "nobody has credited it yet"
    );
    assert_eq!(world.open_letters().await, 0);
    assert_eq!(world.order().await.state, State::AwaitingReview);
}

#[tokio::test]
async fn one_provider_says_nothing_of_what_another_one_was_asked_for() {
    let world = World::with_order_in(State::AwaitingPayment).await;
    world.start_at(Provider::Wechat, "a key of the first call").await;
    assert_eq!(world.deliver(notification(FIRST, &[])).await.text, "success");
    assert_eq!(world.open_letters().await, 1, "it comes to people in the end");
    assert_eq!(world.order().await.ledger().received, 0);
}

#[tokio::test]
async fn what_is_not_signed_by_the_provider_is_refused() {
    let world = World::with_open_attempt().await;
    let cheaper = notification(FIRST, &[("total_amount", "0.01")]);
    for forged in [
        cheaper.replace("total_amount=0.01", "total_amount=220.00"),
        notification(FIRST, &[]).replace("sign_type=RSA2", "sign_type=RSA"),
        "total_amount=220.00&trade_status=TRADE_SUCCESS".to_owned(),
        String::new(),
    ] {
        world
            .notify(forged)
            .await
            .is_problem(400, "notification-signature");
    }
    assert_eq!(world.order().await.state, State::AwaitingPayment);
}

#[tokio::test]
async fn what_is_for_another_application_or_seller_is_refused() {
    let world = World::with_open_attempt().await;
    for change in [("app_id", "2021000000000009"), ("seller_id", "2088000000000009")] {
        let answer = world.notify(notification(FIRST, &[change])).await;
        answer.is_problem(400, "notification-app");
    }
    assert_eq!(world.order().await.state, State::AwaitingPayment);
}

#[tokio::test]
async fn what_says_nothing_usable_is_refused() {
    let world = World::with_open_attempt().await;
    for change in [
        ("total_amount", "much"),
        ("trade_status", "TRADE_WHATEVER"),
        ("trade_no", ""),
    ] {
        let answer = world.notify(notification(FIRST, &[change])).await;
        answer.is_problem(400, "notification-malformed");
    }
    let twice = format!("{}&total_amount=220.00", notification(FIRST, &[]));
    world
        .notify(twice)
        .await
        .is_problem(400, "notification-malformed");
    let huge = "x".repeat(70_000);
    world.notify(huge).await.is_problem(413, "body-too-large");
}

#[tokio::test]
async fn money_for_no_attempt_of_ours_is_refused() {
    let world = World::with_open_attempt().await;
    for number in ["20260407A0000000007", "elsewhere"] {
        let answer = world.deliver(notification(number, &[])).await;
        answer.is_problem(404, "no-such-payment");
    }
    for number in ["20260407A0000000008_01", SECOND] {
        world.deliver(notification(number, &[])).await;
        assert_eq!(world.open_letters().await, 1, "it comes to people in the end");
    }
}

#[tokio::test]
async fn what_tells_of_no_payment_is_taken_without_a_change() {
    let world = World::with_open_attempt().await;
    world.notify(notification(FIRST, &[])).await;
    let before = world.order().await;
    for changes in [
        &[
            ("refund_fee", "220.00"),
            ("gmt_refund", "2026-04-08 10:00:00.123"),
        ][..],
        &[
            ("trade_status", "TRADE_CLOSED"),
            ("out_biz_no", "20260407A0000000007_01R"),
        ],
        &[("trade_status", "WAIT_BUYER_PAY")],
    ] {
        assert_eq!(world.notify(notification(FIRST, changes)).await.text, "success");
    }
    assert_eq!(world.order().await, before);
}

#[tokio::test]
async fn late_money_for_a_cancelled_order_goes_back() {
    let world = World::with_open_attempt().await;
    world.advance(&Command::Cancel).await;
    world.store.take_errands();
    assert_eq!(world.notify(notification(FIRST, &[])).await.text, "success");
    let order = world.order().await;
    assert_eq!(order.state, State::Refunding);
    assert_eq!(order.ledger().refund_due, 22_000);
    let effects: Vec<Effect> = world.store.take_errands().into_iter().map(|e| e.effect).collect();
    assert_eq!(effects, [Effect::Refund { attempt: 1 }]);
}

#[tokio::test]
async fn a_second_payment_is_not_credited_but_goes_back() {
    let world = World::with_open_attempt().await;
    let provider = Provider::Alipay;
    world.advance(&Command::StartPayment { provider }).await;
    let closing: Vec<Effect> = world.store.take_errands().into_iter().map(|e| e.effect).collect();
    assert_eq!(
        closing,
        [Effect::CloseAttempt { attempt: 1 }],
        "one code is enough"
    );
    world.notify(notification(FIRST, &[])).await;
    let closing: Vec<Effect> = world.store.take_errands().into_iter().map(|e| e.effect).collect();
    assert_eq!(closing, [Effect::CloseAttempt { attempt: 2 }]);
    let trade_no = [("trade_no", "2026040722001400000500000002")];
    assert_eq!(
        world.notify(notification(SECOND, &trade_no)).await.text,
        "success"
    );
    let order = world.order().await;
    assert_eq!(order.state, State::AwaitingReview);
    assert_eq!(order.ledger().kept(), 22_000);
    assert_eq!(order.payment(2).unwrap().refund, Some(Refund::DUE));
    let effects: Vec<Effect> = world.store.take_errands().into_iter().map(|e| e.effect).collect();
    assert_eq!(effects, [Effect::Refund { attempt: 2 }]);
}

#[tokio::test]
async fn the_sample_event_of_the_gateway_is_answered_with_success() {
    let world = World::with_open_attempt().await;
    let event: Value =
        serde_json::from_str(include_str!("../../../../events/http-alipay-notification.json")).unwrap();
    let function = Function::new("payment").http(router_of(routes(world.app.clone())));
    let answer = function.answer(event, false).await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(answer["body"], "success");
    world.open_letters().await;
    assert_eq!(answer["headers"]["cache-control"], "no-store");
    assert_eq!(world.order().await.state, State::AwaitingReview);
}
