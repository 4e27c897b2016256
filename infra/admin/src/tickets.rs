//! The keys that the platform signs tickets with: made here, certified by the platform's root, kept in a secret.
use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use yinxin_ca::trust_list::key_id;
use yinxin_issue::authority::PLATFORM;
use yinxin_lambda::Platform;
use yinxin_lambda::settings::required;
use yinxin_personalise::{PrivateKey, TicketKey, TicketSecret};
use yinxin_pki::SigningKey;
use yinxin_pki::pem::encode_chain;
use yinxin_store::vault::rng;

use crate::authorities::{self, CROSS_OVER, PLATFORM_NAME};

/// The name of the secret, in the functions' environment.
const SECRET_VARIABLE: &str = "TICKET_SECRET_ID";

/// Makes the first key where there is none.
pub async fn seed(platform: &Platform, by: &str) -> Result<bool> {
    let (name, mut secret) = read(platform).await?;
    if !secret.keys.is_empty() {
        return Ok(false);
    }
    add(platform, &mut secret, None, by).await?;
    write(platform, &name, &secret).await?;
    Ok(true)
}

/// Makes the next key; says from when on it signs.
pub async fn renew(platform: &Platform, from: Option<OffsetDateTime>, by: &str) -> Result<OffsetDateTime> {
    let (name, mut secret) = read(platform).await?;
    let from = add(platform, &mut secret, from, by).await?;
    write(platform, &name, &secret).await?;
    Ok(from)
}

/// What agents are started with: the certificates of the key that signs, and of the next one.
pub async fn certificates(platform: &Platform) -> Result<String> {
    let (_, secret) = read(platform).await?;
    ensure!(
        !secret.keys.is_empty(),
        "there is no key for tickets; `tickets renew` makes one"
    );
    Ok(secret.keys.iter().map(|key| key.certificates.as_str()).collect())
}

/// Adds a key that signs from `from` on; a first one at once, a later one when agents have its certificate. Keys that
/// have no use any more go.
pub(crate) async fn add(
    platform: &Platform,
    secret: &mut TicketSecret,
    from: Option<OffsetDateTime>,
    by: &str,
) -> Result<OffsetDateTime> {
    let now = platform.now();
    ensure!(
        secret.keys.iter().all(|key| key.signs_from <= now),
        "the next key for tickets is there already and does not sign yet"
    );
    let from = match from {
        Some(from) => from,
        None if secret.keys.is_empty() => now,
        None => now + CROSS_OVER,
    };
    let opened = authorities::open(platform, PLATFORM).await?;
    let key = SigningKey::generate(&mut rng());
    let chain = opened
        .stored
        .certify_ticket_signer(&opened.keys, PLATFORM_NAME, key.public_key(), now)
        .await?;
    let detail = BTreeMap::from([
        ("key".to_owned(), key_id(&chain[0])),
        ("signs_from".to_owned(), from.format(&Rfc3339)?),
    ]);
    authorities::audit(platform, PLATFORM, by, "tickets.renew", detail).await?;
    // The one that signs until then stays.
    let superseded = secret.keys.len().saturating_sub(1);
    secret.keys.drain(..superseded);
    secret.keys.push(TicketKey {
        certificates: encode_chain(&chain),
        private_key: PrivateKey(key.to_pkcs8_pem()),
        signs_from: from,
    });
    Ok(from)
}

async fn read(platform: &Platform) -> Result<(String, TicketSecret)> {
    let name = required(SECRET_VARIABLE)?;
    let secret = platform.secret(&name).await?;
    Ok((name, secret))
}

async fn write(platform: &Platform, name: &str, secret: &TicketSecret) -> Result<()> {
    let json = yinxin_pki::Zeroizing::new(serde_json::to_string(secret)?);
    Ok(platform.replace_secret(name, &json).await?)
}
