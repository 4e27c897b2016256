//! What the CA is about to sign and what it signed: recorded before, completed after.
use async_trait::async_trait;

use crate::error::StoreError;

/// The record of one request to the CA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuance {
    /// The prepared request: serials, to-be-signed bytes, sealed escrow; JSON of the CA.
    pub prepared: String,
    /// What was issued, JSON of the CA, once it was.
    pub issued: Option<String>,
}

/// Requests to the CA, by request.
#[async_trait]
pub trait Issuances: Send + Sync {
    /// What is recorded for a request.
    async fn find(&self, request: &str) -> Result<Option<Issuance>, StoreError>;

    /// Records a prepared request, unless one is recorded; answers with the one that is.
    async fn record(&self, request: &str, prepared: &str, serials: &[String])
    -> Result<Issuance, StoreError>;

    /// Puts `next` in the place of the record `prepared` of a request that is not complete. `false` where another is
    /// recorded meanwhile: it counts, and nothing is changed.
    async fn proceed(&self, request: &str, prepared: &str, next: &str) -> Result<bool, StoreError>;

    /// Completes a recorded request, unless it is complete; answers with what is stored.
    async fn complete(&self, request: &str, issued: &str) -> Result<String, StoreError>;

    /// The sealed key and chain of a vendor's issuing CA, JSON of the ceremony.
    async fn authority(&self, vendor: &str) -> Result<String, StoreError>;

    /// Keeps a vendor's issuing CA, unless there is one; `false` where there was.
    async fn put_authority(&self, vendor: &str, authority: &str) -> Result<bool, StoreError>;
}
