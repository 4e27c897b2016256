//! Why a call to Alipay gave no result, by what the caller can do about it.

use thiserror::Error;

use crate::http;

/// A call without a result.
#[derive(Debug, Error)]
pub enum Failure {
    /// Nothing was sent: the caller's argument breaks a rule of the protocol.
    #[error("not sent to Alipay: {0}")]
    NotSent(&'static str),
    /// Alipay said no, over its signature: asking the same again gives the same.
    #[error("Alipay refused with {} {}", .0.code, .0.sub_code)]
    Refused(Refusal),
    /// Alipay may or may not have acted: ask by query, or repeat with the same numbers.
    #[error("it is not known whether Alipay acted")]
    Unknown(#[source] Doubt),
}

/// A definite, signed refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Alipay's `code`, such as `40004`.
    pub code: String,
    /// Alipay's `sub_code`, such as `ACQ.TRADE_NOT_EXIST`; empty when there is none.
    pub sub_code: String,
    /// What it means for the caller.
    pub reason: Reason,
}

/// What a refusal means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The number was used with other contents: take a new number.
    NumberTaken,
    /// The trade is paid, or in a state that needs a query to know.
    AlreadyPaid,
    /// The trade is closed.
    AlreadyClosed,
    /// There is no such trade (yet): nobody has scanned the QR code.
    NoSuchTrade,
    /// Only an operator can help: contract, balance, configuration, wording.
    Operator,
}

/// Why it is not known whether Alipay acted.
#[derive(Debug, Error)]
pub enum Doubt {
    /// No answer.
    #[error("Alipay gave no usable answer")]
    Transport(#[source] http::Failure),
    /// An answer that is not Alipay's application's.
    #[error("the gateway answered with HTTP status {0}")]
    Status(u16),
    /// A result without a valid signature: forged, damaged, or the wrong key is configured.
    #[error("the answer's signature is missing or wrong")]
    BadSignature,
    /// An unsigned error proves nothing about the trade; most of these are faults in our configuration.
    #[error("the gateway refused without a signature: {0}")]
    Unsigned(String),
    /// Alipay itself does not know.
    #[error("Alipay is busy: {0}")]
    Busy(String),
    /// Not the protocol's answer, or the answer to another question.
    #[error("the answer is malformed")]
    Malformed,
}

impl From<http::Failure> for Failure {
    fn from(failure: http::Failure) -> Self {
        Self::Unknown(Doubt::Transport(failure))
    }
}

impl From<Doubt> for Failure {
    fn from(doubt: Doubt) -> Self {
        Self::Unknown(doubt)
    }
}

/// Sorts a signed answer other than `10000`.
pub(crate) fn judge(code: &str, sub_code: &str) -> Failure {
    // `20000` and the system errors leave open what happened; `unknow` is the real spelling.
    let unknown = code == "20000" || sub_code.ends_with("SYSTEM_ERROR") || sub_code.ends_with("unknow-error");
    if unknown {
        return Failure::Unknown(Doubt::Busy(sub_code.to_owned()));
    }
    let reason = match sub_code.strip_prefix("ACQ.").unwrap_or_default() {
        "CONTEXT_INCONSISTENT" | "DISCORDANT_REPEAT_REQUEST" => Reason::NumberTaken,
        "TRADE_HAS_SUCCESS" | "TRADE_HAS_FINISHED" | "REASON_TRADE_STATUS_INVALID" | "TRADE_STATUS_ERROR" => {
            Reason::AlreadyPaid
        }
        "TRADE_HAS_CLOSE" => Reason::AlreadyClosed,
        "TRADE_NOT_EXIST" => Reason::NoSuchTrade,
        _ => Reason::Operator,
    };
    Failure::Refused(Refusal {
        code: code.to_owned(),
        sub_code: sub_code.to_owned(),
        reason,
    })
}
