//! The functions' processes are killed again and again while two orders are on their way.
//!
//! One test, alone in its program: it kills the processes of everybody.
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use yinxin_order::form::sample;
use yinxin_tests::cloud::Cloud;
use yinxin_tests::end_state::{self, Messages};
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::{Journey, Step};

/// Between two killings, so that something is done at all.
const PAUSE: Duration = Duration::from_millis(400);
/// With fewer the test would show nothing.
const MIN_KILLED: usize = 10;

#[tokio::test]
async fn orders_outlast_the_death_of_the_functions() -> Result<()> {
    let stage = Stage::open().await?.stubborn();
    let seed = new_seed();
    let mut unit = Journey::new(&stage, sample::unit(seed), &stage.place("killed-unit")?).await?;
    let mut person = Journey::new(
        &stage,
        sample::person_by_account(seed + 1),
        &stage.place("killed-person")?,
    )
    .await?;
    let over = AtomicBool::new(false);
    let (travelled, killed) = tokio::join!(
        async {
            let travelled = tokio::try_join!(unit.through(Step::Receipt), person.through(Step::Receipt));
            over.store(true, Ordering::Relaxed);
            travelled
        },
        kill_until(&over, &stage.cloud),
    );
    travelled?;
    let killed = killed?;
    ensure!(killed >= MIN_KILLED, "only {killed} processes were killed");
    stage.cloud.idle().await?;
    for journey in [&unit, &person] {
        end_state::is_whole(journey, Messages::AtLeastOnce).await?;
    }
    let dead = stage.cloud.dead_letters().await?;
    ensure!(
        dead == json!({"issue": 0, "notify": 0, "payment": 0, "invoice": 0, "courier": 0, "relay": 0}),
        "effects were given up: {dead}"
    );
    Ok(())
}

async fn kill_until(over: &AtomicBool, cloud: &Cloud) -> Result<usize> {
    let mut killed = 0;
    while !over.load(Ordering::Relaxed) {
        killed += cloud.kill_workers().await?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(killed)
}
