//! The code that signs the application, with its limits.
use serde_json::{Value, json};
use time::Duration;
use yinxin_order::form::sample;
use yinxin_store::deliveries::Claimed;

use crate::world::{Answer, Held, PRACTICE_STATEMENT, World};

impl World {
    async fn send(&self, held: &Held) -> Answer {
        self.post(held, "codes", &json!({})).await
    }

    async fn sign(&self, held: &Held, code: &str) -> Answer {
        let body = json!({"code": code, "practice_statement": PRACTICE_STATEMENT});
        self.post(held, "signature", &body).await
    }
}

/// A code of six digits that is not `code`.
fn another(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

#[tokio::test]
async fn the_code_signs_the_application() {
    let world = World::new().await;
    let form = sample::unit(1);
    let held = world.with_documents(&form).await;
    let sent = world.send(&held).await;
    assert_eq!(sent.status, 202);
    let expected = json!({"sent_to": form.signature_mobile().masked(), "resend_after_s": 60});
    assert_eq!(sent.body, expected);
    let code = world.sent_code().await;
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()));
    let signed = world.sign(&held, &code).await;
    assert_eq!(
        (signed.status, &signed.body["state"]),
        (200, &json!("awaiting_payment"))
    );
    let personal = world.load(&held).await.personal.unwrap();
    assert_eq!(personal.signed_at, Some(world.platform.now()));
    assert!(
        personal.practice_statement.is_some(),
        "what was consented to is recorded"
    );
    world.sign(&held, &code).await.refused(409, "command-not-allowed");
}

#[tokio::test]
async fn a_wrong_code_costs_a_try_and_five_end_it() {
    let world = World::new().await;
    let held = world.with_documents(&sample::unit(1)).await;
    world.send(&held).await;
    let code = world.sent_code().await;
    for _ in 0..5 {
        let refused = world.sign(&held, &another(&code)).await;
        refused.refused(422, "code-wrong");
        assert_eq!(refused.text("pointer"), "/code");
    }
    world.sign(&held, &code).await.refused(422, "code-exhausted");
    // A new code is a new start.
    world.pass(Duration::seconds(60));
    world.send(&held).await;
    let code = world.sent_code().await;
    assert_eq!(world.sign(&held, &code).await.status, 200);
}

#[tokio::test]
async fn a_code_ends_after_five_minutes() {
    let world = World::new().await;
    let held = world.with_documents(&sample::unit(1)).await;
    world.sign(&held, "123456").await.refused(422, "code-unknown");
    world.send(&held).await;
    let code = world.sent_code().await;
    world.pass(Duration::minutes(5));
    world.sign(&held, &code).await.refused(422, "code-expired");
}

#[tokio::test]
async fn a_code_is_for_one_order() {
    let world = World::new().await;
    let held = world.with_documents(&sample::unit(1)).await;
    let other = world.with_documents(&sample::unit(2)).await;
    world.send(&held).await;
    let code = world.sent_code().await;
    world.send(&other).await;
    let others = world.sent_code().await;
    if code != others {
        world.sign(&other, &code).await.refused(422, "code-wrong");
    }
    assert_eq!(world.sign(&other, &others).await.status, 200);
}

#[tokio::test]
async fn without_consent_no_try_is_counted() {
    let world = World::new().await;
    let held = world.with_documents(&sample::unit(1)).await;
    world.send(&held).await;
    let code = world.sent_code().await;
    for _ in 0..6 {
        let body = json!({"code": another(&code), "practice_statement": "3.1"});
        let refused = world.post(&held, "signature", &body).await;
        refused.refused(422, "consent-missing");
        assert_eq!(refused.text("pointer"), "/practice_statement");
    }
    assert_eq!(world.sign(&held, &code).await.status, 200);
}

#[tokio::test]
async fn the_next_code_has_to_wait_a_minute_whatever_the_order() {
    let world = World::new().await;
    let form = sample::unit(1);
    let held = world.with_documents(&form).await;
    let same_mobile = world.with_documents(&form).await;
    assert_eq!(world.send(&held).await.status, 202);
    world.pass(Duration::seconds(20));
    let refused = world.send(&same_mobile).await;
    refused.refused(429, "code-too-soon");
    assert_eq!(refused.retry_after.as_deref(), Some("40"));
    world.pass(Duration::seconds(40));
    assert_eq!(world.send(&same_mobile).await.status, 202);
}

#[tokio::test]
async fn a_mobile_gets_five_codes_an_hour() {
    let world = World::new().await;
    let held = world.with_documents(&sample::unit(1)).await;
    for _ in 0..5 {
        assert_eq!(world.send(&held).await.status, 202);
        world.pass(Duration::minutes(1));
    }
    let refused = world.send(&held).await;
    refused.refused(429, "code-hourly-limit");
    assert_eq!(refused.retry_after.as_deref(), Some("3300"));
    world.pass(Duration::minutes(55));
    assert_eq!(world.send(&held).await.status, 202);
}

#[tokio::test]
async fn a_mobile_gets_ten_codes_a_day() {
    let world = World::new().await;
    let held = world.with_documents(&sample::unit(1)).await;
    for _ in 0..10 {
        assert_eq!(world.send(&held).await.status, 202);
        world.pass(Duration::minutes(15));
    }
    world.send(&held).await.refused(429, "code-daily-limit");
    // 24:00 in China is 16:00 UTC.
    world.pass(Duration::hours(13));
    assert_eq!(world.send(&held).await.status, 202);
}

#[tokio::test]
async fn a_code_is_not_sent_before_it_can_be_used() {
    let world = World::new().await;
    let held = world.draft(&sample::unit(1)).await;
    world.send(&held).await.refused(409, "command-not-allowed");
    world.post(&held, "confirm", &json!({})).await;
    world.send(&held).await.refused(409, "documents-missing");
    assert!(world.store.take_errands().is_empty());
}

#[tokio::test]
async fn every_code_is_a_message_of_its_own() {
    let world = World::new().await;
    let held = world.with_documents(&sample::unit(1)).await;
    for _ in 0..2 {
        world.send(&held).await;
        let name = world.store.take_errands().pop().unwrap().name();
        let claimed = world
            .platform
            .deliveries
            .claim(&name, world.platform.now(), None)
            .await;
        assert_eq!(claimed.unwrap(), Claimed::Mine);
        world.pass(Duration::minutes(1));
    }
}

#[tokio::test]
async fn a_body_that_says_more_than_nothing_is_refused() {
    let world = World::new().await;
    let held = world.draft(&sample::unit(1)).await;
    for body in [json!({"price_fen": 1}), Value::Null] {
        let refused = world.post(&held, "confirm", &body).await;
        refused.refused(422, "body-shape");
    }
}
