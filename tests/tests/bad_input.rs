//! Bad input: each kind has its stable problem type, and changes nothing.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use yinxin_order::form::sample;
use yinxin_pki::{Attribute, CsrBuilder, Name, SigningKey, oid, pem};
use yinxin_store::codes::CodeKey;
use yinxin_store::vault::rng;
use yinxin_tests::applicant::{self, Applicant, Purchase};
use yinxin_tests::client::{Answer, new_key, text};
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::pictures::{self, Picture};
use yinxin_tests::sandbox::Delivered;
use yinxin_tests::staff::{self, Role};
use yinxin_tests::{Journey, Step};

const LIMIT: Duration = Duration::from_secs(30);

/// A unit's order that came through `step`, and what must not change.
struct Scene {
    stage: Stage,
    journey: Journey,
    before: (u64, Value),
}

impl Scene {
    async fn after(name: &str, step: Step) -> Result<Scene> {
        let stage = Stage::open().await?;
        let place = stage.place(&format!("bad-{name}"))?;
        let mut journey = Journey::new(&stage, sample::unit(new_seed()), &place).await?;
        journey.through(step).await?;
        let mut scene = Scene {
            stage,
            journey,
            before: (0, Value::Null),
        };
        scene.before = scene.now().await?;
        Ok(scene)
    }

    fn applicant(&self) -> Result<&Applicant> {
        self.journey.applicant()
    }

    async fn now(&self) -> Result<(u64, Value)> {
        let applicant = self.applicant()?;
        Ok((
            self.stage.cloud.version(&applicant.order).await?,
            applicant.view().await?,
        ))
    }

    /// The refusal, and that the order is as it was.
    async fn refuses(&self, answer: &Answer, status: u16, problem: &str) -> Result<()> {
        answer.refused(status, problem)?;
        self.is_unchanged(problem).await
    }

    async fn is_unchanged(&self, after: &str) -> Result<()> {
        ensure!(self.now().await? == self.before, "{after} changed the order");
        Ok(())
    }

    fn form(&self) -> Result<Value> {
        applicant::form_json(&self.journey.form)
    }

    async fn sign_with(&self, code: &str) -> Result<Answer> {
        let body = json!({"code": code, "practice_statement": self.journey.purchase.practice_statement});
        self.applicant()?.act("signature", &body).await
    }
}

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
    yinxin_tests::test_data::remember(&stage.world, &yinxin_tests::test_data::of_form(&denied))?;
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

