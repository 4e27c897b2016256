//! The EST client: one request, one answer, limits on time and size, no redirects, no repetition of its own.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, CONTENT_TYPE, DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, redirect, retry, tls};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tracing::debug;
use yinxin_pki::{Certificate, SigningKey};
use zeroize::Zeroizing;

use crate::certs_only::certificates_of;
use crate::config::{EstConfig, SetUpError};
use crate::error::EstError;
use crate::multipart::parts_of;

/// How long and how much an endpoint may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until the connection stands.
    pub connect: Duration,
    /// From the call to the last byte of the answer.
    pub total: Duration,
    /// Of an answer's body.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            total: Duration::from_secs(10),
            answer_bytes: 256 * 1024,
        }
    }
}

/// `Retry-After` is believed between these, and taken for the third where it is missing.
const MIN_RETRY: Duration = Duration::from_secs(1);
const MAX_RETRY: Duration = Duration::from_hours(24);
const USUAL_RETRY: Duration = Duration::from_mins(1);

/// What asks for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A first certificate for the key of the request.
    SimpleEnroll,
    /// A further certificate for the same holder.
    SimpleReenroll,
    /// A certificate for a key that the vendor makes.
    ServerKeyGen,
}

impl Operation {
    fn path(self) -> &'static str {
        match self {
            Self::SimpleEnroll => "simpleenroll",
            Self::SimpleReenroll => "simplereenroll",
            Self::ServerKeyGen => "serverkeygen",
        }
    }
}

/// What an endpoint answers where nothing went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<T> {
    /// What was asked for.
    Done(T),
    /// 202: the vendor took the request and has not decided.
    Pending {
        /// How long the vendor wants to be left alone.
        retry_after: Duration,
    },
}

/// A private key that the vendor made, with the certificates that came with it.
#[derive(Debug, Clone)]
pub struct ServerKey {
    /// The private key.
    pub key: SigningKey,
    /// The certificates.
    pub certificates: Vec<Certificate>,
}

/// A client of one endpoint; cloning is cheap.
#[derive(Clone)]
pub struct EstClient {
    client: Client,
    base: String,
    answer_bytes: usize,
}

struct Raw {
    headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
}

impl EstClient {
    /// A client that shows `identity` (certificate and private key, PEM) and accepts the configured server CA alone. Without
    /// an identity it shows nothing: only the kit wants that.
    pub fn new(config: &EstConfig, identity: Option<&str>, limits: Limits) -> Result<Self, SetUpError> {
        let server_ca = reqwest::Certificate::from_pem_bundle(config.server_ca.as_bytes())
            .ok()
            .filter(|bundle| !bundle.is_empty())
            .ok_or(SetUpError::ServerCa)?;
        let mut builder = Client::builder()
            .user_agent(concat!("yinxin/", env!("CARGO_PKG_VERSION")))
            .tls_backend_rustls()
            .tls_certs_only(server_ca)
            .tls_version_min(tls::Version::TLS_1_2)
            .https_only(true)
            .connect_timeout(limits.connect)
            .timeout(limits.total)
            .redirect(redirect::Policy::none())
            // The record decides when a request is sent again, nobody else.
            .retry(retry::never())
            .pool_max_idle_per_host(0)
            .no_proxy();
        if let Some(identity) = identity {
            let identity =
                reqwest::Identity::from_pem(identity.as_bytes()).map_err(|_| SetUpError::Client)?;
            builder = builder.identity(identity);
        }
        Ok(Self {
            client: builder.build().map_err(|_| SetUpError::Client)?,
            base: config.base()?,
            answer_bytes: limits.answer_bytes,
        })
    }

    /// The certificates of the vendor's CA (RFC 7030, 4.1).
    pub async fn ca_certs(&self) -> Result<Vec<Certificate>, EstError> {
        let request = self.client.get(format!("{}cacerts", self.base));
        match self.send(request).await? {
            Reply::Done(raw) => certificates(&raw.headers, &raw.body),
            Reply::Pending { .. } => Err(EstError::Form("the CA certificates are not ready")),
        }
    }

    /// Asks for a certificate with a request, DER (RFC 7030, 4.2).
    pub async fn enroll(
        &self,
        operation: Operation,
        csr: &[u8],
    ) -> Result<Reply<Vec<Certificate>>, EstError> {
        match self.post(operation, csr).await? {
            Reply::Done(raw) => certificates(&raw.headers, &raw.body).map(Reply::Done),
            Reply::Pending { retry_after } => Ok(Reply::Pending { retry_after }),
        }
    }

