//! The platform as a handler sees it: stores, keys, secrets and the clock.
use std::sync::Arc;

use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use tokio::sync::OnceCell;
use yinxin_store::audits::Audits;
use yinxin_store::authorities::Authorities;
use yinxin_store::catalog::Catalog;
use yinxin_store::checks::Checks;
use yinxin_store::codes::Codes;
use yinxin_store::deliveries::Deliveries;
use yinxin_store::documents::{Documents, S3Documents};
use yinxin_store::dynamo::{CallCounter, DynamoStore};
use yinxin_store::intakes::Intakes;
use yinxin_store::issuances::Issuances;
use yinxin_store::key_history::KeyHistory;
use yinxin_store::ledger::Ledger;
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::Orders;
use yinxin_store::provider_states::ProviderStates;
use yinxin_store::publications::{Publications, S3Publications};
use yinxin_store::recoveries::Recoveries;
use yinxin_store::statuses::{RevocationLists, Statuses};
use yinxin_store::vault::{KmsVault, MemoryVault, Vault};

use crate::session::SessionKey;
use crate::settings::Settings;

/// Tells the time; a function of its own, so that tests can turn it.
pub type Clock = Arc<dyn Fn() -> OffsetDateTime + Send + Sync>;

/// Everything that handlers share.
#[derive(Clone)]
pub struct Platform {
    /// Orders.
    pub orders: Arc<dyn Orders>,
    /// The ledger by day, and its reports.
    pub ledger: Arc<dyn Ledger>,
    /// One-time codes.
    pub codes: Arc<dyn Codes>,
    /// How often identities were checked.
    pub checks: Arc<dyn Checks>,
    /// Messages on their way out.
    pub deliveries: Arc<dyn Deliveries>,
    /// What providers' clients share between processes.
    pub provider_states: Arc<dyn ProviderStates>,
    /// What the CA signs.
    pub issuances: Arc<dyn Issuances>,
    /// What became of certificates.
    pub statuses: Arc<dyn Statuses>,
    /// Revocation lists.
    pub lists: Arc<dyn RevocationLists>,
    /// What the world may read.
    pub publications: Arc<dyn Publications>,
    /// Changes of CAs, and the trust list.
    pub authorities: Arc<dyn Authorities>,
    /// What people did with keys.
    pub audits: Arc<dyn Audits>,
    /// Recoveries of escrowed encryption keys.
    pub recoveries: Arc<dyn Recoveries>,
    /// Which encryption keys a holder was given.
    pub key_history: Arc<dyn KeyHistory>,
    /// Vendors and products.
    pub catalog: Arc<dyn Catalog>,
    /// What the registration platform handed over.
    pub intakes: Arc<dyn Intakes>,
    /// Documents.
    pub documents: Arc<dyn Documents>,
    /// Keys.
    pub vault: Arc<dyn Vault>,
    /// How the deployment wants things.
    pub settings: Arc<Settings>,
    secrets: Option<aws_sdk_secretsmanager::Client>,
    session_key: Arc<OnceCell<SessionKey>>,
    clock: Clock,
}

/// A secret that is not there or not of the expected form.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager did not answer, or refused.
    #[error("the secret {name} is out of reach")]
    Unavailable {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Its value is not what the deployment guide asks for.
    #[error("the secret {0} has not the expected form")]
    Form(String),
}

