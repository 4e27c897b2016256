//! The certificates that a journey ends with, as others see them: OpenSSL and pkilint.
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use yinxin_agent::pin::Pin;
use yinxin_agent::token::{FileToken, Token, Usage};
use yinxin_pki::pem;
use zeroize::Zeroizing;

use crate::world::{World, run};

/// The agent's record with the CA certificates.
const CHAIN_RECORD: &str = "chain";
/// The default identifier of GM/T 0009-2012, 10, as OpenSSL is told it.
const DISTID: &str = "distid:1234567812345678";

/// Takes the certificates out of a token: `sign.pem`, `encrypt.pem`, `chain.pem`.
pub fn export(token: &Path, directory: &Path) -> Result<()> {
    let token = FileToken::open(token)?;
    for (usage, name) in [(Usage::Signing, "sign.pem"), (Usage::Encryption, "encrypt.pem")] {
        let certificate = token
            .certificate(usage)?
            .with_context(|| format!("the token holds no {usage} certificate"))?;
        std::fs::write(directory.join(name), certificate.to_pem())?;
    }
    let chain = token
        .record(CHAIN_RECORD)?
        .context("the token holds no CA certificates")?;
    std::fs::write(directory.join("chain.pem"), chain)?;
    Ok(())
}

/// Logs in to a token with the password that its holder was sent, and lets both keys work.
pub fn password_opens(token: &Path, password: &str) -> Result<()> {
    let mut token = FileToken::open(token)?;
    let pin = Pin::new(Zeroizing::new(password.to_owned()))?;
    token
        .login(&pin)
        .context("the password does not open the token")?;
    let message = b"what a holder signs";
    let signature = token.sign(message)?;
    let signing = token
        .certificate(Usage::Signing)?
        .context("there is no signing certificate")?;
    signing
        .public_key()
        .context("the signing key is no SM2 key")?
        .verify(message, &signature)?;
    let encryption = token
        .certificate(Usage::Encryption)?
        .context("there is no encryption certificate")?;
    let ciphertext = encryption
        .public_key()
        .context("the encryption key is no SM2 key")?
        .encrypt(message, &mut yinxin_store::vault::rng())?;
    ensure!(
        token.decrypt(&ciphertext)?.as_slice() == message,
        "the encryption key does not decrypt"
    );
    token.logout();
    Ok(())
}

/// Lets OpenSSL verify the certificates of a directory link by link: it applies the identifier to the target only.
pub async fn openssl_verifies(directory: &Path) -> Result<()> {
    let chain = pem::decode_chain(&std::fs::read_to_string(directory.join("chain.pem"))?)?;
    ensure!(chain.len() == 2, "the chain is the issuing CA and the root");
    let places = split_chain(directory, &chain)?;
    let [issuing, root] = &places[..] else {
        anyhow::bail!("the chain is the issuing CA and the root")
    };
    let sign = directory.join("sign.pem");
    let encrypt = directory.join("encrypt.pem");
    for (issuer, target) in [
        (root, root),
        (root, issuing),
        (issuing, &sign),
        (issuing, &encrypt),
    ] {
        let mut command = Command::new("openssl");
        command
            .args(["verify", "-partial_chain", "-vfyopt", DISTID, "-CAfile"])
            .arg(issuer)
            .arg(target);
        run(command)
            .await
            .with_context(|| format!("OpenSSL does not accept {}", target.display()))?;
    }
    for place in &places {
        std::fs::remove_file(place)?;
    }
    Ok(())
}

fn split_chain(directory: &Path, chain: &[yinxin_pki::Certificate]) -> Result<Vec<std::path::PathBuf>> {
    let mut places = Vec::with_capacity(chain.len());
    for (number, certificate) in chain.iter().enumerate() {
        let place = directory.join(format!("chain-{number}.pem"));
        std::fs::write(&place, certificate.to_pem())?;
        places.push(place);
    }
    Ok(places)
}

/// Lets pkilint look for faults at WARNING or above.
pub async fn pkilint_is_content(world: &World, directory: &Path) -> Result<()> {
    for name in ["sign.pem", "encrypt.pem"] {
        let mut command = Command::new(world.python_tool("lint_pkix_cert"));
        command.args(["lint", "-s", "WARNING"]).arg(directory.join(name));
        let findings = run(command).await.with_context(|| format!("pkilint on {name}"))?;
        ensure!(findings.trim().is_empty(), "pkilint found in {name}: {findings}");
    }
    Ok(())
}
