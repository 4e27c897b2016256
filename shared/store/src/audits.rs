//! The audit trail: what people did with keys. Entries are added and never changed.
use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::error::StoreError;

/// Who did what with which keys.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// What it was done to: `authority/<vendor>`, `trust-list`, `escrow/<order>` and the like.
    pub subject: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The account that did it; not a personal name.
    pub by: String,
    /// What was done, as a stable identifier: `ca.init`, `ca.rotate`.
    pub action: String,
    /// Identifiers and reasons. No personal data, no secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub detail: BTreeMap<String, String>,
}

/// The audit trail.
#[async_trait]
pub trait Audits: Send + Sync {
    /// Adds an entry.
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError>;

    /// All entries of a subject, oldest first.
    async fn audit_of(&self, subject: &str) -> Result<Vec<AuditEntry>, StoreError>;
}
