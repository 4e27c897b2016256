//! What queues, streams and providers are allowed to do and seldom do: everything twice, and the later first.
//!
//! One test, alone in its program: it switches the queues off for everybody.
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use yinxin_order::form::sample;
use yinxin_tests::cloud::Cloud;
use yinxin_tests::end_state::{self, Messages};
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::sandbox::Delivered;
use yinxin_tests::{Journey, Step};

#[tokio::test]
async fn everything_twice_and_in_reverse_ends_in_the_same_states() -> Result<()> {
    let stage = Stage::open().await?;
    let seed = new_seed();
    let mut unit = Journey::new(&stage, sample::unit_by_account(seed), &stage.place("twice-unit")?).await?;
    let mut person = Journey::new(&stage, sample::person(seed + 1), &stage.place("twice-person")?).await?;
    stage.cloud.mappings("off").await?;
    let over = AtomicBool::new(false);
    let (travelled, redelivered) = tokio::join!(
        async {
            let travelled = both(&mut unit, &mut person).await;
            over.store(true, Ordering::Relaxed);
            travelled
        },
        redeliver_until(&over, &stage.cloud),
    );
    stage.cloud.mappings("on").await?;
    travelled?;
    let messages = redelivered?;
    ensure!(messages > 0, "no message was redelivered");
    for journey in [&unit, &person] {
        end_state::is_whole(journey, Messages::Once).await?;
    }
    Ok(())
}

async fn redeliver_until(over: &AtomicBool, cloud: &Cloud) -> Result<u64> {
    let mut messages = 0;
    loop {
        let last = over.load(Ordering::Relaxed);
        let done = cloud.redeliver().await?;
        ensure!(
            done["failed"] == json!({}),
            "messages failed for good: {}",
            done["failed"]
        );
        messages += done["messages"].as_u64().context("redeliver counts messages")?;
        // Once more after the end, so that everything old comes when nobody waits for it any more.
        if last {
            return Ok(messages);
        }
    }
}

async fn both(unit: &mut Journey, person: &mut Journey) -> Result<()> {
    tokio::try_join!(unit.through(Step::Documents), person.through(Step::Documents))?;
    for journey in [&*unit, &*person] {
        objects_again(journey).await?;
    }
    tokio::try_join!(unit.through(Step::Sign), person.through(Step::Sign))?;
    pay_in_reverse(unit, person).await?;
    for step in Step::ALL.iter().copied().filter(|&step| step > Step::Pay) {
        tokio::try_join!(unit.take(step), person.take(step))?;
    }
    // A provider may repeat a notification for a day.
    for journey in [&*person, &*unit] {
        let again = journey
            .stage
            .sandbox
            .notify_again(&first_attempt(journey), json!({"times": 2}))
            .await?;
        ensure!(
            again.len() == 2 && again.iter().all(Delivered::is_success),
            "a late notification was refused"
        );
    }
    Ok(())
}

/// The bucket tells of each upload twice more, the last one first.
async fn objects_again(journey: &Journey) -> Result<()> {
    let applicant = journey.applicant()?;
    let before = journey.stage.cloud.version(&applicant.order).await?;
    let view = applicant.view().await?;
    let documents = view["documents"].as_array().context("a list")?;
    for document in documents.iter().rev().flat_map(|document| [document, document]) {
        let key = format!(
            "in/{}/{}/{}",
            applicant.order,
            document["kind"].as_str().context("a kind")?,
            document["upload"].as_str().context("an upload")?
        );
        let event = json!({"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": key}}}]});
        let answer = journey.stage.cloud.invoke("upload", &event).await?;
        ensure!(
            answer["error"] == Value::Null,
            "an upload that was judged fails: {answer}"
        );
    }
    ensure!(
        journey.stage.cloud.version(&applicant.order).await? == before,
        "a repeated event changed the order"
    );
    Ok(())
}

fn first_attempt(journey: &Journey) -> String {
    format!("{}_01", journey.number())
}

/// Both pay; the notifications come later, each twice, those of the second payment first.
async fn pay_in_reverse(unit: &Journey, person: &Journey) -> Result<()> {
    for journey in [unit, person] {
        let started = journey.applicant()?.start_payment().await?;
        ensure!(
            started["out_trade_no"] == json!(first_attempt(journey)),
            "the attempt has another number"
        );
        let none = journey
            .stage
            .sandbox
            .pay(&first_attempt(journey), json!({"notify": false}))
            .await?;
        ensure!(none.is_empty(), "a notification was sent");
    }
    for journey in [person, unit, person, unit] {
        let delivered = journey
            .stage
            .sandbox
            .notify_again(&first_attempt(journey), json!({"times": 2}))
            .await?;
        ensure!(
            delivered.len() == 2 && delivered.iter().all(Delivered::is_success),
            "a notification was refused: {delivered:?}"
        );
    }
    for journey in [unit, person] {
        journey
            .applicant()?
            .reaches("awaiting_review", Duration::from_secs(10))
            .await?;
    }
    Ok(())
}
