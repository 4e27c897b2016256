//! Payment providers that go wrong in each way they can, and an order that is paid all the same: once.
//!
//! One test, alone in its program: the faults hold for everybody. After each fault the money is counted on both sides.
use std::time::Duration as StdDuration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use yinxin_order::form::sample;
use yinxin_store::orders::Orders as _;
use yinxin_tests::client::text;
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::money::balance;
use yinxin_tests::sandbox::Delivered;
use yinxin_tests::{Journey, Step, wait};

const LIMIT: StdDuration = StdDuration::from_secs(30);
/// Sweep looks at so many orders a run that these runs reach every order of a test stack.
const SWEEPS: usize = 12;
const PROVIDERS: [&str; 2] = ["alipay", "wechat"];

#[tokio::test]
async fn each_fault_of_a_provider_ends_with_money_that_adds_up() -> Result<()> {
    let stage = Stage::open().await?;
    let done = all(&stage).await;
    stage.sandbox.reset().await?;
    done
}

async fn all(stage: &Stage) -> Result<()> {
    for provider in PROVIDERS {
        for fault in [
            Fault::dropped(),
            Fault::of("duplicate", json!({"duplicate": 3})),
            Fault::refused("wrong-key", json!({"wrong_key": true})),
            Fault::refused("wrong-app", json!({"wrong_app_id": "2021000000000404"})),
            Fault::of("system-error", json!({"system_error": 1})),
            Fault::of("rate-limited", json!({"rate_limited": 1})),
            Fault::of("lost-before", json!({"timeout_before_processing": 1})),
            Fault::of("lost-after", json!({"timeout_after_processing": 1})),
        ] {
            let name = format!("{provider}-{}", fault.name);
            paid_and_refunded(stage, provider, &fault).await.context(name)?;
        }
        another_amount(stage, provider)
            .await
            .context(format!("{provider}-wrong-amount"))?;
        late_payment(stage, provider)
            .await
            .context(format!("{provider}-late"))?;
        reordered(stage, provider)
            .await
            .context(format!("{provider}-reorder"))?;
    }
    probed(stage).await.context("probe")?;
    for keys in ["public_key", "certificate", "alternate"] {
        let fault = Fault::of("key-switch", json!({"key_switch": keys}));
        paid_and_refunded(stage, "wechat", &fault)
            .await
            .context(format!("key switch {keys}"))?;
    }
    for fault in ["refund_abnormal", "refund_closed"] {
        refund_that_stops(stage, fault).await.context(fault)?;
    }
    paid_twice(stage).await.context("paid twice")
}

/// What goes wrong while an order is paid, and again while it is refunded.
struct Fault {
    name: &'static str,
    faults: Value,
    /// How often the one notification is answered with success; `None` where it depends.
    accepted: Option<usize>,
}

impl Fault {
    fn of(name: &'static str, faults: Value) -> Self {
        Fault {
            name,
            faults,
            accepted: None,
        }
    }

    fn dropped() -> Self {
        Fault {
            accepted: Some(0),
            ..Fault::of("drop", json!({"drop_notify": true}))
        }
    }

    fn refused(name: &'static str, faults: Value) -> Self {
        Fault {
            accepted: Some(0),
            ..Fault::of(name, faults)
        }
    }
}

async fn unpaid(stage: &Stage, name: &str) -> Result<Journey> {
    let place = stage.place(&format!("fault-{name}"))?;
    let mut journey = Journey::new(stage, sample::person(new_seed()), &place).await?;
    journey.through(Step::Sign).await?;
    Ok(journey)
}

/// A code of the provider; asked for again, as a person would, where the provider does not answer.
async fn code(journey: &Journey, provider: &str) -> Result<String> {
    let applicant = journey.applicant()?;
    for _ in 0..4 {
        let answer = applicant.try_to_pay(provider).await?;
        if answer.status == 201 {
            let number = text(&answer.ok()?, "out_trade_no")?;
            let attempts = applicant.view().await?["payments"].as_array().map_or(0, Vec::len);
            ensure!(
                number.ends_with(&format!("_{attempts:02}")),
                "{number} is not the last of {attempts} attempts"
            );
            return Ok(number);
        }
        answer.refused(503, "payment-provider-busy")?;
    }
    anyhow::bail!("the provider never answers")
}

