//! The trust list: announced from the stored CAs, numbered and recorded before it is signed, then published.
use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use time::format_description::well_known::Rfc3339;
use yinxin_ca::trust_list::{CaKind, CaStatus, StoredTrustList, sign, verify};
use yinxin_issue::authority::{PLATFORM, StoredAuthority, certificate};
use yinxin_lambda::Platform;
use yinxin_store::authorities::TRUST_LIST;

use crate::authorities;

/// Announces what is new, and signs and publishes the next version. A version that was recorded and not signed, because a
/// run stopped, is signed first.
pub async fn publish(platform: &Platform, by: &str) -> Result<u64> {
    let now = platform.now();
    let before = platform.authorities.trust_list(TRUST_LIST).await?;
    let mut stored = read(before.as_deref())?.unwrap_or_else(|| StoredTrustList::new(now));
    if stored.recorded.is_none() {
        announce(platform, &mut stored).await?;
        stored.record(now)?;
    }
    let recorded = serde_json::to_string(&stored)?;
    if before.as_deref() != Some(&recorded) {
        replace(platform, before.as_deref(), &recorded).await?;
    }
    sign_recorded(platform, &mut stored).await?;
    replace(platform, Some(&recorded), &serde_json::to_string(&stored)?).await?;
    let version = stored.list.version;
    let detail = BTreeMap::from([("version".to_owned(), version.to_string())]);
    authorities::audit(platform, PLATFORM, by, "trust-list.publish", detail).await?;
    Ok(version)
}

async fn sign_recorded(platform: &Platform, stored: &mut StoredTrustList) -> Result<()> {
    let record = stored.recorded.clone().context("nothing is recorded")?;
    let opened = authorities::open(platform, PLATFORM).await?;
    let signer = opened.stored.list_signer(&opened.keys)?;
    let document = sign(&signer, &record.content, record.signing_time).await?;
    let root = certificate(&opened.stored.root.certificate)?;
    // What readers would refuse is not published.
    verify(&document, std::slice::from_ref(&root), record.signing_time)
        .context("the signed list does not verify")?;
    stored.publish(document, &root);
    Ok(())
}

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

async fn announce(platform: &Platform, stored: &mut StoredTrustList) -> Result<()> {
    let now = platform.now();
    for vendor in platform.catalog.vendors().await? {
        let id = vendor.id.as_str();
        let Some(opened) = authorities::find(platform, id).await? else {
            continue;
        };
        let who = (id, vendor.name.as_str());
        let StoredAuthority {
            root, generations, ..
        } = &opened.stored;
        let root = certificate(&root.certificate)?;
        stored.list.announce(who, (CaKind::Root, &root), None, now);
        for generation in generations {
            if let Some(issuing) = generation.certificates()?.first() {
                let from = Some(generation.issues_from);
                stored.list.announce(who, (CaKind::Issuing, issuing), from, now);
            }
        }
    }
    Ok(())
}

fn read(json: Option<&str>) -> Result<Option<StoredTrustList>> {
    json.map(serde_json::from_str)
        .transpose()
        .context("the stored trust list cannot be read")
}

async fn replace(platform: &Platform, before: Option<&str>, after: &str) -> Result<()> {
    let replaced = platform
        .authorities
        .replace_trust_list(TRUST_LIST, before, after)
        .await?;
    ensure!(replaced, "another run changed the trust list; run this again");
    Ok(())
}
