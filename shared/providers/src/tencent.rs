//! Tencent Cloud's calls and their signature, TC3-HMAC-SHA256.

use aws_lc_rs::hmac;
use serde::Deserialize;
use serde_json::Value;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};
use tracing::debug;

use crate::Secret;
use crate::aliyun::sha256_hex;
use crate::endpoint::{CallError, Endpoint, UrlError};
use crate::http::{Answer, Http};

const ALGORITHM: &str = "TC3-HMAC-SHA256";
const JSON: &str = "application/json; charset=utf-8";
const SIGNED_HEADERS: &str = "content-type;host;x-tc-action";
const TERMINATOR: &str = "tc3_request";
const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// The API key of a sub-account with just the product's permission.
#[derive(Clone, Debug, Deserialize)]
pub struct ApiKey {
    /// The key's public name.
    pub secret_id: String,
    /// The key; a day's signing keys are derived from it.
    pub secret_key: Secret,
}

/// An action of a product's API version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Action {
    /// The first part of the product's host name at home, and part of what is signed.
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

/// A client of one product.
#[derive(Clone, Debug)]
pub(crate) struct Cloud {
    http: Http,
    key: ApiKey,
    endpoint: Endpoint,
    /// For products that are called in a region.
    region: Option<String>,
}

impl Cloud {
    pub(crate) fn new(
        http: Http,
        key: ApiKey,
        base_url: &str,
        region: Option<String>,
    ) -> Result<Self, UrlError> {
        Ok(Self {
            http,
            key,
            endpoint: Endpoint::new(base_url)?,
            region,
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
        parameters: &Value,
        now: OffsetDateTime,
    ) -> Result<Answer, CallError> {
        let body = parameters.to_string();
        let authorization = Unsigned {
            host: &self.endpoint.host,
            action,
            at: now,
            body: &body,
        }
        .sign(&self.key)
        .ok_or(CallError::Environment)?
        .authorization;
        let mut post = self
            .http
            .post(self.endpoint.url.as_str())
            .header("content-type", JSON)
            .header("x-tc-action", action.name)
            .header("x-tc-version", action.version)
            .header("x-tc-timestamp", now.unix_timestamp())
            .header("authorization", authorization);
        if let Some(region) = &self.region {
            post = post.header("x-tc-region", region);
        }
        debug!(action = action.name, "calling Tencent's {}", action.name);
        self.http.send(post.body(body)).await.map_err(CallError::Http)
    }
}

/// A request before its signature.
struct Unsigned<'a> {
    host: &'a str,
    action: Action,
    at: OffsetDateTime,
    body: &'a str,
}

struct Signed {
    authorization: String,
    #[cfg(test)]
    canonical: String,
    #[cfg(test)]
    to_sign: String,
}

impl Unsigned<'_> {
    /// Nothing for years that do not have four digits.
    fn sign(&self, key: &ApiKey) -> Option<Signed> {
        // The day in Greenwich: between midnight and eight in China it is still yesterday.
        let date = self.at.to_offset(UtcOffset::UTC).format(DATE).ok()?;
        let canonical = format!(
            "POST\n/\n\ncontent-type:{JSON}\nhost:{}\nx-tc-action:{}\n\n{SIGNED_HEADERS}\n{}",
            self.host.to_ascii_lowercase(),
            self.action.name.to_ascii_lowercase(),
            sha256_hex(self.body.as_bytes())
        );
        let service = self.action.service;
        let scope = format!("{date}/{service}/{TERMINATOR}");
        let to_sign = format!(
            "{ALGORITHM}\n{}\n{scope}\n{}",
            self.at.unix_timestamp(),
            sha256_hex(canonical.as_bytes())
        );
        let first = format!("TC3{}", key.secret_key.expose());
        let of_day = mac(first.as_bytes(), &date);
        let of_service = mac(of_day.as_ref(), service);
        let of_request = mac(of_service.as_ref(), TERMINATOR);
        let signature = hex::encode(mac(of_request.as_ref(), &to_sign));
        let authorization = format!(
            "{ALGORITHM} Credential={}/{scope}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}",
            key.secret_id
        );
        Some(Signed {
            authorization,
            #[cfg(test)]
            canonical,
            #[cfg(test)]
            to_sign,
        })
    }
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

/// What every answer is wrapped in: a product's own fields, or an error.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Envelope<T> {
    pub(crate) response: Response<T>,
}

/// Inside the wrapping.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Response<T> {
    pub(crate) request_id: Option<String>,
    pub(crate) error: Option<ApiError>,
    #[serde(flatten)]
    pub(crate) fields: T,
}

/// Why the gateway did not do what it was asked for. Its message may quote our data and is left out.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ApiError {
    pub(crate) code: String,
}

impl ApiError {
    /// Failures inside the provider, after which nobody knows what it did.
    pub(crate) fn may_have_acted(code: &str) -> bool {
        code == "InternalError" || code.starts_with("InternalError.")
    }

    /// Too many calls at once: another one may pass a moment later.
    pub(crate) fn is_throttling(code: &str) -> bool {
        code.starts_with("RequestLimitExceeded")
    }
}

#[cfg(test)]
mod tests;
