//! What the world is told about certificates: statuses kept, answers signed before anybody asks, lists published.
//!
//! A list's number is taken before its entries are read, its digest is recorded before it is signed, and it lies in an object
//! of its own before it becomes the one that readers get. So whoever comes last publishes every revocation that was there when it
//! began, and a run that stops anywhere leaves at most a number that no list bears.
use std::sync::Arc;

use time::{Duration, OffsetDateTime};
use tracing::info;
use yinxin_ca::status::{StatusAddresses, StatusAuthority, Window, serial_content};
use yinxin_ca::{CaError, IssuedPair};
use yinxin_order::identifiers::VendorId;
use yinxin_order::order::Order;
use yinxin_pki::crl::{Reason, Revocation};
use yinxin_pki::ocsp::{CertStatus, OcspHash};
use yinxin_pki::{Certificate, sm3};
use yinxin_store::StoreError;
use yinxin_store::publications::Publication;
use yinxin_store::statuses::{
    Answers, CertificateKey, CertificateStatus, ListKey, PublishedList, Revoked, SHARD_PAIRS,
};

use crate::App;
use crate::authority::{Authority, AuthorityError};

/// How long answers and lists hold.
pub const VALIDITY: Duration = Duration::days(7);
/// Answers are signed anew after this time: what is left of their validity is the time to mend what is broken.
pub const ANSWERS_DUE: Duration = Duration::days(3);
/// The same for lists.
pub const LISTS_DUE: Duration = Duration::days(1);

/// The digests by which a question may name a certificate, as the store calls them.
const HASHES: [(&str, OcspHash); 3] = [
    ("sha1", OcspHash::Sha1),
    ("sha256", OcspHash::Sha256),
    ("sm3", OcspHash::Sm3),
];

