//! Tickets: the platform's permission for one operation on one token. The platform signs them, the agent verifies them;
//! no I/O, no clock, no randomness.
//!
//! A ticket is `PAYLOAD.SIGNATURE`, both base64url without padding. The payload is a JSON object; the signature is a DER
//! `SM2Signature` over `YINXIN-TICKET-1`, a line feed, and the payload's bytes, by the key of a certificate that the
//! agent was started with.
//!
//! ```json
//! {"version":1,"id":"(22 to 64 letters, digits, - and _)","operation":"write-seal","token":"YX0123","order":"20261123A48201937",
//!  "origin":"https://portal.example","issued_at":"2026-11-23T08:00:00Z","expires_at":"2026-11-23T08:10:00Z","content":"(SM3, hexadecimal)"}
//! ```
//!
//! `content` is there for operations that bring something along, and is its SM3.
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use yinxin_pki::key::SigningFailed;

mod platform;

pub use platform::{Platform, PlatformCertificatesError, Presented, TicketRefusal};

/// What stands before the payload under the signature.
pub const PREFIX: &[u8] = b"YINXIN-TICKET-1\n";
/// The version of this form.
pub const VERSION: u8 = 1;
/// Longest life of a ticket.
pub const MAX_LIFE: Duration = Duration::minutes(10);
/// Longest ticket.
const LIMIT_BYTES: usize = 4096;
/// 22 characters of base64url are 128 bits.
const ID_CHARACTERS: std::ops::RangeInclusive<usize> = 22..=64;
/// Ids and numbers of orders are shorter.
const ORDER_CHARACTERS: std::ops::RangeInclusive<usize> = 1..=64;

/// What a ticket can permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketedOperation {
    /// Making a key and writing an order's certificates.
    Personalise,
    /// A new user PIN under the admin PIN.
    Unblock,
    /// Making a key and a request for renewed certificates.
    RequestCertificates,
    /// Writing renewed certificates.
    WriteCertificates,
    /// Writing a seal.
    WriteSeal,
}

/// What a ticket says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// [`VERSION`].
    pub version: u8,
    /// Random; a ticket is good for one try.
    pub id: String,
    /// What it permits.
    pub operation: TicketedOperation,
    /// Serial number of the token.
    pub token: String,
    /// Number or id of the order: letters, digits, `-` and `_`.
    pub order: String,
    /// The site that may use it.
    pub origin: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub issued_at: OffsetDateTime,
    /// When it ends, [`MAX_LIFE`] later at most.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// SM3 of what comes along, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

impl Ticket {
    /// Signs it: the platform's side. `sign` gives a DER `SM2Signature` over a message.
    pub fn signed_with(
        &self,
        sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, SigningFailed>,
    ) -> Result<String, SigningFailed> {
        let payload = serde_json::to_vec(self).map_err(|_| SigningFailed)?;
        let signature = sign(&[PREFIX, &payload].concat())?;
        Ok(format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(payload),
            URL_SAFE_NO_PAD.encode(signature)
        ))
    }

    fn is_well_formed(&self) -> bool {
        self.version == VERSION && is_name(&self.id, ID_CHARACTERS) && is_name(&self.order, ORDER_CHARACTERS)
    }
}

/// Letters, digits, `-` and `_` only, so many of them.
fn is_name(text: &str, characters: std::ops::RangeInclusive<usize>) -> bool {
    characters.contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
