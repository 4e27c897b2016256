//! The history of encryption keys: which ones a holder was given, found without a name and after orders are erased.
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use yinxin_order::identifiers::{OrderId, VendorId};

use crate::error::StoreError;

/// The most keys that a list holds, newest first.
pub const KEYS_LIMIT: usize = 50;

/// One encryption key that was issued.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyEntry {
    /// The look-up hash of the holder's number, as orders have it.
    pub holder: String,
    /// Whose CA issued.
    pub vendor: VendorId,
    /// The encryption certificate's serial number, lower-case hex.
    pub serial: String,
    /// The order.
    pub order: OrderId,
    /// The name of the CA's record, which holds the key in escrow.
    pub request: String,
    /// Whether the platform has the key in escrow; a vendor that makes the keys keeps them too.
    pub is_escrowed: bool,
    /// The first moment of the certificate's validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: OffsetDateTime,
    /// The last moment of its validity.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
    /// When it was entered.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// The history of encryption keys.
#[async_trait]
pub trait KeyHistory: Send + Sync {
    /// Enters a key, unless it was entered.
    async fn enter_key(&self, entry: &KeyEntry) -> Result<(), StoreError>;

    /// The key of this encryption certificate.
    async fn key_of(&self, serial: &str) -> Result<Option<KeyEntry>, StoreError>;

    /// The keys of an order, newest first, at most [`KEYS_LIMIT`].
    async fn keys_of_order(&self, order: &OrderId) -> Result<Vec<KeyEntry>, StoreError>;

    /// The keys that a holder has from a vendor, newest first, at most [`KEYS_LIMIT`].
    async fn keys_of_holder(&self, holder: &str, vendor: &VendorId) -> Result<Vec<KeyEntry>, StoreError>;
}
