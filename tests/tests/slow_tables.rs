//! Notifications while DynamoDB is slow, and while it is throttled: answered in time, and not lost.
//!
//! One test, alone in its program: the function `payment` reaches its tables through a proxy for everybody.
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use yinxin_order::form::sample;
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::money::balance;
use yinxin_tests::proxy::{Proxy, Weather};
use yinxin_tests::sandbox::Delivered;
use yinxin_tests::{Journey, Step};

/// WeChat Pay's limit; Alipay's is longer.
const PROVIDERS_LIMIT: Duration = Duration::from_secs(5);
/// Longer than the function may run.
const SLOW: Duration = Duration::from_secs(12);
/// A message that failed comes back after a minute.
const LIMIT: Duration = Duration::from_mins(4);
const VARIABLE: &str = "AWS_ENDPOINT_URL_DYNAMODB";

#[tokio::test]
async fn a_notification_is_answered_in_time_and_not_lost_however_the_tables_are() -> Result<()> {
    let stage = Stage::open().await?;
    let mut waiting = Vec::new();
    for (name, provider) in [("slow-alipay", "alipay"), ("slow-wechat", "wechat")] {
        for weather in [Weather::Slow(SLOW), Weather::Throttled] {
            let place = stage.place(&format!("{name}-{}", waiting.len()))?;
            let mut journey = Journey::new(&stage, sample::person(new_seed()), &place).await?;
            journey.through(Step::Sign).await?;
            let code = journey.applicant()?.try_to_pay(provider).await?.ok()?;
            let number = code["out_trade_no"].as_str().unwrap_or_default().to_owned();
            waiting.push((journey, provider, weather, number));
        }
    }
    let proxy = Proxy::start(&stage.world.aws_endpoint).await?;
    stage
        .cloud
        .set_env("payment", VARIABLE, Some(&proxy.url()))
        .await?;
    let paid = pay_all(&stage, &proxy, &waiting).await;
    proxy.set(Weather::Fair);
    let credited = match paid {
        Ok(()) => all_credited(&waiting).await,
        failed => failed,
    };
    stage.cloud.set_env("payment", VARIABLE, None).await?;
    credited
}

type Waiting = (Journey, &'static str, Weather, String);

async fn pay_all(stage: &Stage, proxy: &Proxy, waiting: &[Waiting]) -> Result<()> {
    for (journey, provider, weather, number) in waiting {
        proxy.set(*weather);
        let started = Instant::now();
        let delivered = stage.sandbox.pay_at(provider, number, json!({})).await?;
        let took = started.elapsed();
        ensure!(
            delivered.len() == 1 && delivered.iter().all(Delivered::is_success),
            "{provider} was answered {delivered:?} while the tables were {weather:?}"
        );
        ensure!(
            took < PROVIDERS_LIMIT,
            "{provider} waited {took:?} while the tables were {weather:?}"
        );
        ensure!(
            journey.applicant()?.state().await? == "awaiting_payment",
            "the tables were not {weather:?}"
        );
    }
    Ok(())
}

async fn all_credited(waiting: &[Waiting]) -> Result<()> {
    for (journey, ..) in waiting {
        journey.applicant()?.reaches("awaiting_review", LIMIT).await?;
        ensure!(
            balance(journey).await?.kept() == journey.purchase.price_fen,
            "the price is not kept"
        );
    }
    Ok(())
}
