//! Alipay's classic gateway behind the port: QR payments, refunds, bills, notifications; RSA2 only.

mod answer;
mod bill;
mod certificates;
mod content;
mod gateway;
mod judge;
mod keys;
mod notification;
mod serial_number;
#[cfg(test)]
mod tests;
mod trade;
mod wire;

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;
use tracing::debug;

pub use certificates::CertificateError;
use certificates::Certificates;
pub use keys::KeyError;
use keys::{SigningKey, Verifier, VerifyingKey};
use wire::Request;

use crate::http::{Http, SetupError};
use crate::payments::{Doubt, Failure};
use crate::{Secret, china_time};

/// The merchant's identity and keys, as stored in the secret.
#[derive(Clone, Debug, Deserialize)]
pub struct Merchant {
    /// The app at Alipay.
    pub app_id: String,
    /// The app's RSA key: PKCS#8 or PKCS#1, PEM or bare base64.
    pub app_private_key: Secret,
    /// Alipay's RSA key for this app (not the app's own): SPKI, PEM or bare base64. Not in certificate mode.
    #[serde(default)]
    pub alipay_public_key: Option<String>,
    /// Certificate mode: the app's certificate, PEM.
    #[serde(default)]
    pub app_certificate: Option<String>,
    /// Certificate mode: Alipay's certificate, and perhaps its issuers behind it, PEM.
    #[serde(default)]
    pub alipay_certificate: Option<String>,
    /// Certificate mode: Alipay's root certificates in the order of the file that it publishes, PEM.
    #[serde(default)]
    pub alipay_root_certificates: Option<String>,
    /// The account that is paid, `2088...`.
    pub seller_id: String,
    /// The signed contract's product, when it is not the gateway's default.
    #[serde(default)]
    pub product_code: Option<String>,
}

/// What a client is made of.
#[derive(Clone, Debug)]
pub struct Config {
    /// Identity and keys.
    pub merchant: Merchant,
    /// Such as `https://openapi.alipay.com/gateway.do`.
    pub gateway_url: String,
    /// Where notifications go: public, without query.
    pub notify_url: String,
}

/// The client cannot be made of this configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A certificate cannot be read or trusted.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Bills cannot be fetched.
    #[error(transparent)]
    Http(#[from] SetupError),
    /// Neither Alipay's public key nor all three of the certificates, or both.
    #[error("there must be either Alipay's public key, or the app's, Alipay's and the root certificates")]
    Mode,
}

/// A client of Alipay's gateway for one app.
pub struct Alipay {
    http: Http,
    downloads: Http,
    app_id: String,
    seller_id: String,
    product_code: Option<String>,
    gateway_url: String,
    notify_url: String,
    signing: SigningKey,
    verifier: Verifier,
    /// `app_cert_sn` and `alipay_root_cert_sn`, empty without certificates.
    certificate_numbers: [String; 2],
}

impl Alipay {
    /// A client; fails when a key or a certificate cannot be read, or Alipay's certificate cannot be trusted at `now`.
    pub fn new(config: Config, http: Http, now: OffsetDateTime) -> Result<Self, ConfigError> {
        let Config {
            merchant,
            gateway_url,
            notify_url,
        } = config;
        let signing = SigningKey::parse(merchant.app_private_key.expose())?;
        let (verifier, certificate_numbers) = match (
            &merchant.alipay_public_key,
            &merchant.app_certificate,
            &merchant.alipay_certificate,
            &merchant.alipay_root_certificates,
        ) {
            (Some(key), None, None, None) => {
                let verifier = Verifier {
                    key: VerifyingKey::parse(key)?,
                    certificate: None,
                };
                (verifier, <[String; 2]>::default())
            }
            (None, Some(app), Some(alipay), Some(roots)) => {
                let read = Certificates::read(app, alipay, roots, &signing, now)?;
                let verifier = Verifier {
                    key: read.key,
                    certificate: Some(read.alipay_number),
                };
                (verifier, [read.app_number, read.root_number])
            }
            _ => return Err(ConfigError::Mode),
        };
        Ok(Self {
            http,
            downloads: bill::downloads()?,
            signing,
            verifier,
            certificate_numbers,
            app_id: merchant.app_id,
            seller_id: merchant.seller_id,
            product_code: merchant.product_code,
            gateway_url,
            notify_url,
        })
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        out_trade_no: Option<&str>,
        content: &impl Serialize,
        notify_url: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<T, Failure> {
        let request = self.request(method, content, notify_url, now)?;
        debug!(method, out_trade_no, "asking {method}");
        let post = || {
            self.http
                .post(&request.url)
                .header("content-type", Request::CONTENT_TYPE)
                .body(request.body.clone())
        };
        // Every method does the same for the same numbers, however often it is asked.
        let answer = self.http.send_repeatable(post).await?;
        if answer.status != 200 {
            return Err(Doubt::Status(answer.status).into());
        }
        wire::read(&answer.body, method, out_trade_no, &self.verifier)
    }

    fn request(
        &self,
        method: &str,
        content: &impl Serialize,
        notify_url: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Request, Failure> {
        let content =
            serde_json::to_string(content).map_err(|_| Failure::NotSent("the content is no JSON"))?;
        let timestamp = china_time::format(now).ok_or(Failure::NotSent("the clock is out of range"))?;
        let [app_certificate, root_certificates] = &self.certificate_numbers;
        let public = vec![
            ("app_id", self.app_id.clone()),
            ("method", method.to_owned()),
            ("format", "JSON".to_owned()),
            ("charset", "utf-8".to_owned()),
            ("sign_type", "RSA2".to_owned()),
            ("timestamp", timestamp),
            ("version", "1.0".to_owned()),
            ("notify_url", notify_url.unwrap_or_default().to_owned()),
            ("app_cert_sn", app_certificate.clone()),
            ("alipay_root_cert_sn", root_certificates.clone()),
        ];
        Request::sign(&self.signing, &self.gateway_url, public, content)
            .ok_or(Failure::NotSent("the request cannot be signed"))
    }
}

impl fmt::Debug for Alipay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alipay")
            .field("app_id", &self.app_id)
            .field("gateway_url", &self.gateway_url)
            .finish_non_exhaustive()
    }
}
