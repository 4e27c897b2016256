//! Mail over SMTP.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use lettre::message::header::ContentType;
use lettre::message::{Attachment as Part, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as LettreTls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use serde::Deserialize;
use thiserror::Error;
use time::OffsetDateTime;
use tracing::debug;

use crate::Secret;
use crate::observe::{Told, observed};

/// For each step that waits for the server.
const STEP_TIMEOUT: Duration = Duration::from_secs(8);
/// For a whole message, attachments included.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(20);

/// The mail account, as stored in the secret.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The log-in.
    pub username: String,
    /// Its password.
    pub password: Secret,
    /// The sender, with or without a display name.
    pub from: String,
    /// How the connection is protected.
    pub tls: Tls,
    /// The root of the server's certificate, in PEM, where it is none that the world knows.
    pub root_certificate: Option<String>,
}

/// How the connection to the server is protected.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Not at all: only for a server on this host.
    None,
    /// Upgraded after the greeting; a server that cannot gets no mail.
    Starttls,
    /// From the first byte.
    Wrapper,
}

/// One mail to one person.
pub struct Mail<'a> {
    /// The address.
    pub to: &'a str,
    /// Any language.
    pub subject: &'a str,
    /// Plain text, any language.
    pub text: &'a str,
    /// Files, in the order shown.
    pub attachments: &'a [Attachment<'a>],
    /// Ours (letters, digits, `-`, `_`, `.`): the same for each try of the same mail, so that mailboxes show it once.
    pub id: &'a str,
}

/// A file in a mail.
pub struct Attachment<'a> {
    /// The name shown.
    pub name: &'a str,
    /// Such as `application/pdf`.
    pub content_type: &'a str,
    /// The contents.
    pub bytes: &'a [u8],
}

/// The account's values cannot be used.
#[derive(Debug, Error)]
pub enum AccountError {
    /// Not an address.
    #[error("the sender is not a mail address")]
    From(#[source] lettre::address::AddressError),
    /// Not a name a certificate could carry, or a root that is no certificate.
    #[error("the server's name or root certificate cannot be used with TLS")]
    Host(#[source] lettre::transport::smtp::Error),
    /// Names, addresses and the password would cross the network in clear.
    #[error("mail to another machine needs TLS")]
    Unprotected,
}

/// Why a mail was not, or perhaps not, sent.
#[derive(Debug, Error)]
pub enum MailError {
    /// The address, the id or a content type is ill-formed: nothing was sent.
    #[error("the mail is ill-formed: {0}")]
    Invalid(&'static str),
    /// The server will never take it: wrong recipient or wrong credentials.
    #[error("the mail server refused with {code}")]
    Rejected {
        /// The SMTP status; its text is left out, as it may hold the address.
        code: u16,
    },
    /// The server cannot be reached, does not answer, or asks to come back: repeat with the same id.
    #[error("the mail server is not available")]
    Unavailable,
}

impl Account {
    fn tls_parameters(&self) -> Result<TlsParameters, AccountError> {
        let mut parameters = TlsParameters::builder(self.host.clone());
        if let Some(root) = &self.root_certificate {
            let root = Certificate::from_pem(root.as_bytes()).map_err(AccountError::Host)?;
            parameters = parameters.add_root_certificate(root);
        }
        parameters.build().map_err(AccountError::Host)
    }
}

/// Whether what is sent to `host` never leaves this machine.
fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Told for Result<(), MailError> {
    fn outcome(&self) -> &'static str {
        match self {
            Ok(()) => "ok",
            Err(MailError::Invalid(_)) => "not_sent",
            Err(MailError::Rejected { .. }) => "refused",
            Err(MailError::Unavailable) => "unavailable",
        }
    }
}

/// The mail client.
#[derive(Clone, Debug)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// A client; connects only when it sends.
    pub fn new(account: Account) -> Result<Self, AccountError> {
        let from: Mailbox = account.from.parse().map_err(AccountError::From)?;
        let tls = match account.tls {
            Tls::None if is_this_machine(&account.host) => LettreTls::None,
            Tls::None => return Err(AccountError::Unprotected),
            Tls::Starttls => LettreTls::Required(account.tls_parameters()?),
            Tls::Wrapper => LettreTls::Wrapper(account.tls_parameters()?),
        };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(account.host)
            .port(account.port)
            .tls(tls)
            .credentials(Credentials::new(
                account.username,
                account.password.expose().to_owned(),
            ))
            .timeout(Some(STEP_TIMEOUT))
            .build();
        Ok(Self { transport, from })
    }

    /// Sends one mail.
    pub async fn send(&self, mail: &Mail<'_>, now: OffsetDateTime) -> Result<(), MailError> {
        observed("smtp", "send", self.send_once(mail, now)).await
    }

    async fn send_once(&self, mail: &Mail<'_>, now: OffsetDateTime) -> Result<(), MailError> {
        let message = self.message(mail, now)?;
        debug!(id = mail.id, "sending mail {}", mail.id);
        match tokio::time::timeout(TOTAL_TIMEOUT, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(MailError::Rejected {
                code: error.status().map_or(0, u16::from),
            }),
            Ok(Err(_)) | Err(_) => Err(MailError::Unavailable),
        }
    }

    fn message(&self, mail: &Mail<'_>, now: OffsetDateTime) -> Result<Message, MailError> {
        let to: Address = mail.to.parse().map_err(|_| MailError::Invalid("recipient"))?;
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if mail.id.is_empty() || !mail.id.bytes().all(legal) {
            return Err(MailError::Invalid("id"));
        }
        let mut parts = MultiPart::mixed().singlepart(SinglePart::plain(mail.text.to_owned()));
        for file in mail.attachments {
            let kind =
                ContentType::parse(file.content_type).map_err(|_| MailError::Invalid("content type"))?;
            parts = parts.singlepart(Part::new(file.name.to_owned()).body(file.bytes.to_vec(), kind));
        }
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject)
            .date(SystemTime::from(now))
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .multipart(parts)
            .map_err(|_| MailError::Invalid("headers"))
    }
}
