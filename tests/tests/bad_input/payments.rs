//! Payments that are not due, and notifications that are not right.
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use yinxin_store::orders::Orders as _;
use yinxin_tests::Step;
use yinxin_tests::client::{new_key, text};
use yinxin_tests::sandbox::Delivered;

use crate::scene::Scene;

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
        delivered.iter().all(Delivered::is_success),
        "what is kept is answered with success: {delivered:?}"
    );
    scene.stage.cloud.idle().await?;
    // It is noted, the provider is asked and knows of no payment; nothing is credited.
    let order = scene.applicant()?.order.parse()?;
    let stored = scene.stage.cloud.stores()?.load(&order).await?;
    ensure!(
        stored.flags.len() == 1 && stored.ledger().received == 0,
        "a wrong amount is not noted, or credited"
    );
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
