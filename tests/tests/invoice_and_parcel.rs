//! What follows an approval and a dispatch by itself: the invoice arrives by mail, and the courier tells where the parcel is.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use yinxin_order::form::sample;
use yinxin_tests::client::text;
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::staff::Role;
use yinxin_tests::wait;
use yinxin_tests::{Journey, Step};

/// How long anything may take that the platform does by itself.
const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn an_invoice_arrives_by_mail_and_a_parcel_is_followed() -> Result<()> {
    let stage = Stage::open().await?;
    let mut journey = Journey::new(&stage, sample::unit(new_seed()), &stage.place("invoice")?).await?;
    journey.through(Step::Approve).await?;
    the_invoice_arrives(&journey).await?;
    journey.through(Step::Dispatch).await?;
    the_parcel_is_followed(&journey).await?;
    // Who signed need not be who applied: the receipt is the applicant's to confirm.
    journey.through(Step::Receipt).await?;
    a_refused_invoice_is_asked_for_again(&stage).await?;
    let letters = stage.cloud.dead_letters().await?;
    for queue in ["invoice", "courier"] {
        ensure!(letters[queue] == json!(0), "an errand was given up: {letters}");
    }
    Ok(())
}

async fn the_invoice_arrives(journey: &Journey) -> Result<()> {
    let invoice = invoice_that_is(journey, "issued").await?;
    let number = text(&invoice, "number")?;
    ensure!(number.len() == 20, "an invoice has the number {number}");
    let sandbox = &journey.stage.sandbox;
    let address = journey.form.notice_email().as_str();
    let mail = wait::until("the mail with the invoice", LIMIT, async || {
        Ok(sandbox.invoice_mails(address, journey.number()).await?.pop())
    })
    .await?;
    ensure!(mail.text.contains(&number), "the mail does not name the invoice");
    let names: Vec<&str> = mail.attachments.iter().map(|file| file.name.as_str()).collect();
    let wanted = [format!("dzfp_{number}.pdf"), format!("dzfp_{number}.ofd")];
    ensure!(names == wanted, "the mail brings {names:?}");
    let applicant = journey.applicant()?;
    for (file, format, kind, begins) in [
        (
            &mail.attachments[0],
            "pdf",
            "application/pdf",
            b"%PDF-".as_slice(),
        ),
        (&mail.attachments[1], "ofd", "application/ofd", b"PK"),
    ] {
        let path = applicant.path(&format!("/invoice?format={format}"));
        let (told, bytes) = applicant.api.download(&path).await?;
        ensure!(
            told == kind && bytes.starts_with(begins),
            "the download is {told}"
        );
        ensure!(
            bytes.len() as u64 == file.size,
            "the download is another file than the mail's"
        );
    }
    let provided = sandbox
        .invoice(journey.number())
        .await?
        .context("the provider has it")?;
    ensure!(
        provided["buyer"] == journey.form.holder_name(),
        "another buyer is invoiced"
    );
    let price = journey.purchase.price_fen;
    let yuan = format!("{}.{:02}", price / 100, price % 100);
    ensure!(
        provided["amount"] == yuan,
        "{yuan} was paid, and {} invoiced",
        provided["amount"]
    );
    ensure!(
        provided["asked"] == json!(1),
        "the invoice was asked for more than once"
    );
    Ok(())
}

/// Waits until the order's invoice stands so.
async fn invoice_that_is(journey: &Journey, status: &str) -> Result<Value> {
    wait::until(&format!("an invoice that is {status}"), LIMIT, async || {
        let invoice = journey.applicant()?.view().await?["invoice"].clone();
        Ok((invoice["status"] == status).then_some(invoice))
    })
    .await
}

async fn the_parcel_is_followed(journey: &Journey) -> Result<()> {
    let sandbox = &journey.stage.sandbox;
    let applicant = journey.applicant()?;
    let waybill = text(&applicant.view().await?["parcel"], "waybill")?;
    wait::until("the subscription", LIMIT, async || sandbox.parcel(&waybill).await).await?;
    let push = async |wish: Value| -> Result<u64> {
        let mut wish = wish;
        wish["number"] = json!(waybill);
        let answer = sandbox.control("kuaidi100/push", &wish).await?;
        answer["deliveries"][0]["status"]
            .as_u64()
            .context("the platform answered a push")
    };
    let status =
        async || -> Result<Value> { Ok(applicant.view().await?["parcel"]["tracking"]["status"].clone()) };
    let day = "2026-01-02T";
    // Out of order, and each time what the newest event says is what the applicant sees.
    for (state, hour, known) in [
        ("0", "12", "in_transit"),
        ("1", "08", "in_transit"),
        ("5", "18", "out_for_delivery"),
    ] {
        let taken = push(json!({"state": state, "at": format!("{day}{hour}:00:00+08:00")})).await?;
        ensure!(taken == 200, "a push was answered with {taken}");
        ensure!(
            status().await? == known,
            "after {state} the parcel is {}",
            status().await?
        );
    }
    let forged =
        push(json!({"state": "3", "at": format!("{day}19:00:00+08:00"), "wrong_sign": true})).await?;
    ensure!(forged == 400, "a forged push was answered with {forged}");
    ensure!(
        status().await? == "out_for_delivery",
        "a forged push was believed"
    );
    ensure!(push(json!({"state": "3", "at": format!("{day}20:00:00+08:00"), "times": 2})).await? == 200);
    ensure!(push(json!({"state": "6", "at": format!("{day}21:00:00+08:00")})).await? == 200);
    ensure!(status().await? == "signed", "something came after the signature");
    ensure!(
        applicant.state().await? == "awaiting_receipt",
        "a signature is no receipt"
    );
    let shown = applicant.api.get(&applicant.path("/parcel")).await?.ok()?;
    ensure!(
        shown["tracking"]["status"] == "signed",
        "the parcel is shown as {shown}"
    );
    Ok(())
}

async fn a_refused_invoice_is_asked_for_again(stage: &Stage) -> Result<()> {
    let mut journey = Journey::new(stage, sample::person(new_seed()), &stage.place("refused")?).await?;
    journey.through(Step::Pay).await?;
    let refuse = |code: Value| json!({"nuonuo": {"refuse": code}});
    stage.sandbox.control("faults", &refuse(json!("E9106"))).await?;
    journey.through(Step::Approve).await?;
    let failed = invoice_that_is(&journey, "failed").await;
    stage.sandbox.control("faults", &refuse(Value::Null)).await?;
    failed?;
    let officer = journey.staff(Role::Officer).await?;
    let order = journey.order()?.to_owned();
    let seen = officer.order("review", &order).await?.ok()?;
    ensure!(
        seen["invoice_failure"]["reason"] == "E9106" && seen["invoice_failure"]["detail"].is_string(),
        "the officer is told {}",
        seen["invoice_failure"]
    );
    officer
        .act("review", &order, "invoice/retry", &json!({}))
        .await?
        .ok()?;
    invoice_that_is(&journey, "issued").await?;
    Ok(())
}