/// Why the world was not told.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// The store did not do its work; it may next time.
    #[error("the store did not do its work")]
    Store(#[from] StoreError),
    /// The vendor has no CA that opens.
    #[error("the vendor's CA does not open")]
    Authority(#[from] AuthorityError),
    /// The CA did not sign.
    #[error("the CA did not sign")]
    Ca(#[from] CaError),
    /// The vendor's CA is not the one that issued.
    #[error("the vendor has no key of the CA that issued")]
    AnotherAuthority,
    /// A certificate, a serial number or a time cannot be read.
    #[error("{0} cannot be read")]
    Unreadable(&'static str),
}

/// One issuing CA as it speaks about its certificates.
pub struct Speaker {
    app: App,
    vendor: VendorId,
    addresses: StatusAddresses,
    authority: StatusAuthority,
}

impl Speaker {
    /// Speaks with the opened CA of a vendor; `None` where the vendor has its key and speaks itself.
    pub fn new(app: &App, vendor: &VendorId, authority: &Authority) -> Option<Self> {
        let issuing = authority.soft.as_ref()?.issuing();
        Some(Speaker {
            addresses: StatusAddresses::new(&app.platform.settings.status_url, &issuing.certificate),
            authority: StatusAuthority::new(issuing),
            vendor: vendor.clone(),
            app: app.clone(),
        })
    }

    /// Speaks for the issuing CA `authority` of a vendor.
    pub async fn open(app: &App, vendor: &VendorId, authority: &str) -> Result<Self, StatusError> {
        let opened: Arc<Authority> = app.authority(vendor).await?;
        Speaker::new(app, vendor, &opened)
            .filter(|speaker| speaker.addresses.authority() == authority)
            .ok_or(StatusError::AnotherAuthority)
    }

    /// Where readers ask about the CA's certificates.
    pub fn addresses(&self) -> &StatusAddresses {
        &self.addresses
    }

    /// The shard of the next pair.
    pub async fn next_shard(&self) -> Result<u64, StoreError> {
        let pair = self
            .app
            .platform
            .statuses
            .next_pair(self.addresses.authority())
            .await?;
        Ok(pair / SHARD_PAIRS)
    }

    /// Keeps the statuses of an order's pair with their answers, and sees to it that its list is there. May run twice.
    pub async fn register(&self, order: &Order, pair: &IssuedPair) -> Result<(), StatusError> {
        let mut statuses = Vec::with_capacity(2);
        for der in [&pair.signing, &pair.encryption] {
            let certificate = Certificate::from_der(der)
                .map_err(|_| StatusError::Unreadable("a certificate just issued"))?;
            let mut status = CertificateStatus {
                key: CertificateKey {
                    authority: self.addresses.authority().to_owned(),
                    serial: certificate.serial_hex(),
                },
                vendor: order.vendor.clone(),
                order: order.id.clone(),
                // What was recorded before there were shards lies in the first.
                shard: self.addresses.shard_of(&certificate).unwrap_or(0),
                not_after: certificate.not_after(),
                revoked: None,
                answers: None,
            };
            status.answers = Some(self.answers(&status).await?);
            statuses.push(status);
        }
        let list = statuses[0].list();
        if !self.app.lists_seen.lock().await.contains(&list) {
            if self.app.platform.lists.published(&list).await?.is_none() {
                self.publish_authority().await?;
                self.publish_list(&list).await?;
            }
            self.app.lists_seen.lock().await.insert(list);
        }
        self.app.platform.statuses.register(&statuses).await?;
        Ok(())
    }

    /// Signs the answers about a certificate anew; `false` where it was revoked meanwhile, so that they were thrown away.
    pub async fn refresh(&self, status: &CertificateStatus) -> Result<bool, StatusError> {
        let answers = self.answers(status).await?;
        Ok(self.app.platform.statuses.put_answers(status, &answers).await?)
    }

    async fn answers(&self, status: &CertificateStatus) -> Result<Answers, StatusError> {
        let window = self.window()?;
        let serial = serial_content(&status.key.serial).ok_or(StatusError::Unreadable("a serial number"))?;
        let says = match &status.revoked {
            None => CertStatus::Good,
            Some(revoked) => CertStatus::Revoked {
                at: revoked.at,
                reason: Some(reason(revoked)),
            },
        };
        let mut by_hash = std::collections::BTreeMap::new();
        for (name, hash) in HASHES {
            let answer = self.authority.answer(&serial, hash, says, window).await?;
            by_hash.insert(name.to_owned(), answer);
        }
        let due = window.from + ANSWERS_DUE;
        Ok(Answers {
            by_hash,
            this_update: window.from,
            next_update: window.until,
            // Who asks about a certificate that has ended finds its end in it.
            due: (due <= status.not_after).then_some(due),
        })
    }

    /// Signs and publishes the next list of a shard.
    pub async fn publish_list(&self, list: &ListKey) -> Result<(), StatusError> {
        let platform = &self.app.platform;
        let number = platform.lists.next_number(list, &self.vendor).await?;
        let entries = platform.lists.entries(list).await?;
        let revoked = entries
            .iter()
            .map(|(serial, revoked)| {
                Ok(Revocation {
                    serial: serial_content(serial).ok_or(StatusError::Unreadable("a serial number"))?,
                    at: revoked.at,
                    reason: reason(revoked),
                    invalidity_date: revoked.invalidity_date,
                })
            })
            .collect::<Result<Vec<_>, StatusError>>()?;
        let window = self.window()?;
        let address = self.addresses.list(list.shard);
        let tbs = self.authority.list(number, window, &address, &revoked)?;
        platform
            .lists
            .record_list(list, number, &hex::encode(sm3(&tbs)))
            .await?;
        let signed = self.authority.sign_list(&tbs).await?;
        platform
            .publications
            .put(&Publication::List(list.clone(), number), signed)
            .await?;
        let published = PublishedList {
            vendor: self.vendor.clone(),
            number,
            this_update: window.from,
            next_update: window.until,
            due: window.from + LISTS_DUE,
        };
        let newest = platform.lists.publish(list, &published).await?;
        let (authority, shard, count) = (&list.authority, list.shard, revoked.len());
        if newest {
            info!(
                authority,
                shard, number, count, "list {number} of shard {shard} is published with {count} revocations"
            );
        } else {
            // The newer one took its number later, so it holds what this one holds.
            info!(
                authority,
                shard, number, "a newer list than {number} of shard {shard} is published"
            );
        }
        Ok(())
    }

    async fn publish_authority(&self) -> Result<(), StoreError> {
        let certificate = self.authority.certificate().as_der().to_vec();
        let place = Publication::Authority(self.addresses.authority().to_owned());
        self.app.platform.publications.put(&place, certificate).await
    }

    /// From this second on.
    fn window(&self) -> Result<Window, StatusError> {
        let now = self.app.platform.now();
        let from = now
            .to_offset(time::UtcOffset::UTC)
            .replace_nanosecond(0)
            .map_err(|_| StatusError::Unreadable("the clock"))?;
        Ok(Window {
            from,
            until: from + VALIDITY,
        })
    }
}

fn reason(revoked: &Revoked) -> Reason {
    Reason::from_code(revoked.reason.code()).unwrap_or(Reason::Unspecified)
}

/// Whole seconds: what lists and answers can say.
pub(crate) fn whole_second(at: OffsetDateTime) -> OffsetDateTime {
    at.replace_nanosecond(0).unwrap_or(at)
}
