//! The gateway's envelope: signed requests out, `code`, `describe` and `result` in.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::{hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{RequestBuilder, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use time::OffsetDateTime;

use super::{Doubt, Seller};
use crate::Secret;
use crate::http::Http;

const SUCCESS: &str = "E0000";
/// The nonce has eight digits.
const NONCES: u32 = 90_000_000;
const FIRST_NONCE: u32 = 10_000_000;

/// The way to the gateway.
pub(super) struct Gateway {
    pub(super) http: Http,
    url: Url,
    app_key: String,
    app_secret: Secret,
}

impl Gateway {
    pub(super) fn new(http: Http, url: Url, seller: &Seller) -> Self {
        Gateway {
            http,
            url,
            app_key: seller.app_key.clone(),
            app_secret: seller.app_secret.clone(),
        }
    }

    /// Calls a method. Every one may be sent twice: an invoice is issued once under its number.
    pub(super) async fn call(
        &self,
        method: &str,
        body: &str,
        token: &Secret,
        now: OffsetDateTime,
    ) -> Result<Reply, Doubt> {
        // One for each try, drawn before: a random source that fails must not fail in the middle.
        let stamps = [Stamp::draw(now)?, Stamp::draw(now)?];
        let tries = AtomicUsize::new(0);
        let make = || {
            let stamp = &stamps[tries.fetch_add(1, Ordering::Relaxed) % stamps.len()];
            self.request(method, body, token, stamp)
        };
        let answer = self.http.send_repeatable(make).await?;
        if answer.status != 200 {
            return Err(Doubt::Status(answer.status));
        }
        serde_json::from_slice(&answer.body).map_err(|_| Doubt::Malformed)
    }

    fn request(&self, method: &str, body: &str, token: &Secret, stamp: &Stamp) -> RequestBuilder {
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("senid", &stamp.senid)
            .append_pair("nonce", &stamp.nonce)
            .append_pair("timestamp", &stamp.timestamp)
            .append_pair("appkey", &self.app_key);
        let signature = sign(&self.app_secret, &self.app_key, stamp, body);
        self.http
            .post(url.as_str())
            .header("content-type", "application/json")
            .header("x-nuonuo-sign", signature)
            .header("accesstoken", token.expose())
            .header("method", method)
            .body(body.to_owned())
    }
}

/// What makes a request one of its kind.
pub(super) struct Stamp {
    senid: String,
    nonce: String,
    timestamp: String,
}

impl Stamp {
    fn draw(now: OffsetDateTime) -> Result<Self, Doubt> {
        let (mut senid, mut nonce) = ([0; 16], [0; 4]);
        rand::fill(&mut senid).map_err(|_| Doubt::Environment)?;
        rand::fill(&mut nonce).map_err(|_| Doubt::Environment)?;
        Ok(Stamp {
            senid: hex::encode(senid),
            nonce: (u32::from_be_bytes(nonce) % NONCES + FIRST_NONCE).to_string(),
            timestamp: now.unix_timestamp().to_string(),
        })
    }
}

/// `X-Nuonuo-Sign`. The path's parts are those of the gateway at home, wherever it is mounted.
pub(super) fn sign(secret: &Secret, app_key: &str, stamp: &Stamp, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose().as_bytes());
    let Stamp {
        senid,
        nonce,
        timestamp,
    } = stamp;
    let text = format!("a=services&l=v1&p=open&k={app_key}&i={senid}&n={nonce}&t={timestamp}&f={body}");
    STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

/// An answer of the gateway.
#[derive(Deserialize)]
pub(super) struct Reply {
    #[serde(deserialize_with = "text")]
    pub(super) code: String,
    #[serde(default)]
    pub(super) describe: String,
    #[serde(default)]
    result: Value,
}

impl Reply {
    pub(super) fn is_success(&self) -> bool {
        self.code == SUCCESS
    }

    /// The application's own refusals begin with an `E`; the gateway's are numbers.
    pub(super) fn is_refusal(&self) -> bool {
        self.code.starts_with('E') && !self.is_success()
    }

    /// Whether the access token is unknown or has ended.
    pub(super) fn is_about_token(&self) -> bool {
        self.code.len() == 6 && (self.code.starts_with("0701") || self.code.starts_with("0703"))
    }

    pub(super) fn result<T: DeserializeOwned>(self) -> Result<T, Doubt> {
        serde_json::from_value(self.result).map_err(|_| Doubt::Malformed)
    }
}

/// Numbers come as numbers or as texts.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Stamp, sign};

    #[test]
    fn the_signature_is_that_of_the_vector() {
        // providers.md, 5.2.
        let stamp = Stamp {
            senid: "0123456789abcdef0123456789abcdef".to_owned(),
            nonce: "12345678".to_owned(),
            timestamp: "1700000000".to_owned(),
        };
        let secret = "SK1234567890ABCD".into();
        assert_eq!(
            sign(&secret, "SD12345678", &stamp, r#"{"order":{"orderNo":"A1"}}"#),
            "g10c1QoLwwv84OsTGd0KjJW2c7c="
        );
        assert_ne!(
            sign(&secret, "SD12345678", &stamp, r#"{"order":{"orderNo":"A2"}}"#),
            "g10c1QoLwwv84OsTGd0KjJW2c7c="
        );
    }
}
