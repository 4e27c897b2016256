//! A vendor's CA as it rests: a software CA with certificates in the clear, keys sealed under a data key that KMS wraps, or in
//! KMS; or the vendor's own endpoint.
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use yinxin_ca::ceremony::Ceremony;
use yinxin_ca::status::CertifiedSigner;
use yinxin_ca::{
    CaError, CertificateAuthority, DataKeySealer, Generation, Generations, SoftCa, SoftCaConfig,
};
use yinxin_est::SetUpError;
use yinxin_lambda::Platform;
use yinxin_lambda::platform::SecretError;
use yinxin_pki::Certificate;
use yinxin_store::StoreError;
use yinxin_store::vault::{DataKey, Purpose};
use zeroize::Zeroizing;

mod ceremonies;
mod est;
mod first_form;
mod keys;

pub use est::StoredEst;
pub use keys::{AuthorityKeys, StoredKey};

/// The id under which the platform's own root and trust list signers are stored; no vendor has it.
pub const PLATFORM: &str = "platform";

/// What is stored of a vendor.
#[derive(Debug)]
pub enum Stored {
    /// A CA whose keys the platform has.
    Own(Box<StoredAuthority>),
    /// The vendor's own, over EST.
    Est(Box<StoredEst>),
}

/// Root and issuing CAs of a vendor, made by key ceremonies.
///
/// This type is used in stored state. What ceremonies stored before there were generations is read as one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredAuthority {
    /// The data key as KMS wrapped it, base64; its context is the vendor's id. It also seals records.
    pub wrapped_key: String,
    /// The root.
    pub root: StoredRoot,
    /// The issuing CAs, oldest first. The platform's own authority has none.
    #[serde(default)]
    pub generations: Vec<StoredGeneration>,
    /// The platform's trust list signers, oldest first; the newest signs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub list_signers: Vec<StoredSigner>,
}

/// A root.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRoot {
    /// Its certificate, PEM.
    pub certificate: String,
    /// Its key; absent once it was taken offline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<StoredKey>,
}

/// An issuing CA.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredGeneration {
    /// Counts from one.
    pub number: u32,
    /// Its certificates, PEM: itself first, the root last.
    pub chain: Vec<String>,
    /// Its key.
    pub key: StoredKey,
    /// From when on it issues, until a newer one does.
    #[serde(with = "time::serde::rfc3339")]
    pub issues_from: OffsetDateTime,
    /// Since when it issues nothing, whatever the time.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub retired: Option<OffsetDateTime>,
    /// Who signs answers about its certificates' status; absent in what was stored before there were responders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responder: Option<StoredSigner>,
}

