//! Key ceremonies: a vendor's root and issuing CAs, the platform's own root. Keys are sealed before they are stored, or
//! never leave KMS. Each ceremony replaces what it read, so that of two at once one fails and no key is lost.
use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use yinxin_ca::trust_list::key_id;
pub use yinxin_issue::authorities::{Found, Opened, audit, find, open};
use yinxin_issue::authority::{AuthorityKeys, PLATFORM, StoredAuthority, certificate};
use yinxin_lambda::Platform;
use yinxin_store::catalog::Vendor;
use yinxin_store::vault::Purpose;

/// The name of the platform in its own certificates.
pub const PLATFORM_NAME: &str = "印信平台";
/// A new issuing CA is announced so long before it issues: every trading system has fetched the trust list by then.
pub const CROSS_OVER: Duration = Duration::days(7);
/// Responders and their like are renewed when less than this is left.
const RENEW_BEFORE: Duration = Duration::days(90);

/// Where the keys of a ceremony are; software where nothing is said.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct KeyPlaces {
    /// The SM2 key in KMS that signs certificates; a sealed software key otherwise.
    #[arg(long, value_name = "ARN")]
    pub kms_key: Option<String>,
    /// The SM2 key in KMS of the root.
    #[arg(long, value_name = "ARN")]
    pub root_kms_key: Option<String>,
}

/// Stores a changed authority in the place of the one that was read.
pub async fn replace(platform: &Platform, id: &str, opened: &Opened) -> Result<()> {
    put_in_place(
        platform,
        id,
        &opened.json,
        &serde_json::to_string(&opened.stored)?,
    )
    .await
}

async fn put_in_place(platform: &Platform, id: &str, before: &str, after: &str) -> Result<()> {
    let replaced = platform.authorities.replace_authority(id, before, after).await?;
    ensure!(
        replaced,
        "another ceremony for {id} was faster; nothing was changed by this one"
    );
    Ok(())
}

/// Makes root and issuing CA, unless the vendor has them; `false` where it has.
pub async fn init(platform: &Platform, vendor: &Vendor, places: &KeyPlaces, by: &str) -> Result<bool> {
    let id = vendor.id.as_str();
    ensure!(id != PLATFORM, "no vendor may be called {PLATFORM}");
    if find(platform, id).await?.is_some() {
        return Ok(false);
    }
    let now = platform.now();
    let (mut stored, keys) = found(platform, id, &vendor.name, places).await?;
    let kms_key = places.kms_key.as_deref();
    stored.rotate(&keys, &vendor.name, kms_key, now, now).await?;
    put(platform, id, &stored, by).await
}

/// Makes the platform's own root and its trust list signer, unless they are there.
pub async fn init_platform(platform: &Platform, places: &KeyPlaces, by: &str) -> Result<bool> {
    if find(platform, PLATFORM).await?.is_some() {
        return Ok(false);
    }
    let (mut stored, keys) = found(platform, PLATFORM, PLATFORM_NAME, places).await?;
    let kms_key = places.kms_key.as_deref();
    stored
        .add_list_signer(&keys, PLATFORM_NAME, kms_key, platform.now())
        .await?;
    put(platform, PLATFORM, &stored, by).await
}

async fn found(
    platform: &Platform,
    id: &str,
    name: &str,
    places: &KeyPlaces,
) -> Result<(StoredAuthority, AuthorityKeys)> {
    let data_key = platform.vault.new_data_key(Purpose::Authority, id).await?;
    let keys = AuthorityKeys::new(id, data_key, platform.vault.clone());
    let root = places.root_kms_key.as_deref();
    let stored = StoredAuthority::found(&keys, name, root, platform.now()).await?;
    Ok((stored, keys))
}

/// Another ceremony may have been faster; its keys stand.
async fn put(platform: &Platform, id: &str, stored: &StoredAuthority, by: &str) -> Result<bool> {
    let made = platform
        .issuances
        .put_authority(id, &serde_json::to_string(stored)?)
        .await?;
    if made {
        audit(platform, id, by, "ca.init", key_ids(stored)?).await?;
    }
    Ok(made)
}

/// Makes the next issuing CA, which takes over at `from`; for the platform, the next trust list signer.
pub async fn rotate(
    platform: &Platform,
    (id, name): (&str, &str),
    kms_key: Option<&str>,
    from: Option<OffsetDateTime>,
    by: &str,
) -> Result<OffsetDateTime> {
    let now = platform.now();
    let from = from.unwrap_or(now + CROSS_OVER);
    ensure!(
        from >= now - Duration::minutes(5),
        "the time of taking over is past"
    );
    let mut opened = open(platform, id).await?;
    let stored = &mut opened.stored;
    let from = if id == PLATFORM {
        stored.add_list_signer(&opened.keys, name, kms_key, now).await?;
        now
    } else {
        stored.rotate(&opened.keys, name, kms_key, from, now).await?;
        from
    };
    replace(platform, id, &opened).await?;
    let mut detail = key_ids(&opened.stored)?;
    detail.insert("issues_from".to_owned(), from.format(&Rfc3339)?);
    audit(platform, id, by, "ca.rotate", detail).await?;
    Ok(from)
}

