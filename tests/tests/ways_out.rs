//! Orders that do not go the whole way: cancelled, sent back, expired, erased. Money that was paid goes back.
//!
//! The last test turns sweep's clock forward for every order of the stack, so all stand in one test, in order.
use std::time::Duration as StdDuration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use yinxin_order::form::{PasswordRoute, sample};
use yinxin_order::payment::Ledger;
use yinxin_store::orders::Orders;
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::staff::Role;
use yinxin_tests::wait;
use yinxin_tests::{Journey, Step};

const LIMIT: StdDuration = StdDuration::from_mins(1);
/// Sweep looks at so many orders a run that these runs reach every order of a test stack.
const SWEEPS: usize = 12;

#[tokio::test]
async fn ways_out() -> Result<()> {
    let stage = Stage::open().await?;
    a_paid_order_is_cancelled_and_refunded(&stage).await?;
    late_money_of_a_cancelled_order_goes_back(&stage).await?;
    a_rejected_order_is_corrected_and_approved(&stage).await?;
    a_silent_payment_is_found_by_asking(&stage).await?;
    a_password_whose_transfer_comes_back_is_sent_again(&stage).await?;
    waiting_ends_and_data_is_erased(&stage).await
}

async fn journey(stage: &Stage, name: &str, step: Step) -> Result<Journey> {
    let place = stage.place(&format!("out-{name}"))?;
    let mut journey = Journey::new(stage, sample::person(new_seed()), &place).await?;
    journey.through(step).await?;
    Ok(journey)
}

async fn ledger(journey: &Journey) -> Result<Ledger> {
    let store = journey.stage.cloud.stores()?;
    Ok(store.load(&journey.order()?.parse()?).await?.ledger())
}

async fn a_paid_order_is_cancelled_and_refunded(stage: &Stage) -> Result<()> {
    let journey = journey(stage, "cancelled", Step::Pay).await?;
    let applicant = journey.applicant()?;
    applicant.act_to("cancel", &json!({}), "refunding").await?;
    let view = applicant.reaches("cancelled", LIMIT).await?;
    ensure!(
        view["payments"][0]["status"] == "refunded",
        "the payment is {}",
        view["payments"]
    );
    let price = journey.purchase.price_fen;
    let wanted = Ledger {
        received: price,
        refunded: price,
        refund_due: 0,
    };
    ensure!(
        ledger(&journey).await? == wanted,
        "the money is {:?}",
        ledger(&journey).await?
    );
    refunded_once(&journey).await?;
    applicant
        .act("cancel", &json!({}))
        .await?
        .refused(409, "command-not-allowed")
}

async fn refunded_once(journey: &Journey) -> Result<()> {
    let trades = journey.stage.sandbox.trades(journey.number()).await?;
    let price = format!(
        "{}.{:02}",
        journey.purchase.price_fen / 100,
        journey.purchase.price_fen % 100
    );
    ensure!(
        trades.len() == 1 && trades[0]["refunded"] == json!(price),
        "the provider's trades are {trades:?}"
    );
    Ok(())
}

async fn late_money_of_a_cancelled_order_goes_back(stage: &Stage) -> Result<()> {
    let journey = journey(stage, "late-money", Step::Sign).await?;
    let applicant = journey.applicant()?;
    let started = applicant.start_payment().await?;
    let number = started["out_trade_no"].as_str().unwrap_or_default().to_owned();
    applicant.act_to("cancel", &json!({}), "cancelled").await?;
    // The code was not scanned, so it could not be closed; now somebody scans it.
    let delivered = stage.sandbox.pay(&number, json!({"times": 2})).await?;
    ensure!(
        delivered.iter().all(yinxin_tests::sandbox::Delivered::is_success),
        "late money was refused: {delivered:?}"
    );
    applicant.reaches("cancelled", LIMIT).await?;
    wait::until("the refund of late money", LIMIT, async || {
        let ledger = ledger(&journey).await?;
        Ok((ledger.refunded == journey.purchase.price_fen).then_some(()))
    })
    .await?;
    ensure!(
        applicant.state().await? == "cancelled",
        "the order has come back to life"
    );
    refunded_once(&journey).await
}

async fn a_rejected_order_is_corrected_and_approved(stage: &Stage) -> Result<()> {
    let journey = journey(stage, "rejected", Step::Pay).await?;
    let applicant = journey.applicant()?;
    let officer = journey.staff(Role::Officer).await?;
    officer
        .reject(&applicant.order, "the seal specimen cannot be read")
        .await?
        .ok()?;
    let view = applicant.view().await?;
    ensure!(
        view["state"] == "awaiting_correction" && view["rejection"] == "the seal specimen cannot be read",
        "the applicant is not told why: {view}"
    );
    applicant
        .act_to("resubmit", &json!({}), "awaiting_review")
        .await?;
    officer.approve(&applicant.order).await?.ok()?;
    ensure!(
        applicant.view().await?["rejection"] == Value::Null,
        "an approved order still shows a rejection"
    );
    Ok(())
}

