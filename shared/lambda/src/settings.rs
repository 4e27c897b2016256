//! The environment of a function, read once at its start.
use std::env::VarError;

use time::Duration;
use yinxin_store::dynamo::Tables;
use yinxin_store::vault::KmsVaultNames;

/// Where things are, and how the deployment wants them.
///
/// A name that a function is not given stays empty: the function has no right to use the thing either.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The tables.
    pub tables: Tables,
    /// KMS keys and the secret of look-up hashes.
    pub keys: KmsVaultNames,
    /// The bucket of documents.
    pub documents_bucket: String,
    /// The bucket of what the world may read.
    pub publications_bucket: String,
    /// The secret of staff sessions.
    pub session_secret_id: String,
    /// The base of links and callbacks, without a slash at the end.
    pub public_url: String,
    /// The base of the addresses in certificates: status answers, revocation lists, CA certificates; plain http, because who
    /// asks about a certificate cannot need another one for it (RFC 5280, 8).
    pub status_url: String,
    /// How long personal data stays after an order ended.
    pub retention: Duration,
}

/// A variable of the environment is missing or not readable.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {name} is missing or not readable")]
pub struct SettingsError {
    name: String,
    #[source]
    source: Option<VarError>,
}

/// The variable `name`, which the function cannot do without.
pub fn required(name: &str) -> Result<String, SettingsError> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        Ok(_) => Err(SettingsError {
            name: name.to_owned(),
            source: None,
        }),
        Err(source) => Err(SettingsError {
            name: name.to_owned(),
            source: Some(source),
        }),
    }
}

fn optional(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

impl Settings {
    /// Reads the environment.
    pub fn from_env() -> Result<Self, SettingsError> {
        let days: i64 = required("RETENTION_DAYS")?.parse().map_err(|_| SettingsError {
            name: "RETENTION_DAYS".to_owned(),
            source: None,
        })?;
        Ok(Settings {
            tables: Tables {
                orders: required("ORDERS_TABLE")?,
                codes: optional("CODES_TABLE"),
                certificates: optional("CERTIFICATES_TABLE"),
                catalog: optional("CATALOG_TABLE"),
            },
            keys: KmsVaultNames {
                data_key_id: optional("DATA_KEY_ID"),
                secret_key_id: optional("SECRET_KEY_ID"),
                ca_key_id: optional("CA_KEY_ID"),
                lookup_secret_id: optional("LOOKUP_SECRET_ID"),
            },
            documents_bucket: optional("DOCUMENTS_BUCKET"),
            publications_bucket: optional("PUBLICATIONS_BUCKET"),
            session_secret_id: optional("SESSION_SECRET_ID"),
            public_url: optional("PUBLIC_URL"),
            status_url: optional("STATUS_URL"),
            retention: Duration::days(days),
        })
    }
}
