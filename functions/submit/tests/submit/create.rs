//! Creating orders.
use axum::http::Method;
use serde_json::json;
use time::macros::datetime;
use yinxin_order::form::sample;
use yinxin_order::state::State;
use yinxin_providers::identity::{Field, Outcome, Unsupported};

use crate::world::{START, World};

#[tokio::test]
async fn an_order_is_created_after_its_checks() {
    let world = World::new().await;
    let held = world.draft(&sample::unit(1)).await;
    assert_eq!(
        world.checks.asked(),
        ["Enterprise4(..)", "Phone3(..)", "Phone3(..)"]
    );
    let order = world.load(&held).await;
    assert_eq!(order.state, State::Draft);
    assert_eq!(order.created_at, START);
    assert_eq!(order.product.price.fen(), 22_000);
    let checks = order.personal.unwrap().checks;
    let names: Vec<_> = checks.iter().map(|evidence| evidence.check.as_str()).collect();
    assert_eq!(names, ["enterprise4", "phone3", "phone3"]);
    assert!(checks.iter().all(|evidence| evidence.request_id == "request-1"));
}

#[tokio::test]
async fn each_way_of_checking_asks_its_questions() {
    let world = World::new().await;
    for (form, asked) in [
        (sample::unit_by_account(2), vec!["Enterprise2(..)", "Card4(..)"]),
        (
            sample::unit_by_card(3),
            vec!["Enterprise4(..)", "Card4(..)", "Phone3(..)"],
        ),
        (sample::person(4), vec!["Phone3(..)"]),
        (sample::person_by_card(5), vec!["Card4(..)"]),
        (sample::person_by_account(6), vec!["Id2(..)"]),
    ] {
        world.draft(&form).await;
        assert_eq!(world.checks.asked(), asked);
    }
}

#[tokio::test]
async fn a_repeated_call_makes_one_order() {
    let world = World::new().await;
    let form = sample::person(1);
    let key = world.key();
    let mut body = world.new_order(&form).await;
    let first = world.create_with(&key, &body).await;
    assert_eq!(first.status, 201);
    // The captcha is spent, and need not be there for the repetition.
    let again = world.create_with(&key, &body).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    body["captcha"] = world.captcha().await;
    assert_eq!(world.create_with(&key, &body).await.body, first.body);
    assert_eq!(world.checks.asked().len(), 1);
}

#[tokio::test]
async fn a_key_is_not_for_another_body() {
    let world = World::new().await;
    let key = world.key();
    let first = world.new_order(&sample::person(1)).await;
    assert_eq!(world.create_with(&key, &first).await.status, 201);
    let second = world.new_order(&sample::person(2)).await;
    world
        .create_with(&key, &second)
        .await
        .refused(422, "idempotency-key-reused");
}

#[tokio::test]
async fn a_creating_call_needs_a_key() {
    let world = World::new().await;
    let body = world.new_order(&sample::person(1)).await;
    let refused = world.call(Method::POST, "/api/orders", &[], &body).await;
    refused.refused(400, "idempotency-key-missing");
    world
        .create_with("too-short", &body)
        .await
        .refused(400, "idempotency-key-missing");
}

#[tokio::test]
async fn the_catalogue_has_to_have_the_product_for_the_holder() {
    let world = World::new().await;
    let mut body = world.new_order(&sample::person(1)).await;
    body["product"] = json!("unit-1y");
    let refused = world.create(&body).await;
    refused.refused(422, "no-such-product");
    assert_eq!(refused.text("pointer"), "/product");
    let mut body = world.new_order(&sample::person(1)).await;
    body["vendor"] = json!("nobody");
    let refused = world.create(&body).await;
    refused.refused(422, "no-such-vendor");
    assert_eq!(refused.text("pointer"), "/vendor");
    assert!(world.checks.asked().is_empty());
}

