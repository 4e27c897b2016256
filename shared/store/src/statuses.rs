//! What became of certificates, and what the world is told of it: statuses, signed answers, revocation lists.
//!
//! A certificate belongs to one shard from its issuing on; the shard's revocation list is named in it. A shard covers a fixed
//! number of certificates, so what one revocation costs does not grow with the number of those before it.
use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use yinxin_order::identifiers::{OrderId, VendorId};
use yinxin_order::revocation::RevocationReason;

use crate::error::StoreError;

/// So many pairs of certificates share one revocation list.
pub const SHARD_PAIRS: u64 = 1000;

/// Names a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CertificateKey {
    /// The issuing CA's subject key identifier, lower-case hex.
    pub authority: String,
    /// The serial number, lower-case hex.
    pub serial: String,
}

/// Names a revocation list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListKey {
    /// The issuing CA's subject key identifier, lower-case hex.
    pub authority: String,
    /// The shard, from 0.
    pub shard: u64,
}

/// What became of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateStatus {
    /// Which certificate.
    pub key: CertificateKey,
    /// Whose CA issued it.
    pub vendor: VendorId,
    /// For which order.
    pub order: OrderId,
    /// Which revocation list covers it.
    pub shard: u64,
    /// Its last second.
    pub not_after: OffsetDateTime,
    /// That it is revoked.
    pub revoked: Option<Revoked>,
    /// The answers that say so; none for the moment between a revocation and its signing.
    pub answers: Option<Answers>,
}

impl CertificateStatus {
    /// The list that covers it.
    pub fn list(&self) -> ListKey {
        ListKey {
            authority: self.key.authority.clone(),
            shard: self.shard,
        }
    }
}

/// A revocation as status answers and lists tell it.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Why.
    pub reason: RevocationReason,
    /// Since when the key is known or suspected to be in other hands.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub invalidity_date: Option<OffsetDateTime>,
}

/// Signed answers about one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// DER `OCSPResponse` by the hash that the question names the certificate with: `sha1`, `sha256`, `sm3`.
    pub by_hash: BTreeMap<String, Vec<u8>>,
    /// Their `thisUpdate`.
    pub this_update: OffsetDateTime,
    /// Their `nextUpdate`.
    pub next_update: OffsetDateTime,
    /// When they have to be signed anew; `None` for the last ones of a certificate that ends before.
    pub due: Option<OffsetDateTime>,
}

/// A published revocation list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedList {
    /// Whose CA signed it.
    pub vendor: VendorId,
    /// Its `cRLNumber`.
    pub number: u64,
    /// Its `thisUpdate`.
    pub this_update: OffsetDateTime,
    /// Its `nextUpdate`.
    pub next_update: OffsetDateTime,
    /// When the next one has to be signed.
    pub due: OffsetDateTime,
}

/// Something that has to be signed anew.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// The answers about a certificate.
    Answers(CertificateKey),
    /// A revocation list.
    List(ListKey),
}

/// Statuses of certificates.
#[async_trait]
pub trait Statuses: Send + Sync {
    /// The number of the next pair that a CA issues, from 0: no two callers get the same.
    async fn next_pair(&self, authority: &str) -> Result<u64, StoreError>;

    /// Keeps the statuses of certificates that were issued together, unless they are kept; `false` where they were.
    async fn register(&self, statuses: &[CertificateStatus]) -> Result<bool, StoreError>;

    /// What became of a certificate.
    async fn status(&self, key: &CertificateKey) -> Result<Option<CertificateStatus>, StoreError>;

    /// What became of an order's certificates.
    async fn of_order(&self, order: &OrderId) -> Result<Vec<CertificateStatus>, StoreError>;

    /// Revokes certificates that were issued together and puts them on their list, in one transaction that also forgets what
    /// was answered before. A second call changes nothing: the first revocation counts.
    async fn revoke(&self, statuses: &[CertificateStatus], revoked: &Revoked) -> Result<(), StoreError>;

    /// Keeps answers that were signed for `status`; `false` where the certificate was revoked since.
    async fn put_answers(&self, status: &CertificateStatus, answers: &Answers) -> Result<bool, StoreError>;

    /// What has to be signed anew by `now`, at most about `limit`.
    async fn due(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<Due>, StoreError>;

    /// Lets what could not be signed wait, so that it does not stand before everything else.
    async fn put_off(&self, due: &Due, until: OffsetDateTime) -> Result<(), StoreError>;
}

/// Revocation lists: entries, numbers, and which one is published.
#[async_trait]
pub trait RevocationLists: Send + Sync {
    /// The certificates that are revoked in a shard, by serial number.
    async fn entries(&self, list: &ListKey) -> Result<BTreeMap<String, Revoked>, StoreError>;

    /// Takes the next number of a list. Entries that are read afterwards belong to it: of two lists the one with the higher
    /// number holds every revocation that was recorded before the lower number was taken.
    async fn next_number(&self, list: &ListKey, vendor: &VendorId) -> Result<u64, StoreError>;

    /// Records what is about to be signed: SM3 of the to-be-signed bytes, hex. `Conflict` where the number was used.
    async fn record_list(&self, list: &ListKey, number: u64, tbs_sm3: &str) -> Result<(), StoreError>;

    /// What was recorded under a number.
    async fn recorded_list(&self, list: &ListKey, number: u64) -> Result<Option<String>, StoreError>;

    /// Makes a signed list the one that readers get; `false` where a newer one is published.
    async fn publish(&self, list: &ListKey, published: &PublishedList) -> Result<bool, StoreError>;

    /// The list that readers get.
    async fn published(&self, list: &ListKey) -> Result<Option<PublishedList>, StoreError>;
}
