//! What functions used, from the metric lines in their logs (CloudWatch's embedded metric format).
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cloud::LogLine;

/// One metric line: one request or one effect done.
#[derive(Debug, Clone, Deserialize)]
pub struct Operation {
    #[serde(rename = "_aws")]
    envelope: Envelope,
    /// The function.
    pub function: String,
    /// A route, or an effect's name.
    pub operation: String,
    /// A status, or a word.
    pub outcome: String,
    /// Whether it was the first one of a process, which also fetches secrets.
    pub cold: bool,
    /// Calls to AWS.
    pub aws_calls: u64,
    /// DynamoDB read capacity units.
    pub read_units: f64,
    /// DynamoDB write capacity units.
    pub write_units: f64,
    /// How long it took.
    pub duration_ms: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct Envelope {
    #[serde(rename = "Timestamp")]
    timestamp: i64,
}

impl Operation {
    /// When it ended, Unix milliseconds.
    pub fn ended_at(&self) -> i64 {
        self.envelope.timestamp
    }

    /// Whether it did its work.
    pub fn succeeded(&self) -> bool {
        self.outcome == "done" || self.outcome.starts_with('2')
    }

    /// Function and operation.
    pub fn name(&self) -> String {
        format!("{}: {}", self.function, self.operation)
    }
}

/// The metric lines among log lines.
pub fn operations(lines: &[LogLine]) -> Vec<Operation> {
    lines
        .iter()
        .filter(|line| line.message.contains("\"CloudWatchMetrics\""))
        .filter_map(|line| {
            let from = line.message.find('{')?;
            serde_json::from_str(&line.message[from..]).ok()
        })
        .collect()
}

/// Sums of operations.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Sum {
    /// Calls to AWS.
    pub aws_calls: u64,
    /// DynamoDB read capacity units.
    pub read_units: f64,
    /// DynamoDB write capacity units.
    pub write_units: f64,
    /// How often each operation was done.
    pub operations: BTreeMap<String, u32>,
}

impl Sum {
    /// Adds one operation.
    pub fn add(&mut self, operation: &Operation) {
        self.aws_calls += operation.aws_calls;
        self.read_units += operation.read_units;
        self.write_units += operation.write_units;
        *self.operations.entry(operation.name()).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metric_lines_are_found_among_others() {
        let line = |message: &str| LogLine {
            function: "submit".to_owned(),
            at: 0,
            message: message.to_owned(),
        };
        let metric = r#"{"_aws":{"Timestamp":5,"CloudWatchMetrics":[]},"function":"submit","operation":"POST /api/captchas",
            "outcome":"201","cold":false,"duration_ms":1.5,"aws_calls":2,"read_units":0.5,"write_units":1.0}"#;
        let found = operations(&[line("START"), line(metric), line(r#"{"level":"INFO"}"#)]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].ended_at(), found[0].name().as_str()),
            (5, "submit: POST /api/captchas")
        );
    }
}
