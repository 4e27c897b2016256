//! Identity checks: one port, and the two providers behind it.
//!
//! A check is done once per set of data: providers bill each answer and block repeats, and a mismatch does not
//! become a match. Keep the [`Checked::request_id`] as evidence; keep the data only as elsewhere required.

mod account;
mod aliyun;
mod judge;
mod tencent;
#[cfg(test)]
mod tests;

use std::fmt;

use async_trait::async_trait;
use time::OffsetDateTime;

pub use account::{Account, SetupError, Urls, checks};

use crate::endpoint::{CallError, plain_code};
use crate::observe::Told;

/// Who checks data against the authoritative sources.
#[async_trait]
pub trait IdentityChecks: Send + Sync {
    /// Checks once.
    async fn verify(&self, check: Check<'_>, now: OffsetDateTime) -> Checked;
}

/// What to check; the data were validated locally before.
#[derive(Clone, Copy)]
pub enum Check<'a> {
    /// A person's name and resident identity number belong together.
    Id2 {
        /// The person.
        person: Person<'a>,
    },
    /// A person's name, resident identity number and mobile belong together.
    Phone3 {
        /// The person.
        person: Person<'a>,
        /// 11 digits.
        mobile: &'a str,
    },
    /// A person's name, identity number and bank card belong together.
    Card3 {
        /// The person.
        person: Person<'a>,
        /// The card's number.
        card: &'a str,
    },
    /// The same, and the mobile the bank has on file.
    Card4 {
        /// The person.
        person: Person<'a>,
        /// The card's number.
        card: &'a str,
        /// 11 digits.
        mobile: &'a str,
    },
    /// An enterprise's name and credit code belong together.
    Enterprise2 {
        /// The registered name.
        name: &'a str,
        /// The unified social credit code.
        credit_code: &'a str,
        /// Our number of this check: at most 32 letters and digits, never used before.
        biz_no: &'a str,
    },
    /// An enterprise's name, credit code and legal representative's name belong together.
    Enterprise3 {
        /// The enterprise.
        enterprise: Enterprise<'a>,
    },
    /// The same, and the legal representative's identity number.
    Enterprise4 {
        /// The enterprise.
        enterprise: Enterprise<'a>,
        /// The legal representative's identity number.
        legal_person_id_number: &'a str,
    },
}

/// A person's data.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    /// The full name.
    pub name: &'a str,
    /// The resident identity number.
    pub id_number: &'a str,
}

/// An enterprise's data.
#[derive(Clone, Copy)]
pub struct Enterprise<'a> {
    /// The registered name.
    pub name: &'a str,
    /// The unified social credit code.
    pub credit_code: &'a str,
    /// The legal representative's name.
    pub legal_person: &'a str,
    /// Our number of this check: at most 32 letters and digits, never used before.
    pub biz_no: &'a str,
}

impl fmt::Debug for Check<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id2 { .. } => "Id2(..)",
            Self::Phone3 { .. } => "Phone3(..)",
            Self::Card3 { .. } => "Card3(..)",
            Self::Card4 { .. } => "Card4(..)",
            Self::Enterprise2 { .. } => "Enterprise2(..)",
            Self::Enterprise3 { .. } => "Enterprise3(..)",
            Self::Enterprise4 { .. } => "Enterprise4(..)",
        })
    }
}

/// A check's outcome and its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What came of it.
    pub outcome: Outcome,
    /// The provider's number of the call, when it answered.
    pub request_id: Option<String>,
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The data belong together.
    Match,
    /// They do not; never ask the same again.
    Mismatch {
        /// The part that does not fit the others.
        which: Field,
    },
    /// The source does not know the subject: a person must look.
    NoRecord,
    /// This way of checking does not work for these data: choose another.
    Unsupported {
        /// Why not.
        reason: Unsupported,
    },
    /// No answer now: ask again later.
    ProviderBusy,
    /// Only an operator can help.
    ProviderConfigError {
        /// The provider's code, or ours when nothing was sent.
        code: String,
    },
}

/// The part of the data that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The mobile.
    Mobile,
    /// The identity number.
    IdNumber,
    /// The person's name.
    Name,
    /// The bank card: wrong number, or lost, expired, blocked.
    Card,
    /// The legal representative.
    LegalPerson,
    /// The enterprise's name or credit code.
    Enterprise,
    /// The enterprise is deregistered, revoked or suspended.
    EnterpriseStatus,
    /// The source does not say.
    Unspecified,
}

/// Why a way of checking does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// The mobile's operator takes no part.
    MobileSegment,
    /// The card's bank takes no part, or refuses.
    Card,
    /// The source finds a value ill-formed.
    Malformed,
    /// The same data were asked too often.
    TooOften,
}

impl Checked {
    fn without_request(outcome: Outcome) -> Self {
        Self {
            outcome,
            request_id: None,
        }
    }
}

impl From<CallError> for Checked {
    fn from(error: CallError) -> Self {
        Self::without_request(match error {
            CallError::Http(_) => Outcome::ProviderBusy,
            CallError::Environment => config_error("environment"),
        })
    }
}

impl Told for Checked {
    fn outcome(&self) -> &'static str {
        match self.outcome {
            Outcome::Match => "match",
            Outcome::Mismatch { .. } => "mismatch",
            Outcome::NoRecord => "no_record",
            Outcome::Unsupported { .. } => "unsupported",
            Outcome::ProviderBusy => "busy",
            Outcome::ProviderConfigError { .. } => "config_error",
        }
    }
}

impl Check<'_> {
    /// The operation's name in metrics.
    fn operation(&self) -> &'static str {
        match self {
            Self::Id2 { .. } => "id2",
            Self::Phone3 { .. } => "phone3",
            Self::Card3 { .. } => "card3",
            Self::Card4 { .. } => "card4",
            Self::Enterprise2 { .. } => "enterprise2",
            Self::Enterprise3 { .. } => "enterprise3",
            Self::Enterprise4 { .. } => "enterprise4",
        }
    }
}

fn mismatch(which: Field) -> Outcome {
    Outcome::Mismatch { which }
}

fn unsupported(reason: Unsupported) -> Outcome {
    Outcome::Unsupported { reason }
}

fn config_error(code: &str) -> Outcome {
    Outcome::ProviderConfigError {
        code: plain_code(code),
    }
}
