//! The certificates that a journey ends with, as others see them: OpenSSL and pkilint.
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use yinxin_pki::pem;

use crate::world::{World, run};

/// The default identifier of GM/T 0009-2012, 10, as OpenSSL is told it.
const DISTID: &str = "distid:1234567812345678";

/// Takes the certificates out of what `yinxin-agent token show --json` printed: `sign.pem`, `encrypt.pem`, `chain.pem`.
pub fn export(shown: &str, directory: &Path) -> Result<()> {
    let shown: Value = serde_json::from_str(shown).context("the agent printed no JSON")?;
    for (pem, name) in [
        (&shown["signing_certificate"]["pem"], "sign.pem"),
        (&shown["encryption_certificate"]["pem"], "encrypt.pem"),
        (&shown["chain"], "chain.pem"),
    ] {
        let pem = pem
            .as_str()
            .with_context(|| format!("the token holds nothing for {name}"))?;
        std::fs::write(directory.join(name), pem)?;
    }
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
