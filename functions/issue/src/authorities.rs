//! Authorities as they are stored, for ceremonies and for the trust list: found, opened, and what was done to them.
use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use yinxin_lambda::Platform;
use yinxin_store::StoreError;
use yinxin_store::audits::AuditEntry;
use yinxin_store::vault::Purpose;

use crate::authority::{AuthorityKeys, StoredAuthority};

/// A stored authority, with what opens it and what it was read from.
pub struct Opened {
    /// What was read: what is changed replaces just this.
    pub json: String,
    /// The authority.
    pub stored: StoredAuthority,
    /// Opens its keys.
    pub keys: AuthorityKeys,
}

/// The authority of `id`, if there is one.
pub async fn find(platform: &Platform, id: &str) -> Result<Option<Opened>> {
    let json = match platform.issuances.authority(id).await {
        Ok(json) => json,
        Err(StoreError::NotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let stored = StoredAuthority::from_json(&json)?;
    let wrapped = stored.wrapped_key()?;
    let data_key = platform
        .vault
        .open_data_key(Purpose::Authority, id, &wrapped)
        .await?;
    let keys = AuthorityKeys::new(id, data_key, platform.vault.clone());
    Ok(Some(Opened { json, stored, keys }))
}

/// The authority of `id`.
pub async fn open(platform: &Platform, id: &str) -> Result<Opened> {
    find(platform, id)
        .await?
        .with_context(|| format!("{id} has no CA; `ca init` makes one"))
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
