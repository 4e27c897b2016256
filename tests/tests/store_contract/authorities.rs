//! CAs and the trust list are replaced by those who know what is there; the audit trail only grows.
use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use time::Duration;
use yinxin_store::audits::AuditEntry;

use crate::{Store, new_vendor, now, random_id};

pub async fn a_stale_ca_is_not_replaced(store: &impl Store) -> Result<()> {
    let vendor = new_vendor()?;
    let vendor = vendor.as_str();
    ensure!(
        !store.replace_authority(vendor, "one", "two").await?,
        "what was never kept was replaced"
    );
    ensure!(store.put_authority(vendor, "one").await?);
    ensure!(!store.put_authority(vendor, "another").await?);
    ensure!(store.replace_authority(vendor, "one", "two").await?);
    ensure!(
        !store.replace_authority(vendor, "one", "three").await?,
        "a key was lost"
    );
    ensure!(store.authority(vendor).await? == "two");
    Ok(())
}

pub async fn a_stale_trust_list_is_not_replaced(store: &impl Store) -> Result<()> {
    let name = format!("contract-{}", random_id());
    ensure!(store.trust_list(&name).await?.is_none());
    ensure!(!store.replace_trust_list(&name, Some("one"), "two").await?);
    ensure!(store.replace_trust_list(&name, None, "one").await?);
    ensure!(!store.replace_trust_list(&name, None, "another").await?);
    ensure!(store.replace_trust_list(&name, Some("one"), "two").await?);
    ensure!(!store.replace_trust_list(&name, Some("one"), "three").await?);
    ensure!(store.trust_list(&name).await?.as_deref() == Some("two"));
    Ok(())
}

pub async fn the_audit_trail_keeps_everything_in_order(store: &impl Store) -> Result<()> {
    let subject = format!("contract/{}", random_id());
    ensure!(store.audit_of(&subject).await?.is_empty());
    let entry = |seconds: i64, action: &str| AuditEntry {
        subject: subject.clone(),
        at: now() + Duration::seconds(seconds),
        by: "contract".to_owned(),
        action: action.to_owned(),
        detail: BTreeMap::from([("key".to_owned(), "value".to_owned())]),
    };
    let (first, second, third) = (entry(0, "first"), entry(60, "second"), entry(120, "third"));
    for written in [&second, &third, &first] {
        store.audit(written).await?;
    }
    ensure!(store.audit_of(&subject).await? == [first.clone(), second.clone(), third]);
    // Two entries of the same moment are two entries.
    store.audit(&first).await?;
    ensure!(store.audit_of(&subject).await?[..2] == [first.clone(), first]);
    Ok(())
}
