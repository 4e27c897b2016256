//! Captchas.
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use time::Duration;
use yinxin_order::form::sample;

use crate::world::World;

#[tokio::test]
async fn a_captcha_is_a_picture_and_does_not_tell_its_answer() {
    let world = World::new().await;
    let made = world.call(Method::POST, "/api/captchas", &[], &json!({})).await;
    assert_eq!(made.status, 201);
    let image = made.text("image");
    let png = STANDARD
        .decode(image.strip_prefix("data:image/png;base64,").unwrap())
        .unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert_eq!(made.text("captcha_id").len(), 32);
    assert_eq!(made.text("expires_at"), "2026-03-02T01:05:00Z");
    assert_eq!(made.body.as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn an_answer_of_chance_is_refused_and_ends_the_captcha() {
    let world = World::new().await;
    let mut body = world.new_order(&sample::person(1)).await;
    let right = body["captcha"]["answer"].clone();
    body["captcha"]["answer"] = json!("AAAA");
    let refused = world.create(&body).await;
    refused.refused(422, "code-wrong");
    assert_eq!(refused.text("pointer"), "/captcha/answer");
    body["captcha"]["answer"] = right;
    world.create(&body).await.refused(422, "code-exhausted");
    assert!(world.checks.asked().is_empty());
}

#[tokio::test]
async fn a_captcha_ends() {
    let world = World::new().await;
    let body = world.new_order(&sample::person(1)).await;
    world.pass(Duration::minutes(5));
    world.create(&body).await.refused(422, "code-expired");
}

#[tokio::test]
async fn a_captcha_that_nobody_made_is_unknown() {
    let world = World::new().await;
    let mut body = world.new_order(&sample::person(1)).await;
    body["captcha"]["captcha_id"] = json!("f".repeat(32));
    world.create(&body).await.refused(422, "code-unknown");
    body["captcha"]["captcha_id"] = json!("x");
    let refused = world.create(&body).await;
    refused.refused(422, "code-unknown");
    assert_eq!(refused.text("pointer"), "/captcha/captcha_id");
}
