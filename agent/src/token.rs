//! What the agent asks of a token. The steps are those of GM/T 0016 (SKF): one application with its containers, records
//! in the application's files.
use std::fmt;

use yinxin_pki::{Certificate, EnvelopedKey, PublicKey};
use zeroize::Zeroizing;

use crate::pin::Pin;

pub mod containers;
pub mod libraries;
mod notice;
pub mod skf;

pub use libraries::TokenLibraries;
pub use skf::SkfToken;
pub use yinxin_keep::vault;

/// Longest record, in bytes.
pub const RECORD_LIMIT_BYTES: usize = 32 * 1024;

/// Which of a container's two key pairs, and its certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// The pair made in the token, which signs.
    Signing,
    /// The pair that came enveloped, which decrypts.
    Encryption,
}

/// Which PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinKind {
    /// The holder's: signs, imports.
    User,
    /// The vendor's: unblocks the holder's.
    Admin,
}

/// Name and number of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// For people.
    pub label: String,
    /// Unique.
    pub serial: String,
}

/// How many tries each PIN has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TriesLeft {
    /// Of the user PIN.
    pub user: Tries,
    /// Of the admin PIN.
    pub admin: Tries,
}

/// A PIN's counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// Wrong entries that are left.
    pub left: u8,
    /// Wrong entries that lock the PIN.
    pub most: u8,
}

