//! Requests without proof, and people without rights.
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use yinxin_order::form::sample;
use yinxin_pki::{Attribute, CsrBuilder, Name, SigningKey, oid, pem};
use yinxin_store::vault::rng;
use yinxin_tests::client::text;
use yinxin_tests::journey::new_seed;
use yinxin_tests::staff::{self, Role};
use yinxin_tests::{Journey, Step};

use crate::scene::Scene;

#[tokio::test]
async fn a_request_without_proof_of_its_key_is_refused() -> Result<()> {
    let scene = Scene::after("csr", Step::Approve).await?;
    let operator = scene.journey.staff(Role::Operator).await?;
    let order = scene.applicant()?.order.clone();
    let seen = operator.order("personalise", &order).await?.ok()?;
    let subject = subject_of(&seen)?;
    let (key, other) = (SigningKey::generate(&mut rng()), SigningKey::generate(&mut rng()));
    let csr = |subject: &Name, signer: &SigningKey| -> Result<Value> {
        let der = CsrBuilder::new(subject, key.public_key()).sign_with(|info| signer.sign(info))?;
        Ok(json!({"csr": pem::encode(pem::CERTIFICATE_REQUEST, &der)}))
    };
    let stranger = Name::unit("长沙另一样例有限公司", None)?;
    for (body, problem) in [
        (csr(&subject, &other)?, "csr-proof"),
        (csr(&stranger, &key)?, "csr-subject"),
        (json!({"csr": "no request"}), "csr-malformed"),
    ] {
        let answer = operator.act("personalise", &order, "csr", &body).await?;
        scene.refuses(&answer, 422, problem).await?;
    }
    // The same request with its proof is taken, and then no other one.
    let good = csr(&subject, &key)?;
    let answer = operator.act("personalise", &order, "csr", &good).await?;
    ensure!(
        answer.status < 300,
        "a good request was answered {} {}",
        answer.status,
        answer.body
    );
    let der = CsrBuilder::new(&subject, other.public_key()).sign_with(|info| other.sign(info))?;
    let second = json!({"csr": pem::encode(pem::CERTIFICATE_REQUEST, &der)});
    let answer = operator.act("personalise", &order, "csr", &second).await?;
    answer.refused(409, "csr-already-submitted")
}

fn subject_of(order: &Value) -> Result<Name> {
    let attributes = order["subject"].as_array().context("a subject")?;
    let attributes = attributes
        .iter()
        .map(|attribute| {
            let kind = match attribute["type"].as_str() {
                Some("C") => oid::COUNTRY,
                Some("ST") => oid::STATE,
                Some("L") => oid::LOCALITY,
                Some("O") => oid::ORGANIZATION,
                Some("OU") => oid::ORGANIZATIONAL_UNIT,
                Some("CN") => oid::COMMON_NAME,
                other => anyhow::bail!("an attribute of type {other:?}"),
            };
            Ok(Attribute::new(kind, text(attribute, "value")?))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Name::new(attributes)?)
}

#[tokio::test]
async fn nobody_acts_on_an_order_that_is_not_theirs() -> Result<()> {
    let scene = Scene::after("strangers", Step::Pay).await?;
    let stage = &scene.stage;
    let mut other = Journey::new(stage, sample::person(new_seed()), &stage.place("bad-other")?).await?;
    other.through(Step::Create).await?;
    let path = |rest: &str| format!("/api/orders/{}{rest}", other.order().unwrap_or_default());
    // Another order's access token.
    let mine = &scene.applicant()?.api;
    mine.get(&path("")).await?.refused(403, "not-your-order")?;
    mine.post(&path("/cancel"), &json!({}))
        .await?
        .refused(403, "not-your-order")?;
    stage.api.get(&path("")).await?.refused(401, "token-missing")?;
    stage
        .api
        .with_token("x")
        .get(&path(""))
        .await?
        .refused(403, "not-your-order")?;
    ensure!(
        other.applicant()?.state().await? == "draft",
        "a stranger changed an order"
    );
    // An officer of another vendor does not even see it.
    let order = scene.applicant()?.order.clone();
    let vendors = stage.api.get("/api/vendors").await?.ok()?;
    let another = text(&vendors["vendors"][1], "id")?;
    let officer = staff::session(&stage.world, &another, Role::Officer).await?;
    officer
        .order("review", &order)
        .await?
        .refused(404, "order-not-found")?;
    scene
        .refuses(&officer.approve(&order).await?, 404, "order-not-found")
        .await?;
    scene
        .refuses(
            &officer.approve(scene.journey.number()).await?,
            404,
            "order-not-found",
        )
        .await?;
    // The vendor's operator may not review, and an applicant is no staff.
    let operator = scene.journey.staff(Role::Operator).await?;
    scene
        .refuses(&operator.approve(&order).await?, 403, "role-missing")
        .await?;
    let answer = mine
        .post(&format!("/api/review/orders/{order}/approve"), &json!({}))
        .await?;
    scene.refuses(&answer, 401, "session-invalid").await
}
