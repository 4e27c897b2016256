//! No operation calls AWS more often than it is allowed to: `budgets.json` says how often.
use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use yinxin_order::form::sample;
use yinxin_tests::journey::{Stage, new_seed, unix_ms};
use yinxin_tests::usage::operations;
use yinxin_tests::{Journey, Step};

const BUDGETS: &str = include_str!("../budgets.json");
/// So many of each kind: most invocations then find secrets and keys that an earlier one of their process fetched.
const JOURNEYS: u32 = 2;

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
    let mut calls: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let all = operations(&stage.cloud.logs(began_at).await?);
    for operation in all
        .iter()
        .filter(|operation| !operation.cold && operation.succeeded())
    {
        calls
            .entry(operation.name())
            .or_default()
            .push(operation.aws_calls);
    }
    let usual: BTreeMap<String, u64> = calls
        .into_iter()
        .map(|(operation, calls)| (operation, median(calls)))
        .collect();
    println!("{:<60} {:>6} {:>6}", "operation", "calls", "budget");
    let mut over = Vec::new();
    for (operation, used) in &usual {
        let budget = budgets.get(operation);
        let shown = budget.map_or("none".to_owned(), u64::to_string);
        println!("{operation:<60} {used:>6} {shown:>6}");
        // What sweep does grows with the orders that are late.
        let is_counted = !operation.starts_with("sweep:");
        if is_counted && budget.is_none_or(|budget| used > budget) {
            over.push(format!("{operation}: {used} calls, budget {shown}"));
        }
    }
    ensure!(over.is_empty(), "over budget:\n{}", over.join("\n"));
    let unmeasured: Vec<&String> = budgets
        .keys()
        .filter(|operation| !usual.contains_key(*operation))
        .collect();
    ensure!(unmeasured.is_empty(), "budgets of nothing: {unmeasured:?}");
    Ok(())
}

/// What most invocations used. A process fetches a secret with the first request that needs it, which is not always its first.
fn median(mut calls: Vec<u64>) -> u64 {
    calls.sort_unstable();
    calls[(calls.len() - 1) / 2]
}
