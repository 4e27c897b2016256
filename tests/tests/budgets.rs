//! No operation calls AWS more often than it is allowed to: `budgets.json` says how often.
use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use yinxin_order::form::sample;
use yinxin_tests::journey::{Stage, new_seed, unix_ms};
use yinxin_tests::usage::operations;
use yinxin_tests::{Journey, Step};

const BUDGETS: &str = include_str!("../budgets.json");
/// So many of each kind: the first warm the functions' processes for the last.
const JOURNEYS: u32 = 2;
/// What the first request that needs them fetches besides: two secrets, and the data key of an order that the
/// process has not seen. It need not be the process's first request, so it is allowed on top of every budget.
const ONCE_PER_PROCESS: u64 = 3;
/// What these do grows with what is waiting: other tests' orders, and records that come together.
const UNCOUNTED: [&str; 2] = ["sweep: schedule", "issue: schedule"];

#[tokio::test]
async fn no_operation_calls_aws_more_often_than_its_budget() -> Result<()> {
    let budgets: BTreeMap<String, u64> = serde_json::from_str(BUDGETS)?;
    let stage = Stage::open().await?;
    let began_at = unix_ms();
    for number in 0..JOURNEYS {
        let seed = new_seed();
        let forms = [
            ("budget-unit", sample::unit(seed)),
            ("budget-person", sample::person_by_account(seed + 1)),
        ];
        for (name, form) in forms {
            let place = stage.place(&format!("{name}-{number}"))?;
            let mut journey = Journey::new(&stage, form, &place).await?;
            journey.through(Step::Receipt).await?;
        }
    }
    stage.cloud.idle().await?;
    let mut calls: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let all = operations(&stage.cloud.logs(began_at).await?);
    for operation in all
        .iter()
        .filter(|operation| !operation.cold && operation.succeeded())
    {
        let used = operation.aws_calls;
        let (fewest, most) = calls.entry(operation.name()).or_insert((used, used));
        (*fewest, *most) = (used.min(*fewest), used.max(*most));
    }
    println!(
        "{:<60} {:>6} {:>6} {:>6}",
        "operation", "fewest", "most", "budget"
    );
    let mut over = Vec::new();
    for (operation, (fewest, most)) in &calls {
        let budget = budgets.get(operation);
        let shown = budget.map_or("none".to_owned(), u64::to_string);
        println!("{operation:<60} {fewest:>6} {most:>6} {shown:>6}");
        let fits = budget.is_some_and(|budget| fewest <= budget && *most <= budget + ONCE_PER_PROCESS);
        if !fits && !UNCOUNTED.contains(&operation.as_str()) {
            over.push(format!("{operation}: {fewest} to {most} calls, budget {shown}"));
        }
    }
    ensure!(over.is_empty(), "over budget:\n{}", over.join("\n"));
    let unmeasured: Vec<&String> = budgets
        .keys()
        .filter(|operation| !calls.contains_key(*operation))
        .collect();
    ensure!(unmeasured.is_empty(), "budgets of nothing: {unmeasured:?}");
    Ok(())
}
