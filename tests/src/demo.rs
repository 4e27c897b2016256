//! The demonstration: a unit and a person order a certificate; every step is printed with its time and what it used.
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use yinxin_order::form::{ApplicationForm, sample};

use crate::certificates;
use crate::journey::{Journey, Stage, Step, new_seed, unix_ms};
use crate::usage::{Operation, Sum, operations};
use crate::world::root;

/// Where the results are left.
const RESULTS: &str = "target/demo";

/// Runs both journeys and writes the summary.
pub async fn run() -> Result<()> {
    let stage = Stage::open().await?;
    let results = root().join(RESULTS);
    if results.exists() {
        std::fs::remove_dir_all(&results)
            .with_context(|| format!("{} cannot be removed", results.display()))?;
    }
    let seed = new_seed();
    let mut summary = serde_json::Map::new();
    for (name, form) in [("unit", sample::unit(seed)), ("person", sample::person(seed + 1))] {
        let journey = travel(&stage, name, form, &results.join(name)).await?;
        summary.insert(name.to_owned(), journey);
    }
    let path = results.join("summary.json");
    std::fs::write(&path, format!("{:#}\n", Value::Object(summary)))?;
    println!("\nBoth tokens hold working certificates. Results:");
    println!("  {}", path.display());
    println!(
        "  {}/{{unit,person}}/{{order.json,sign.pem,encrypt.pem,chain.pem,token/}}",
        results.display()
    );
    Ok(())
}

async fn travel(stage: &Stage, name: &str, form: ApplicationForm, directory: &Path) -> Result<Value> {
    std::fs::create_dir_all(directory)?;
    println!("\nA {name} orders a certificate:");
    let began_at = unix_ms();
    let mut journey = Journey::new(stage, form, directory).await?;
    for &step in Step::ALL {
        print!("  {:<84}", step.sentence());
        std::io::stdout().flush()?;
        if let Err(error) = journey.take(step).await {
            println!("failed");
            return Err(error);
        }
        let took = journey.done.last().map(|done| done.took).unwrap_or_default();
        println!("{:>7} ms", took.as_millis());
    }
    let ended_at = unix_ms();
    let order = journey.applicant()?.view().await?;
    std::fs::write(directory.join("order.json"), format!("{order:#}\n"))?;
    certificates::openssl_verifies(directory).await?;
    println!("  OpenSSL verifies both certificates link by link.");
    stage.cloud.idle().await?;
    let used = operations(&stage.cloud.logs(began_at).await?);
    Ok(summarise(&journey, &order, &used, began_at, ended_at))
}

fn summarise(journey: &Journey, order: &Value, used: &[Operation], began_at: i64, ended_at: i64) -> Value {
    let mut all = Sum::default();
    let mut steps = Vec::with_capacity(journey.done.len());
    for (at, done) in journey.done.iter().enumerate() {
        // What a step set off may end in the next one's time; nothing is counted twice.
        let until = journey.done.get(at + 1).map_or(ended_at, |next| next.began_at);
        let mut sum = Sum::default();
        for operation in used
            .iter()
            .filter(|operation| (done.began_at..until).contains(&operation.ended_at()))
            .filter(|operation| operation.operation != "schedule")
        {
            sum.add(operation);
            all.add(operation);
        }
        steps.push(json!({
            "name": done.step.name(), "milliseconds": milliseconds(done.took), "aws_calls": sum.aws_calls,
            "read_units": sum.read_units, "write_units": sum.write_units, "operations": sum.operations,
        }));
    }
    json!({
        "order": order["order_id"], "number": order["number"], "state": order["state"],
        "milliseconds": ended_at - began_at, "aws_calls": all.aws_calls, "read_units": all.read_units,
        "write_units": all.write_units, "steps": steps,
    })
}

fn milliseconds(took: std::time::Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