/// Why a token did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The PIN is wrong; the counter has gone down.
    #[error("the {kind} PIN is wrong, {left} of {most} tries left")]
    WrongPin {
        /// Which PIN.
        kind: PinKind,
        /// Tries left.
        left: u8,
        /// Tries that there were at first.
        most: u8,
    },
    /// No tries are left.
    #[error("the {0} PIN is locked after too many wrong entries")]
    PinLocked(PinKind),
    /// The token has rules of its own for PINs.
    #[error("the token does not take such a PIN")]
    PinRefused,
    /// The step needs the user PIN first.
    #[error("log in to the token first")]
    NotLoggedIn,
    /// No container has this name.
    #[error("the token holds no container {0}")]
    NoContainer(String),
    /// The container has no such key pair.
    #[error("the token holds no {0} key pair")]
    NoKey(Usage),
    /// A key pair is there; the token does not write over it.
    #[error("the token already holds another {0} key pair")]
    KeyExists(Usage),
    /// A certificate for another key than the container's.
    #[error("the {0} certificate is for another key than the token's")]
    CertificateMismatch(Usage),
    /// The enveloped key does not open with the signing key, or is not the key that it names.
    #[error("the enveloped encryption key does not open with this token's signing key")]
    Envelope(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The derivation of a key from a PIN did not run.
    #[error("no key can be derived from the PIN with this token's parameters")]
    Cost,
    /// More than a record may hold.
    #[error("the record is longer than {RECORD_LIMIT_BYTES} bytes")]
    RecordTooLong,
    /// Another program works with the token.
    #[error("another program is using the token {0}")]
    Busy(String),
    /// None is plugged in.
    #[error("no UKey is plugged in: plug in one{}", listed(problems))]
    NoToken {
        /// Libraries and devices that cannot be used.
        problems: Vec<String>,
    },
    /// It is not known which one is meant.
    #[error("{} UKeys are plugged in: unplug all but one, or choose one by its serial number{}", .0.len(), listed(.0))]
    SeveralTokens(Vec<Identity>),
    /// The one that was chosen is not there.
    #[error("no UKey with the serial number {serial} is plugged in{}", listed(present))]
    NoSuchToken {
        /// The serial number that was asked for.
        serial: String,
        /// Those that are there.
        present: Vec<Identity>,
    },
    /// It was pulled out in the middle; the same command again goes on.
    #[error("the UKey was pulled out: plug it in again and repeat the command")]
    Removed,
    /// No room for a key, a certificate or a record.
    #[error("the UKey is full")]
    Full,
    /// A token that no application was made in: its vendor does that.
    #[error("the UKey has no application{}", named(.0.as_deref()))]
    NoApplication(Option<String>),
    /// The device's own refusal, or its library's.
    #[error("the UKey did not do it")]
    Device(#[source] yinxin_skf::Error),
    /// What it holds as a certificate is none.
    #[error("the UKey's {0} certificate cannot be read")]
    BadCertificate(Usage),
    /// What it signed does not verify with its own key.
    #[error("the UKey's signature does not verify: its library may need another profile")]
    BadSignature,
    /// The ciphertext is not for this token's encryption key.
    #[error("the ciphertext does not decrypt with the token's encryption key")]
    Decryption,
}

/// A token: containers, each with a signing pair, an encryption pair and their certificates, and records.
///
/// The calls about keys and certificates mean the selected container. That is at first the current one, whose certificates
/// the token stands for (see [`containers`]).
///
/// What changes the token is in the device when the call returns.
pub trait Token {
    /// Label and serial number (`SKF_GetDevInfo`).
    fn identity(&self) -> Identity;

    /// The names of all containers (`SKF_EnumContainer`).
    fn containers(&self) -> Result<Vec<String>, TokenError>;

    /// The name of the selected one; `None` before the token has one.
    fn selected(&self) -> Option<String>;

    /// Turns to a container (`SKF_OpenContainer`); the login stands.
    fn select(&mut self, container: &str) -> Result<(), TokenError>;

    /// Makes an empty container (`SKF_CreateContainer`) and turns to it. Needs the login.
    fn create_container(&mut self, container: &str) -> Result<(), TokenError>;

    /// Deletes a container with its keys (`SKF_DeleteContainer`), which cannot be undone; not the selected one. Needs the
    /// login.
    fn delete_container(&mut self, container: &str) -> Result<(), TokenError>;

    /// Keeps other programs away until this value is dropped (`SKF_LockDev`), where the library can do that.
    fn lock(&mut self) -> Result<(), TokenError>;

    /// The retry counters (`SKF_GetPINInfo`).
    fn tries_left(&self) -> Result<TriesLeft, TokenError>;

    /// Tries the user PIN (`SKF_VerifyPIN`): a wrong one costs a try, a right one gives all tries back.
    fn login(&mut self, pin: &Pin) -> Result<(), TokenError>;

    /// Forgets the login (`SKF_ClearSecureState`).
    fn logout(&mut self);

    /// Replaces the user PIN (`SKF_ChangePIN`); a wrong old one costs a try. The login stands.
    fn set_user_pin(&mut self, old: &Pin, new: &Pin) -> Result<(), TokenError>;

    /// Sets a new user PIN and gives its tries back, under the admin PIN (`SKF_UnblockPIN`).
    fn unblock(&mut self, admin: &Pin, new_user: &Pin) -> Result<(), TokenError>;

    /// Makes the signing pair (`SKF_GenECCKeyPair`); refuses when there is one. Needs the login.
    fn generate_signing_key(&mut self) -> Result<PublicKey, TokenError>;

    /// A pair's public key, if the pair is there (`SKF_ExportPublicKey`).
    fn public_key(&self, usage: Usage) -> Result<Option<PublicKey>, TokenError>;

    /// Signs a message with the signing pair, DER: SM2 with SM3 and the default identifier (`SKF_ECCSignData`
    /// over e = SM3(Z ‖ message)). Needs the login.
    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, TokenError>;

    /// Decrypts an `SM2Cipher` (DER) with the encryption pair (`SKF_ECCDecrypt`, which not every library has). Needs the
    /// login.
    fn decrypt(&mut self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, TokenError>;

    /// Decrypts whole blocks, SM4-ECB, under a session key that is encrypted to the encryption pair (`SM2Cipher`, DER;
    /// `SKF_ImportSessionKey`, `SKF_Decrypt`). Needs the login.
    fn decrypt_under(&mut self, session_key: &[u8], blocks: &[u8]) -> Result<Zeroizing<Vec<u8>>, TokenError>;

    /// Opens an encryption pair with the signing key and keeps it (`SKF_ImportECCKeyPair`). The same pair again is
    /// no error, another one is. Needs the login.
    fn import_enveloped_key(&mut self, envelope: &EnvelopedKey) -> Result<PublicKey, TokenError>;

    /// Keeps a pair's certificate (`SKF_ImportCertificate`), in place of an earlier one. Needs the login.
    fn import_certificate(&mut self, usage: Usage, certificate: &Certificate) -> Result<(), TokenError>;

    /// Reads a certificate back (`SKF_ExportCertificate`).
    fn certificate(&self, usage: Usage) -> Result<Option<Certificate>, TokenError>;

    /// Reads a record (`SKF_ReadFile`); readable without login, so nothing in it is secret in clear.
    fn record(&self, name: &str) -> Result<Option<Vec<u8>>, TokenError>;

    /// Writes a record (`SKF_WriteFile`). Needs the login.
    fn write_record(&mut self, name: &str, bytes: &[u8]) -> Result<(), TokenError>;
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.serial, self.label)
    }
}

/// What is told behind an error, in brackets.
fn listed(items: &[impl fmt::Display]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    format!(" ({})", items.join("; "))
}

fn named(name: Option<&str>) -> String {
    name.map(|name| format!(" {name}")).unwrap_or_default()
}

impl fmt::Display for Usage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Signing => "signing",
            Self::Encryption => "encryption",
        })
    }
}

impl fmt::Display for PinKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::User => "user",
            Self::Admin => "admin",
        })
    }
}
