//! How often identities are checked, and what is kept of a check.
use serde_json::json;
use time::Duration;
use yinxin_order::form::{ApplicationForm, sample};
use yinxin_order::order::IdentityEvidence;
use yinxin_providers::identity::{Field, Outcome};
use yinxin_store::checks::MAX_TRIES_PER_DAY;

use crate::world::{Answer, World};

const MISMATCH: Outcome = Outcome::Mismatch { which: Field::Mobile };

async fn try_with(world: &World, form: &ApplicationForm) -> Answer {
    let body = world.new_order(form).await;
    world.create(&body).await
}

/// The form with another value.
fn with(form: &ApplicationForm, pointer: &str, value: &str) -> ApplicationForm {
    let mut changed = serde_json::to_value(form).unwrap();
    *changed.pointer_mut(pointer).unwrap() = json!(value);
    serde_json::from_value(changed).unwrap()
}

#[tokio::test]
async fn five_tries_a_day_with_a_number_and_no_more_questions_after_that() {
    let world = World::new().await;
    world.checks.answer("Phone3(..)", MISMATCH);
    for _ in 0..MAX_TRIES_PER_DAY {
        try_with(&world, &sample::person(1))
            .await
            .refused(422, "identity-check-failed");
    }
    world.checks.asked();
    let refused = try_with(&world, &sample::person(1)).await;
    refused.refused(429, "identity-check-limit");
    assert!(refused.text("title_zh").contains("今日身份核验次数"));
    assert!(world.checks.asked().is_empty());
    // Another mobile is no way around the number, and another person none around the mobile.
    let mobile = sample::mobile(2).as_str().to_owned();
    let other_mobile = with(&sample::person(1), "/mobile", &mobile);
    try_with(&world, &other_mobile)
        .await
        .refused(429, "identity-check-limit");
    let same_mobile = with(&sample::person(2), "/mobile", sample::mobile(1).as_str());
    try_with(&world, &same_mobile)
        .await
        .refused(429, "identity-check-limit");
    // Refused tries count for nobody.
    try_with(&world, &sample::person(2))
        .await
        .refused(422, "identity-check-failed");
    // 24:00 in China is 16:00 UTC.
    world.pass(Duration::hours(15));
    world.checks.answer("Phone3(..)", Outcome::Match);
    assert_eq!(try_with(&world, &sample::person(1)).await.status, 201);
}

#[tokio::test]
async fn a_mismatch_is_asked_again_only_with_a_new_try() {
    let world = World::new().await;
    world.checks.answer("Phone3(..)", MISMATCH);
    let (key, body) = (world.key(), world.new_order(&sample::person(1)).await);
    world
        .create_with(&key, &body)
        .await
        .refused(422, "identity-check-failed");
    assert_eq!(world.checks.asked().len(), 1);
}

#[tokio::test]
async fn what_matched_within_a_day_is_not_paid_for_again() {
    let world = World::new().await;
    world.checks.answer("Phone3(..)", MISMATCH);
    let form = sample::unit(1);
    try_with(&world, &form)
        .await
        .refused(422, "identity-check-failed");
    assert_eq!(world.checks.asked(), ["Enterprise4(..)", "Phone3(..)"]);
    world.checks.answer("Phone3(..)", Outcome::Match);
    for _ in 0..2 {
        assert_eq!(try_with(&world, &form).await.status, 201);
    }
    // The unit from the first try; then both mobiles, once.
    assert_eq!(world.checks.asked(), ["Phone3(..)", "Phone3(..)"]);
    // Known answers are no tries: the day's limit does not end them.
    for _ in 0..MAX_TRIES_PER_DAY {
        assert_eq!(try_with(&world, &form).await.status, 201);
    }
    assert!(world.checks.asked().is_empty());
    world.pass(Duration::DAY);
    assert_eq!(try_with(&world, &form).await.status, 201);
    assert_eq!(world.checks.asked().len(), 3);
}

#[tokio::test]
async fn an_answer_is_good_for_the_same_values_alone() {
    let world = World::new().await;
    assert_eq!(try_with(&world, &sample::person(1)).await.status, 201);
    world.checks.asked();
    let renamed = with(&sample::person(1), "/name", "测试改名");
    try_with(&world, &renamed).await;
    assert_eq!(world.checks.asked(), ["Phone3(..)"]);
}

#[tokio::test]
async fn a_provider_that_is_away_uses_up_no_try() {
    let world = World::new().await;
    world.checks.answer("Phone3(..)", Outcome::ProviderBusy);
    for _ in 0..=MAX_TRIES_PER_DAY {
        try_with(&world, &sample::person(1))
            .await
            .refused(503, "identity-check-busy");
    }
    world.checks.answer("Phone3(..)", Outcome::Match);
    assert_eq!(try_with(&world, &sample::person(1)).await.status, 201);
}

#[tokio::test]
async fn the_same_question_is_asked_once_in_a_form() {
    let world = World::new().await;
    let mut form = serde_json::to_value(sample::unit(1)).unwrap();
    let representative = form["unit_check"].clone();
    form["handler"]["name"] = representative["name"].clone();
    form["handler"]["id_document"] = json!({"type": "resident_id", "number": representative["id_number"]});
    form["handler"]["mobile"] = representative["mobile"].clone();
    let form: ApplicationForm = serde_json::from_value(form).unwrap();
    let held = world.draft(&form).await;
    assert_eq!(world.checks.asked(), ["Enterprise4(..)", "Phone3(..)"]);
    let checks = world.load(&held).await.personal.unwrap().checks;
    assert_eq!(checks.len(), 3);
    assert_eq!(checks[1], checks[2]);
}

#[tokio::test]
async fn the_evidence_holds_masked_values_and_the_providers_number() {
    let world = World::new().await;
    for (form, has_card) in [(sample::person_by_card(1), true), (sample::person(2), false)] {
        let held = world.draft(&form).await;
        let checks = world.load(&held).await.personal.unwrap().checks;
        let [evidence] = &checks[..] else {
            panic!("one check")
        };
        assert_eq!(evidence.request_id, "request-1");
        let (number, mobile) = (form.contact_document(), form.notice_mobile().as_str());
        let (number, values) = (number.number(), &evidence.values);
        let shown = format!("{}{}{}", &number[..3], "*".repeat(11), &number[14..]);
        assert_eq!(values.id_number.as_deref(), Some(shown.as_str()));
        let shown = format!("{}****{}", &mobile[..3], &mobile[7..]);
        assert_eq!(values.mobile.as_deref(), Some(shown.as_str()));
        let card = sample::bank_card(1);
        let ending = &card.as_str()[card.as_str().len() - 4..];
        assert_eq!(values.card_ending.as_deref(), has_card.then_some(ending));
        let stored = serde_json::to_string(evidence).unwrap();
        for whole in [number, mobile, card.as_str(), form.holder_name()] {
            assert!(!stored.contains(whole), "{stored}");
        }
    }
}

#[test]
fn evidence_from_before_values_were_kept_is_read() {
    let old = r#"{"check":"phone3","request_id":"r","checked_at":"2026-03-02T01:00:00Z"}"#;
    let evidence: IdentityEvidence = serde_json::from_str(old).unwrap();
    assert_eq!(evidence.values, yinxin_order::order::MaskedValues::default());
}
