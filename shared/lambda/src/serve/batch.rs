//! Batches of records: each record by itself, failures told back one by one.
use async_trait::async_trait;
use serde_json::{Value, json};
use tracing::error;
use yinxin_store::orders::Errand;

use crate::telemetry::Measure;

/// Why a record was not done; it comes again.
pub type BatchError = Box<dyn std::error::Error + Send + Sync>;

/// What a function does with records. The defaults refuse what the function has no business with.
#[async_trait]
pub trait Batch: Send + Sync {
    /// Does one errand from a queue. May be called again for an errand that was done.
    async fn errand(&self, errand: Errand) -> Result<(), BatchError> {
        Err(format!("no errand {} here", errand.effect.name()).into())
    }

    /// Does what one message asks for that is no errand: something that a function put on its own queue. May be called again
    /// for a message that was done.
    async fn message(&self, body: Value) -> Result<(), BatchError> {
        let kind = if body.is_object() { "object" } else { "value" };
        Err(format!("no messages here, and not this {kind}").into())
    }

    /// Looks at one object that arrived in a bucket, by its decoded key.
    async fn object(&self, key: &str) -> Result<(), BatchError> {
        Err(format!("no objects here, and not {} bytes of a key", key.len()).into())
    }

    /// Carries the errands of the table's stream on, in order; answers how many were carried, and why not more.
    async fn carry(&self, errands: &[Errand]) -> (usize, Option<BatchError>) {
        (
            0,
            Some(format!("no stream here, and not {} errands", errands.len()).into()),
        )
    }

    /// Does what is due at the time of a schedule's event.
    async fn schedule(&self, event: &Value) -> Result<(), BatchError> {
        Err(format!("no schedule here: {}", event.get("time").is_some()).into())
    }
}

pub(super) async fn answer(
    batch: &dyn Batch,
    event: Value,
    function: &'static str,
    mut cold: bool,
) -> Result<Value, lambda_runtime::Error> {
    let records = event
        .get("Records")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let source = records
        .first()
        .and_then(|record| record.get("eventSource"))
        .and_then(Value::as_str);
    if source == Some("aws:dynamodb") {
        return Ok(carry(batch, &records, function, cold).await);
    }
    let is_queue = source == Some("aws:sqs");
    let mut failures = Vec::new();
    for record in &records {
        let measure = Measure::begin(function, std::mem::take(&mut cold));
        let (operation, done) = one(batch, record).await;
        measure.end(&operation, if done.is_ok() { "done" } else { "failed" });
        if let Err(error) = done {
            error!(
                operation,
                error = crate::telemetry::causes(error.as_ref()),
                "{operation} failed and comes again"
            );
            failures.push(json!({"itemIdentifier": record.get("messageId")}));
        }
    }
    // Only SQS reads the answer; S3 invokes asynchronously and repeats where the function fails as a whole.
    if is_queue || failures.is_empty() {
        Ok(json!({"batchItemFailures": failures}))
    } else {
        Err(format!("{} of {} records failed", failures.len(), records.len()).into())
    }
}

async fn one(batch: &dyn Batch, record: &Value) -> (String, Result<(), BatchError>) {
    if let Some(body) = record.get("body").and_then(Value::as_str) {
        // The body may hold sealed secrets, so a failure does not quote it.
        return match serde_json::from_str::<Errand>(body) {
            Ok(errand) => (errand.effect.name().to_owned(), batch.errand(errand).await),
            Err(_) => match serde_json::from_str(body) {
                Ok(body) => ("message".to_owned(), batch.message(body).await),
                Err(_) => ("unreadable".to_owned(), Err("a message is no JSON".into())),
            },
        };
    }
    match record.pointer("/s3/object/key").and_then(Value::as_str) {
        Some(key) => ("object".to_owned(), batch.object(&decoded(key)).await),
        None => (
            "unreadable".to_owned(),
            Err("a record is of no known kind".into()),
        ),
    }
}

async fn carry(batch: &dyn Batch, records: &[Value], function: &'static str, cold: bool) -> Value {
    let measure = Measure::begin(function, cold);
    let mut errands = Vec::with_capacity(records.len());
    let mut numbers = Vec::with_capacity(records.len());
    for record in records {
        let number = record.pointer("/dynamodb/SequenceNumber");
        match record
            .pointer("/dynamodb/NewImage/errand/S")
            .and_then(Value::as_str)
            .map(serde_json::from_str)
        {
            Some(Ok(errand)) => {
                errands.push(errand);
                numbers.push(number);
            }
            // The mapping's filter lets only effects through; another item is none of relay's business.
            None => {}
            Some(Err(_)) => {
                error!("an effect in the stream cannot be read");
                measure.end("carry", "failed");
                return json!({"batchItemFailures": [{"itemIdentifier": number}]});
            }
        }
    }
    let (carried, failure) = batch.carry(&errands).await;
    measure.end("carry", if failure.is_none() { "done" } else { "failed" });
    let Some(error) = failure else {
        return json!({"batchItemFailures": []});
    };
    error!(
        error = crate::telemetry::causes(error.as_ref()),
        "the stream stops at a record and comes again"
    );
    // A stream goes on from the first failure.
    json!({"batchItemFailures": [{"itemIdentifier": numbers.get(carried)}]})
}

/// Keys in S3's events are form-encoded.
fn decoded(key: &str) -> String {
    form_urlencoded::parse(key.as_bytes())
        .map(|(name, _)| name.into_owned())
        .next()
        .unwrap_or_default()
}
