//! What a site may ask of the holder's token, and what is done once the holder has agreed.
//!
//! Nothing here knows HTTP. A request is parsed into an [`Operation`]; [`holder::survey`] says with which token and
//! certificate it would be done; [`perform::perform`] does it with the PIN that the holder typed.
use yinxin_pki::{Certificate, cms_envelope::Envelope, sm3};
use zeroize::Zeroizing;

use crate::{
    personalise::PersonaliseError,
    pin::{Pin, PinRefusal},
    ticket::{Ticket, TicketedOperation},
    token::{PinKind, Token, TokenError, Usage, containers::select_addressee},
};

pub mod arguments;
pub mod authorisation;
pub mod holder;
pub mod login;
pub mod perform;
pub mod renewal;
pub mod seal;
pub mod shown;
pub mod signing;
pub mod tokens;

/// What a site asks for, parsed. None of it has been done.
pub enum Operation {
    /// Proves to the site who holds the token.
    Login(login::Challenge),
    /// Signs a message.
    Sign {
        /// The message as it came.
        message: Vec<u8>,
        /// In which form.
        format: SignFormat,
    },
    /// Signs what only its digest is known of.
    SignDigest {
        /// SM3 of it, without Z.
        digest: [u8; 32],
        /// In which form.
        format: DigestFormat,
    },
    /// Decrypts.
    Decrypt(Ciphertext),
    /// Replaces the user PIN; the page asks for everything.
    ChangePin,
    /// Makes the key and writes the certificates of an order.
    Personalise {
        /// Bearer token of the operator's session with the platform.
        session: Zeroizing<String>,
    },
    /// Sets a new user PIN under the admin PIN, which the holder types where the platform did not send it.
    Unblock {
        /// The admin PIN, sealed to the agent's key ([`authorisation`]).
        sealed_admin: Option<Vec<u8>>,
    },
    /// Makes new keys for renewed certificates.
    RequestCertificates,
    /// Writes renewed certificates.
    WriteCertificates(Box<renewal::Renewal>),
    /// Writes a seal.
    WriteSeal(seal::Seal),
}

/// The form of a signature over a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignFormat {
    /// DER `SM2Signature` over e = SM3(Z ‖ message).
    Raw,
    /// GM/T 0010 `SignedData` with the message in it.
    CmsAttached,
    /// GM/T 0010 `SignedData` without the message.
    CmsDetached,
}

/// The form of a signature over a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestFormat {
    /// DER `SM2Signature` over e = SM3(Z ‖ digest): the digest is the message.
    Raw,
    /// GM/T 0010 `SignedData` without content, whose messageDigest is the digest.
    CmsDetached,
}

/// What is to be decrypted.
pub enum Ciphertext {
    /// DER `SM2Cipher`.
    Sm2(Vec<u8>),
    /// GM/T 0010 `EnvelopedData`.
    Cms(Envelope),
}

/// What the page asks the holder to type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// The user PIN.
    UserPin,
    /// The user PIN, and the new one twice.
    NewUserPin,
    /// The admin PIN, and a new user PIN twice.
    AdminPin,
    /// A new user PIN twice.
    NewPinAlone,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asker {
    /// A site, by its origin.
    Site(String),
    /// The holder, on the agent's own page.
    Holder,
}

