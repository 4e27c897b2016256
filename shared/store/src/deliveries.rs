//! Messages that `notify` sent: each errand's outcome, so that a repeated errand does not send twice.
use async_trait::async_trait;
use time::OffsetDateTime;

use crate::error::StoreError;

/// How far a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// Nobody sent it: the caller does now.
    Mine,
    /// It was sent.
    Sent,
    /// Somebody began and did not say how it ended; it may or may not have been sent.
    Unfinished {
        /// When the last try began.
        since: OffsetDateTime,
    },
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
}
