//! The way to who issues invoices: made with the first errand that needs it, from the deployment's secret.
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;
use yinxin_lambda::Platform;
use yinxin_lambda::platform::SecretError;
use yinxin_lambda::settings::{SettingsError, required};
use yinxin_providers::http::{Http, SetupError};
use yinxin_providers::invoice::{
    Account, Addresses, CacheError, Cached, ConfigError, Invoices, Nuonuo, TokenCache,
};
use yinxin_store::provider_states::ProviderStates;

/// The provider's word in metrics, and the name of what its clients share.
const NUONUO: &str = "nuonuo";

/// The way to who issues.
#[derive(Clone)]
pub struct Issuer {
    addresses: Addresses,
    secret_id: String,
    way: Arc<OnceCell<Way>>,
}

/// Who issues.
#[derive(Clone)]
pub(crate) enum Way {
    /// A provider.
    Provider(Arc<dyn Invoices>),
    /// The vendor's officers.
    Manual,
}

/// The provider cannot be asked: the deployment has to be put right.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The secret is missing or not of the documented form.
    #[error("the secret of the invoice provider cannot be used")]
    Secret(#[from] SecretError),
    /// A value of the secret or an address cannot be used.
    #[error("the invoice provider's configuration cannot be used")]
    Config(#[from] ConfigError),
    /// The HTTP client cannot be made.
    #[error("the invoice provider cannot be called")]
    Http(#[from] SetupError),
}

/// What processes share, in the deployment's store.
struct Shared(Arc<dyn ProviderStates>);

#[async_trait]
impl TokenCache for Shared {
    async fn load(&self) -> Result<Cached, CacheError> {
        let state = self.0.provider_state(NUONUO).await;
        state
            .map(|state| Cached {
                revision: state.revision,
                text: state.text,
            })
            .map_err(|error| CacheError(Box::new(error)))
    }

    async fn replace(&self, revision: u64, text: &str) -> Result<bool, CacheError> {
        let replaced = self.0.replace_provider_state(NUONUO, revision, text).await;
        replaced.map_err(|error| CacheError(Box::new(error)))
    }
}

impl Issuer {
    /// The way that the environment names. Calls nobody yet.
    pub fn from_env() -> Result<Self, SettingsError> {
        Ok(Issuer {
            addresses: Addresses {
                gateway: required("NUONUO_URL")?,
                token: required("NUONUO_TOKEN_URL")?,
            },
            secret_id: required("INVOICE_SECRET_ID")?,
            way: Arc::default(),
        })
    }

    /// The way of an account at `addresses`.
    pub fn of(account: Account, addresses: &Addresses, platform: &Platform) -> Result<Self, IssuerError> {
        let way = way(account, addresses, platform)?;
        Ok(Issuer {
            addresses: addresses.clone(),
            secret_id: String::new(),
            way: Arc::new(OnceCell::new_with(Some(way))),
        })
    }

    pub(crate) async fn way(&self, platform: &Platform) -> Result<&Way, IssuerError> {
        let made = self.way.get_or_try_init(|| async {
            let account = platform.secret(&self.secret_id).await?;
            way(account, &self.addresses, platform)
        });
        made.await
    }
}

fn way(account: Account, addresses: &Addresses, platform: &Platform) -> Result<Way, IssuerError> {
    Ok(match account {
        Account::Manual => Way::Manual,
        Account::Nuonuo(seller) => {
            let shared = Shared(platform.provider_states.clone());
            let client = Nuonuo::new(*seller, addresses, &Http::new(NUONUO)?, shared)?;
            Way::Provider(Arc::new(client))
        }
    })
}