async fn a_silent_payment_is_found_by_asking(stage: &Stage) -> Result<()> {
    let journey = journey(stage, "silent", Step::Sign).await?;
    let applicant = journey.applicant()?;
    let started = applicant.start_payment().await?;
    let number = started["out_trade_no"].as_str().unwrap_or_default().to_owned();
    stage.sandbox.pay(&number, json!({"notify": false})).await?;
    ensure!(
        applicant.state().await? == "awaiting_payment",
        "the order knows of a payment that nobody told it of"
    );
    sweep_until(stage, Duration::minutes(5), "the silent payment", async || {
        Ok(applicant.state().await? == "awaiting_review")
    })
    .await
}

async fn a_password_whose_transfer_comes_back_is_sent_again(stage: &Stage) -> Result<()> {
    let place = stage.place("out-returned")?;
    let mut journey = Journey::new(stage, sample::unit_by_account(new_seed()), &place).await?;
    journey.through(Step::Personalise).await?;
    let PasswordRoute::BankMemo(payee) = journey.form.password_route() else {
        anyhow::bail!("the sample is checked by its account")
    };
    let (applicant, account) = (journey.applicant()?, payee.account_number.as_str());
    applicant.password_is("sent", LIMIT).await?;
    let void = stage.sandbox.memo(account, LIMIT).await?;
    let number = format!("{}W", journey.number());
    stage
        .sandbox
        .control(&format!("bank/{number}"), &json!({"status": "RETURNED"}))
        .await?;
    sweep_until(stage, Duration::hours(13), "the transfer's return", async || {
        Ok(applicant.view().await?["password"]["status"] == "returned")
    })
    .await?;
    applicant
        .collect_password(&void)
        .await?
        .refused(422, "memo-secret-unknown")?;
    let officer = journey.staff(Role::Officer).await?;
    let resent = officer
        .act("review", &applicant.order, "password", &json!({}))
        .await?
        .ok()?;
    ensure!(
        resent["password"]["sending"] == 2,
        "it is not sent again: {}",
        resent["password"]
    );
    applicant.password_is("sent", LIMIT).await?;
    applicant
        .collect_password(&void)
        .await?
        .refused(422, "memo-secret-wrong")?;
    journey.take(Step::Password).await
}

async fn waiting_ends_and_data_is_erased(stage: &Stage) -> Result<()> {
    let draft = journey(stage, "expired", Step::Create).await?;
    let unpaid = journey(stage, "unpaid", Step::Sign).await?;
    sweep_until(stage, Duration::days(8), "the end of waiting", async || {
        Ok(unpaid.applicant()?.state().await? == "expired")
    })
    .await?;
    ensure!(
        draft.applicant()?.state().await? == "draft",
        "a draft lives for thirty days"
    );
    sweep_until(stage, Duration::days(31), "the end of a draft", async || {
        Ok(draft.applicant()?.state().await? == "expired")
    })
    .await?;
    unpaid
        .applicant()?
        .act("payments", &json!({"provider": "alipay"}))
        .await?
        .refused(400, "idempotency-key-missing")?;
    // Past the retention period nothing personal is left, neither data nor pictures.
    let order = unpaid.order()?.to_owned();
    ensure!(
        documents(stage, &order).await? == 3,
        "the pictures of an order are kept"
    );
    sweep_until(stage, Duration::days(31 + 1826), "the erasure", async || {
        Ok(unpaid.applicant()?.view().await?["form"] == Value::Null)
    })
    .await?;
    ensure!(
        documents(stage, &order).await? == 0,
        "pictures of an erased order are left"
    );
    Ok(())
}

async fn documents(stage: &Stage, order: &str) -> Result<usize> {
    stage.cloud.objects(&format!("documents/{order}/")).await
}

/// Runs sweep as if it were `later`, until what is waited for has happened.
async fn sweep_until(
    stage: &Stage,
    later: Duration,
    what: &str,
    happened: impl AsyncFn() -> Result<bool>,
) -> Result<()> {
    let time = (OffsetDateTime::now_utc() + later).format(&Rfc3339)?;
    for _ in 0..SWEEPS {
        let answer = stage.cloud.invoke("sweep", &json!({"time": time})).await?;
        ensure!(answer["error"] == Value::Null, "sweep failed: {answer}");
        stage.cloud.idle().await?;
        if happened().await? {
            return Ok(());
        }
    }
    anyhow::bail!("after {SWEEPS} runs sweep has not brought {what}")
}
