//! A unit's token is lost: two officers recover its encryption key to a new one, and old files open again.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use yinxin_order::form::sample;
use yinxin_pki::csr::CsrBuilder;
use yinxin_pki::{Certificate, EnvelopedKey, EnvelopedKeyBlob, Name, SigningKey, pem};
use yinxin_store::audits::Audits as _;
use yinxin_store::recoveries::audit_subject;
use yinxin_store::vault::rng;
use yinxin_tests::client::text;
use yinxin_tests::journey::{Stage, new_seed};
use yinxin_tests::staff::{self, Role};
use yinxin_tests::{Journey, Step, applicant, wait};

const LIMIT: Duration = Duration::from_mins(1);
const REASON: &str = "原介质遗失，需恢复加密密钥以解密历史投标文件";
const OLD_FILE: &[u8] = b"a bid that was encrypted last year";

#[tokio::test]
async fn two_officers_recover_a_key_to_a_new_token() -> Result<()> {
    let stage = Stage::open().await?;
    let form = sample::unit(new_seed());
    let mut journey = Journey::new(&stage, form.clone(), &stage.place("recovery")?).await?;
    journey.through(Step::Personalise).await?;
    let order = journey.order()?.to_owned();
    let vendor = journey.purchase.vendor.clone();
    let world = &stage.world;
    let first = staff::session_of(world, &vendor, Role::Officer, "recovery-first")
        .await?
        .api;
    let second = staff::session_of(world, &vendor, Role::Officer, "recovery-second")
        .await?
        .api;
    let other = applicant::purchase(&stage.api, &form, 1).await?.vendor;
    ensure!(other != vendor, "there is one vendor only");
    let foreign = staff::session_of(world, &other, Role::Officer, "recovery-second")
        .await?
        .api;

    let keys = format!("/api/review/holders/keys?order={order}");
    let history = first.get(&keys).await?.ok()?;
    let [key] = history["keys"].as_array().context("a list")?.as_slice() else {
        anyhow::bail!("the holder has not one key: {history}")
    };
    foreign.get(&keys).await?.refused(404, "key-not-found")?;

    let token = SigningKey::generate(&mut rng());
    let body = json!({"order": order, "reason": REASON, "csr": request_of(&token, form.holder_name())?});
    foreign
        .post("/api/review/recoveries", &body)
        .await?
        .refused(404, "key-not-found")?;
    let asked = first.post("/api/review/recoveries", &body).await?.ok()?;
    ensure!(asked["serial"] == key["serial"], "another key is meant: {asked}");
    let path = format!("/api/review/recoveries/{}", text(&asked, "recovery_id")?);
    let approve = format!("{path}/approve");
    first
        .post(&approve, &json!({}))
        .await?
        .refused(409, "recovery-same-officer")?;
    foreign
        .post(&approve, &json!({}))
        .await?
        .refused(404, "recovery-not-found")?;
    foreign.get(&path).await?.refused(404, "recovery-not-found")?;
    second.post(&approve, &json!({})).await?.ok()?;
    let recovered = wait::until("the recovered key", LIMIT, async || {
        let shown = second.get(&path).await?.ok()?;
        Ok((shown["state"] == "recovered").then_some(shown))
    })
    .await?;

    let delivery = &recovered["delivery"];
    let certificate = Certificate::from_pem(&text(delivery, "encryption_certificate")?)?;
    ensure!(json!(certificate.serial_hex()) == key["serial"]);
    let secret = certificate
        .public_key()
        .context("the encryption key is no SM2 key")?
        .encrypt(OLD_FILE, &mut rng())?;
    let enveloped = EnvelopedKey::from_der(&STANDARD.decode(text(delivery, "enveloped_key")?)?)?;
    ensure!(
        enveloped.open(&token)?.decrypt(&secret)?.as_slice() == OLD_FILE,
        "the recovered key does not decrypt"
    );
    for variant in ["a", "c"] {
        let shown = first
            .get(&format!("{path}?form=skf&variant={variant}"))
            .await?
            .ok()?;
        let blob = STANDARD.decode(text(&shown["delivery"], "enveloped_key")?)?;
        let enveloped = EnvelopedKeyBlob::from_bytes(&blob)?.to_enveloped_key()?;
        ensure!(enveloped.open(&token)?.decrypt(&secret)?.as_slice() == OLD_FILE);
    }

    let accounts = |trail: &Value| -> Vec<String> {
        let entries = trail.as_array().into_iter().flatten();
        entries
            .filter_map(|entry| entry["by"].as_str().map(str::to_owned))
            .collect()
    };
    let wanted = ["recovery-first", "recovery-second", "platform:issue"];
    ensure!(
        accounts(&recovered["trail"]) == wanted,
        "the trail is {}",
        recovered["trail"]
    );
    let stored = stage
        .cloud
        .stores()?
        .audit_of(&audit_subject(&order.parse()?))
        .await?;
    ensure!(
        stored.iter().map(|entry| entry.by.as_str()).eq(wanted),
        "the stored trail is {stored:?}"
    );
    Ok(())
}

/// A request of the new token.
fn request_of(token: &SigningKey, name: &str) -> Result<String> {
    let subject = Name::unit(name, None)?;
    let der = CsrBuilder::new(&subject, token.public_key()).sign_with(|info| token.sign(info))?;
    Ok(pem::encode(pem::CERTIFICATE_REQUEST, &der))
}
