//! What an errand comes to.
use std::error::Error;

use serde_json::{Value, json};
use yinxin_lambda::Function;
use yinxin_lambda::serve::Batch as _;
use yinxin_order::effect::{Effect, Notice};
use yinxin_order::form::sample::{person, unit};
use yinxin_order::state::State;
use yinxin_pki::Name;
use yinxin_store::issuances::Issuances as _;
use yinxin_store::orders::Errand;

use crate::world::World;

#[tokio::test]
async fn a_unit_and_a_person_get_their_pairs() {
    let world = World::new().await;
    world.put_unit(1).await;
    let form = person(2);
    let subject = Name::person(form.holder_name(), None).unwrap();
    world.put(&world.order_asking_for(2, form, &subject)).await;
    for seed in [1, 2] {
        world.ask(seed).await.unwrap();
        world.assert_one_pair(seed).await;
    }
}

#[tokio::test]
async fn the_subject_is_the_orders_whatever_the_request_says() {
    let world = World::new().await;
    let other = Name::unit("长沙另一家有限公司", None).unwrap();
    world.put(&world.order_asking_for(1, unit(1), &other)).await;
    world.ask(1).await.unwrap();
    world.assert_one_pair(1).await;
}

#[tokio::test]
async fn what_the_ca_can_never_grant_goes_back_to_the_operator() {
    let world = World::new().await;
    let subject = Name::unit(unit(1).holder_name(), None).unwrap();
    let mut order = world.order_asking_for(1, unit(1), &subject);
    order.product.term_years = 0;
    world.put(&order).await;
    world.ask(1).await.unwrap();
    let order = world.order(1).await;
    assert_eq!(order.state, State::AwaitingPersonalisation);
    assert_eq!(
        order.issuance_failure.as_deref(),
        Some("the term is out of range")
    );
    // The errand comes again although the order went back.
    world.ask(1).await.unwrap();
    assert_eq!(world.order(1).await, order);
    assert!(world.stopping.tried.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_request_whose_proof_was_lost_is_not_signed() {
    let world = World::new().await;
    let subject = Name::unit(unit(1).holder_name(), None).unwrap();
    let mut order = world.order_asking_for(1, unit(1), &subject);
    if let Some(csr) = order.personal.as_mut().and_then(|personal| personal.csr.as_mut()) {
        csr.pem = "a request".to_owned();
    }
    world.put(&order).await;
    world.ask(1).await.unwrap();
    assert_eq!(world.order(1).await.state, State::AwaitingPersonalisation);
    assert!(world.stopping.tried.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_record_of_another_order_is_not_signed() {
    let world = World::new().await;
    world.put_unit(1).await;
    world.put_unit(2).await;
    world.ask(1).await.unwrap();
    let request = world.request(1).await;
    let record = world.stopping.find(&request).await.unwrap().unwrap();
    let request = world.request(2).await;
    world
        .stopping
        .store
        .record(&request, &record.prepared, &[])
        .await
        .unwrap();
    let error = world.ask(2).await.unwrap_err();
    assert!(chain(error.as_ref()).contains("does not open"), "{error}");
    assert_eq!(world.order(2).await.state, State::Issuing);
}

#[tokio::test]
async fn a_record_shows_nothing_of_whom_it_is_about() {
    let world = World::new().await;
    world.put_unit(1).await;
    let request = world.request(1).await;
    world.ask(1).await.unwrap();
    let record = world.stopping.find(&request).await.unwrap().unwrap();
    for stored in [record.prepared, record.issued.unwrap()] {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(stored).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("signing") && !text.contains(unit(1).holder_number()));
    }
}

#[tokio::test]
async fn an_order_that_does_not_wait_is_left_alone() {
    let world = World::new().await;
    world
        .put(&yinxin_order::sample::order_in(
            State::AwaitingDispatch,
            1,
            unit(1),
            crate::world::NOW,
        ))
        .await;
    let before = world.order(1).await;
    world.ask(1).await.unwrap();
    assert_eq!(world.order(1).await, before);
}

#[tokio::test]
async fn a_vendor_without_a_ca_keeps_the_errand_coming() {
    let world = World::without_authority();
    world.put_unit(1).await;
    let error = world.ask(1).await.unwrap_err();
    assert!(chain(error.as_ref()).contains("cannot be fetched"), "{error}");
    assert_eq!(world.order(1).await.state, State::Issuing);
}

#[tokio::test]
async fn an_errand_of_another_function_is_an_error() {
    let world = World::new().await;
    world.put_unit(1).await;
    let notice = Notice::Approved;
    let errand = Errand {
        effect: Effect::SendNotice { notice },
        ..World::errand(1)
    };
    let error = world.function().errand(errand).await.unwrap_err();
    assert!(error.to_string().contains("send_notice"), "{error}");
}

#[tokio::test]
async fn the_sample_event_fails_by_the_message() {
    let world = World::new().await;
    world.put_unit(8).await;
    let event: Value =
        serde_json::from_str(include_str!("../../../../events/sqs-issue-requests.json")).unwrap();
    let function = Function::new("issue").batch(world.function());
    // There is no order 7 yet.
    let answer = function.answer(event.clone(), false).await.unwrap();
    let message = &event["Records"][0]["messageId"];
    assert_eq!(
        answer,
        json!({"batchItemFailures": [{"itemIdentifier": message}]})
    );
    world.put_unit(7).await;
    let answer = function.answer(event, false).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    for seed in [7, 8] {
        world.assert_one_pair(seed).await;
    }
}

/// An error with its causes.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
