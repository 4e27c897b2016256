//! The merchant's secret and the client's addresses, and what can be wrong with them.

use reqwest::Url;
use serde::Deserialize;
use thiserror::Error;

use super::keys::Scheme;
use crate::Secret;
use crate::http::SetupError;

const MAX_ID_BYTES: usize = 32;
/// Real ones have 40 digits; X.509 allows no more than these.
const MAX_SERIAL_DIGITS: usize = 40;
const MAX_NOTIFY_URL_BYTES: usize = 255;
/// How the identifier of a public key begins, which serial numbers of certificates cannot.
pub(super) const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_";

/// The merchant's identity and keys, as stored in the secret.
#[derive(Clone, Debug, Deserialize)]
pub struct Merchant {
    /// The merchant's number, digits.
    pub mchid: String,
    /// The app that the merchant is bound to, `wx...`.
    pub appid: String,
    /// Of the merchant's API certificate, hexadecimal.
    pub certificate_serial: String,
    /// Of the same certificate: PKCS#8, PEM or bare base64; RSA, or SM2 in its scheme.
    pub private_key: Secret,
    /// The key that notifications and certificates are encrypted with: 32 ASCII characters.
    pub api_v3_key: Secret,
    /// Names the public key, `PUB_KEY_ID_...`.
    #[serde(default)]
    pub public_key_id: Option<String>,
    /// WeChat Pay's public key for this merchant: SPKI, PEM or bare base64.
    #[serde(default)]
    pub public_key: Option<String>,
    /// Set for merchants to whom WeChat Pay signs with its platform certificates; beside a public key while it changes over.
    #[serde(default)]
    pub platform_certificates: Option<PlatformCertificates>,
    /// How both sides sign.
    #[serde(default, rename = "signature")]
    pub scheme: Scheme,
}

/// Where the platform certificates come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlatformCertificates {
    /// From WeChat Pay, when one is needed.
    Download,
}

/// What a client is made of.
#[derive(Clone, Debug)]
pub struct Config {
    /// Identity and keys.
    pub merchant: Merchant,
    /// Such as `https://api.mch.weixin.qq.com`; what comes before `/v3` in the path is part of it.
    pub base_url: String,
    /// Where notifications go: public, without query.
    pub notify_url: String,
}

/// A client cannot be made of this configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// Merchant's number or app.
    #[error("mchid must be digits and appid letters and digits, at most 32 of them")]
    Identity,
    /// The serial number of the API certificate.
    #[error("the serial number of the merchant's certificate must be at most 40 hexadecimal digits")]
    Serial,
    /// The merchant's private key.
    #[error("the merchant's private key is not a PKCS#8 key of the configured scheme")]
    PrivateKey,
    /// The `APIv3` key.
    #[error("the APIv3 key must have exactly 32 ASCII characters")]
    ApiKey,
    /// WeChat Pay's public key, or its identifier.
    #[error("the public key must be an RSA or SM2 key in SPKI, and come with its PUB_KEY_ID_")]
    PublicKey,
    /// Nothing to verify answers with.
    #[error("neither a public key nor platform certificates are configured")]
    NothingToVerifyWith,
    /// Base URL or notify URL.
    #[error("the URLs must be http or https, the notify URL at most 255 bytes, and both without query")]
    Url,
    /// The HTTP client for bills cannot be made.
    #[error(transparent)]
    Http(#[from] SetupError),
}

impl Config {
    /// All but the keys, which are checked where they are read.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let Merchant {
            mchid,
            appid,
            certificate_serial: serial,
            ..
        } = &self.merchant;
        let id = |id: &str, legal: fn(&u8) -> bool| {
            (1..=MAX_ID_BYTES).contains(&id.len()) && id.bytes().all(|byte| legal(&byte))
        };
        if !id(mchid, u8::is_ascii_digit) || !id(appid, u8::is_ascii_alphanumeric) {
            return Err(ConfigError::Identity);
        }
        if !(1..=MAX_SERIAL_DIGITS).contains(&serial.len())
            || !serial.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return Err(ConfigError::Serial);
        }
        if !is_address(&self.base_url)
            || !is_address(&self.notify_url)
            || self.notify_url.len() > MAX_NOTIFY_URL_BYTES
        {
            return Err(ConfigError::Url);
        }
        Ok(())
    }
}

fn is_address(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none()
    })
}
