//! The registration platform hands a unit over, the unit orders, the platform asks how far that came.
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use yinxin_order::form::sample;
use yinxin_tests::applicant::{self, Applicant};
use yinxin_tests::client::{new_key, text};
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::{staff, test_data};

/// A system of this test's own: a new credential ends the old one of its system.
const SYSTEM: &str = "test-registration";
const OTHER_SYSTEM: &str = "test-other";

#[tokio::test]
async fn an_order_keeps_to_what_was_registered() -> Result<()> {
    let stage = Stage::open().await?;
    let system = staff::system(&stage.world, SYSTEM).await?;
    let order = sample::unit(new_seed());
    let form = applicant::form_json(&order)?;
    test_data::remember(&stage.world, &test_data::of_form(&form))?;
    let registered = intake(&form);
    stage
        .api
        .create("/api/intakes", &registered, &new_key())
        .await?
        .refused(401, "token-missing")?;
    stage
        .api
        .with_token(&format!("{SYSTEM}:guessed"))
        .create("/api/intakes", &registered, &new_key())
        .await?
        .refused(401, "credential-invalid")?;
    let key = new_key();
    let made = system.create("/api/intakes", &registered, &key).await?.ok()?;
    let uid = text(&made, "uid")?;
    ensure!(
        text(&made, "portal_url")?.contains(&uid),
        "the portal's address does not name the intake"
    );
    let again = system.create("/api/intakes", &registered, &key).await?.ok()?;
    ensure!(again["uid"] == json!(uid), "a repeated call made another intake");

    let purchase = applicant::purchase(&stage.api, &order, 0).await?;
    let body = async |form: &Value, uid: &str| -> Result<Value> {
        let captcha = applicant::captcha(&stage.world, &stage.api, &stage.cloud).await?;
        let mut body = applicant::order_body(&purchase, form, &captcha);
        body["intake"] = json!(uid);
        Ok(body)
    };
    let mut other = form.clone();
    other["unit_name"] = json!("长沙别的样例有限公司");
    let refused = stage
        .api
        .create("/api/orders", &body(&other, &uid).await?, &new_key())
        .await?;
    refused.refused(422, "intake-differs")?;
    ensure!(
        text(&refused.body, "pointer")? == "/form/unit_name",
        "it does not say what differs: {}",
        refused.body
    );
    stage
        .api
        .create("/api/orders", &body(&form, &new_key()).await?, &new_key())
        .await?
        .refused(422, "no-such-intake")?;
    let created = stage
        .api
        .create("/api/orders", &body(&form, &uid).await?, &new_key())
        .await?
        .ok()?;
    let applicant = Applicant::of(&stage.world, &stage.api, &created)?;
    applicant
        .act_to("confirm", &json!({}), "awaiting_documents")
        .await?;

    let path = format!("/api/intakes/{uid}/orders");
    let progress = system.get(&path).await?.ok()?;
    let [only] = progress["orders"].as_array().context("a list")?.as_slice() else {
        anyhow::bail!("not one order: {progress}")
    };
    ensure!(
        only["no"] == 1 && only["state"] == "awaiting_documents" && only["request_type"] == "new",
        "the progress is {only}"
    );
    let shown = progress.to_string();
    for datum in test_data::of_form(&form["handler"]) {
        // The unit's own platform knows whose application it is, but the number is masked.
        let is_shown = ["name", "email", "mobile"].contains(&datum.what.as_str());
        ensure!(
            is_shown || !shown.contains(&datum.value),
            "the progress shows the handler's {}",
            datum.what
        );
    }
    let stranger = staff::system(&stage.world, OTHER_SYSTEM).await?;
    let answer = stranger.get(&path).await?;
    ensure!(
        answer.status >= 400,
        "another system sees the orders: {}",
        answer.body
    );
    Ok(())
}

/// What the registration platform knows of a sample form's unit.
fn intake(form: &Value) -> Value {
    json!({
        "unit_name": form["unit_name"],
        "legal_representative": {
            "name": form["unit_check"]["name"], "id_number": form["unit_check"]["id_number"],
            "mobile": form["unit_check"]["mobile"],
        },
        "request_type": "new",
        "seal_type": form["seal_type"],
        "mailing": form["mailing"],
        "handler": {
            "name": form["handler"]["name"], "id_number": form["handler"]["id_document"]["number"],
            "mobile": form["handler"]["mobile"], "email": form["handler"]["email"],
        },
    })
}
