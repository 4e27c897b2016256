//! Aliyun's RPC calls and their signature, ACS3-HMAC-SHA256.

use aws_lc_rs::{digest, hmac, rand};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use tracing::debug;

use crate::Secret;
pub(crate) use crate::endpoint::CallError;
use crate::endpoint::Endpoint;
pub use crate::endpoint::UrlError;
use crate::http::{Answer, Http};
use crate::percent;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
const FORM: &str = "application/x-www-form-urlencoded";
const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// An access key of a RAM user with just the product's permission.
#[derive(Clone, Debug, Deserialize)]
pub struct AccessKey {
    /// The key's public name.
    pub access_key_id: String,
    /// The HMAC key, used raw.
    pub access_key_secret: Secret,
}

/// Where an action expects its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Query,
    Form,
}

/// An action of a product's API version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Action {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) place: Place,
}

/// A client of one product.
#[derive(Clone, Debug)]
pub(crate) struct Rpc {
    http: Http,
    key: AccessKey,
    endpoint: Endpoint,
}

impl Rpc {
    pub(crate) fn new(http: Http, key: AccessKey, base_url: &str) -> Result<Self, UrlError> {
        Ok(Self {
            http,
            key,
            endpoint: Endpoint::new(base_url)?,
        })
    }

    /// The way to the product, for metrics.
    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// Calls once; no retry.
    pub(crate) async fn call(
        &self,
        action: Action,
        parameters: &[(&str, &str)],
        now: OffsetDateTime,
    ) -> Result<Answer, CallError> {
        let encoded = percent::sorted_pairs(parameters);
        let (query, body) = match action.place {
            Place::Query => (encoded, String::new()),
            Place::Form => (String::new(), encoded),
        };
        let signed = Unsigned {
            host: &self.endpoint.host,
            action: action.name,
            version: action.version,
            date: now
                .to_offset(time::UtcOffset::UTC)
                .format(DATE)
                .map_err(|_| CallError::Environment)?,
            nonce: nonce()?,
            query: &query,
            body: &body,
        }
        .sign(&self.key);
        let mut url = self.endpoint.url.clone();
        url.set_query((!query.is_empty()).then_some(&query));
        let mut post = self.http.post(url.as_str()).header("accept", "application/json");
        for (name, value) in signed.headers.iter().filter(|(name, _)| *name != "host") {
            post = post.header(*name, value);
        }
        post = post.header("authorization", signed.authorization).body(body);
        debug!(action = action.name, "calling Aliyun's {}", action.name);
        self.http.send(post).await.map_err(CallError::Http)
    }
}

/// A request before its signature.
pub(crate) struct Unsigned<'a> {
    pub(crate) host: &'a str,
    pub(crate) action: &'a str,
    pub(crate) version: &'a str,
    pub(crate) date: String,
    pub(crate) nonce: String,
    /// Sorted and encoded.
    pub(crate) query: &'a str,
    /// An encoded form, or empty.
    pub(crate) body: &'a str,
}

/// The headers to send.
pub(crate) struct Signed {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) authorization: String,
    #[cfg(test)]
    pub(crate) canonical: String,
}

impl Unsigned<'_> {
    pub(crate) fn sign(self, key: &AccessKey) -> Signed {
        let payload = sha256_hex(self.body.as_bytes());
        let mut headers = Vec::with_capacity(7);
        if !self.body.is_empty() {
            headers.push(("content-type", FORM.to_owned()));
        }
        // In the order of their names, as the canonical form wants them.
        headers.extend([
            ("host", self.host.to_owned()),
            ("x-acs-action", self.action.to_owned()),
            ("x-acs-content-sha256", payload.clone()),
            ("x-acs-date", self.date),
            ("x-acs-signature-nonce", self.nonce),
            ("x-acs-version", self.version.to_owned()),
        ]);
        let names = headers
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(";");
        let lines = headers
            .iter()
            .map(|(name, value)| format!("{name}:{value}"))
            .collect::<Vec<_>>()
            .join("\n");
        // The URI of the RPC style is `/`, wherever the gateway is mounted.
        let canonical = format!("POST\n/\n{}\n{lines}\n\n{names}\n{payload}", self.query);
        let to_sign = format!("{ALGORITHM}\n{}", sha256_hex(canonical.as_bytes()));
        let secret = hmac::Key::new(hmac::HMAC_SHA256, key.access_key_secret.expose().as_bytes());
        let signature = hex::encode(hmac::sign(&secret, to_sign.as_bytes()));
        let authorization = format!(
            "{ALGORITHM} Credential={},SignedHeaders={names},Signature={signature}",
            key.access_key_id
        );
        Signed {
            headers,
            authorization,
            #[cfg(test)]
            canonical,
        }
    }
}

/// The error envelope of Aliyun's gateway, and the fields all products share.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Envelope {
    pub(crate) code: String,
    pub(crate) request_id: Option<String>,
}

impl Envelope {
    /// Failures inside the provider, after which nobody knows what it did.
    pub(crate) fn may_have_acted(code: &str) -> bool {
        matches!(code, "InternalError" | "isp.SYSTEM_ERROR") || code.starts_with("ServiceUnavailable")
    }

    /// Codes of a provider that may answer otherwise a moment later.
    pub(crate) fn is_busy(code: &str) -> bool {
        code.starts_with("Throttling") || Self::may_have_acted(code)
    }
}

pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

fn nonce() -> Result<String, CallError> {
    let mut nonce = [0; 16];
    rand::fill(&mut nonce).map_err(|_| CallError::Environment)?;
    Ok(hex::encode(nonce))
}

#[cfg(test)]
mod tests;
