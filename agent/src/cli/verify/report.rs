//! A report as text and as JSON.
use serde_json::{Value, json};
use time::OffsetDateTime;
use yinxin_pki::path::{Check, Outcome, Report};

use crate::cli::inspect::china;
pub use crate::cli::inspect::utc;
use crate::cli::output::name;

/// What was found out about one object of a file.
pub struct Judgement {
    pub file: String,
    pub kind: &'static str,
    pub anchor: Option<String>,
    pub report: Report,
}

impl Judgement {
    /// A file of which nothing can be judged has failed.
    pub fn unreadable(file: &str, reason: &str) -> Self {
        Self {
            file: file.to_owned(),
            kind: "unreadable",
            anchor: None,
            report: Report {
                verdict: Outcome::Failed,
                path: Vec::new(),
                anchor: None,
                checks: Vec::new(),
                notes: vec![reason.to_owned()],
            },
        }
    }

    /// The subject of a check: a certificate of the path, the trust anchor, or the object itself.
    fn subject(&self, check: &Check) -> String {
        match check.certificate {
            Some(at) => self
                .report
                .path
                .get(at)
                .map_or_else(String::new, |certificate| name(certificate.subject())),
            None if check.rule == yinxin_pki::path::Rule::TrustAnchor => {
                self.anchor.clone().unwrap_or_default()
            }
            None => String::new(),
        }
    }

    pub fn to_text(&self, at: OffsetDateTime) -> String {
        let mut text = format!(
            "{} ({}), at {}: {}\n",
            self.file,
            self.kind,
            china(at),
            self.report.verdict
        );
        let mut last = None;
        for check in &self.report.checks {
            let subject = self.subject(check);
            if !subject.is_empty() && last.as_ref() != Some(&subject) {
                text.extend(["  ", &subject, "\n"]);
            }
            last = Some(subject);
            let (outcome, rule) = (check.outcome.as_str(), check.rule.id());
            let line = format!("    {outcome:<13} {rule:<20} {}\n", check.reason);
            text.push_str(&line);
        }
        for note in &self.report.notes {
            text.extend(["  note: ", note, "\n"]);
        }
        text.push('\n');
        text
    }

    pub fn to_json(&self) -> Value {
        let checks: Vec<Value> = self
            .report
            .checks
            .iter()
            .map(|check| {
                json!({
                    "rule": check.rule.id(),
                    "certificate": check.certificate,
                    "subject": self.subject(check),
                    "outcome": check.outcome.as_str(),
                    "reason": check.reason,
                })
            })
            .collect();
        let path: Vec<Value> = self
            .report
            .path
            .iter()
            .map(|certificate| {
                json!({
                    "subject": name(certificate.subject()),
                    "issuer": name(certificate.issuer()),
                    "serial": certificate.serial_hex(),
                })
            })
            .collect();
        json!({
            "file": self.file,
            "kind": self.kind,
            "verdict": self.report.verdict.as_str(),
            "path": path,
            "trust_anchor": self.anchor,
            "checks": checks,
            "notes": self.report.notes,
        })
    }
}
