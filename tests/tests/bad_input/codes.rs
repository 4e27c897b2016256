//! Captchas and codes: wrong, used, expired, tried too often.
use anyhow::{Result, ensure};
use serde_json::json;
use yinxin_order::form::sample;
use yinxin_store::codes::CodeKey;
use yinxin_tests::client::new_key;
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::{Step, applicant, test_data};

use crate::scene::Scene;

#[tokio::test]
async fn a_captcha_is_good_for_one_try() -> Result<()> {
    let stage = Stage::open().await?;
    let form = sample::person(new_seed());
    let purchase = applicant::purchase(&stage.api, &form, 0).await?;
    let form = applicant::form_json(&form)?;
    test_data::remember(&stage.world, &test_data::of_form(&form))?;
    let captcha = applicant::captcha(&stage.world, &stage.api, &stage.cloud).await?;
    let wrong = json!({"captcha_id": captcha["captcha_id"], "answer": "0000"});
    let body = applicant::order_body(&purchase, &form, &wrong);
    let answer = stage.api.create("/api/orders", &body, &new_key()).await?;
    answer.refused(422, "code-wrong")?;
    let body = applicant::order_body(&purchase, &form, &captcha);
    let answer = stage.api.create("/api/orders", &body, &new_key()).await?;
    answer.refused(422, "code-exhausted")
}

#[tokio::test]
async fn a_code_works_once_and_is_tried_five_times() -> Result<()> {
    let scene = Scene::after("code", Step::Documents).await?;
    scene
        .refuses(&scene.sign_with("123456").await?, 422, "code-unknown")
        .await?;
    let mut journey = scene;
    journey.journey.take(Step::Code).await?;
    let scene = journey;
    let right = scene.journey.sent_code().to_owned();
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let soon = scene.applicant()?.act("codes", &json!({})).await?;
    scene.refuses(&soon, 429, "code-too-soon").await?;
    ensure!(
        soon.body["retry_after_s"].as_i64().is_some_and(|wait| wait > 0),
        "it does not say how long to wait"
    );
    let body = json!({"code": right, "practice_statement": "another"});
    let answer = scene.applicant()?.act("signature", &body).await?;
    scene.refuses(&answer, 422, "consent-missing").await?;
    for _ in 0..5 {
        scene
            .refuses(&scene.sign_with(wrong).await?, 422, "code-wrong")
            .await?;
    }
    // The sixth try, with the right code.
    scene
        .refuses(&scene.sign_with(&right).await?, 422, "code-exhausted")
        .await
}

#[tokio::test]
async fn an_expired_code_is_refused() -> Result<()> {
    let scene = Scene::after("expired", Step::Code).await?;
    let order = scene.applicant()?.order.parse()?;
    scene.stage.cloud.expire_code(&CodeKey::Signature(order)).await?;
    let answer = scene.sign_with(scene.journey.sent_code()).await?;
    scene.refuses(&answer, 422, "code-expired").await
}

#[tokio::test]
async fn a_used_code_signs_nothing_more() -> Result<()> {
    let scene = Scene::after("used", Step::Sign).await?;
    // The order itself takes no second signature, so the code is not even looked at.
    let answer = scene.sign_with(scene.journey.sent_code()).await?;
    scene.refuses(&answer, 409, "command-not-allowed").await?;
    let mut again = Scene::after("used-again", Step::Code).await?;
    let order = again.applicant()?.order.parse()?;
    again.stage.cloud.use_code(&CodeKey::Signature(order)).await?;
    again.before = again.now().await?;
    let answer = again.sign_with(again.journey.sent_code()).await?;
    again.refuses(&answer, 422, "code-used").await
}
