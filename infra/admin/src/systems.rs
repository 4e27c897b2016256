//! Credentials of systems that call the platform.
use anyhow::ensure;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use yinxin_lambda::Platform;
use yinxin_store::vault::random_bytes;

/// Gives `system` a new credential; only its keyed hash is stored.
pub async fn renew(platform: &Platform, system: &str) -> anyhow::Result<()> {
    let is_slug =
        (2..=32).contains(&system.len()) && system.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    ensure!(
        is_slug,
        "a system's id has 2 to 32 lower-case letters and hyphens"
    );
    let credential = format!("{system}:{}", URL_SAFE_NO_PAD.encode(random_bytes::<32>()));
    let hash = platform.vault.hashes().await?.lookup("system", &credential);
    platform.catalog.put_system_credential(system, &hash).await?;
    println!("{credential}");
    Ok(())
}
