//! Authorities as they are stored, for ceremonies and for the trust list: found, opened, and what was done to them.
use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use yinxin_lambda::Platform;
use yinxin_store::StoreError;
use yinxin_store::audits::AuditEntry;
use yinxin_store::vault::Purpose;

use crate::authority::{AuthorityKeys, Stored, StoredAuthority, StoredEst};

/// A stored authority, with what opens it and what it was read from.
pub struct Opened {
    /// What was read: what is changed replaces just this.
    pub json: String,
    /// The authority.
    pub stored: StoredAuthority,
    /// Opens its keys.
    pub keys: AuthorityKeys,
}

/// What there is of an authority.
pub enum Found {
    /// Its keys are with the platform.
    Own(Box<Opened>),
    /// A vendor's endpoint, with the JSON that it was read from.
    Est(String, Box<StoredEst>),
}

/// The authority of `id`, if there is one.
pub async fn find(platform: &Platform, id: &str) -> Result<Option<Found>> {
    let json = match platform.issuances.authority(id).await {
        Ok(json) => json,
        Err(StoreError::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let stored = match Stored::from_json(&json)? {
        Stored::Own(stored) => *stored,
        Stored::Est(stored) => return Ok(Some(Found::Est(json, stored))),
    };
    let wrapped = stored.wrapped_key()?;
    let data_key = platform
        .vault
        .open_data_key(Purpose::Authority, id, &wrapped)
        .await?;
    let keys = AuthorityKeys::new(id, data_key, platform.vault.clone());
    let opened = Opened { json, stored, keys };
    Ok(Some(Found::Own(Box::new(opened))))
}

/// The authority of `id`, whose keys are with the platform.
pub async fn open(platform: &Platform, id: &str) -> Result<Opened> {
    let found = find(platform, id).await?;
    match found.with_context(|| format!("{id} has no CA; `ca init` makes one"))? {
        Found::Own(opened) => Ok(*opened),
        Found::Est(..) => bail!("the keys of {id} are with the vendor, which issues through its endpoint"),
    }
}

/// Adds to the audit trail of an authority.
pub async fn audit(
    platform: &Platform,
    id: &str,
    by: &str,
    action: &str,
    detail: BTreeMap<String, String>,
) -> Result<()> {
    let entry = AuditEntry {
        subject: format!("authority/{id}"),
        at: platform.now(),
        by: by.to_owned(),
        action: action.to_owned(),
        detail,
    };
    Ok(platform.audits.audit(&entry).await?)
}
