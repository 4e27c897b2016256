//! No function's log holds anything personal or secret: looked for is everything that journeys on this stack used.
//!
//! Test programs run in the order of their names; this one is called so that it is the last, and sees all logs.
use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use yinxin_order::form::sample;
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::{Journey, Step, test_data};

#[tokio::test]
async fn no_log_holds_test_data() -> Result<()> {
    let stage = Stage::open().await?;
    let seed = new_seed();
    let forms = [
        ("logs-unit", sample::unit_by_card(seed)),
        ("logs-person", sample::person_by_account(seed + 1)),
    ];
    let mut orders = Vec::new();
    for (name, form) in forms {
        let mut journey = Journey::new(&stage, form, &stage.place(name)?).await?;
        journey.through(Step::Receipt).await?;
        orders.push(journey.order()?.to_owned());
    }
    stage.cloud.idle().await?;
    let data = test_data::all(&stage.world)?;
    let lines = stage.cloud.logs(0).await?;
    let mut written: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &lines {
        *written.entry(&line.function).or_default() += 1;
    }
    for function in [
        "submit",
        "upload",
        "payment",
        "review",
        "personalise",
        "issue",
        "invoice",
        "courier",
        "notify",
        "query",
        "relay",
    ] {
        ensure!(
            written.contains_key(function),
            "{function} has written no log: there is nothing to look at"
        );
    }
    // What may be logged is found, so what may not be would be found too.
    for order in &orders {
        ensure!(
            lines.iter().any(|line| line.message.contains(order)),
            "no log names order {order}: the logs are not whole"
        );
    }
    let mut found = Vec::new();
    for line in &lines {
        for datum in data.iter().filter(|datum| datum.stands_in(&line.message)) {
            found.push(format!(
                "{} ({} {:?}): {}",
                line.function, datum.what, datum.value, line.message
            ));
        }
    }
    ensure!(
        found.is_empty(),
        "{} lines hold test data:\n{}",
        found.len(),
        found[..found.len().min(10)].join("\n")
    );
    println!("{} lines, {} values", lines.len(), data.len());
    Ok(())
}
