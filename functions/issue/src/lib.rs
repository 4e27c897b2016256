//! The issue function: asks a vendor's CA for the certificates of an order. Only its role opens CA keys.
//!
//! What is to be signed is recorded before it is signed, under a name that the order's request fixes: wherever a
//! run stops, the next one goes on from the record, with the same serial numbers.
pub mod authorities;
pub mod authority;
mod escrow;
mod history;
mod issuing;
pub mod kms_key;
mod records;
mod recovering;
pub mod refreshing;
mod revoking;
pub mod statuses;
pub mod trust_list;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;
use yinxin_lambda::Platform;
use yinxin_order::identifiers::VendorId;
use yinxin_store::statuses::ListKey;

use crate::authority::{Authority, AuthorityError};
pub use issuing::Issuing;

/// So late, at most, a process learns of a rotation or of a CA that was retired.
const KEPT_FOR: Duration = Duration::minutes(5);

/// An opened CA, and since when; one without a time is kept for good.
type Kept = (Option<OffsetDateTime>, Arc<Authority>);

/// What the function works with.
#[derive(Clone)]
pub struct App {
    /// Stores, keys and the clock.
    pub platform: Platform,
    // Opening a CA costs a read and a call to KMS; a process keeps what it opened for a while.
    authorities: Arc<Mutex<HashMap<VendorId, Kept>>>,
    // Lists that are there: once there, a list stays.
    lists_seen: Arc<Mutex<HashSet<ListKey>>>,
}

impl App {
    /// The function's world as the environment names it.
    pub async fn from_env() -> anyhow::Result<Self> {
        Ok(App::new(Platform::from_env().await?))
    }

    /// The function on `platform`.
    pub fn new(platform: Platform) -> Self {
        App {
            platform,
            authorities: Arc::default(),
            lists_seen: Arc::default(),
        }
    }

    /// Takes an opened CA for that of a vendor: one whose set-up is not stored, or a test's.
    pub async fn keep(&self, vendor: VendorId, authority: Authority) {
        let kept = (None, Arc::new(authority));
        self.authorities.lock().await.insert(vendor, kept);
    }

    /// The opened CA of a vendor.
    async fn authority(&self, vendor: &VendorId) -> Result<Arc<Authority>, AuthorityError> {
        let mut opened = self.authorities.lock().await;
        let platform = &self.platform;
        let now = platform.now();
        if let Some((since, authority)) = opened.get(vendor)
            && since.is_none_or(|since| now - since < KEPT_FOR)
        {
            return Ok(authority.clone());
        }
        let loaded = Authority::load(platform, vendor.as_str()).await?;
        let authority = Arc::new(loaded);
        opened.insert(vendor.clone(), (Some(now), authority.clone()));
        Ok(authority)
    }
}
