//! A vendor's own CA behind its EST endpoint, as it is stored: where it is, and the data key that seals its records.
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use yinxin_ca::{Answer, CaError, CertificateAuthority, DataKeySealer, IssueRequest, Preparation, Record};
use yinxin_est::{EstAuthority, EstClient, EstConfig, Limits};
use yinxin_lambda::Platform;
use yinxin_pki::rand_core::CryptoRng;
use yinxin_pki::{Certificate, Csr};
use yinxin_store::vault::DataKey;
use zeroize::Zeroizing;

use super::{Authority, AuthorityError};

/// A vendor's EST endpoint.
///
/// This type is used in stored state, in the place where other vendors have a [`super::StoredAuthority`]; `est` tells
/// them apart.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredEst {
    /// The data key as KMS wrapped it, base64; its context is the vendor's id. It seals records and escrowed keys.
    pub wrapped_key: String,
    /// The endpoint.
    pub est: EstConfig,
    /// Since when nothing is asked of it, whatever the time.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub retired: Option<OffsetDateTime>,
}

/// What the configured secret holds.
#[derive(Deserialize)]
struct ClientIdentity {
    /// The client's certificate, with its issuers where the vendor wants them, PEM.
    certificate: String,
    /// Its private key, PEM.
    private_key: String,
}

impl StoredEst {
    /// An endpoint under `key`, a data key of [`yinxin_store::vault::Purpose::Authority`] whose context is the vendor's
    /// id. Looks at everything that can be looked at without the client's secret.
    pub fn new(est: EstConfig, key: &DataKey) -> Result<Self, AuthorityError> {
        est.root()?;
        EstClient::new(&est, None, Limits::default())?;
        Ok(StoredEst {
            wrapped_key: STANDARD.encode(&key.wrapped),
            est,
            retired: None,
        })
    }

    /// The root under which the vendor issues.
    pub fn root(&self) -> Result<Certificate, AuthorityError> {
        Ok(self.est.root()?)
    }

    /// Fetches the client's certificate and key, and opens the CA.
    pub async fn open(
        &self,
        platform: &Platform,
        vendor: &str,
        key: DataKey,
    ) -> Result<Authority, AuthorityError> {
        let ca: Arc<dyn CertificateAuthority> = if self.retired.is_some() {
            Arc::new(Retired)
        } else {
            let identity = identity(platform, &self.est.client_secret).await?;
            let escrow = Arc::new(DataKeySealer::new(Zeroizing::new(*key.plain())));
            let limits = Limits::default();
            Arc::new(EstAuthority::new(vendor, &self.est, &identity, limits, escrow)?)
        };
        Ok(Authority {
            ca,
            soft: None,
            chain: vec![self.root()?],
            key,
        })
    }
}

async fn identity(platform: &Platform, secret: &str) -> Result<Zeroizing<String>, AuthorityError> {
    let ClientIdentity {
        certificate,
        private_key,
    } = platform.secret(secret).await?;
    let private_key = Zeroizing::new(private_key);
    // Reserved, so that the key is not moved and left behind.
    let length = certificate.len() + 1 + private_key.len();
    let mut identity = Zeroizing::new(String::with_capacity(length));
    for part in [certificate.as_str(), "\n", private_key.as_str()] {
        identity.push_str(part);
    }
    Ok(identity)
}

/// The CA of a vendor in whom the platform's trust was withdrawn. Its records stay, and go on once it is granted again.
struct Retired;

#[async_trait]
impl CertificateAuthority for Retired {
    fn prepare(
        &self,
        _request: &IssueRequest,
        _csr: &Csr,
        _now: OffsetDateTime,
        _rng: &mut dyn CryptoRng,
    ) -> Result<Preparation, CaError> {
        Err(CaError::Unavailable)
    }

    async fn complete(
        &self,
        _record: &Record,
        _now: OffsetDateTime,
        _rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Answer, CaError> {
        Err(CaError::Unavailable)
    }
}

impl fmt::Debug for StoredEst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredEst(..)")
    }
}