/// Renews what ends soon: responders of all generations. Says of which.
pub async fn renew(platform: &Platform, (id, name): (&str, &str), by: &str) -> Result<Vec<u32>> {
    let now = platform.now();
    // A vendor answers for its certificates itself.
    if let Some(Found::Est(..)) = find(platform, id).await? {
        return Ok(Vec::new());
    }
    let mut opened = open(platform, id).await?;
    let until = now + RENEW_BEFORE;
    let renewed = opened
        .stored
        .renew_responders(&opened.keys, name, until, now)
        .await?;
    if !renewed.is_empty() {
        replace(platform, id, &opened).await?;
        let detail = BTreeMap::from([("generations".to_owned(), format!("{renewed:?}"))]);
        audit(platform, id, by, "ca.renew", detail).await?;
    }
    Ok(renewed)
}

/// Lets generations issue no more, or again; `None` means all of the vendor.
pub async fn retire(
    platform: &Platform,
    id: &str,
    key: Option<&str>,
    at: Option<OffsetDateTime>,
) -> Result<()> {
    if let Some(Found::Est(before, mut stored)) = find(platform, id).await? {
        let is_meant = match key {
            Some(key) => key_id(&stored.root()?) == key,
            None => true,
        };
        if is_meant && stored.retired.is_some() != at.is_some() {
            stored.retired = at;
            put_in_place(platform, id, &before, &serde_json::to_string(&stored)?).await?;
        }
        return Ok(());
    }
    let mut opened = open(platform, id).await?;
    let mut changed = false;
    for generation in &mut opened.stored.generations {
        let chain = generation.certificates()?;
        let is_meant = |key: &str| chain.iter().any(|certificate| key_id(certificate) == key);
        // A root that is withdrawn takes with it what is under it.
        if key.is_none_or(is_meant) && generation.retired.is_some() != at.is_some() {
            generation.retired = at;
            changed = true;
        }
    }
    if changed {
        replace(platform, id, &opened).await?;
    }
    Ok(())
}

/// Prints what there is of one authority.
pub fn print(id: &str, stored: &StoredAuthority, now: OffsetDateTime) -> Result<()> {
    let day = |at: OffsetDateTime| at.date();
    let root = certificate(&stored.root.certificate)?;
    let kind = stored.root.key.as_ref().map_or("offline", |key| key.describe());
    println!(
        "{id}  root          {}  {} to {}  {kind}",
        key_id(&root),
        day(root.not_before()),
        day(root.not_after())
    );
    let current = stored
        .generations
        .iter()
        .rev()
        .find(|generation| generation.retired.is_none() && generation.issues_from <= now)
        .map(|generation| generation.number);
    for generation in &stored.generations {
        let chain = generation.certificates()?;
        let Some(issuing) = chain.first() else {
            bail!("an issuing CA of {id} has no certificate");
        };
        let status = match generation.retired {
            Some(at) => format!("retired since {}", at.format(&Rfc3339)?),
            None if Some(generation.number) == current => "issues".to_owned(),
            None if generation.issues_from > now => "will issue".to_owned(),
            None => "answers for its certificates".to_owned(),
        };
        println!(
            "{id}  issuing {:<4}  {}  {} to {}  {}  issues from {}: {status}",
            generation.number,
            key_id(issuing),
            day(issuing.not_before()),
            day(issuing.not_after()),
            generation.key.describe(),
            generation.issues_from.format(&Rfc3339)?
        );
        if let Some(responder) = &generation.responder {
            let made = certificate(&responder.certificate)?;
            println!(
                "{id}  responder {:<2}  {}  {} to {}  {}",
                generation.number,
                key_id(&made),
                day(made.not_before()),
                day(made.not_after()),
                responder.key.describe()
            );
        }
    }
    for signer in &stored.list_signers {
        let made = certificate(&signer.certificate)?;
        println!(
            "{id}  list signer   {}  {} to {}  {}",
            key_id(&made),
            day(made.not_before()),
            day(made.not_after()),
            signer.key.describe()
        );
    }
    Ok(())
}

fn key_ids(stored: &StoredAuthority) -> Result<BTreeMap<String, String>> {
    let mut ids = BTreeMap::from([("root".to_owned(), key_id(&certificate(&stored.root.certificate)?))]);
    for generation in &stored.generations {
        if let Some(issuing) = generation.certificates()?.first() {
            ids.insert(format!("issuing {}", generation.number), key_id(issuing));
        }
    }
    for (place, signer) in stored.list_signers.iter().enumerate() {
        let id = key_id(&certificate(&signer.certificate)?);
        ids.insert(format!("list signer {}", place + 1), id);
    }
    Ok(ids)
}
