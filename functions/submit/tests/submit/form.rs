//! Correcting forms, and whose order it is.
use axum::http::Method;
use serde_json::json;
use yinxin_order::form::{ApplicationForm, sample};
use yinxin_order::identifiers::OrderId;
use yinxin_order::state::State;
use yinxin_providers::identity::{Field, Outcome};

use crate::world::{Held, World};

/// `form` with another value.
fn with(form: &ApplicationForm, pointer: &str, value: &serde_json::Value) -> ApplicationForm {
    let mut json = serde_json::to_value(form).unwrap();
    *json.pointer_mut(pointer).unwrap() = value.clone();
    serde_json::from_value(json).unwrap()
}

#[tokio::test]
async fn an_edit_asks_only_for_what_changed() {
    let world = World::new().await;
    let form = sample::unit(1);
    let held = world.draft(&form).await;
    world.checks.asked();
    let moved = with(&form, "/mailing/address", &json!("岳麓区新样例路9号"));
    assert_eq!(world.put_form(&held, &moved).await.status, 200);
    assert_eq!(world.checks.asked(), Vec::<String>::new());
    let other_mobile = with(&moved, "/handler/mobile", &json!("19900000077"));
    let edited = world.put_form(&held, &other_mobile).await;
    assert_eq!(edited.body["form"]["contact_mobile"], "199****0077");
    assert_eq!(world.checks.asked(), ["Phone3(..)"]);
    let order = world.load(&held).await;
    assert_eq!(order.personal.unwrap().checks.len(), 3);
}

#[tokio::test]
async fn an_edit_that_fails_its_checks_changes_nothing() {
    let world = World::new().await;
    let form = sample::person(1);
    let held = world.draft(&form).await;
    let which = Field::Name;
    world.checks.answer("Phone3(..)", Outcome::Mismatch { which });
    let edited = world.put_form(&held, &sample::person(2)).await;
    edited.refused(422, "identity-check-failed");
    let order = world.load(&held).await;
    assert_eq!(order.version, 1);
    assert_eq!(order.personal.unwrap().form, form);
}

#[tokio::test]
async fn a_numbered_order_keeps_its_holder() {
    let world = World::new().await;
    let held = world.with_documents(&sample::person(1)).await;
    world.checks.asked();
    world
        .put_form(&held, &sample::person(2))
        .await
        .refused(409, "subject-differs");
    assert!(world.checks.asked().is_empty());
}

#[tokio::test]
async fn a_draft_keeps_its_kind_of_holder() {
    let world = World::new().await;
    let held = world.draft(&sample::person(1)).await;
    let refused = world.put_form(&held, &sample::unit(1)).await;
    refused.refused(409, "subject-differs");
    assert_eq!(refused.text("pointer"), "/form/subject");
}

#[tokio::test]
async fn an_order_in_review_is_not_edited() {
    let world = World::new().await;
    let held = world.draft(&sample::person(1)).await;
    world.put_into(&held, State::AwaitingReview).await;
    world.checks.asked();
    world
        .put_form(&held, &sample::person(1))
        .await
        .refused(409, "command-not-allowed");
    assert!(world.checks.asked().is_empty());
}

#[tokio::test]
async fn only_the_holder_of_the_token_acts() {
    let world = World::new().await;
    let held = world.draft(&sample::person(1)).await;
    let other = world.draft(&sample::person(2)).await;
    let stranger = Held {
        id: held.id.clone(),
        token: other.token,
    };
    for action in ["confirm", "codes", "signature", "resubmit", "cancel", "receipt"] {
        let body = match action {
            "signature" => json!({"code": "123456", "practice_statement": "3.2"}),
            _ => json!({}),
        };
        world
            .post(&stranger, action, &body)
            .await
            .refused(403, "not-your-order");
        let path = format!("/api/orders/{}/{action}", held.id);
        world
            .call(Method::POST, &path, &[], &body)
            .await
            .refused(401, "token-missing");
    }
    world
        .put_form(&stranger, &sample::person(1))
        .await
        .refused(403, "not-your-order");
    // Whether an order exists does not show.
    let nobody = Held {
        id: OrderId::from_random([7; 16]),
        token: held.token,
    };
    world
        .post(&nobody, "cancel", &json!({}))
        .await
        .refused(403, "not-your-order");
}
