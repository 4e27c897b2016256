//! The conformance kit: what a vendor's endpoint must do, tried one case after the other. Every run has the vendor
//! issue a few certificates to a test unit.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use yinxin_pki::Certificate;

use crate::client::Limits;
use crate::config::{EstConfig, SetUpError};

mod cases;
mod foreign;
mod holder;

/// The endpoint that is tried.
#[derive(Clone)]
pub struct Target {
    /// Where it is and what it is trusted for.
    pub config: EstConfig,
    /// The client's certificate and private key, PEM.
    pub identity: String,
    /// How long one answer may take.
    pub limits: Limits,
    /// How long a request may stay undecided.
    pub patience: Duration,
    /// The name of the test unit that asks.
    pub unit_name: String,
    /// The term that was agreed, in whole years.
    pub years: Option<u8>,
}

/// How a case ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The endpoint does what the contract says.
    Passed,
    /// It does something else.
    Failed,
    /// It could not be tried.
    Skipped,
}

/// One case with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The case's name.
    pub case: &'static str,
    /// How it ends.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The cases in their order.
    pub cases: Vec<Finding>,
}

/// Tries every case.
pub async fn run(target: &Target) -> Result<Report, SetUpError> {
    let root = target.config.root()?;
    cases::run(target, &root).await.map(|cases| Report { cases })
}

impl Report {
    /// Whether no case failed, and the one without which nothing is shown was passed.
    pub fn conforms(&self) -> bool {
        let enrolled = self.verdict("enroll") == Some(Verdict::Passed);
        enrolled
            && self
                .cases
                .iter()
                .all(|finding| finding.verdict != Verdict::Failed)
    }

    /// How a case ended.
    pub fn verdict(&self, case: &str) -> Option<Verdict> {
        let mut found = self.cases.iter().filter(|finding| finding.case == case);
        found.next().map(|finding| finding.verdict)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding {
            case,
            verdict,
            reason,
        } in &self.cases
        {
            let verdict = match verdict {
                Verdict::Passed => "passed ",
                Verdict::Failed => "FAILED ",
                Verdict::Skipped => "skipped",
            };
            writeln!(f, "{verdict}  {case:<16}  {reason}")?;
        }
        let count = |wanted| {
            self.cases
                .iter()
                .filter(|finding| finding.verdict == wanted)
                .count()
        };
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            count(Verdict::Passed),
            count(Verdict::Failed),
            count(Verdict::Skipped)
        )
    }
}

/// What happened to a certificate that was asked for.
#[derive(Debug, Clone)]
struct Enrolled {
    certificate: Certificate,
    sent: Vec<Certificate>,
    pending: u32,
    took: Duration,
    asked_at: OffsetDateTime,
}
