//! SMS: one port, and two providers behind it. A message is sent once and never repeated by machine where it may have
//! left, because neither provider knows a request number of ours.

mod account;
mod aliyun;
pub mod receipts;
mod tencent;

use std::fmt;

use async_trait::async_trait;
use thiserror::Error;
use time::OffsetDateTime;
use tracing::error;

pub use account::{Account, Provider, SetupError, Templates, Urls, gateway};

use crate::endpoint::{CallError, plain_code};
use crate::http;
use crate::observe::Told;

/// Sends SMS.
#[async_trait]
pub trait Gateway: fmt::Debug + Send + Sync {
    /// Sends once. Record the attempt before calling: after a crash nobody knows.
    async fn send(&self, message: &Message<'_>, now: OffsetDateTime) -> Sending;
}

/// The texts that a provider approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// A one-time code; its variable is `code`.
    Code,
    /// A UKey's password; its variable is `password`. A notification to the provider, as texts of codes take digits only.
    Password,
    /// The review passed; its variable is `order`, as of the following.
    Approved,
    /// The review sent the order back.
    Rejected,
    /// The UKey was mailed.
    Dispatched,
    /// The password did not arrive.
    PasswordFailed,
}

/// One message to one mobile.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// 11 digits.
    pub mobile: &'a str,
    /// Which text.
    pub template: Template,
    /// The text's variables, by name and in the text's order; URLs are refused by the providers.
    pub variables: &'a [(&'a str, &'a str)],
    /// Ours, echoed in the delivery receipt; at most 500 bytes.
    pub out_id: &'a str,
}

/// What became of a message.
#[derive(Debug)]
pub enum Sending {
    /// The provider took it; whether it arrives is told by a receipt.
    Sent {
        /// Who took it: its name in receipts.
        provider: &'static str,
        /// The provider's number of the message.
        number: String,
    },
    /// It certainly never left: it may be sent again.
    NotSent(http::Failure),
    /// The provider sent nothing.
    Refused {
        /// The provider's code.
        code: String,
        /// Who can change that.
        who: WhoActs,
    },
    /// Perhaps sent: never send it again by machine, let the person ask for another.
    Unknown(Doubt),
}

/// Who must act before another try can succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhoActs {
    /// The person has had too many messages, or the provider too many calls: wait.
    Wait,
    /// The mobile number is wrong, or takes no messages.
    Recipient,
    /// Account, templates, quota, or our request.
    Operator,
}

/// Why it is not known whether a message was sent.
#[derive(Debug, Error)]
pub enum Doubt {
    /// No usable answer.
    #[error("the SMS gateway gave no usable answer")]
    Transport(#[source] http::Failure),
    /// The gateway failed, or answered something else than its protocol.
    #[error("the SMS gateway answered with HTTP status {status} and code {code:?}")]
    Answer {
        /// HTTP status.
        status: u16,
        /// The provider's code; empty when there was none.
        code: String,
    },
}

impl From<CallError> for Sending {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Environment => Self::refused("environment", WhoActs::Operator),
            CallError::Http(failure) if failure.may_have_acted() => Self::Unknown(Doubt::Transport(failure)),
            CallError::Http(failure) => Self::NotSent(failure),
        }
    }
}

impl Sending {
    fn refused(code: &str, who: WhoActs) -> Self {
        let code = plain_code(code);
        if who == WhoActs::Operator {
            error!(
                code,
                "an SMS was refused with {code}: an operator has to look at the account, the texts or the quota"
            );
        }
        Self::Refused { code, who }
    }

    fn doubtful(status: u16, code: &str) -> Self {
        let code = plain_code(code);
        Self::Unknown(Doubt::Answer { status, code })
    }
}

impl Told for Sending {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "ok",
            Self::NotSent(failure) | Self::Unknown(Doubt::Transport(failure)) => failure.word(),
            Self::Refused { who, .. } => match who {
                WhoActs::Wait => "limited",
                WhoActs::Recipient => "bad_recipient",
                WhoActs::Operator => "refused",
            },
            Self::Unknown(Doubt::Answer { .. }) => "unknown",
        }
    }
}

/// Providers refuse line breaks inside variables.
fn one_line(value: &str) -> String {
    value
        .split(['\r', '\n'])
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Doubt, Sending, WhoActs, one_line};
    use crate::endpoint::CallError;
    use crate::http::Failure;
    use crate::observe::Told as _;

    #[test]
    fn a_call_that_never_left_may_be_made_again_and_no_other() {
        for (failure, left) in [
            (Failure::CircuitOpen, false),
            (Failure::Timeout, true),
            (Failure::TooLarge, true),
        ] {
            let word = failure.word();
            let sending = Sending::from(CallError::Http(failure));
            assert_eq!(matches!(sending, Sending::Unknown(_)), left, "{word}");
            assert_eq!(matches!(sending, Sending::NotSent(_)), !left, "{word}");
            assert_eq!(sending.outcome(), word);
        }
    }

    #[test]
    fn metrics_tell_whose_turn_it_is() {
        for (who, word) in [
            (WhoActs::Wait, "limited"),
            (WhoActs::Recipient, "bad_recipient"),
            (WhoActs::Operator, "refused"),
        ] {
            assert_eq!(Sending::refused("x", who).outcome(), word);
        }
        let doubt = Sending::doubtful(503, "x y");
        assert!(matches!(&doubt, Sending::Unknown(Doubt::Answer { code, .. }) if code == "xy"));
        assert_eq!(doubt.outcome(), "unknown");
    }

    #[test]
    fn variables_have_one_line() {
        assert_eq!(one_line("照片不清晰\r\n请重新上传\n"), "照片不清晰 请重新上传");
    }
}
