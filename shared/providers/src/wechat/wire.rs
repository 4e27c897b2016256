//! The texts that are signed, the header that carries our signature, and the headers that carry WeChat Pay's.

use aws_lc_rs::rand;
use reqwest::header::HeaderMap;
use time::OffsetDateTime;

use super::keys::{Scheme, SigningKey, VerifyingKey};
use crate::payments::{Doubt, Failure, NotificationError};

/// A signature that is older, or younger, is a replay or a clock's fault.
const WINDOW_SECONDS: u64 = 5 * 60;
/// So a signature begins that WeChat Pay made wrong on purpose, to see whether we verify.
const PROBE: &str = "WECHATPAY/SIGNTEST/";
const NONCE_BYTES: usize = 16;

/// Who signs our requests.
pub(super) struct Signer {
    pub(super) mchid: String,
    /// Of the certificate whose key signs: upper-case hexadecimal.
    pub(super) serial: String,
    pub(super) key: SigningKey,
}

impl Signer {
    /// The `Authorization` of one request; `target` is path and query as they go on the wire.
    pub(super) fn authorization(
        &self,
        method: &str,
        target: &str,
        body: &str,
        at: OffsetDateTime,
    ) -> Option<String> {
        let mut nonce = [0; NONCE_BYTES];
        rand::fill(&mut nonce).ok()?;
        self.authorization_with(method, target, body, at, &hex::encode_upper(nonce))
    }

    pub(super) fn authorization_with(
        &self,
        method: &str,
        target: &str,
        body: &str,
        at: OffsetDateTime,
        nonce: &str,
    ) -> Option<String> {
        let timestamp = at.unix_timestamp();
        let signature = self
            .key
            .sign(message(method, target, timestamp, nonce, body).as_bytes())?;
        let Self { mchid, serial, key } = self;
        Some(format!(
            r#"{} mchid="{mchid}",nonce_str="{nonce}",timestamp="{timestamp}",serial_no="{serial}",signature="{signature}""#,
            key.scheme().word()
        ))
    }
}

/// What is signed of a request: five lines, the last of which may be empty, each with its end.
pub(super) fn message(method: &str, target: &str, timestamp: i64, nonce: &str, body: &str) -> String {
    format!("{method}\n{target}\n{timestamp}\n{nonce}\n{body}\n")
}

/// Why signed bytes are not believed.
#[derive(Debug)]
pub(super) enum Distrust {
    /// Nobody we know signed them.
    BadSignature,
    /// A test of WeChat Pay's whether we verify.
    Probe,
    /// Signed too long ago, or in our future.
    Stale,
    /// Perhaps well signed: the key that they name cannot be fetched now.
    NoKey(Failure),
}

impl From<Distrust> for Failure {
    fn from(distrust: Distrust) -> Self {
        match distrust {
            Distrust::BadSignature
            | Distrust::Probe
            | Distrust::Stale
            | Distrust::NoKey(Self::NotSent(_)) => Doubt::BadSignature.into(),
            // That the key was refused says nothing about the call whose answer it should verify.
            Distrust::NoKey(Self::Refused(refusal)) => Doubt::Unsigned(refusal.code).into(),
            Distrust::NoKey(failure @ Self::Unknown(_)) => failure,
        }
    }
}

impl From<Distrust> for NotificationError {
    fn from(distrust: Distrust) -> Self {
        match distrust {
            Distrust::BadSignature => Self::BadSignature,
            Distrust::Probe => Self::Probe,
            Distrust::Stale => Self::Stale,
            Distrust::NoKey(failure) => Self::Unverified(failure),
        }
    }
}

/// What the headers of an answer or a notification say of its signature.
pub(super) struct Signed<'a> {
    timestamp: &'a str,
    nonce: &'a str,
    /// Names the key.
    pub(super) serial: &'a str,
    scheme: Scheme,
    signature: &'a str,
}

impl<'a> Signed<'a> {
    pub(super) fn read(headers: &'a HeaderMap) -> Result<Self, Distrust> {
        let optional = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let required = |name: &str| optional(name).ok_or(Distrust::BadSignature);
        let signature = required("wechatpay-signature")?;
        if signature.starts_with(PROBE) {
            return Err(Distrust::Probe);
        }
        let scheme = match optional("wechatpay-signature-type") {
            Some(word) => Scheme::from_word(word).ok_or(Distrust::BadSignature)?,
            None => Scheme::Rsa,
        };
        Ok(Self {
            timestamp: required("wechatpay-timestamp")?,
            nonce: required("wechatpay-nonce")?,
            serial: required("wechatpay-serial")?,
            scheme,
            signature,
        })
    }

    /// The signature first: only what was signed can be stale.
    pub(super) fn check(&self, key: &VerifyingKey, body: &[u8], now: OffsetDateTime) -> Result<(), Distrust> {
        let head = format!("{}\n{}\n", self.timestamp, self.nonce);
        let message = [head.as_bytes(), body, b"\n"].concat();
        if !key.verifies(self.scheme, &message, self.signature) {
            return Err(Distrust::BadSignature);
        }
        let signed_at: i64 = self.timestamp.parse().map_err(|_| Distrust::BadSignature)?;
        if now.unix_timestamp().abs_diff(signed_at) >= WINDOW_SECONDS {
            return Err(Distrust::Stale);
        }
        Ok(())
    }
}
