//! A vendor's software CA as it rests: chain in the clear, keys sealed under a data key that KMS wraps.
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use yinxin_ca::ceremony::{CaKeyPair, Ceremony};
use yinxin_ca::{CaError, CertificateAuthority, DataKeySealer, SoftCa, SoftCaConfig, SoftwareKey};
use yinxin_pki::{Certificate, SigningKey};
use yinxin_store::StoreError;
use yinxin_store::issuances::Issuances;
use yinxin_store::vault::{DataKey, Purpose, Vault};
use zeroize::Zeroizing;

/// Root and issuing CA of a vendor, made by the key ceremony and stored once.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredAuthority {
    /// The certificates, PEM: the issuing CA first, the root last.
    pub chain: Vec<String>,
    /// The data key as KMS wrapped it, base64; its context is the vendor's id.
    pub wrapped_key: String,
    /// The issuing CA's private key, PKCS#8, sealed under the data key, base64.
    pub sealed_issuing_key: String,
    /// The root's private key likewise; absent once it was taken offline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_root_key: Option<String>,
}

/// Why a vendor's CA cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// It, or its data key, is out of reach.
    #[error("the vendor's CA cannot be fetched")]
    Store(#[from] StoreError),
    /// What is stored is no CA, or one of another vendor: somebody has to look at it.
    #[error("the vendor's stored CA cannot be read: {0}")]
    Unreadable(&'static str),
    /// Certificates and key do not fit together.
    #[error("the vendor's stored CA cannot be set up")]
    SetUp(#[source] CaError),
}

/// An opened CA with the data key that seals its records.
pub struct Authority {
    /// The CA.
    pub ca: Arc<dyn CertificateAuthority>,
    /// The same CA, where the platform itself has its key: then the platform speaks about its certificates too.
    pub soft: Option<SoftCa>,
    /// Its certificates: the issuing CA first, the root last.
    pub chain: Vec<Certificate>,
    /// Seals what the CA prepared and issued; it names people.
    pub key: DataKey,
}

impl StoredAuthority {
    /// Seals what a ceremony made for `vendor` under `key`, a data key of [`Purpose::Authority`] whose context is
    /// the vendor's id.
    pub fn seal(vendor: &str, ceremony: &Ceremony, key: &DataKey) -> Result<Self, AuthorityError> {
        let seal = |what: &str, pair: &CaKeyPair| {
            STANDARD.encode(key.seal(&context(vendor, what), &pair.key.to_pkcs8_der()))
        };
        let stored = StoredAuthority {
            chain: ceremony.chain().iter().map(Certificate::to_pem).collect(),
            wrapped_key: STANDARD.encode(&key.wrapped),
            sealed_issuing_key: seal(ISSUING, &ceremony.issuing),
            sealed_root_key: Some(seal(ROOT, &ceremony.root)),
        };
        // A key that does not open again would be lost for good: try before anybody relies on it.
        stored.open(vendor, key.clone())?;
        Ok(stored)
    }

    /// The data key as KMS wrapped it.
    pub fn wrapped_key(&self) -> Result<Vec<u8>, AuthorityError> {
        STANDARD
            .decode(&self.wrapped_key)
            .map_err(|_| AuthorityError::Unreadable("the wrapped key is not base64"))
    }

    /// Opens the issuing CA of `vendor` with the unwrapped data key. The root's key stays sealed.
    pub fn open(&self, vendor: &str, key: DataKey) -> Result<Authority, AuthorityError> {
        let chain = self
            .chain
            .iter()
            .map(|pem| Certificate::from_pem(pem))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| AuthorityError::Unreadable("a certificate is malformed"))?;
        let sealed = STANDARD
            .decode(&self.sealed_issuing_key)
            .map_err(|_| AuthorityError::Unreadable("the sealed key is not base64"))?;
        let issuing_key = key.open(&context(vendor, ISSUING), &sealed)?;
        let issuing_key = SigningKey::from_pkcs8_der(&issuing_key)
            .map_err(|_| AuthorityError::Unreadable("the sealed key is no SM2 key"))?;
        let escrow = Arc::new(DataKeySealer::new(Zeroizing::new(*key.plain())));
        let ca = SoftCa::new(
            vendor,
            chain.clone(),
            Arc::new(SoftwareKey::new(issuing_key)),
            SoftCaConfig::default(),
            escrow,
        )
        .map_err(AuthorityError::SetUp)?;
        Ok(Authority {
            ca: Arc::new(ca.clone()),
            soft: Some(ca),
            chain,
            key,
        })
    }
}

impl Authority {
    /// Fetches and opens the CA of `vendor`.
    pub async fn load(
        issuances: &dyn Issuances,
        vault: &dyn Vault,
        vendor: &str,
    ) -> Result<Self, AuthorityError> {
        let stored = issuances.authority(vendor).await?;
        // serde's message may quote what is stored.
        let stored: StoredAuthority =
            serde_json::from_str(&stored).map_err(|_| AuthorityError::Unreadable("the JSON is another"))?;
        let key = vault
            .open_data_key(Purpose::Authority, vendor, &stored.wrapped_key()?)
            .await?;
        stored.open(vendor, key)
    }
}

const ISSUING: &str = "issuing";
const ROOT: &str = "root";

/// A sealed key opens only as the key, and for the vendor, that it was sealed for.
fn context(vendor: &str, what: &str) -> String {
    format!("authority {vendor} {what}")
}

impl std::fmt::Debug for StoredAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoredAuthority(..)")
    }
}
