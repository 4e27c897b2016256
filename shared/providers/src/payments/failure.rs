//! Why a call to a payment provider gave no result, by what the caller can do about it.

use thiserror::Error;

use crate::http;

/// A call without a result.
#[derive(Debug, Error)]
pub enum Failure {
    /// Nothing was sent: the caller's argument breaks a rule of the protocol.
    #[error("not sent to the payment provider: {0}")]
    NotSent(&'static str),
    /// The provider said no: asking the same again gives the same.
    #[error("the payment provider refused with {}", .0.code)]
    Refused(Refusal),
    /// The provider may or may not have acted: ask by query, or repeat with the same numbers.
    #[error("it is not known whether the payment provider acted")]
    Unknown(#[source] Doubt),
}

/// A definite refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The provider's code, such as `40004 ACQ.TRADE_NOT_EXIST` or `ORDER_CLOSED`.
    pub code: String,
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
    /// There is no such trade (yet).
    NoSuchTrade,
    /// Only an operator can help: contract, balance, configuration, wording.
    Operator,
}

/// Why it is not known whether the provider acted.
#[derive(Debug, Error)]
pub enum Doubt {
    /// No answer.
    #[error("the payment provider gave no usable answer")]
    Transport(#[source] http::Failure),
    /// An answer that is not the provider's application's.
    #[error("the gateway answered with HTTP status {0}")]
    Status(u16),
    /// A result without a valid signature: forged, damaged, or the wrong key is configured.
    #[error("the answer's signature is missing or wrong")]
    BadSignature,
    /// An unsigned error proves nothing about the trade; most of these are faults in our configuration.
    #[error("the gateway refused without a signature: {0}")]
    Unsigned(String),
    /// The provider itself does not know, or wants to be asked later.
    #[error("the payment provider is busy: {0}")]
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
