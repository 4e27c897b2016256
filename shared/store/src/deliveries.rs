//! Messages that `notify` sent: each errand's outcome, so that a repeated errand does not send twice; and what providers
//! tell of them later.
use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use crate::error::StoreError;

/// How far a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// Nobody sent it: the caller does now.
    Mine,
    /// An earlier try certainly sent nothing: the caller sends it now.
    Again {
        /// When the first try began.
        first_at: OffsetDateTime,
    },
    /// It may have been sent, and the provider does not know: people find out, and nobody sends it meanwhile.
    Doubtful {
        /// When it was tried.
        since: OffsetDateTime,
    },
    /// It was sent.
    Sent,
    /// Somebody began and did not say how it ended; it may or may not have been sent.
    Unfinished {
        /// When the last try began.
        since: OffsetDateTime,
    },
}

/// So long a doubtful message is left alone: longer than the queue brings its errand again. Who puts the errand back after
/// that has looked at it, and it is treated as one that was not finished.
pub const DOUBT_LASTS: Duration = Duration::hours(1);
/// How long a delivery receipt is kept.
pub const RECEIPT_RETENTION: Duration = Duration::days(30);

/// What a provider told of a message after it took it. Never to whom it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryReceipt {
    /// Whether it arrived.
    pub delivered: bool,
    /// The provider's code.
    pub code: String,
    /// When it arrived or failed, by the provider's clock, to the second.
    pub at: OffsetDateTime,
}

/// Messages on their way out.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Claims one message of an errand, or says how far it came. `retry_unfinished_before`: an unfinished try
    /// that began before this is claimed anew.
    async fn claim(
        &self,
        message: &str,
        now: OffsetDateTime,
        retry_unfinished_before: Option<OffsetDateTime>,
    ) -> Result<Claimed, StoreError>;

    /// Notes that a claimed message was sent, with the provider's number of it.
    async fn sent(&self, message: &str, receipt: &str) -> Result<(), StoreError>;

    /// Notes that a try of a claimed message sent nothing, so that the next one may. A message that was sent stays sent.
    async fn not_sent(&self, message: &str) -> Result<(), StoreError>;

    /// Notes that nobody knows whether a try of a claimed message sent it. A message that was sent stays sent.
    async fn doubtful(&self, message: &str) -> Result<(), StoreError>;

    /// Keeps what `provider` told of its message `number`, for [`RECEIPT_RETENTION`] from `now`; known or not, as a receipt
    /// may come before the note that the message was sent. Of several the latest is kept. `false` where that was known.
    async fn record_receipt(
        &self,
        provider: &str,
        number: &str,
        receipt: &DeliveryReceipt,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError>;

    /// What `provider` told of its message `number`.
    async fn receipt(&self, provider: &str, number: &str) -> Result<Option<DeliveryReceipt>, StoreError>;
}