impl Platform {
    /// The platform in AWS, as the environment names it. Calls nobody yet.
    pub async fn from_env() -> anyhow::Result<Self> {
        let settings = Settings::from_env()?;
        let aws = aws_config::load_from_env().await;
        let secrets_config = aws_sdk_secretsmanager::config::Builder::from(&aws).interceptor(CallCounter);
        let secrets = aws_sdk_secretsmanager::Client::from_conf(secrets_config.build());
        let kms_config = aws_sdk_kms::config::Builder::from(&aws).interceptor(CallCounter);
        let kms = aws_sdk_kms::Client::from_conf(kms_config.build());
        let vault = Arc::new(KmsVault::new(kms, secrets.clone(), settings.keys.clone()));
        let dynamo_config = aws_sdk_dynamodb::config::Builder::from(&aws).interceptor(CallCounter);
        let dynamo = aws_sdk_dynamodb::Client::from_conf(dynamo_config.build());
        let store = Arc::new(DynamoStore::new(
            dynamo,
            settings.tables.clone(),
            vault.clone(),
            settings.retention,
        ));
        // A bucket's name in the path works with every S3 that speaks the protocol.
        let s3_config = aws_sdk_s3::config::Builder::from(&aws)
            .interceptor(CallCounter)
            .force_path_style(true);
        let s3 = aws_sdk_s3::Client::from_conf(s3_config.build());
        let documents = S3Documents::new(s3.clone(), settings.documents_bucket.clone());
        let publications = S3Publications::new(s3, settings.publications_bucket.clone());
        Ok(Platform {
            orders: store.clone(),
            ledger: store.clone(),
            codes: store.clone(),
            checks: store.clone(),
            deliveries: store.clone(),
            provider_states: store.clone(),
            issuances: store.clone(),
            statuses: store.clone(),
            lists: store.clone(),
            publications: Arc::new(publications),
            authorities: store.clone(),
            audits: store.clone(),
            recoveries: store.clone(),
            key_history: store.clone(),
            catalog: store.clone(),
            intakes: store,
            documents: Arc::new(documents),
            vault,
            settings: Arc::new(settings),
            secrets: Some(secrets),
            session_key: Arc::default(),
            clock: Arc::new(OffsetDateTime::now_utc),
        })
    }

    /// A platform in memory, for tests.
    pub fn in_memory(store: &Arc<MemoryStore>, clock: Clock) -> Self {
        let settings = Settings {
            public_url: "http://127.0.0.1".to_owned(),
            status_url: "http://127.0.0.1".to_owned(),
            retention: store.retention,
            ..Settings::default()
        };
        Platform {
            orders: store.clone(),
            ledger: store.clone(),
            codes: store.clone(),
            checks: store.clone(),
            deliveries: store.clone(),
            provider_states: store.clone(),
            issuances: store.clone(),
            statuses: store.clone(),
            lists: store.clone(),
            publications: store.clone(),
            authorities: store.clone(),
            audits: store.clone(),
            recoveries: store.clone(),
            key_history: store.clone(),
            catalog: store.clone(),
            intakes: store.clone(),
            documents: store.clone(),
            vault: Arc::new(MemoryVault),
            settings: Arc::new(settings),
            secrets: None,
            session_key: Arc::new(OnceCell::new_with(Some(SessionKey::for_tests()))),
            clock,
        }
    }

    /// The same with its secrets fetched through `client`; for tests.
    #[must_use]
    pub fn with_secrets(self, client: aws_sdk_secretsmanager::Client) -> Self {
        Platform {
            secrets: Some(client),
            ..self
        }
    }

    /// Now.
    pub fn now(&self) -> OffsetDateTime {
        (self.clock)()
    }

    /// The key of staff sessions, fetched with the first request that needs it.
    pub async fn session_key(&self) -> Result<&SessionKey, SecretError> {
        let name = &self.settings.session_secret_id;
        self.session_key
            .get_or_try_init(|| async { Ok(SessionKey::new(&self.secret_text(name).await?)) })
            .await
    }

    /// The JSON value of a secret. Callers keep it for the life of the process.
    pub async fn secret<T: DeserializeOwned>(&self, name: &str) -> Result<T, SecretError> {
        // serde's message may quote the value.
        serde_json::from_str(&self.secret_text(name).await?).map_err(|_| SecretError::Form(name.to_owned()))
    }

    /// Puts a JSON value in the place of a secret's. For administration: no function has the right.
    pub async fn replace_secret(&self, name: &str, json: &str) -> Result<(), SecretError> {
        let client = self
            .secrets
            .as_ref()
            .ok_or_else(|| SecretError::Form(name.to_owned()))?;
        let put = client.put_secret_value().secret_id(name).secret_string(json);
        match put.send().await {
            Ok(_) => Ok(()),
            Err(source) => Err(SecretError::Unavailable {
                name: name.to_owned(),
                source: Box::new(source),
            }),
        }
    }

    async fn secret_text(&self, name: &str) -> Result<String, SecretError> {
        let client = self
            .secrets
            .as_ref()
            .ok_or_else(|| SecretError::Form(name.to_owned()))?;
        let fetched = client
            .get_secret_value()
            .secret_id(name)
            .send()
            .await
            .map_err(|source| SecretError::Unavailable {
                name: name.to_owned(),
                source: Box::new(source),
            })?;
        fetched
            .secret_string
            .ok_or_else(|| SecretError::Form(name.to_owned()))
    }
}
