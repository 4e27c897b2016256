//! The port to whoever takes the money: one trait, and what its answers mean, whichever provider stands behind it.
//!
//! Each call may be repeated with the same numbers: a trade's number is paid once, a refund's number moves money once.

mod failure;

use async_trait::async_trait;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::{Date, OffsetDateTime};

pub use failure::{Doubt, Failure, Reason, Refusal};

use crate::observe::Told;

/// A payment provider's gateway, for one merchant.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    /// Opens a trade; answers the text to show as a QR code. The same trade again gets a code for the same trade.
    async fn open(&self, trade: &NewTrade<'_>, now: OffsetDateTime) -> Result<String, Failure>;

    /// Asks what became of a trade.
    async fn query(&self, out_trade_no: &str, now: OffsetDateTime) -> Result<Query, Failure>;

    /// Closes an unpaid trade.
    async fn close(&self, out_trade_no: &str, now: OffsetDateTime) -> Result<Close, Failure>;

    /// Asks for a refund; again with the same number, it moves no money twice.
    async fn refund(&self, refund: &NewRefund<'_>, now: OffsetDateTime) -> Result<RefundState, Failure>;

    /// Asks what became of a refund.
    async fn refund_query(
        &self,
        out_trade_no: &str,
        refund_no: &str,
        now: OffsetDateTime,
    ) -> Result<RefundState, Failure>;

    /// The payments and refunds of one day in China, as the provider has them on its bill; empty where there were none.
    async fn bill(&self, day: Date, now: OffsetDateTime) -> Result<Vec<BillLine>, Failure>;

    /// Reads what the provider posted to us, and believes it only over its signature.
    async fn read_notification(
        &self,
        delivery: &Delivery<'_>,
        now: OffsetDateTime,
    ) -> Result<Notification, NotificationError>;
}

/// A trade to open.
#[derive(Clone, Copy, Debug)]
pub struct NewTrade<'a> {
    /// Our number: letters, digits and `_`, 6 to 32 of them, never used for another trade.
    pub out_trade_no: &'a str,
    /// What is to be paid.
    pub amount_fen: i64,
    /// What the payer reads: nothing personal.
    pub subject: &'a str,
    /// Until when it can be paid.
    pub expires_at: OffsetDateTime,
}

/// A refund to ask for.
#[derive(Clone, Copy, Debug)]
pub struct NewRefund<'a> {
    /// The trade's number.
    pub out_trade_no: &'a str,
    /// The refund's number.
    pub refund_no: &'a str,
    /// What goes back.
    pub amount_fen: i64,
    /// What was paid for the trade.
    pub total_fen: i64,
    /// What the payer reads.
    pub reason: &'a str,
}

/// What became of a trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Not paid, and it can still be; also where the provider has not heard of the trade (yet).
    Unpaid,
    /// It can no longer be paid.
    Closed,
    /// Paid; perhaps refunded since.
    Paid(Paid),
}

/// Money that came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// The provider's number of the trade.
    pub trade_no: String,
    /// What was paid.
    pub amount_fen: i64,
    /// When.
    #[serde(with = "time::serde::rfc3339::option")]
    pub paid_at: Option<OffsetDateTime>,
}

/// What closing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Closed now or before: it cannot be paid any more.
    Closed,
    /// Nothing to close: the code was not scanned and can still be paid until it expires.
    NotScanned,
    /// Paid already, or about to be: query.
    Paid,
}

/// What became of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refund", rename_all = "snake_case")]
pub enum RefundState {
    /// The provider moved the money.
    Done {
        /// So much of it.
        amount_fen: i64,
        /// When, where the provider says so.
        #[serde(with = "time::serde::rfc3339::option")]
        at: Option<OffsetDateTime>,
    },
    /// The provider took it on and will move the money.
    Processing,
    /// The payer's account does not take it: somebody has to act in the provider's merchant portal.
    Abnormal,
    /// This number will never move money: ask under a new one.
    Closed,
    /// The provider does not know the number: ask for the refund (again) under it.
    NotFound,
}

/// One line of a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillLine {
    /// Our number of the trade.
    pub out_trade_no: String,
    /// The provider's.
    pub trade_no: String,
    /// What moved.
    pub movement: Movement,
    /// How much, never negative.
    pub amount_fen: i64,
}

/// Which way the money of a bill's line went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Movement {
    /// To us.
    Payment,
    /// Back to the payer.
    Refund {
        /// Our number of the refund.
        refund_no: String,
    },
}

/// What a provider posted to us, as it came.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// The request's body, byte for byte.
    pub body: &'a [u8],
}

/// What a believed notification tells; it may come twice, late, and before the answer to the call that caused it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notification", rename_all = "snake_case")]
pub enum Notification {
    /// A trade was paid.
    Paid {
        /// Our number of the trade.
        out_trade_no: String,
        /// What was paid.
        paid: Paid,
    },
    /// A refund went on.
    Refund {
        /// Our number of the trade.
        out_trade_no: String,
        /// Our number of the refund.
        refund_no: String,
        /// How it stands.
        state: RefundState,
    },
    /// Something that changes nothing for us: a scan, a trade that closed.
    Other {
        /// Our number of the trade.
        out_trade_no: String,
    },
}

/// Why a notification is not believed.
#[derive(Debug, Error)]
pub enum NotificationError {
    /// Nobody we know signed these bytes.
    #[error("the notification's signature is missing or wrong")]
    BadSignature,
    /// The provider tests whether we verify (`WECHATPAY/SIGNTEST/`): to be refused, and nothing to worry about.
    #[error("the notification is a probe with a wrong signature")]
    Probe,
    /// Signed too long ago, or by a clock that is ahead of ours.
    #[error("the notification's time is too far from ours")]
    Stale,
    /// For another application or merchant.
    #[error("the notification is for another application or merchant")]
    WrongApp,
    /// Signed, and not the protocol's.
    #[error("the notification is malformed")]
    Malformed,
    /// The key that it names cannot be fetched now.
    #[error("the notification cannot be verified now")]
    Unverified(#[source] Failure),
}

impl<T> Told for Result<T, Failure> {
    fn outcome(&self) -> &'static str {
        match self {
            Ok(_) => "ok",
            Err(Failure::NotSent(_)) => "not_sent",
            Err(Failure::Refused(_)) => "refused",
            Err(Failure::Unknown(Doubt::Transport(failure))) => failure.word(),
            Err(Failure::Unknown(_)) => "unknown",
        }
    }
}

impl Told for Result<Notification, NotificationError> {
    fn outcome(&self) -> &'static str {
        match self {
            Ok(_) => "ok",
            Err(NotificationError::BadSignature) => "bad_signature",
            Err(NotificationError::Probe) => "probe",
            Err(NotificationError::Stale) => "stale",
            Err(NotificationError::WrongApp) => "wrong_app",
            Err(NotificationError::Malformed) => "malformed",
            Err(NotificationError::Unverified(_)) => "unverified",
        }
    }
}