#[tokio::test]
async fn a_captcha_is_good_for_one_try() -> Result<()> {
    let stage = Stage::open().await?;
    let form = sample::person(new_seed());
    let purchase = applicant::purchase(&stage.api, &form, 0).await?;
    let form = applicant::form_json(&form)?;
    yinxin_tests::test_data::remember(&stage.world, &yinxin_tests::test_data::of_form(&form))?;
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

#[tokio::test]
async fn only_small_whole_pictures_are_taken() -> Result<()> {
    let scene = Scene::after("pictures", Step::Confirm).await?;
    let applicant = scene.applicant()?;
    let large = pictures::too_large()?;
    let answer = applicant.announce("id_portrait", &large).await?;
    scene.refuses(&answer, 422, "document-too-large").await?;
    let pdf = Picture {
        content_type: "application/pdf",
        ..pictures::renamed_pdf()
    };
    let answer = applicant.announce("id_portrait", &pdf).await?;
    scene.refuses(&answer, 422, "document-type").await?;
    for (picture, code) in [
        (pictures::renamed_pdf(), "document-not-an-image"),
        (pictures::truncated_png()?, "document-undecodable"),
    ] {
        let upload = applicant.upload("id_portrait", picture).await?;
        let judged = applicant.judged(&upload, LIMIT).await?;
        ensure!(
            judged["verdict"] == "refused" && judged["code"] == code,
            "not refused as {code}: {judged}"
        );
        let view = applicant.view().await?;
        ensure!(
            view["state"] == scene.before.1["state"]
                && view["missing_documents"] == scene.before.1["missing_documents"],
            "{code} counts as a document"
        );
    }
    // More than was announced: whoever notices first, the store or the judge, nothing of it counts.
    let small = pictures::good(0)?;
    let permission = applicant.announce("id_portrait", &small).await?.ok()?;
    let (status, _) = applicant
        .api
        .upload(&text(&permission, "url")?, &permission["headers"], large.bytes)
        .await?;
    if status.is_success() {
        let judged = applicant.judged(&text(&permission, "upload")?, LIMIT).await?;
        ensure!(judged["verdict"] == "refused", "1.6 MB were taken: {judged}");
    }
    ensure!(
        applicant.view().await?["missing_documents"] == scene.before.1["missing_documents"],
        "something counts as a document"
    );
    // A refused picture does not push out an accepted one.
    let good = applicant.upload("id_portrait", pictures::good(1)?).await?;
    ensure!(
        applicant.judged(&good, LIMIT).await?["verdict"] == "accepted",
        "a good picture was refused"
    );
    let bad = applicant.upload("id_portrait", pictures::renamed_pdf()).await?;
    applicant.judged(&bad, LIMIT).await?;
    let missing = applicant.view().await?["missing_documents"].to_string();
    ensure!(
        !missing.contains("id_portrait"),
        "a refused picture pushed out a good one"
    );
    Ok(())
}

#[tokio::test]
async fn an_order_is_confirmed_once_and_signed_with_all_documents() -> Result<()> {
    let scene = Scene::after("twice", Step::Confirm).await?;
    let answer = scene.applicant()?.act("confirm", &json!({})).await?;
    scene.refuses(&answer, 409, "command-not-allowed").await?;
    let answer = scene.applicant()?.act("codes", &json!({})).await?;
    scene.refuses(&answer, 409, "documents-missing").await
}

#[tokio::test]
async fn a_cancelled_order_is_not_paid() -> Result<()> {
    let mut scene = Scene::after("cancelled", Step::Sign).await?;
    scene
        .applicant()?
        .act_to("cancel", &json!({}), "cancelled")
        .await?;
    scene.before = scene.now().await?;
    let path = scene.applicant()?.path("/payments");
    let body = json!({"provider": "alipay"});
    let answer = scene.applicant()?.api.create(&path, &body, &new_key()).await?;
    scene.refuses(&answer, 409, "command-not-allowed").await?;
    let answer = scene.applicant()?.api.post(&path, &body).await?;
    scene.refuses(&answer, 400, "idempotency-key-missing").await
}

fn problem_of(delivered: &[Delivered]) -> Result<(u16, String)> {
    let [only] = delivered else {
        anyhow::bail!("not one delivery: {delivered:?}")
    };
    let body: Value = serde_json::from_str(only.body.as_deref().unwrap_or_default())?;
    let kind = text(&body, "type")?;
    Ok((only.status.context("it was answered")?, kind))
}

#[tokio::test]
async fn a_notification_that_is_not_right_is_not_believed() -> Result<()> {
    let mut scene = Scene::after("notification", Step::Sign).await?;
    let started = scene.applicant()?.start_payment().await?;
    let number = text(&started, "out_trade_no")?;
    scene.before = scene.now().await?;
    let sandbox = scene.stage.sandbox.clone();
    for (options, problem) in [
        (
            json!({"bad_signature": true, "paid": false}),
            "/problems/notification-signature",
        ),
        (
            json!({"app_id": "2014072300007148", "paid": false}),
            "/problems/notification-app",
        ),
    ] {
        let delivered = sandbox.pay(&number, options).await?;
        ensure!(
            problem_of(&delivered)? == (400, problem.to_owned()),
            "answered {delivered:?}"
        );
        scene.is_unchanged(problem).await?;
    }
    for fields in [
        vec![],
        vec![("out_trade_no".to_owned(), number.clone())],
        vec![
            ("sign".to_owned(), "%%%".to_owned()),
            ("sign".to_owned(), "x".to_owned()),
        ],
    ] {
        let answer = scene.stage.api.post_form("/api/notify/alipay", &fields).await?;
        ensure!(
            answer.status == 400
                && answer
                    .problem()
                    .is_some_and(|problem| problem.starts_with("notification-")),
            "a malformed notification was answered {} {}",
            answer.status,
            answer.body
        );
        scene.is_unchanged("a malformed notification").await?;
    }
    let delivered = sandbox
        .pay(&number, json!({"amount": "0.01", "paid": false}))
        .await?;
    ensure!(
        problem_of(&delivered)? == (409, "/problems/notification-amount".to_owned()),
        "answered {delivered:?}"
    );
    // The money is noted for somebody to look at; nothing is credited.
    let view = scene.applicant()?.view().await?;
    ensure!(
        view == scene.before.1,
        "a wrong amount changed what the applicant sees"
    );
    ensure!(
        view["state"] == "awaiting_payment" && view["payments"][0]["status"] == "open",
        "a wrong amount was credited"
    );
    Ok(())
}

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