/// An operation with everything that was settled before the holder is asked.
pub struct Job {
    /// What.
    pub operation: Operation,
    /// Who asks.
    pub asker: Asker,
    /// The platform's permission, for operations that need one.
    pub ticket: Option<Ticket>,
    /// The admin PIN that the platform sent.
    pub admin_pin: Option<Pin>,
    /// The token and certificate that the page shows.
    pub holder: holder::Holder,
}

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// No token is plugged in.
    #[error("no UKey was found")]
    NoToken,
    /// More than one is: which one is meant is not guessed.
    #[error("more than one UKey was found: leave only one plugged in")]
    SeveralTokens,
    /// The token has no certificate for this.
    #[error("the UKey holds no {0} certificate")]
    NoCertificate(Usage),
    /// The token now is not the one that the page showed.
    #[error("the UKey or its certificate was exchanged while the page was open")]
    Exchanged,
    /// What was typed breaks the rules for PINs.
    #[error("{0}")]
    PinRule(#[from] PinRefusal),
    /// The new PIN was typed twice, not the same, or is the old one.
    #[error("the two entries of the new PIN differ, or it is the old one")]
    NewPin,
    /// The page sent other fields than were asked for.
    #[error("the page sent other entries than the operation asks for")]
    Entries,
    /// What is to be decrypted is not for this token.
    #[error("the message is not encrypted to this UKey's certificate")]
    NotForThisToken,
    /// It does not open.
    #[error("the ciphertext does not open")]
    CannotOpen,
    /// The admin PIN that the platform sent does not open, or is not the token's.
    #[error(
        "the authorisation to unblock does not open, or is not for this UKey: ask for a key, and for a new one"
    )]
    Authorisation,
    /// The renewal does not fit the token.
    #[error(transparent)]
    Renewal(#[from] renewal::RenewalError),
    /// What was written is not what is read back.
    #[error("the UKey does not hold what was written to it")]
    ReadBack,
    /// A part of the agent's configuration is missing.
    #[error("the agent was started without {0}")]
    NotConfigured(&'static str),
    /// Personalising stopped.
    #[error(transparent)]
    Personalise(#[from] PersonaliseError),
    /// The token's refusal.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The program's own fault.
    #[error("the agent cannot carry out the operation")]
    Fault,
}

impl Operation {
    /// Its name in addresses, tickets and the log.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Login(_) => "login",
            Self::Sign { .. } => "sign",
            Self::SignDigest { .. } => "sign-digest",
            Self::Decrypt(_) => "decrypt",
            Self::ChangePin => "change-pin",
            Self::Personalise { .. } => "personalise",
            Self::Unblock { .. } => "unblock",
            Self::RequestCertificates => "request-certificates",
            Self::WriteCertificates(_) => "write-certificates",
            Self::WriteSeal(_) => "write-seal",
        }
    }

    /// The certificate that the page shows and without which nothing is asked.
    pub fn certificate(&self) -> Option<Usage> {
        match self {
            Self::Login(_)
            | Self::Sign { .. }
            | Self::SignDigest { .. }
            | Self::RequestCertificates
            | Self::WriteCertificates(_) => Some(Usage::Signing),
            Self::Decrypt(_) => Some(Usage::Encryption),
            Self::ChangePin | Self::Personalise { .. } | Self::Unblock { .. } | Self::WriteSeal(_) => None,
        }
    }

    /// What the page asks for.
    pub fn asks(&self) -> Asks {
        match self {
            Self::ChangePin => Asks::NewUserPin,
            Self::Unblock { sealed_admin: None } => Asks::AdminPin,
            Self::Unblock { .. } => Asks::NewPinAlone,
            _ => Asks::UserPin,
        }
    }

    /// Which ticket it needs; `None` for what the holder alone decides.
    pub fn ticket(&self) -> Option<TicketedOperation> {
        match self {
            Self::Personalise { .. } => Some(TicketedOperation::Personalise),
            Self::Unblock { .. } => Some(TicketedOperation::Unblock),
            Self::RequestCertificates => Some(TicketedOperation::RequestCertificates),
            Self::WriteCertificates(_) => Some(TicketedOperation::WriteCertificates),
            Self::WriteSeal(_) => Some(TicketedOperation::WriteSeal),
            _ => None,
        }
    }

    /// SM3 of what came along with the ticket, which the ticket must name.
    pub fn content(&self) -> Option<[u8; 32]> {
        match self {
            Self::WriteCertificates(renewal) => Some(renewal.content()),
            Self::WriteSeal(seal) => Some(seal.content()),
            Self::Unblock { sealed_admin } => sealed_admin.as_deref().map(sm3),
            _ => None,
        }
    }

    /// Turns to the container that it is for and finds the certificate that it uses, before the holder is asked: for a message
    /// that is encrypted to a certificate that one, be it an earlier one, and for everything else the current one.
    pub fn find_certificate(&self, token: &mut dyn Token) -> Result<Option<Certificate>, OperationError> {
        let Some(usage) = self.certificate() else {
            return Ok(None);
        };
        let current = token
            .certificate(usage)?
            .ok_or(OperationError::NoCertificate(usage))?;
        let Self::Decrypt(Ciphertext::Cms(envelope)) = self else {
            return Ok(Some(current));
        };
        let is_addressee = |certificate: &Certificate| envelope.session_key_for(certificate).is_some();
        select_addressee(token, is_addressee)?
            .map(Some)
            .ok_or(OperationError::NotForThisToken)
    }
}

impl OperationError {
    /// Whether the holder can correct it on the page; otherwise the operation is over.
    pub fn can_be_corrected(&self) -> bool {
        matches!(
            self,
            Self::PinRule(_) | Self::NewPin | Self::Entries | Self::Token(TokenError::PinRefused)
        ) || self.tries_left().is_some()
    }

    /// The tries that a wrong PIN left, if that is the reason and there are any.
    pub fn tries_left(&self) -> Option<u8> {
        match self {
            Self::Token(TokenError::WrongPin { left: left @ 1.., .. })
            | Self::Personalise(PersonaliseError::Token(TokenError::WrongPin { left: left @ 1.., .. })) => {
                Some(*left)
            }
            _ => None,
        }
    }

    /// Which PIN is locked, if that is the reason.
    pub fn locked(&self) -> Option<PinKind> {
        match self {
            Self::Token(TokenError::PinLocked(kind) | TokenError::WrongPin { kind, left: 0, .. })
            | Self::Personalise(PersonaliseError::Token(
                TokenError::PinLocked(kind) | TokenError::WrongPin { kind, left: 0, .. },
            )) => Some(*kind),
            _ => None,
        }
    }
}
