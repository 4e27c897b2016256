//! The trust list: announced from the stored CAs, numbered and recorded before it is signed, then published; and signed anew
//! before it ends.
use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use time::OffsetDateTime;
use tracing::info;
use yinxin_ca::trust_list::{CaKind, StoredTrustList, VALID_FOR, sign, verify};
use yinxin_lambda::Platform;
use yinxin_store::authorities::TRUST_LIST;

use crate::authorities::{self, Found};
use crate::authority::{PLATFORM, StoredAuthority, certificate};

/// Publishes the next version where the last one is past half of its time; nothing where there is no list.
pub async fn refresh(platform: &Platform, now: OffsetDateTime) -> Result<()> {
    let stored = platform.authorities.trust_list(TRUST_LIST).await?;
    let due = read(stored.as_deref())?.is_some_and(|stored| stored.list.next_update - now < VALID_FOR / 2);
    if due {
        let version = publish(platform, "issue").await?;
        info!(version, "version {version} of the trust list was published");
    }
    Ok(())
}

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

async fn announce(platform: &Platform, stored: &mut StoredTrustList) -> Result<()> {
    let now = platform.now();
    for vendor in platform.catalog.vendors().await? {
        let id = vendor.id.as_str();
        let who = (id, vendor.name.as_str());
        let opened = match authorities::find(platform, id).await? {
            Some(Found::Own(opened)) => opened,
            // Its issuing CAs come with its certificates.
            Some(Found::Est(_, endpoint)) => {
                let root = endpoint.root()?;
                stored.list.announce(who, (CaKind::Root, &root), None, now);
                continue;
            }
            None => continue,
        };
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

/// What is stored, if anything is.
pub fn read(json: Option<&str>) -> Result<Option<StoredTrustList>> {
    json.map(serde_json::from_str)
        .transpose()
        .context("the stored trust list cannot be read")
}

/// Stores a changed list in the place of the one that was read.
pub async fn replace(platform: &Platform, before: Option<&str>, after: &str) -> Result<()> {
    let replaced = platform
        .authorities
        .replace_trust_list(TRUST_LIST, before, after)
        .await?;
    ensure!(replaced, "another run changed the trust list; run this again");
    Ok(())
}
