//! Logs and metrics: JSON lines on standard output; metrics in CloudWatch's embedded metric format.
use std::io::Write as _;
use std::time::Instant;

use serde_json::json;
use time::OffsetDateTime;
use tracing_subscriber::EnvFilter;
use yinxin_store::meter::{self, Usage};

/// Starts logging. Levels: `RUST_LOG`, else `info` for our own crates and `warn` for others.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,yinxin=info"));
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_current_span(false)
        .without_time();
    // Only a second start in one process fails, and then the first one logs.
    subscriber.try_init().ok();
}

/// An error with its causes, in one line.
///
/// Our own errors name no values; those of the AWS SDK name services, operations and request ids.
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// Measures one operation: a route, or the doing of one effect.
pub struct Measure {
    function: &'static str,
    started: Instant,
    cold: bool,
}

impl Measure {
    /// Begins; what earlier operations used is forgotten.
    pub fn begin(function: &'static str, cold: bool) -> Self {
        meter::take();
        Measure {
            function,
            started: Instant::now(),
            cold,
        }
    }

    /// Ends with one line. `operation` is a route or an effect's name, `outcome` a status or a word.
    pub fn end(self, operation: &str, outcome: &str) {
        let usage = meter::take();
        let milliseconds = self.started.elapsed().as_secs_f64() * 1000.0;
        let line = metric_line(self.function, operation, outcome, milliseconds, usage, self.cold);
        // A log that cannot be written must not fail the work that it tells of.
        writeln!(std::io::stdout(), "{line}").ok();
    }
}

fn metric_line(
    function: &str,
    operation: &str,
    outcome: &str,
    milliseconds: f64,
    usage: Usage,
    cold: bool,
) -> serde_json::Value {
    let metric = |name: &str, unit: &str| json!({"Name": name, "Unit": unit});
    json!({
        "_aws": {
            "Timestamp": OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000,
            "CloudWatchMetrics": [{
                "Namespace": "Yinxin",
                "Dimensions": [["function", "operation", "outcome"]],
                "Metrics": [
                    metric("duration_ms", "Milliseconds"), metric("aws_calls", "Count"),
                    metric("read_units", "Count"), metric("write_units", "Count"),
                ],
            }],
        },
        "function": function, "operation": operation, "outcome": outcome, "cold": cold,
        "duration_ms": milliseconds, "aws_calls": usage.calls,
        "read_units": usage.read_units, "write_units": usage.write_units,
    })
}