async fn paid_and_refunded(stage: &Stage, provider: &str, fault: &Fault) -> Result<()> {
    let journey = unpaid(stage, &format!("{provider}-{}", fault.name)).await?;
    let applicant = journey.applicant()?;
    stage.sandbox.faults(provider, fault.faults.clone()).await?;
    let number = code(&journey, provider).await?;
    ensure!(
        number.ends_with("_01"),
        "an unknown result was repeated under {number}"
    );
    let delivered = stage.sandbox.pay_at(provider, &number, json!({})).await?;
    let accepted = delivered
        .iter()
        .filter(|delivered| delivered.is_success())
        .count();
    ensure!(
        fault.accepted.is_none_or(|wanted| wanted == accepted),
        "accepted {accepted} times: {delivered:?}"
    );
    stage.sandbox.reset().await?;
    swept_until(stage, "the payment", async || {
        Ok(applicant.state().await? == "awaiting_review")
    })
    .await?;
    ensure!(
        balance(&journey).await?.kept() == journey.purchase.price_fen,
        "the price is not kept"
    );

    stage.sandbox.faults(provider, fault.faults.clone()).await?;
    applicant.act("cancel", &json!({})).await?.ok()?;
    settle(&journey).await?;
    stage.sandbox.reset().await?;
    refunded(&journey).await
}

/// A refund that the provider took on is done by it some time: here, when it is told to.
async fn settle(journey: &Journey) -> Result<()> {
    let stage = &journey.stage;
    for trade in stage.sandbox.all_trades(journey.number()).await? {
        for refund in trade["refunds"].as_array().into_iter().flatten() {
            let waits = refund["status"] == "PROCESSING" || refund["status"] == "ABNORMAL";
            if waits && trade["provider"] == "wechat" {
                let body = json!({"out_refund_no": refund["request_no"], "status": "SUCCESS"});
                stage.sandbox.control("wechat/refund", &body).await?;
            }
        }
    }
    Ok(())
}

/// Whatever is missing comes by asking; in the end the order is cancelled and nothing is kept.
async fn refunded(journey: &Journey) -> Result<()> {
    let applicant = journey.applicant()?;
    swept_until(&journey.stage, "the refund", async || {
        settle(journey).await?;
        Ok(applicant.state().await? == "cancelled")
    })
    .await?;
    let balance = balance(journey).await?;
    ensure!(
        balance.kept() == 0 && balance.refunded > 0,
        "the money is {balance:?}"
    );
    Ok(())
}

async fn late_payment(stage: &Stage, provider: &str) -> Result<()> {
    let journey = unpaid(stage, &format!("{provider}-late")).await?;
    let number = code(&journey, provider).await?;
    // Paid, unknown to us; then the applicant cancels.
    stage
        .sandbox
        .pay_at(provider, &number, json!({"notify": false}))
        .await?;
    journey.applicant()?.act("cancel", &json!({})).await?.ok()?;
    wait::until("the late money", LIMIT, async || {
        let received = balance(&journey).await.is_ok_and(|balance| balance.refunded > 0);
        settle(&journey).await?;
        Ok(received.then_some(()))
    })
    .await?;
    refunded(&journey).await
}

async fn reordered(stage: &Stage, provider: &str) -> Result<()> {
    let (first, second) = (
        unpaid(stage, &format!("{provider}-first")).await?,
        unpaid(stage, &format!("{provider}-second")).await?,
    );
    let (held, other) = (code(&first, provider).await?, code(&second, provider).await?);
    stage.sandbox.faults(provider, json!({"reorder": 1})).await?;
    stage.sandbox.pay_at(provider, &held, json!({})).await?;
    ensure!(
        first.applicant()?.state().await? == "awaiting_payment",
        "the notification is not held back"
    );
    stage.sandbox.pay_at(provider, &other, json!({})).await?;
    for journey in [&second, &first] {
        journey.applicant()?.reaches("awaiting_review", LIMIT).await?;
        ensure!(
            balance(journey).await?.kept() == journey.purchase.price_fen,
            "the price is not kept"
        );
    }
    Ok(())
}

async fn probed(stage: &Stage) -> Result<()> {
    let journey = unpaid(stage, "probe").await?;
    let number = code(&journey, "wechat").await?;
    stage.sandbox.faults("wechat", json!({"probe": 1})).await?;
    let delivered = stage.sandbox.pay_at("wechat", &number, json!({})).await?;
    ensure!(
        delivered.first().is_some_and(|probe| probe.status == Some(400)),
        "the probe was answered {delivered:?}"
    );
    journey.applicant()?.reaches("awaiting_review", LIMIT).await?;
    let trades = stage.sandbox.trades(journey.number()).await?;
    ensure!(trades[0]["probe_accepted"] != json!(true), "a probe was accepted");
    balance(&journey).await.map(drop)
}

