//! Aliyun's answers to identity checks, turned into outcomes.

use serde::Deserialize;

use super::{Check, Checked, Field, Outcome, Unsupported, config_error, mismatch, unsupported};
use crate::aliyun::Envelope;

/// The two products name the same thing differently: `ResultObject` (2019-03-07) and `Result` (2022-11-25).
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(flatten)]
    envelope: Envelope,
    #[serde(alias = "Result")]
    result_object: Option<Findings>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Findings {
    biz_code: String,
    #[serde(alias = "ReasonCode")]
    sub_code: String,
    status: Option<String>,
}

pub(super) fn judge(check: Check<'_>, status: u16, body: &[u8]) -> Checked {
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return Checked::without_request(Outcome::ProviderBusy);
    };
    let outcome = match answer.result_object {
        Some(findings) if status == 200 && matches!(answer.envelope.code.as_str(), "200" | "Success") => {
            findings.outcome(check)
        }
        _ => without_findings(status, &answer.envelope.code),
    };
    Checked {
        outcome,
        request_id: answer.envelope.request_id,
    }
}

impl Findings {
    fn outcome(&self, check: Check<'_>) -> Outcome {
        match check {
            Check::Id2 { .. } => self.identity(),
            Check::Phone3 { .. } => self.mobile(),
            Check::Card3 { .. } | Check::Card4 { .. } => self.card(),
            Check::Enterprise2 { .. } | Check::Enterprise3 { .. } | Check::Enterprise4 { .. } => {
                self.enterprise()
            }
        }
    }

    fn identity(&self) -> Outcome {
        match self.biz_code.as_str() {
            "1" => Outcome::Match,
            "2" => mismatch(Field::Unspecified),
            "3" => Outcome::NoRecord,
            _ => Outcome::ProviderBusy,
        }
    }

    fn mobile(&self) -> Outcome {
        match self.biz_code.as_str() {
            "1" => Outcome::Match,
            "2" => mismatch(match self.sub_code.as_str() {
                "201" => Field::Mobile,
                // The mobile fits the name, not the number; then the number, not the name.
                "202" => Field::IdNumber,
                "203" => Field::Name,
                _ => Field::Unspecified,
            }),
            "3" => Outcome::NoRecord,
            _ => Outcome::ProviderBusy,
        }
    }

    fn card(&self) -> Outcome {
        match self.biz_code.as_str() {
            "1" => Outcome::Match,
            "2" => mismatch(match self.sub_code.parse() {
                Ok(202..=213 | 215) => Field::Card,
                Ok(214) => Field::Mobile,
                _ => Field::Unspecified,
            }),
            "3" => match self.sub_code.as_str() {
                "304" => mismatch(Field::Card),
                "306" => unsupported(Unsupported::TooOften),
                _ => unsupported(Unsupported::Card),
            },
            _ => Outcome::ProviderBusy,
        }
    }

    fn enterprise(&self) -> Outcome {
        match self.biz_code.as_str() {
            // 1 open, 2 moved; all others are gone or suspended. The status is optional.
            "1" if self
                .status
                .as_deref()
                .is_none_or(|status| matches!(status, "" | "1" | "2")) =>
            {
                Outcome::Match
            }
            "1" => mismatch(Field::EnterpriseStatus),
            "2" => mismatch(match self.sub_code.as_str() {
                "201" => Field::LegalPerson,
                "202" => Field::Enterprise,
                _ => Field::Unspecified,
            }),
            "3" => Outcome::NoRecord,
            _ => Outcome::ProviderBusy,
        }
    }
}

/// The call was not processed.
fn without_findings(status: u16, code: &str) -> Outcome {
    match code {
        "401" | "InvalidParameter" => unsupported(Unsupported::Malformed),
        "403" => unsupported(Unsupported::TooOften),
        "405" => unsupported(Unsupported::MobileSegment),
        // A processed call without findings, or a source that is down. `402` may also be a missing permission,
        // which shows by never getting better.
        "" | "200" | "Success" | "402" => Outcome::ProviderBusy,
        code if code.len() == 3 && code.starts_with('5') => Outcome::ProviderBusy,
        code if status >= 500 || Envelope::is_busy(code) => Outcome::ProviderBusy,
        _ => config_error(code),
    }
}
