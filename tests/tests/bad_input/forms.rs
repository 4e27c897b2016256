//! Forms with bad values, and identities that do not hold.
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use yinxin_order::form::sample;
use yinxin_tests::applicant::{self, Purchase};
use yinxin_tests::client::{Answer, new_key, text};
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::{Step, test_data};

use crate::scene::Scene;

fn with(mut form: Value, pointer: &str, value: &str) -> Result<Value> {
    *form.pointer_mut(pointer).context("the form has the member")? = json!(value);
    Ok(form)
}

#[tokio::test]
async fn malformed_values_are_named_and_refused() -> Result<()> {
    let scene = Scene::after("malformed", Step::Create).await?;
    let form = scene.form()?;
    let code = form["credit_code"].as_str().context("a code")?;
    let wrong_check = |text: &str| {
        let last = if text.ends_with('3') { '4' } else { '3' };
        format!("{}{last}", &text[..text.len() - 1])
    };
    let id_number = text(&form["handler"]["id_document"], "number")?;
    for (pointer, value, problem) in [
        ("/credit_code", wrong_check(code), "malformed-credit-code"),
        ("/credit_code", "I".repeat(18), "malformed-credit-code"),
        (
            "/handler/id_document/number",
            wrong_check(&id_number),
            "malformed-id-number",
        ),
        (
            "/unit_check/id_number",
            "430102199002300011".to_owned(),
            "malformed-id-number",
        ),
        ("/handler/mobile", "12345678901".to_owned(), "malformed-mobile"),
        ("/unit_check/mobile", "1990000000".to_owned(), "malformed-mobile"),
    ] {
        let bad = with(form.clone(), pointer, &value)?;
        let edited = scene
            .applicant()?
            .api
            .put(&scene.applicant()?.path("/form"), &json!({"form": bad}))
            .await?;
        scene.refuses(&edited, 422, problem).await?;
        // The tagged parts of a form are read as a whole, so a pointer may end above the value, but never beside it.
        let named = text(&edited.body, "pointer")?;
        ensure!(
            format!("/form{pointer}").starts_with(&named),
            "{problem} points to {named}, not to {pointer}"
        );
        ensure!(
            !edited.body.to_string().contains(&value),
            "{problem} repeats the value that was sent"
        );
        let captcha = json!({"captcha_id": new_key(), "answer": "AAAA"});
        let body = applicant::order_body(&scene.journey.purchase, &bad, &captcha);
        scene
            .stage
            .api
            .create("/api/orders", &body, &new_key())
            .await?
            .refused(422, problem)?;
    }
    Ok(())
}

#[tokio::test]
async fn a_failed_identity_check_makes_and_changes_no_order() -> Result<()> {
    let scene = Scene::after("identity", Step::Create).await?;
    let stage = &scene.stage;
    let seed = new_seed();
    let denied = applicant::form_json(&sample::unit(seed))?;
    let number = text(&denied["handler"]["id_document"], "number")?;
    test_data::remember(&stage.world, &test_data::of_form(&denied))?;
    stage.sandbox.deny(&number).await?;
    let mut edited = scene.form()?;
    edited["handler"] = denied["handler"].clone();
    let answer = scene
        .applicant()?
        .api
        .put(&scene.applicant()?.path("/form"), &json!({"form": edited}))
        .await?;
    scene.refuses(&answer, 422, "identity-check-failed").await?;
    ensure!(
        text(&answer.body, "pointer")?.starts_with("/form/handler"),
        "the problem points elsewhere: {}",
        answer.body
    );
    let key = new_key();
    let refused = create(stage, &scene.journey.purchase, &denied, &key).await?;
    refused.refused(422, "identity-check-failed")?;
    // The same call again, once the identity is in order: nothing was made under its key.
    stage.sandbox.allow(&number).await?;
    let made = create(stage, &scene.journey.purchase, &denied, &key).await?;
    ensure!(
        made.status == 201,
        "the corrected call was answered {}",
        made.body
    );
    // And once more, as a browser does that saw no answer: the same order.
    let again = create(stage, &scene.journey.purchase, &denied, &key).await?;
    ensure!(
        again.body["order_id"] == made.body["order_id"],
        "a repeated call made another order"
    );
    let other = create(stage, &scene.journey.purchase, &scene.form()?, &key).await?;
    other.refused(422, "idempotency-key-reused")
}

async fn create(stage: &Stage, purchase: &Purchase, form: &Value, key: &str) -> Result<Answer> {
    let captcha = applicant::captcha(&stage.world, &stage.api, &stage.cloud).await?;
    stage
        .api
        .create(
            "/api/orders",
            &applicant::order_body(purchase, form, &captcha),
            key,
        )
        .await
}
