//! The providers' bills of a day beside the ledger, on the deployed stack: what nobody told of is found and credited.
//!
//! One test, alone in its program: the bill is everybody's.
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, Time, UtcOffset};
use yinxin_order::form::sample;
use yinxin_order::payment::Provider;
use yinxin_store::ledger::Ledger as _;
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::money::balance;
use yinxin_tests::{Journey, Step};

#[tokio::test]
async fn a_payment_that_nobody_told_of_is_found_on_the_bill() -> Result<()> {
    let stage = Stage::open().await?;
    let china = OffsetDateTime::now_utc().to_offset(UtcOffset::from_hms(8, 0, 0)?);
    for provider in Provider::ALL {
        stage.cloud.forget_report(provider, china.date()).await?;
    }
    let mut silent = Vec::new();
    for provider in Provider::ALL {
        let place = stage.place(&format!("bill-{}", provider.as_str()))?;
        let mut journey = Journey::new(&stage, sample::person(new_seed()), &place).await?;
        journey.through(Step::Sign).await?;
        let code = journey.applicant()?.try_to_pay(provider.as_str()).await?.ok()?;
        let number = code["out_trade_no"].as_str().context("a number")?.to_owned();
        let options = json!({"notify": false});
        stage.sandbox.pay_at(provider.as_str(), &number, options).await?;
        stage
            .sandbox
            .faults(provider.as_str(), json!({"bill_of_today": true}))
            .await?;
        silent.push((provider, journey, number));
    }
    // Tomorrow at three in the afternoon.
    let later = china.replace_time(Time::from_hms(15, 0, 0)?) + Duration::days(1);
    let event = json!({"time": later.format(&Rfc3339)?});
    // Before nine in China yesterday's bill may not be ready, and the run says so; today's is.
    let answer = stage.cloud.invoke("payment", &event).await;
    stage.sandbox.reset().await?;
    answer?;
    for (provider, journey, number) in &silent {
        let report = stage.cloud.stores()?.report(*provider, china.date()).await?;
        let report: Value = serde_json::from_str(&report.context("a report")?)?;
        let differences = report["differences"].as_array().context("a list")?;
        let ours: Vec<&Value> = differences
            .iter()
            .filter(|difference| difference["out_trade_no"] == json!(number))
            .collect();
        ensure!(
            ours.len() == 1 && ours[0]["kind"] == "not_in_ledger" && ours[0]["repaired"] == true,
            "the silent payment is reported as {ours:?}"
        );
        // Whatever else was paid today on this stack agrees, or was put right.
        ensure!(
            differences
                .iter()
                .all(|difference| difference["repaired"] == true),
            "the bill and the ledger differ: {report}"
        );
        ensure!(
            journey.applicant()?.state().await? == "awaiting_review",
            "it is not credited"
        );
        ensure!(
            balance(journey).await?.kept() == journey.purchase.price_fen,
            "the price is not kept"
        );
    }
    Ok(())
}
