//! The delivery of the UKey's user password: on its way, arrived, come back, collected. A bank may need days for it.
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

use crate::form::PasswordRoute;

/// How often a password is sent, the first time included: each transfer costs money, and its memo is read by strangers.
pub const MAX_SENDINGS: u8 = 3;
/// A transfer that arrived may still come back (退汇): so often the bank is asked about it ...
pub const RETURN_CHECK_EVERY: Duration = Duration::hours(12);
/// ... and for so long after it arrived. Banks return within two working days as a rule.
pub const RETURN_CHECKED_FOR: Duration = Duration::days(3);
/// How long a password that nobody collected is kept to be sent again.
pub const PASSWORD_KEPT_FOR: Duration = Duration::days(30);
/// The most characters that are kept of a provider's code.
const MAX_CODE_CHARACTERS: usize = 40;

/// Which way the password goes.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PasswordWay {
    /// An SMS carries the password itself.
    Sms,
    /// The memo (附言) of a transfer carries a one-time secret, for which the platform shows the password once.
    Memo,
}

/// How far the password came.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PasswordStatus {
    /// Asked for; the bank or the SMS provider has not taken it yet.
    Sending,
    /// The bank has the transfer, or may have it; it has not said how it ended.
    Submitted,
    /// The SMS provider took it, or the transfer arrived.
    Sent,
    /// The transfer arrived and came back; its secret is void.
    Returned,
    /// It was not sent and will not be; its secret is void.
    Failed,
    /// Somebody with the secret was shown the password; the platform has it no more.
    Collected,
}

/// The delivery of an order's password. It names nobody; the password itself stands in `Personal`.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordDelivery {
    /// Which sending it is, from 1 on: each has a transfer number and a secret of its own.
    pub number: u8,
    /// Which way it goes.
    pub way: PasswordWay,
    /// How far it came.
    pub status: PasswordStatus,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// The provider's code, where it failed or came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What is told of a sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordOutcome {
    /// The bank has the transfer, or may have it.
    Submitted,
    /// It arrived.
    Sent,
    /// It arrived and came back.
    Returned {
        /// The bank's code.
        code: String,
    },
    /// It will not arrive.
    Failed {
        /// The provider's code.
        code: String,
    },
    /// The password is shown to somebody who entered the memo's secret.
    Collected,
}

impl From<&PasswordRoute> for PasswordWay {
    fn from(route: &PasswordRoute) -> Self {
        match route {
            PasswordRoute::Sms(_) => PasswordWay::Sms,
            PasswordRoute::BankMemo(_) => PasswordWay::Memo,
        }
    }
}

impl PasswordDelivery {
    /// The first sending.
    pub(crate) fn first(way: PasswordWay, now: OffsetDateTime) -> Self {
        PasswordDelivery {
            number: 1,
            way,
            status: PasswordStatus::Sending,
            since: now,
            code: None,
        }
    }

    /// Whether the platform has to look after it until somebody says how it ended.
    pub fn is_underway(&self) -> bool {
        matches!(self.status, PasswordStatus::Sending | PasswordStatus::Submitted)
    }

    /// Whether the memo's secret opens the password. The memo may be read before the platform hears that it arrived.
    pub fn can_be_collected(&self) -> bool {
        self.way == PasswordWay::Memo && (self.is_underway() || self.status == PasswordStatus::Sent)
    }

    /// When the bank is asked next whether a transfer that arrived came back. `reminded_at` is when it was asked last.
    pub(crate) fn next_return_check(&self, reminded_at: Option<OffsetDateTime>) -> Option<OffsetDateTime> {
        let watched = self.way == PasswordWay::Memo && self.status == PasswordStatus::Sent;
        let next = reminded_at.map_or(self.since, |at| at.max(self.since)) + RETURN_CHECK_EVERY;
        (watched && next <= self.since + RETURN_CHECKED_FOR).then_some(next)
    }

    /// Until when a password that is not underway is kept.
    pub(crate) fn kept_until(&self) -> OffsetDateTime {
        self.since + PASSWORD_KEPT_FOR
    }

    /// Whether `outcome`, told of sending `number`, is known, or of a sending that another one took the place of.
    pub(crate) fn tells_nothing_new(&self, number: u8, outcome: &PasswordOutcome) -> bool {
        if number != self.number {
            return number < self.number;
        }
        match (self.status, outcome) {
            (PasswordStatus::Collected, _)
            | (PasswordStatus::Submitted | PasswordStatus::Sent, PasswordOutcome::Submitted)
            | (PasswordStatus::Sent, PasswordOutcome::Sent) => true,
            // The secret is void: entering it is refused, which is news to who enters it.
            (PasswordStatus::Returned | PasswordStatus::Failed, outcome) => {
                *outcome != PasswordOutcome::Collected
            }
            _ => false,
        }
    }
}

/// What is kept of a provider's code: enough to look it up, and nothing that is no code.
pub(crate) fn kept_code(code: &str) -> Option<String> {
    let kept: String = code
        .chars()
        .filter(char::is_ascii_graphic)
        .take(MAX_CODE_CHARACTERS)
        .collect();
    (!kept.is_empty()).then_some(kept)
}
