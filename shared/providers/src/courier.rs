//! The port to whoever tells where parcels are, whichever courier has them.

mod carriers;
mod kuaidi100;
mod state;

use async_trait::async_trait;
use serde::Deserialize;
use thiserror::Error;
use time::OffsetDateTime;

pub use carriers::Carrier;
pub use kuaidi100::{ConfigError, Customer, Kuaidi100};
pub use state::State;

use crate::http;
use crate::observe::Told;

/// Tells where parcels are.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Has the service post what happens to a parcel to `callback_url`.
    async fn subscribe(&self, parcel: &Parcel<'_>, callback_url: &str) -> Subscription;

    /// Asks where a parcel is now. Not more often than every half an hour for one parcel: the service locks it otherwise.
    async fn query(&self, parcel: &Parcel<'_>) -> Whereabouts;

    /// Reads what the service posted about the order of this id, and believes it only over its signature.
    fn read_push(&self, order: &str, body: &[u8]) -> Result<Push, PushError>;
}

/// Who tells the deployment where parcels are, as stored in the secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "provider", rename_all = "lowercase")]
pub enum Account {
    /// kuaidi100 (快递100).
    Kuaidi100(Customer),
    /// Nobody: the applicant follows the number at the courier.
    Manual,
}

/// A parcel to ask about.
#[derive(Clone, Copy)]
pub struct Parcel<'a> {
    /// The order's id.
    pub order: &'a str,
    /// Who carries it.
    pub carrier: Carrier,
    /// Its number.
    pub waybill: &'a str,
    /// The receiver's mobile; its last four digits are told where the courier wants them.
    pub mobile: &'a str,
}

/// What a subscription came to.
#[derive(Debug)]
pub enum Subscription {
    /// The service tells from now on; also where it was asked before.
    Accepted,
    /// The service does not follow this parcel: its courier or its number is unknown to it.
    Refused {
        /// The service's code.
        code: String,
    },
    /// Perhaps it was accepted: ask again.
    Unknown(Doubt),
}

/// Where a parcel is.
#[derive(Debug)]
pub enum Whereabouts {
    /// There.
    Known(Report),
    /// The service has not heard of it yet.
    NotFound,
    /// No usable answer: ask again later.
    Unknown(Doubt),
}

/// What is known of a parcel: its state, and since when. The courier's sentences are dropped, for they name people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The state.
    pub state: State,
    /// When the last thing happened.
    pub at: OffsetDateTime,
}

/// What a believed push tells; it may come twice, late and out of order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Push {
    /// Where the parcel is.
    Report {
        /// Its number.
        waybill: String,
        /// What is known.
        report: Report,
    },
    /// Nothing that can be kept: no events yet, or a state that nobody knows.
    Nothing,
}

/// Why a push is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PushError {
    /// Nobody we know signed it, or for another order.
    #[error("the push's signature is missing or wrong")]
    BadSignature,
    /// Signed, and not the protocol's.
    #[error("the push is malformed")]
    Malformed,
}

/// Why there is no usable answer.
#[derive(Debug, Error)]
pub enum Doubt {
    /// None at all.
    #[error("the courier service gave no usable answer")]
    Transport(#[from] http::Failure),
    /// One that is not the service's application's.
    #[error("the courier service answered with HTTP status {0}")]
    Status(u16),
    /// The service failed, or refuses us: credentials, balance, too many questions.
    #[error("the courier service refused with {0}")]
    Service(String),
    /// Not the protocol's answer.
    #[error("the courier service's answer is malformed")]
    Malformed,
}

impl Doubt {
    /// One word for metrics.
    fn word(&self) -> &'static str {
        match self {
            Doubt::Transport(failure) => failure.word(),
            Doubt::Service(_) => "refused",
            Doubt::Status(_) | Doubt::Malformed => "unknown",
        }
    }
}

impl Told for Subscription {
    fn outcome(&self) -> &'static str {
        match self {
            Subscription::Accepted => "ok",
            Subscription::Refused { .. } => "refused",
            Subscription::Unknown(doubt) => doubt.word(),
        }
    }
}

impl Told for Whereabouts {
    fn outcome(&self) -> &'static str {
        match self {
            Whereabouts::Known(_) => "ok",
            Whereabouts::NotFound => "not_found",
            Whereabouts::Unknown(doubt) => doubt.word(),
        }
    }
}
