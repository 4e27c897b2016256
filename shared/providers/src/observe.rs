//! What providers did, as metrics: one line for each call, in CloudWatch's embedded metric format.

use std::future::Future;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use time::OffsetDateTime;

/// A result that says in one word how a call went; the word is a metric's dimension, so there are few of them.
pub trait Told {
    /// Such as `ok`, `refused`, `timeout`.
    fn outcome(&self) -> &'static str;
}

/// Runs one call to `provider` and tells how it went.
pub async fn observed<T: Told>(
    provider: &'static str,
    operation: &'static str,
    call: impl Future<Output = T>,
) -> T {
    let started = Instant::now();
    let told = call.await;
    tell(provider, operation, told.outcome(), started.elapsed());
    told
}

/// Tells of one call that somebody else ran.
pub fn tell(provider: &str, operation: &str, outcome: &str, elapsed: Duration) {
    let line = line(provider, operation, outcome, elapsed, OffsetDateTime::now_utc());
    // A log that cannot be written must not fail the work that it tells of.
    writeln!(std::io::stdout(), "{line}").ok();
}

fn line(provider: &str, operation: &str, outcome: &str, elapsed: Duration, at: OffsetDateTime) -> Value {
    let metric = |name: &str, unit: &str| json!({"Name": name, "Unit": unit});
    json!({
        "_aws": {
            "Timestamp": at.unix_timestamp_nanos() / 1_000_000,
            "CloudWatchMetrics": [{
                "Namespace": "Yinxin",
                "Dimensions": [["provider", "outcome"], ["provider", "operation", "outcome"]],
                "Metrics": [metric("provider_calls", "Count"), metric("provider_ms", "Milliseconds")],
            }],
        },
        "provider": provider, "operation": operation, "outcome": outcome,
        "provider_calls": 1, "provider_ms": elapsed.as_secs_f64() * 1000.0,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::OffsetDateTime;

    use super::line;

    #[test]
    fn a_line_counts_one_call_by_provider_and_outcome() {
        let line = line(
            "alipay",
            "refund",
            "timeout",
            Duration::from_millis(1500),
            OffsetDateTime::UNIX_EPOCH,
        );
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0],
            serde_json::json!(["provider", "outcome"])
        );
        assert_eq!(
            (&line["provider"], &line["outcome"]),
            (&"alipay".into(), &"timeout".into())
        );
        assert_eq!(
            (&line["provider_calls"], &line["provider_ms"]),
            (&1.into(), &1500.0.into())
        );
    }
}
