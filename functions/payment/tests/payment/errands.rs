//! Refunds, closings and queries, as the payment queue brings them.
use serde_json::{Value, json};
use time::Duration;
use yinxin_lambda::Function;
use yinxin_order::command::Command;
use yinxin_order::effect::{Effect, Notice};
use yinxin_order::payment::{PaymentStatus, RefundStatus};
use yinxin_order::state::State;
use yinxin_payment::Errands;
use yinxin_store::orders::Errand;

use crate::gateway::{Fault, Status, notification};
use crate::world::{FIRST, World};

/// A queue's batch of one errand.
fn batch(effect: Effect) -> Value {
    let errand = Errand {
        order: World::id(),
        version: 9,
        seq: 0,
        effect,
    };
    let body = serde_json::to_string(&errand).unwrap();
    json!({"Records": [{"messageId": "m-1", "eventSource": "aws:sqs", "body": body}]})
}

/// Whether the queue's function did what the batch asks for.
async fn is_done(world: &World, batch: Value) -> bool {
    let function = Function::new("payment").batch(Errands::new(world.app.clone()));
    let answer = function.answer(batch, false).await.unwrap();
    answer["batchItemFailures"].as_array().unwrap().is_empty()
}

/// A paid and cancelled order, whose money the provider has.
async fn refunding() -> World {
    let world = World::with_open_attempt().await;
    world.notify(notification(FIRST, &[])).await;
    world.gateway.put(FIRST, 22_000, Status::Paid);
    world.advance(&Command::Cancel).await;
    world.store.take_errands();
    world
}