#[tokio::test]
async fn data_that_do_not_belong_together_make_no_order() {
    let world = World::new().await;
    let mismatch = |which| Outcome::Mismatch { which };
    world.checks.answer("Phone3(..)", mismatch(Field::Mobile));
    let body = world.new_order(&sample::unit(1)).await;
    let refused = world.create(&body).await;
    refused.refused(422, "identity-check-failed");
    assert_eq!(refused.text("pointer"), "/form/unit_check");
    assert_eq!(refused.text("detail"), "the mobile does not belong to the person");
    // What comes after the first failure is not asked.
    assert_eq!(world.checks.asked(), ["Enterprise4(..)", "Phone3(..)"]);
}

#[tokio::test]
async fn what_cannot_be_checked_says_so() {
    let world = World::new().await;
    let reason = Unsupported::MobileSegment;
    world.checks.answer("Phone3(..)", Outcome::Unsupported { reason });
    let body = world.new_order(&sample::person(1)).await;
    let refused = world.create(&body).await;
    refused.refused(422, "identity-check-unsupported");
    assert_eq!(refused.text("pointer"), "/form/identity_check");
    world.checks.answer("Phone3(..)", Outcome::NoRecord);
    let body = world.new_order(&sample::person(1)).await;
    world
        .create(&body)
        .await
        .refused(422, "identity-check-unsupported");
}

#[tokio::test]
async fn a_busy_provider_is_asked_again_later() {
    let world = World::new().await;
    world.checks.answer("Phone3(..)", Outcome::ProviderBusy);
    let body = world.new_order(&sample::person(1)).await;
    let refused = world.create(&body).await;
    refused.refused(503, "identity-check-busy");
    assert_eq!(refused.retry_after.as_deref(), Some("30"));
    let code = "Forbidden".to_owned();
    world
        .checks
        .answer("Phone3(..)", Outcome::ProviderConfigError { code });
    let body = world.new_order(&sample::person(1)).await;
    world.create(&body).await.refused(503, "identity-check-busy");
}

#[tokio::test]
async fn a_passport_is_not_sent_to_a_source_of_resident_numbers() {
    let world = World::new().await;
    let mut body = world.new_order(&sample::person(1)).await;
    body["form"]["id_document"] = json!({"type": "passport", "number": "E12345678"});
    let refused = world.create(&body).await;
    refused.refused(422, "identity-check-unsupported");
    assert_eq!(refused.text("pointer"), "/form/identity_check");
    assert!(world.checks.asked().is_empty());
}

#[tokio::test]
async fn an_institution_is_proven_by_its_account() {
    // Registering authority 1 (institutions), with its check character.
    const INSTITUTION: &str = "12430100444850007L";
    let world = World::new().await;
    world.checks.answer("Enterprise2(..)", Outcome::NoRecord);
    let mut body = world.new_order(&sample::unit_by_account(1)).await;
    // A market entity would be known.
    world
        .create(&body)
        .await
        .refused(422, "identity-check-unsupported");
    body["captcha"] = world.captcha().await;
    body["form"]["credit_code"] = json!(INSTITUTION);
    body["form"]["invoice"]["tax_number"] = json!(INSTITUTION);
    let created = world.create(&body).await;
    assert_eq!(created.status, 201, "{created:?}");
    let order = world
        .platform
        .orders
        .load(&created.text("order_id").parse().unwrap())
        .await
        .unwrap();
    assert_eq!(order.personal.unwrap().checks[0].check, "enterprise2-no-record");
}

#[tokio::test]
async fn a_malformed_value_is_pointed_at() {
    let world = World::new().await;
    let mut body = world.new_order(&sample::unit(1)).await;
    body["form"]["credit_code"] = json!("91430100MA0000000X");
    let refused = world.create(&body).await;
    refused.refused(422, "malformed-credit-code");
    assert_eq!(refused.text("pointer"), "/form/credit_code");
    body["form"]["surprise"] = json!(1);
    let refused = world.create(&body).await;
    assert_eq!(refused.status, 422);
    assert!(!refused.body.to_string().contains("91430100MA0000000X"));
}

#[tokio::test]
async fn nobody_applies_before_birth() {
    let world = World::new().await;
    world.turn_clock_to(datetime!(1950-01-01 00:00 UTC));
    let body = world.new_order(&sample::person(1)).await;
    let refused = world.create(&body).await;
    refused.refused(422, "malformed-id-number");
    assert!(world.checks.asked().is_empty());
}
