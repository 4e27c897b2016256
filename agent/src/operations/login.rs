//! Login: a statement that names the site, signed by the holder. And how a server verifies it.
//!
//! What is signed is `YINXIN-LOGIN-1`, a line feed, and the statement, a JSON object:
//!
//! ```json
//! {"version":1,"purpose":"login","origin":"https://site.example","audience":"bidding","nonce":"(base64, 32 to 128 bytes)",
//!  "issued_at":"2026-11-23T08:00:00Z"}
//! ```
//!
//! The origin is the one that the browser stated, never one that the site stated: a page that passes on another site's
//! challenge gets a statement which that site does not accept.
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use yinxin_pki::{
    Certificate,
    certificate::KeyUsage,
    chain::{ChainError, verify_chain},
    constant_time_eq,
};

use super::{OperationError, signing};
use crate::token::Token;

/// What stands before the statement under the signature.
pub const PREFIX: &[u8] = b"YINXIN-LOGIN-1\n";
/// Oldest statement that a server accepts, and how far clocks may differ.
pub const MAX_AGE: Duration = Duration::minutes(5);
const CLOCK_SKEW: Duration = Duration::minutes(2);
const VERSION: u8 = 1;
const PURPOSE: &str = "login";
const NONCE_BYTES: std::ops::RangeInclusive<usize> = 32..=128;
const AUDIENCE_LIMIT_CHARACTERS: usize = 128;
/// Longest statement that a server reads.
const STATEMENT_LIMIT_BYTES: usize = 4096;

/// What a site wants answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// What the holder logs in to, as the site calls it.
    pub audience: String,
    /// The site's random bytes.
    nonce: Vec<u8>,
}

/// Why a challenge is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeRefusal {
    /// No name for people.
    #[error("the audience has 1 to {AUDIENCE_LIMIT_CHARACTERS} visible characters")]
    Audience,
    /// Too short to be unique, too long, or no base64.
    #[error("the nonce is base64 of 32 to 128 bytes")]
    Nonce,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statement {
    version: u8,
    purpose: String,
    origin: String,
    audience: String,
    nonce: String,
    #[serde(with = "time::serde::rfc3339")]
    issued_at: OffsetDateTime,
}

/// What a server expects of a login.
pub struct Expected<'a> {
    /// The server's own origin, as browsers write it.
    pub origin: &'a str,
    /// The audience that it asked for.
    pub audience: &'a str,
    /// The nonce that it gave out, once, to this browser.
    pub nonce: &'a [u8],
    /// The CA certificates that it trusts, issuing CA first, root last.
    pub issuers: &'a [Certificate],
    /// The time.
    pub now: OffsetDateTime,
}

/// Why a login is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginRefusal {
    /// No statement of this version and purpose.
    #[error("the statement is malformed")]
    Malformed,
    /// Made on another site.
    #[error("the statement names another origin")]
    Origin,
    /// Made for another system.
    #[error("the statement names another audience")]
    Audience,
    /// Made for another challenge: a replay.
    #[error("the statement answers another nonce")]
    Nonce,
    /// Too old, or from the future.
    #[error("the statement is too old or from the future")]
    Time,
    /// The signature is not of the certificate's key.
    #[error("the signature does not verify")]
    Signature,
    /// No certificate that signs.
    #[error("the certificate is not one for signing")]
    Certificate,
    /// Not from the CAs that the server trusts, or not valid now.
    #[error("the certificate does not verify")]
    Chain(#[from] ChainError),
}

impl Challenge {
    /// Judges what a site sent.
    pub fn new(audience: String, nonce: &str) -> Result<Self, ChallengeRefusal> {
        let visible = super::shown::visible(audience.chars()) == audience;
        let characters = audience.chars().count();
        if !(1..=AUDIENCE_LIMIT_CHARACTERS).contains(&characters)
            || !visible
            || audience.chars().any(char::is_control)
        {
            return Err(ChallengeRefusal::Audience);
        }
        let nonce = STANDARD.decode(nonce).map_err(|_| ChallengeRefusal::Nonce)?;
        if !NONCE_BYTES.contains(&nonce.len()) {
            return Err(ChallengeRefusal::Nonce);
        }
        Ok(Self { audience, nonce })
    }

    /// Signs the statement for the site that asked.
    pub fn answer(
        &self,
        token: &mut dyn Token,
        signer: &Certificate,
        origin: &str,
        now: OffsetDateTime,
    ) -> Result<Value, OperationError> {
        let statement = Statement {
            version: VERSION,
            purpose: PURPOSE.to_owned(),
            origin: origin.to_owned(),
            audience: self.audience.clone(),
            nonce: STANDARD.encode(&self.nonce),
            issued_at: now.replace_nanosecond(0).unwrap_or(now),
        };
        let statement = serde_json::to_vec(&statement).map_err(|_| OperationError::Fault)?;
        let signature = signing::sign(token, signer, &[PREFIX, &statement].concat())?;
        Ok(json!({
            "statement": STANDARD.encode(statement),
            "signature": STANDARD.encode(signature),
            "certificate": STANDARD.encode(signer.as_der()),
        }))
    }
}

/// Verifies a login on a server and gives the holder's certificate. `statement` and `signature` are the decoded fields of
/// the agent's answer. Whether the certificate has been revoked is to be asked afterwards, and the nonce to be used up
/// before: this function remembers nothing.
pub fn verify<'a>(
    statement: &[u8],
    signature: &[u8],
    certificate: &'a Certificate,
    expected: &Expected<'_>,
) -> Result<&'a Certificate, LoginRefusal> {
    if statement.len() > STATEMENT_LIMIT_BYTES {
        return Err(LoginRefusal::Malformed);
    }
    let said: Statement = serde_json::from_slice(statement).map_err(|_| LoginRefusal::Malformed)?;
    if said.version != VERSION || said.purpose != PURPOSE {
        return Err(LoginRefusal::Malformed);
    }
    if said.origin != expected.origin {
        return Err(LoginRefusal::Origin);
    }
    if said.audience != expected.audience {
        return Err(LoginRefusal::Audience);
    }
    let nonce = STANDARD.decode(&said.nonce).map_err(|_| LoginRefusal::Nonce)?;
    if !NONCE_BYTES.contains(&nonce.len()) || !constant_time_eq(&nonce, expected.nonce) {
        return Err(LoginRefusal::Nonce);
    }
    let age = expected.now - said.issued_at;
    if age > MAX_AGE || age < -CLOCK_SKEW {
        return Err(LoginRefusal::Time);
    }
    if !certificate.key_usage().is_some_and(KeyUsage::signs) {
        return Err(LoginRefusal::Certificate);
    }
    verify_chain(certificate, expected.issuers, expected.now)?;
    let key = certificate.public_key().ok_or(LoginRefusal::Certificate)?;
    key.verify(&[PREFIX, statement].concat(), signature)
        .map_err(|_| LoginRefusal::Signature)?;
    Ok(certificate)
}