/// A signer that is no CA.
///
/// This type is used in stored state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSigner {
    /// Its certificate, PEM.
    pub certificate: String,
    /// Its key.
    pub key: StoredKey,
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
    /// The secret with which the platform shows itself to the vendor is out of reach.
    #[error("the client's certificate and key cannot be fetched")]
    Secret(#[from] SecretError),
    /// The vendor's endpoint cannot be used as it is configured.
    #[error("the vendor's endpoint cannot be set up")]
    Endpoint(#[from] SetUpError),
    /// The ceremony cannot be held.
    #[error("the ceremony cannot be held: {0}")]
    Ceremony(&'static str),
}

/// An opened CA with the data key that seals its records.
pub struct Authority {
    /// The CA.
    pub ca: Arc<dyn CertificateAuthority>,
    /// The issuing CAs one by one, where the platform itself has their keys: then it speaks about their certificates too.
    pub soft: Option<Generations>,
    /// The certificates of the newest issuing CA: itself first, the root last.
    pub chain: Vec<Certificate>,
    /// Seals what the CA prepared and issued; it names people.
    pub key: DataKey,
}

impl Stored {
    /// Reads what is stored: what has an endpoint is the vendor's own.
    pub fn from_json(json: &str) -> Result<Self, AuthorityError> {
        #[derive(Deserialize)]
        struct Endpoint {
            est: Option<IgnoredAny>,
        }
        let unreadable = |_| AuthorityError::Unreadable("the JSON is another");
        let endpoint: Endpoint = serde_json::from_str(json).map_err(unreadable)?;
        if endpoint.est.is_some() {
            return Ok(Stored::Est(serde_json::from_str(json).map_err(unreadable)?));
        }
        StoredAuthority::from_json(json).map(|stored| Stored::Own(Box::new(stored)))
    }

    /// The data key as KMS wrapped it.
    pub fn wrapped_key(&self) -> Result<Vec<u8>, AuthorityError> {
        match self {
            Stored::Own(stored) => unwrapped(&stored.wrapped_key),
            Stored::Est(stored) => unwrapped(&stored.wrapped_key),
        }
    }
}

fn unwrapped(base64: &str) -> Result<Vec<u8>, AuthorityError> {
    STANDARD
        .decode(base64)
        .map_err(|_| AuthorityError::Unreadable("the wrapped key is not base64"))
}

impl StoredAuthority {
    /// Reads what is stored, in this form or the first one.
    pub fn from_json(json: &str) -> Result<Self, AuthorityError> {
        // serde's message may quote what is stored.
        let unreadable = || AuthorityError::Unreadable("the JSON is another");
        match serde_json::from_str::<StoredAuthority>(json) {
            Ok(stored) => Ok(stored),
            Err(_) => serde_json::from_str::<first_form::FirstForm>(json)
                .map_err(|_| unreadable())?
                .try_into(),
        }
    }

    /// Seals what a ceremony made for `vendor` under `key`, a data key of [`Purpose::Authority`] whose context is
    /// the vendor's id.
    pub fn seal(vendor: &str, ceremony: &Ceremony, key: &DataKey) -> Result<Self, AuthorityError> {
        let seal =
            |what: &str, pair: &yinxin_ca::ceremony::CaKeyPair| keys::seal(vendor, key, what, &pair.key);
        let stored = StoredAuthority {
            wrapped_key: STANDARD.encode(&key.wrapped),
            root: StoredRoot {
                certificate: ceremony.root.certificate.to_pem(),
                key: Some(seal(keys::ROOT, &ceremony.root)),
            },
            generations: vec![StoredGeneration {
                number: 1,
                chain: ceremony.chain().iter().map(Certificate::to_pem).collect(),
                key: seal(&keys::issuing(1), &ceremony.issuing),
                issues_from: ceremony.issuing.certificate.not_before(),
                retired: None,
                responder: None,
            }],
            list_signers: Vec::new(),
        };
        // A key that does not open again would be lost for good: try before anybody relies on it.
        stored.open(&AuthorityKeys::sealed(vendor, key.clone()))?;
        Ok(stored)
    }

    /// The data key as KMS wrapped it.
    pub fn wrapped_key(&self) -> Result<Vec<u8>, AuthorityError> {
        unwrapped(&self.wrapped_key)
    }

    /// Opens the issuing CAs. The root's key stays sealed.
    pub fn open(&self, keys: &AuthorityKeys) -> Result<Authority, AuthorityError> {
        let escrow = Arc::new(DataKeySealer::new(Zeroizing::new(*keys.data_key.plain())));
        let mut opened = Vec::new();
        let mut newest = Vec::new();
        for generation in &self.generations {
            let chain = generation.certificates()?;
            newest.clone_from(&chain);
            let issuing = chain
                .first()
                .ok_or(AuthorityError::Unreadable("an issuing CA has no certificate"))?;
            let signer = keys.signer(&keys::issuing(generation.number), &generation.key, issuing)?;
            let ca = SoftCa::new(
                &keys.vendor,
                chain,
                signer,
                SoftCaConfig::default(),
                escrow.clone(),
            )
            .map_err(AuthorityError::SetUp)?;
            opened.push(Generation {
                number: generation.number,
                issues_from: generation.issues_from,
                retired: generation.retired.is_some(),
                ca: Arc::new(ca),
                responder: self.responder(keys, generation.number)?,
            });
        }
        if opened.is_empty() {
            return Err(AuthorityError::Unreadable("there is no issuing CA"));
        }
        let generations = Generations::new(opened);
        Ok(Authority {
            ca: Arc::new(generations.clone()),
            chain: newest,
            key: keys.data_key.clone(),
            soft: Some(generations),
        })
    }

    /// The responder of a generation, with its key.
    pub fn responder(
        &self,
        keys: &AuthorityKeys,
        number: u32,
    ) -> Result<Option<CertifiedSigner>, AuthorityError> {
        let generation = self
            .generations
            .iter()
            .find(|generation| generation.number == number);
        let Some(responder) = generation.and_then(|generation| generation.responder.as_ref()) else {
            return Ok(None);
        };
        let certificate = certificate(&responder.certificate)?;
        let signer = keys.signer(&keys::responder(number), &responder.key, &certificate)?;
        Ok(Some(CertifiedSigner { certificate, signer }))
    }
}

impl StoredGeneration {
    /// Its certificates: itself first, the root last.
    pub fn certificates(&self) -> Result<Vec<Certificate>, AuthorityError> {
        self.chain.iter().map(|pem| certificate(pem)).collect()
    }
}

/// A stored certificate.
pub fn certificate(pem: &str) -> Result<Certificate, AuthorityError> {
    Certificate::from_pem(pem).map_err(|_| AuthorityError::Unreadable("a certificate is malformed"))
}

impl Authority {
    /// Fetches and opens the CA of `vendor`.
    pub async fn load(platform: &Platform, vendor: &str) -> Result<Self, AuthorityError> {
        let stored = Stored::from_json(&platform.issuances.authority(vendor).await?)?;
        let vault = &platform.vault;
        let key = vault
            .open_data_key(Purpose::Authority, vendor, &stored.wrapped_key()?)
            .await?;
        match stored {
            Stored::Own(stored) => stored.open(&AuthorityKeys::new(vendor, key, vault.clone())),
            Stored::Est(stored) => stored.open(platform, vendor, key).await,
        }
    }
}

impl std::fmt::Debug for StoredAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoredAuthority(..)")
    }
}
