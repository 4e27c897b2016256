//! The trust list: all vendors' CAs with the history of their status, signed and numbered. Trading systems download
//! it, verify it against the platform's root, and keep it (docs/authorities.md).

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use yinxin_pki::Certificate;

use crate::bytes;

mod cache;
mod signed;
mod stored;
#[cfg(test)]
mod tests;

pub use cache::{CacheError, CachedTrustList};
pub use signed::{ListSigner, TrustListError, sign, verify};
pub use stored::{RecordedTrustList, StoredTrustList};

/// The name of this form of the document; a reader refuses another.
pub const SCHEMA: &str = "yinxin-trust-list-1";
/// A list is signed anew before this time is over, and nobody relies on it after.
pub const VALID_FOR: Duration = Duration::days(7);

/// The content of a trust list.
///
/// This type is used in stored state, and published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustList {
    /// [`SCHEMA`].
    pub schema: String,
    /// Rises by one with each list; no number is given twice.
    pub version: u64,
    /// When it was made, whole seconds.
    #[serde(with = "time::serde::rfc3339")]
    pub issued_at: OffsetDateTime,
    /// Nobody relies on the list after this.
    #[serde(with = "time::serde::rfc3339")]
    pub next_update: OffsetDateTime,
    /// The vendors, in the order of their ids.
    pub vendors: Vec<ListedVendor>,
}

/// A vendor on the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedVendor {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its CAs, in the order in which they were announced.
    pub services: Vec<ListedCa>,
}

/// A CA on the list. It is never taken off: signatures outlive it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedCa {
    /// What it is.
    pub kind: CaKind,
    /// Its key identifier, lower-case hexadecimal.
    pub key_id: String,
    /// Its certificate, DER in base64.
    #[serde(with = "bytes")]
    pub certificate: Vec<u8>,
    /// From when on it issues, if that lies after the start of its certificate.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub issues_from: Option<OffsetDateTime>,
    /// Every status it had, oldest first; the first is the day of its announcement.
    pub history: Vec<StatusEntry>,
}

/// Kinds of CAs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaKind {
    /// Signs itself, and issuing CAs.
    Root,
    /// Signs subscribers' certificates.
    Issuing,
    /// A root's key certified by another root of the same vendor, for a rotation of roots (RFC 4210, 4.4).
    Cross,
}

/// A status, from a time on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusEntry {
    /// The status.
    pub status: CaStatus,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// Why.
    pub reason: String,
}

/// Whether the platform trusts a CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaStatus {
    /// It does.
    Granted,
    /// It does not; what was signed before stays as good as it was.
    Withdrawn,
}

/// A CA that was trusted at the time that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The vendor's id.
    pub vendor: String,
    /// What it is.
    pub kind: CaKind,
    /// Its certificate.
    pub certificate: Certificate,
}

/// The change of a status means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The list has no such CA.
    #[error("the list has no such CA")]
    Unknown,
    /// It has the status already.
    #[error("the CA has this status already")]
    Unchanged,
    /// The last change is later than this one.
    #[error("the CA's status was changed after this time")]
    Order,
}

impl ListedCa {
    /// The status at a time; `None` before the CA was announced.
    pub fn status_at(&self, at: OffsetDateTime) -> Option<CaStatus> {
        let entry = self.history.iter().rev().find(|entry| entry.since <= at)?;
        Some(entry.status)
    }

    fn change(&mut self, status: CaStatus, since: OffsetDateTime, reason: &str) -> Result<(), ChangeError> {
        if let Some(last) = self.history.last() {
            if last.status == status {
                return Err(ChangeError::Unchanged);
            }
            if last.since > since {
                return Err(ChangeError::Order);
            }
        }
        self.history.push(StatusEntry {
            status,
            since,
            reason: reason.to_owned(),
        });
        Ok(())
    }
}

impl TrustList {
    /// A list of nobody, from before the first.
    pub fn empty(now: OffsetDateTime) -> Self {
        let issued_at = whole_second(now);
        Self {
            schema: SCHEMA.to_owned(),
            version: 0,
            issued_at,
            next_update: issued_at + VALID_FOR,
            vendors: Vec::new(),
        }
    }

    /// Announces a CA, granted from `now` on, unless it is listed; `false` where it was.
    pub fn announce(
        &mut self,
        (vendor, name): (&str, &str),
        (kind, certificate): (CaKind, &Certificate),
        issues_from: Option<OffsetDateTime>,
        now: OffsetDateTime,
    ) -> bool {
        let place = match self
            .vendors
            .binary_search_by(|listed| listed.id.as_str().cmp(vendor))
        {
            Ok(place) => place,
            Err(place) => {
                self.vendors.insert(
                    place,
                    ListedVendor {
                        id: vendor.to_owned(),
                        name: name.to_owned(),
                        services: Vec::new(),
                    },
                );
                place
            }
        };
        let services = &mut self.vendors[place].services;
        if services
            .iter()
            .any(|listed| listed.certificate == certificate.as_der())
        {
            return false;
        }
        services.push(ListedCa {
            kind,
            key_id: key_id(certificate),
            certificate: certificate.as_der().to_vec(),
            issues_from: issues_from.map(whole_second),
            history: vec![StatusEntry {
                status: CaStatus::Granted,
                since: whole_second(now),
                reason: "announced".to_owned(),
            }],
        });
        true
    }

    /// Changes the status of a vendor's CA, or of all its CAs, from `since` on; says which.
    pub fn change(
        &mut self,
        vendor: &str,
        key_id: Option<&str>,
        status: CaStatus,
        since: OffsetDateTime,
        reason: &str,
    ) -> Result<Vec<String>, ChangeError> {
        let listed = self.vendors.iter_mut().find(|listed| listed.id == vendor);
        let mut changed = Vec::new();
        let mut unchanged = false;
        for ca in &mut listed.ok_or(ChangeError::Unknown)?.services {
            if key_id.is_some_and(|wanted| wanted != ca.key_id) {
                continue;
            }
            match ca.change(status, whole_second(since), reason) {
                Ok(()) => changed.push(ca.key_id.clone()),
                // Of all CAs of a vendor some may have the status.
                Err(ChangeError::Unchanged) => unchanged = true,
                Err(error) => return Err(error),
            }
        }
        match (changed.is_empty(), unchanged) {
            (false, _) => Ok(changed),
            (true, true) => Err(ChangeError::Unchanged),
            (true, false) => Err(ChangeError::Unknown),
        }
    }

    /// The CAs that were trusted at a time. One withdrawn since counts for signatures before; one granted later does not.
    pub fn anchors_at(&self, at: OffsetDateTime) -> Vec<Anchor> {
        let mut anchors = Vec::new();
        for vendor in &self.vendors {
            for ca in &vendor.services {
                if ca.status_at(at) != Some(CaStatus::Granted) {
                    continue;
                }
                // A certificate that this reader cannot read is no anchor for it.
                if let Ok(certificate) = Certificate::from_der(&ca.certificate) {
                    anchors.push(Anchor {
                        vendor: vendor.id.clone(),
                        kind: ca.kind,
                        certificate,
                    });
                }
            }
        }
        anchors
    }
}

/// A CA's name for people and commands: its key identifier, lower-case hexadecimal.
pub fn key_id(certificate: &Certificate) -> String {
    let identifier = certificate.subject_key_identifier().unwrap_or_default();
    hex::encode(identifier)
}

fn whole_second(at: OffsetDateTime) -> OffsetDateTime {
    let at = at.to_offset(time::UtcOffset::UTC);
    at.replace_nanosecond(0).unwrap_or(at)
}