#[tokio::test]
async fn a_refund_moves_money_once_however_often_it_is_asked_for() {
    let world = refunding().await;
    for _ in 0..2 {
        assert!(is_done(&world, batch(Effect::Refund { attempt: 1 })).await);
    }
    let order = world.order().await;
    assert_eq!(order.state, State::Cancelled);
    let refund = order.payment(1).unwrap().refund.unwrap();
    assert!(matches!(refund.status, RefundStatus::Done { .. }));
    assert_eq!(world.gateway.refunded_fen(FIRST), 22_000);
    let asked = &world.gateway.inner().asked;
    assert_eq!(asked.iter().filter(|method| *method == "refund").count(), 1);
    let notice = Notice::Refunded;
    let effects: Vec<Effect> = world.store.take_errands().into_iter().map(|e| e.effect).collect();
    assert_eq!(effects, [Effect::SendNotice { notice }]);
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_found_by_its_number() {
    let world = refunding().await;
    world.gateway.set_fault(Fault::AnswerLost);
    assert!(!is_done(&world, batch(Effect::Refund { attempt: 1 })).await);
    assert_eq!(world.order().await.state, State::Refunding);
    world.gateway.set_fault(Fault::None);
    assert!(is_done(&world, batch(Effect::Refund { attempt: 1 })).await);
    assert_eq!(world.order().await.state, State::Cancelled);
    assert_eq!(world.gateway.refunded_fen(FIRST), 22_000);
}

#[tokio::test]
async fn a_refund_that_a_closed_trade_refuses_is_found_by_its_number() {
    let world = refunding().await;
    world.gateway.put(FIRST, 22_000, Status::Closed);
    let refund_no = format!("{FIRST}R");
    let refunds = |world: &World, fen| {
        let mut inner = world.gateway.inner();
        let trade = inner.trades.get_mut(FIRST).unwrap();
        trade.refunds.insert(refund_no.clone(), fen);
    };
    refunds(&world, 1);
    assert!(!is_done(&world, batch(Effect::Refund { attempt: 1 })).await);
    refunds(&world, 22_000);
    assert!(is_done(&world, batch(Effect::Refund { attempt: 1 })).await);
    assert_eq!(world.order().await.state, State::Cancelled);
}

#[tokio::test]
async fn a_refund_that_moves_no_money_is_not_recorded() {
    let world = refunding().await;
    for fault in [Fault::RefundsWait, Fault::Down] {
        world.gateway.set_fault(fault);
        assert!(!is_done(&world, batch(Effect::Refund { attempt: 1 })).await);
        assert_eq!(world.order().await.ledger().refund_due, 22_000);
    }
}

#[tokio::test]
async fn money_that_is_not_to_go_back_stays() {
    let world = World::with_open_attempt().await;
    world.notify(notification(FIRST, &[])).await;
    world.gateway.put(FIRST, 22_000, Status::Paid);
    assert!(is_done(&world, batch(Effect::Refund { attempt: 1 })).await);
    assert_eq!(world.gateway.refunded_fen(FIRST), 0);
    assert_eq!(world.order().await.state, State::AwaitingReview);
}

#[tokio::test]
async fn an_attempt_is_closed_once_nobody_can_pay_it_any_more() {
    for (status, minutes, closed) in [
        (Status::Closed, 0, true),
        (Status::Unscanned, 0, false),
        (Status::Unscanned, 129, false),
        (Status::Unscanned, 130, true),
    ] {
        for effect in [
            Effect::CloseAttempt { attempt: 1 },
            Effect::QueryPayment { attempt: 1 },
        ] {
            let world = World::with_open_attempt().await;
            world.advance(&Command::Cancel).await;
            world.gateway.put(FIRST, 22_000, status);
            world.pass(Duration::minutes(minutes));
            assert!(is_done(&world, batch(effect.clone())).await);
            let order = world.order().await;
            assert_eq!(order.state, State::Cancelled);
            let is_closed = order.payment(1).unwrap().status == PaymentStatus::Closed;
            assert_eq!(
                is_closed, closed,
                "{status:?} after {minutes} minutes by {effect:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_attempt_that_was_paid_before_it_was_closed_is_credited_and_goes_back() {
    let world = World::with_open_attempt().await;
    world.advance(&Command::Cancel).await;
    world.gateway.put(FIRST, 22_000, Status::Paid);
    assert!(is_done(&world, batch(Effect::CloseAttempt { attempt: 1 })).await);
    let order = world.order().await;
    assert_eq!(
        (order.state, order.ledger().refund_due),
        (State::Refunding, 22_000)
    );
}

#[tokio::test]
async fn a_query_credits_what_no_notification_told() {
    let world = World::with_open_attempt().await;
    assert!(is_done(&world, batch(Effect::QueryPayment { attempt: 1 })).await);
    assert_eq!(world.order().await.state, State::AwaitingPayment);
    world.gateway.put(FIRST, 22_000, Status::Paid);
    assert!(is_done(&world, batch(Effect::QueryPayment { attempt: 1 })).await);
    assert_eq!(world.order().await.state, State::AwaitingReview);
    // The notification comes after all.
    assert_eq!(world.notify(notification(FIRST, &[])).await.text, "success");
    assert_eq!(world.order().await.ledger().received, 22_000);
}

#[tokio::test]
async fn another_amount_that_was_really_paid_goes_back() {
    let world = World::with_open_attempt().await;
    world.gateway.put(FIRST, 21_999, Status::Paid);
    for _ in 0..2 {
        assert!(is_done(&world, batch(Effect::QueryPayment { attempt: 1 })).await);
    }
    let order = world.order().await;
    assert_eq!(order.state, State::AwaitingPayment);
    assert_eq!(order.ledger().refund_due, 21_999);
    assert!(is_done(&world, batch(Effect::Refund { attempt: 1 })).await);
    assert_eq!(world.gateway.refunded_fen(FIRST), 21_999);
    let order = world.order().await;
    assert_eq!((order.ledger().refund_due, order.ledger().refunded), (0, 21_999));
}

#[tokio::test]
async fn an_errand_of_another_function_is_not_done() {
    let world = World::with_open_attempt().await;
    assert!(!is_done(&world, batch(Effect::AskCa)).await);
    assert!(!is_done(&world, batch(Effect::Refund { attempt: 9 })).await);
}

#[tokio::test]
async fn the_sample_event_of_the_queue_fails_alone_and_comes_again() {
    let world = refunding().await;
    let event: Value =
        serde_json::from_str(include_str!("../../../../events/sqs-payment-refund.json")).unwrap();
    let function = Function::new("payment").batch(Errands::new(world.app.clone()));
    world.gateway.set_fault(Fault::Down);
    let answer = function.answer(event.clone(), false).await.unwrap();
    let message = &event["Records"][0]["messageId"];
    assert_eq!(
        answer,
        json!({"batchItemFailures": [{"itemIdentifier": message}]})
    );
    world.gateway.set_fault(Fault::None);
    let answer = function.answer(event, false).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(world.order().await.state, State::Cancelled);
}
