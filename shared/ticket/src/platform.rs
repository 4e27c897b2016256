//! Verification: the platform's certificates for tickets, pinned, and whether a ticket fits what it is presented for.
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use time::{Duration, OffsetDateTime};
use yinxin_pki::{
    Certificate,
    certificate::KeyUsage,
    chain::{ChainError, verify_chain},
    pem::{self, PemError},
};

use crate::{LIMIT_BYTES, MAX_LIFE, PREFIX, Ticket, TicketedOperation};

/// How far the platform's clock may be ahead of this computer's.
const CLOCK_SKEW: Duration = Duration::minutes(2);

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

/// The platform's certificates for tickets, each pinned with the CAs above it; two while the platform changes its key.
pub struct Platform {
    pinned: Vec<Pinned>,
}

struct Pinned {
    signer: Certificate,
    issuers: Vec<Certificate>,
}

/// Why the certificates given cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlatformCertificatesError {
    /// No chain of certificates.
    #[error("no certificates in PEM")]
    Pem(#[from] PemError),
    /// The first one is a CA, or one that is none does not sign.
    #[error("a certificate that should be one for signing tickets is none")]
    Usage,
    /// They do not verify, each by the next one, up to a root.
    #[error("the certificates are no chain: ticket certificate first, root last")]
    Chain(#[from] ChainError),
}

impl Platform {
    /// Reads PEM: a ticket certificate, then its issuers, root last; then perhaps the next one in the same way. Time is
    /// judged at each ticket.
    pub fn from_pem(text: &str) -> Result<Self, PlatformCertificatesError> {
        let mut pinned: Vec<Pinned> = Vec::new();
        for certificate in pem::decode_chain(text)? {
            match pinned.last_mut() {
                Some(last) if certificate.is_ca() => last.issuers.push(certificate),
                _ => pinned.push(Pinned::new(certificate)?),
            }
        }
        for Pinned { signer, issuers } in &pinned {
            verify_chain(signer, issuers, signer.not_before())?;
        }
        Ok(Self { pinned })
    }

    /// Verifies signature, form and time of a ticket and that it fits what it is presented for. Whether it was used before
    /// is another question.
    pub fn verify(&self, text: &str, presented: &Presented<'_>) -> Result<Ticket, TicketRefusal> {
        let ticket = self.read(text, presented.now)?;
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

    /// The signature and its certificate first: nothing unsigned is parsed.
    fn read(&self, text: &str, now: OffsetDateTime) -> Result<Ticket, TicketRefusal> {
        if text.len() > LIMIT_BYTES {
            return Err(TicketRefusal::Malformed);
        }
        let (payload, signature) = text.split_once('.').ok_or(TicketRefusal::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TicketRefusal::Malformed);
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        let message = [PREFIX, &payload].concat();
        let signer = self
            .pinned
            .iter()
            .find(|pinned| pinned.signed(&message, &signature))
            .ok_or(TicketRefusal::Signature)?;
        verify_chain(&signer.signer, &signer.issuers, now).map_err(|_| TicketRefusal::Certificate)?;
        let ticket: Ticket = serde_json::from_slice(&payload).map_err(|_| TicketRefusal::Malformed)?;
        if ticket.is_well_formed() {
            Ok(ticket)
        } else {
            Err(TicketRefusal::Malformed)
        }
    }
}

impl Pinned {
    fn new(signer: Certificate) -> Result<Self, PlatformCertificatesError> {
        if signer.is_ca() || !signer.key_usage().is_some_and(KeyUsage::signs) || signer.public_key().is_none()
        {
            return Err(PlatformCertificatesError::Usage);
        }
        Ok(Self {
            signer,
            issuers: Vec::new(),
        })
    }

    fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = self.signer.public_key();
        key.is_some_and(|key| key.verify(message, signature).is_ok())
    }
}