    /// Asks for a key of the vendor's making and its certificate (RFC 7030, 4.4). The request names the holder.
    pub async fn server_key_gen(&self, csr: &[u8]) -> Result<Reply<ServerKey>, EstError> {
        match self.post(Operation::ServerKeyGen, csr).await? {
            Reply::Done(raw) => server_key(&raw.headers, &raw.body).map(Reply::Done),
            Reply::Pending { retry_after } => Ok(Reply::Pending { retry_after }),
        }
    }

    async fn post(&self, operation: Operation, csr: &[u8]) -> Result<Reply<Raw>, EstError> {
        let request = self
            .client
            .post(format!("{}{}", self.base, operation.path()))
            .header(CONTENT_TYPE, "application/pkcs10")
            .header(HeaderName::from_static("content-transfer-encoding"), "base64")
            .header(ACCEPT, "*/*")
            .body(STANDARD.encode(csr));
        self.send(request).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Reply<Raw>, EstError> {
        let lost = |error: reqwest::Error| {
            debug!(timeout = error.is_timeout(), "a vendor's endpoint gave no answer");
            EstError::NoAnswer
        };
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        match status {
            200 => {}
            202 => {
                let retry_after = retry_after(response.headers());
                return Ok(Reply::Pending { retry_after });
            }
            400 | 409 | 422 => return Err(EstError::Rejected(status)),
            408 | 429 | 500.. => return Err(EstError::Busy(status)),
            _ => return Err(EstError::Refused(status)),
        }
        let headers = response.headers().clone();
        // It may be a private key: erased, and never moved to a larger buffer.
        let mut body = Zeroizing::new(Vec::with_capacity(self.answer_bytes));
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > self.answer_bytes {
                return Err(EstError::Form("the answer is too large"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply::Done(Raw { headers, body }))
    }
}

// Neither the key nor the URL, which may name an account, has a place in a log.
impl fmt::Debug for EstClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EstClient").finish_non_exhaustive()
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn is_media_type(content_type: &str, wanted: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case(wanted)
}

/// Base64 with or without line ends (RFC 8951, 3), or plain DER.
fn decode(body: &[u8]) -> Result<Zeroizing<Vec<u8>>, EstError> {
    if body.first() == Some(&0x30) {
        return Ok(Zeroizing::new(body.to_vec()));
    }
    let mut dense = Zeroizing::new(Vec::with_capacity(body.len()));
    dense.extend(body.iter().filter(|byte| !byte.is_ascii_whitespace()));
    STANDARD
        .decode(&dense[..])
        .map(Zeroizing::new)
        .map_err(|_| EstError::Form("the answer is not base64"))
}

fn certificates(headers: &HeaderMap, body: &[u8]) -> Result<Vec<Certificate>, EstError> {
    let content_type = header(headers, CONTENT_TYPE).unwrap_or_default();
    if !is_media_type(content_type, "application/pkcs7-mime") {
        return Err(EstError::Form("the answer is no application/pkcs7-mime"));
    }
    certificates_of(&decode(body)?)
}

fn server_key(headers: &HeaderMap, body: &[u8]) -> Result<ServerKey, EstError> {
    let parts = parts_of(header(headers, CONTENT_TYPE).unwrap_or_default(), body)?;
    let part = |wanted| {
        let mut found = parts
            .iter()
            .filter(|part| part.media_type.eq_ignore_ascii_case(wanted));
        found.next().filter(|_| found.next().is_none())
    };
    let key = part("application/pkcs8").ok_or(EstError::Form("the answer has no private key"))?;
    let certificates =
        part("application/pkcs7-mime").ok_or(EstError::Form("the answer has no certificates"))?;
    Ok(ServerKey {
        key: SigningKey::from_pkcs8_der(&decode(key.body.as_bytes())?)
            .map_err(|_| EstError::Form("the private key is no SM2 key in PKCS #8"))?,
        certificates: certificates_of(&decode(certificates.body.as_bytes())?)?,
    })
}

/// Seconds or an HTTP date (RFC 9110, 10.2.3), the date against the endpoint's own clock.
fn retry_after(headers: &HeaderMap) -> Duration {
    let date = |text: &str| OffsetDateTime::parse(text, &Rfc2822).ok();
    let wanted = header(headers, RETRY_AFTER).and_then(|value| {
        if let Ok(seconds) = value.trim().parse() {
            return Some(Duration::from_secs(seconds));
        }
        let (at, now) = (date(value)?, date(header(headers, DATE)?)?);
        Duration::try_from(at - now).ok()
    });
    wanted.map_or(USUAL_RETRY, |wanted| wanted.clamp(MIN_RETRY, MAX_RETRY))
}

#[cfg(test)]
mod tests;
