//! Vendors that issue through EST endpoints of their own.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use time::format_description::well_known::Rfc3339;
use yinxin_ca::trust_list::key_id;
use yinxin_est::EstConfig;
use yinxin_issue::authorities::audit;
use yinxin_issue::authority::{PLATFORM, StoredEst};
use yinxin_lambda::Platform;
use yinxin_order::identifiers::VendorId;
use yinxin_store::vault::Purpose;

/// Where a vendor's endpoint is, and what it is trusted for.
#[derive(clap::Args)]
pub struct Endpoint {
    /// The endpoint's `https` URL, without `/.well-known`.
    #[arg(long)]
    url: String,
    /// The CA label, if the vendor serves several.
    #[arg(long)]
    label: Option<String>,
    /// The CA of the endpoint's TLS certificate, a PEM file.
    #[arg(long, value_name = "FILE")]
    server_ca: PathBuf,
    /// The root under which the vendor issues, a PEM file.
    #[arg(long, value_name = "FILE")]
    vendor_root: PathBuf,
    /// The secret with the client's `certificate` and `private_key`, by name or ARN; `VendorSecretArns` must name it too.
    #[arg(long, value_name = "ID")]
    secret: String,
}

impl Endpoint {
    /// With what the files hold.
    pub fn config(self) -> Result<EstConfig> {
        let read = |path: &Path| {
            std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
        };
        Ok(EstConfig {
            server_ca: read(&self.server_ca)?,
            vendor_root: read(&self.vendor_root)?,
            url: self.url,
            label: self.label,
            client_secret: self.secret,
        })
    }
}

/// Has a vendor issue through its own endpoint, unless it has a CA. The vendor need not be in the catalogue yet: whoever seeds it
/// afterwards finds that it has its CA.
pub async fn init(platform: &Platform, vendor: &VendorId, est: EstConfig, by: &str) -> Result<()> {
    let id = vendor.as_str();
    ensure!(id != PLATFORM, "no vendor may be called {PLATFORM}");
    let key = platform.vault.new_data_key(Purpose::Authority, id).await?;
    let mut detail = BTreeMap::from([("url".to_owned(), est.url.clone())]);
    let stored = StoredEst::new(est, &key)?;
    detail.insert("root".to_owned(), key_id(&stored.root()?));
    // Certificates, keys in escrow and revocations of the CA that is there would be nobody's any more.
    let made = platform
        .issuances
        .put_authority(id, &serde_json::to_string(&stored)?)
        .await?;
    ensure!(made, "{id} has a CA; nothing was changed");
    audit(platform, id, by, "ca.est", detail).await
}

/// Prints what there is of a vendor's endpoint.
pub fn print(id: &str, stored: &StoredEst) -> Result<()> {
    let root = stored.root()?;
    let status = match stored.retired {
        Some(at) => format!("retired since {}", at.format(&Rfc3339)?),
        None => "issues".to_owned(),
    };
    println!(
        "{id}  vendor's root {}  {} to {}  {}: {status}",
        key_id(&root),
        root.not_before().date(),
        root.not_after().date(),
        stored.est.url
    );
    Ok(())
}
