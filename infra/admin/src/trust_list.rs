//! The trust list: CAs withdrawn and granted, and what is published.
use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use time::format_description::well_known::Rfc3339;
use yinxin_ca::trust_list::{CaStatus, verify};
use yinxin_issue::authority::{PLATFORM, certificate};
pub use yinxin_issue::trust_list::publish;
use yinxin_issue::trust_list::{read, replace};
use yinxin_lambda::Platform;
use yinxin_store::authorities::TRUST_LIST;

use crate::authorities;

/// Changes the status of a vendor's CAs, and publishes.
pub async fn change(
    platform: &Platform,
    (vendor, key): (&str, Option<&str>),
    status: CaStatus,
    reason: &str,
    by: &str,
) -> Result<u64> {
    ensure!(
        (1..=200).contains(&reason.trim().chars().count()),
        "a reason of up to 200 characters is needed"
    );
    let now = platform.now();
    let before = platform.authorities.trust_list(TRUST_LIST).await?;
    let mut stored = read(before.as_deref())?.context("no trust list was published")?;
    ensure!(
        stored.recorded.is_none(),
        "a version waits for its signature: `trust-list publish` first"
    );
    let changed = stored.list.change(vendor, key, status, now, reason)?;
    // A withdrawn CA stops issuing before the world hears of it, a granted one issues after.
    if status == CaStatus::Withdrawn {
        authorities::retire(platform, vendor, key, Some(now)).await?;
    }
    replace(platform, before.as_deref(), &serde_json::to_string(&stored)?).await?;
    let detail = BTreeMap::from([
        ("keys".to_owned(), changed.join(" ")),
        ("reason".to_owned(), reason.to_owned()),
    ]);
    let action = match status {
        CaStatus::Withdrawn => "ca.withdraw",
        CaStatus::Granted => "ca.grant",
    };
    authorities::audit(platform, vendor, by, action, detail).await?;
    let version = publish(platform, by).await?;
    if status == CaStatus::Granted {
        authorities::retire(platform, vendor, key, None).await?;
    }
    Ok(version)
}

/// Prints the published list.
pub async fn show(platform: &Platform) -> Result<()> {
    let stored = platform.authorities.trust_list(TRUST_LIST).await?;
    let stored = read(stored.as_deref())?.context("no trust list was published")?;
    let opened = authorities::open(platform, PLATFORM).await?;
    let root = certificate(&opened.stored.root.certificate)?;
    let list = verify(&stored.published, &[root], platform.now())?;
    println!(
        "version {}, issued at {}, next update {}",
        list.version,
        list.issued_at.format(&Rfc3339)?,
        list.next_update.format(&Rfc3339)?
    );
    for vendor in &list.vendors {
        for ca in &vendor.services {
            for entry in &ca.history {
                println!(
                    "{}  {:?}  {}  {:?} since {}: {}",
                    vendor.id,
                    ca.kind,
                    ca.key_id,
                    entry.status,
                    entry.since.format(&Rfc3339)?,
                    entry.reason
                );
            }
        }
    }
    Ok(())
}