/// A refund that the payer's account does not take, or whose number the provider closes.
async fn refund_that_stops(stage: &Stage, fault: &str) -> Result<()> {
    let journey = unpaid(stage, fault).await?;
    let applicant = journey.applicant()?;
    let number = code(&journey, "wechat").await?;
    stage.sandbox.pay_at("wechat", &number, json!({})).await?;
    applicant.reaches("awaiting_review", LIMIT).await?;
    stage.sandbox.faults("wechat", json!({fault: 1})).await?;
    applicant.act_to("cancel", &json!({}), "refunding").await?;
    swept_until(stage, "the refund that stops", async || {
        let order = stage.cloud.stores()?.load(&applicant.order.parse()?).await?;
        let refund = order.payments[0].refund.context("a refund")?;
        let abnormal = refund.status == yinxin_order::payment::RefundStatus::Abnormal;
        Ok(abnormal || refund.number == 2 || order.state.as_str() == "cancelled")
    })
    .await?;
    stage.sandbox.reset().await?;
    refunded(&journey).await
}

/// Two codes, two payers: one payment is kept, the other one goes back.
async fn paid_twice(stage: &Stage) -> Result<()> {
    let journey = unpaid(stage, "twice").await?;
    let applicant = journey.applicant()?;
    // A code of Alipay that nobody scanned cannot be closed.
    let first = code(&journey, "alipay").await?;
    let second = code(&journey, "wechat").await?;
    ensure!(first != second, "two attempts have one number");
    stage.sandbox.pay_at("wechat", &second, json!({})).await?;
    applicant.reaches("awaiting_review", LIMIT).await?;
    let delivered = stage.sandbox.pay_at("alipay", &first, json!({})).await?;
    ensure!(delivered.iter().all(Delivered::is_success), "{delivered:?}");
    swept_until(stage, "the second payment's way back", async || {
        Ok(balance(&journey).await.is_ok_and(|balance| balance.refunded > 0))
    })
    .await?;
    let balance = balance(&journey).await?;
    ensure!(
        balance.received == 2 * journey.purchase.price_fen && balance.kept() == journey.purchase.price_fen,
        "the money is {balance:?}"
    );
    Ok(())
}

/// Another amount than is due really was paid: it goes back, and the order can be paid.
async fn another_amount(stage: &Stage, provider: &str) -> Result<()> {
    let journey = unpaid(stage, &format!("{provider}-wrong-amount")).await?;
    let applicant = journey.applicant()?;
    let number = code(&journey, provider).await?;
    stage
        .sandbox
        .faults(provider, json!({"wrong_amount": "0.01"}))
        .await?;
    stage.sandbox.pay_at(provider, &number, json!({})).await?;
    stage.sandbox.reset().await?;
    swept_until(stage, "the return of another amount", async || {
        settle(&journey).await?;
        Ok(balance(&journey).await.is_ok_and(|balance| balance.refunded == 1))
    })
    .await?;
    ensure!(
        applicant.state().await? == "awaiting_payment",
        "a fen paid for a certificate"
    );
    let number = code(&journey, provider).await?;
    ensure!(number.ends_with("_02"), "a paid attempt is opened again");
    stage.sandbox.pay_at(provider, &number, json!({})).await?;
    applicant.reaches("awaiting_review", LIMIT).await?;
    ensure!(
        balance(&journey).await?.kept() == journey.purchase.price_fen,
        "the price is not kept"
    );
    Ok(())
}

/// Looks, and has sweep look as if it were later, until what is waited for has happened.
async fn swept_until(stage: &Stage, what: &str, happened: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let soon = wait::until(what, StdDuration::from_secs(4), async || {
        Ok(happened().await?.then_some(()))
    });
    if soon.await.is_ok() {
        return Ok(());
    }
    for run in 1..=SWEEPS {
        let later = OffsetDateTime::now_utc() + Duration::minutes(10) * i32::try_from(run)?;
        let answer = stage
            .cloud
            .invoke("sweep", &json!({"time": later.format(&Rfc3339)?}))
            .await?;
        ensure!(answer["error"] == Value::Null, "sweep failed: {answer}");
        let soon = wait::until(what, StdDuration::from_secs(5), async || {
            Ok(happened().await?.then_some(()))
        });
        if soon.await.is_ok() {
            return Ok(());
        }
    }
    anyhow::bail!("after {SWEEPS} runs sweep has not brought {what}")
}
