//! Tickets: the platform's permission for one operation on one token.
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
use yinxin_pki::{
    Certificate, PublicKey,
    certificate::KeyUsage,
    chain::{ChainError, verify_chain},
    key::SigningFailed,
    pem::{self, PemError},
};

use crate::platform::Reference;

pub mod used;

/// What stands before the payload under the signature.
pub const PREFIX: &[u8] = b"YINXIN-TICKET-1\n";
/// Longest life of a ticket.
pub const MAX_LIFE: Duration = Duration::minutes(10);
/// How far the platform's clock may be ahead of this computer's.
const CLOCK_SKEW: Duration = Duration::minutes(2);
/// Longest ticket.
const LIMIT_BYTES: usize = 4096;
const VERSION: u8 = 1;
/// 22 characters of base64url are 128 bits.
const ID_CHARACTERS: std::ops::RangeInclusive<usize> = 22..=64;

/// What a ticket can permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TicketedOperation {
    /// Making a key and writing an order's certificates.
    Personalise,
    /// A new user PIN under the admin PIN.
    Unblock,
    /// Making new keys for renewed certificates.
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
    /// 1.
    pub version: u8,
    /// Random; a ticket is good for one try.
    pub id: String,
    /// What it permits.
    pub operation: TicketedOperation,
    /// Serial number of the token.
    pub token: String,
    /// Number or id of the order.
    pub order: String,
    /// The site that may use it.
    pub origin: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub issued_at: OffsetDateTime,
    /// When it ends, ten minutes later at most.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// SM3 of what comes along, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// What a ticket is presented for.
pub struct Presented<'a> {
    /// The operation.
    pub operation: TicketedOperation,
    /// The site.
    pub origin: &'a str,
    /// Serial number of the token that is plugged in.
    pub token: &'a str,
    /// SM3 of what came along.
    pub content: Option<[u8; 32]>,
    /// The time.
    pub now: OffsetDateTime,
}

/// Why a ticket is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TicketRefusal {
    /// Not of the form.
    #[error("the ticket is malformed")]
    Malformed,
    /// Not signed by the platform, or changed.
    #[error("the ticket is not signed by the platform")]
    Signature,
    /// The platform's certificate has ended, or does not verify.
    #[error("the certificate that tickets are signed with is not valid now")]
    Certificate,
    /// Too late, too early, or living too long.
    #[error("the ticket has expired, or is not valid yet")]
    Expired,
    /// For something else.
    #[error("the ticket is for another operation")]
    Operation,
    /// For another site.
    #[error("the ticket is for another site")]
    Origin,
    /// For another token.
    #[error("the ticket is for another UKey")]
    Token,
    /// For other content.
    #[error("the ticket is for other content than what came along")]
    Content,
    /// Used before.
    #[error("the ticket was used before")]
    Used,
}

/// The platform's certificate for tickets, pinned with the CAs above it.
pub struct Platform {
    signer: Certificate,
    issuers: Vec<Certificate>,
}

/// Why the certificates given cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlatformCertificatesError {
    /// No chain of certificates.
    #[error("no certificates in PEM")]
    Pem(#[from] PemError),
    /// The first one does not sign, or is itself a CA.
    #[error("the first certificate is not one for signing tickets")]
    Usage,
    /// They do not verify, each by the next one, up to a root.
    #[error("the certificates are no chain: ticket certificate first, root last")]
    Chain(#[from] ChainError),
}

impl Platform {
    /// Reads PEM: the ticket certificate first, then its issuers, root last. Time is judged at each ticket.
    pub fn from_pem(text: &str) -> Result<Self, PlatformCertificatesError> {
        let mut certificates = pem::decode_chain(text)?.into_iter();
        let signer = certificates.next().ok_or(PemError::Malformed)?;
        let issuers: Vec<Certificate> = certificates.collect();
        if signer.is_ca() || !signer.key_usage().is_some_and(KeyUsage::signs) || signer.public_key().is_none()
        {
            return Err(PlatformCertificatesError::Usage);
        }
        verify_chain(&signer, &issuers, signer.not_before())?;
        Ok(Self { signer, issuers })
    }

    /// Verifies signature, form and time of a ticket and that it fits what it is presented for. Whether it was used before
    /// is another question: [`used::UsedTickets::take`].
    pub fn verify(&self, text: &str, presented: &Presented<'_>) -> Result<Ticket, TicketRefusal> {
        verify_chain(&self.signer, &self.issuers, presented.now).map_err(|_| TicketRefusal::Certificate)?;
        let key = self.signer.public_key().ok_or(TicketRefusal::Certificate)?;
        let ticket = read(text, key)?;
        let life = ticket.expires_at - ticket.issued_at;
        if life > MAX_LIFE
            || presented.now >= ticket.expires_at
            || ticket.issued_at > presented.now + CLOCK_SKEW
        {
            return Err(TicketRefusal::Expired);
        }
        if ticket.operation != presented.operation {
            return Err(TicketRefusal::Operation);
        }
        if ticket.origin != presented.origin {
            return Err(TicketRefusal::Origin);
        }
        if ticket.token != presented.token {
            return Err(TicketRefusal::Token);
        }
        if ticket.content != presented.content.map(hex::encode) {
            return Err(TicketRefusal::Content);
        }
        Ok(ticket)
    }
}

impl Ticket {
    /// Signs it: the platform's side. `sign` gives a DER `SM2Signature` over a message.
    pub fn signed_with(
        &self,
        sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, SigningFailed>,
    ) -> Result<String, SigningFailed> {
        // A struct of strings and times always has a JSON form.
        let payload = serde_json::to_vec(self).unwrap_or_default();
        let signature = sign(&[PREFIX, &payload].concat())?;
        Ok(format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(payload),
            URL_SAFE_NO_PAD.encode(signature)
        ))
    }
}

fn read(text: &str, key: &PublicKey) -> Result<Ticket, TicketRefusal> {
    if text.len() > LIMIT_BYTES {
        return Err(TicketRefusal::Malformed);
    }
    let (payload, signature) = text.split_once('.').ok_or(TicketRefusal::Malformed)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TicketRefusal::Malformed);
    let (payload, signature) = (decode(payload)?, decode(signature)?);
    // The signature first: nothing unsigned is parsed.
    key.verify(&[PREFIX, &payload].concat(), &signature)
        .map_err(|_| TicketRefusal::Signature)?;
    let ticket: Ticket = serde_json::from_slice(&payload).map_err(|_| TicketRefusal::Malformed)?;
    let id_fits = ID_CHARACTERS.contains(&ticket.id.len())
        && ticket
            .id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if ticket.version != VERSION || !id_fits || ticket.order.parse::<Reference>().is_err() {
        return Err(TicketRefusal::Malformed);
    }
    Ok(ticket)
}
