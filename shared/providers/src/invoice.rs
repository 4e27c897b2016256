//! The port to whoever issues electronic invoices (数电发票): asked under the order's number, which is issued once.
//!
//! Issuing takes its time: a request that was accepted is asked about until it is issued or failed.

mod files;
mod nuonuo;
mod tax;

use async_trait::async_trait;
use serde::Deserialize;
use thiserror::Error;
use time::OffsetDateTime;

pub use files::{FileError, MAX_FILE_BYTES};
pub use nuonuo::{Addresses, CacheError, Cached, ConfigError, Nuonuo, Seller, TokenCache};

use crate::http;
use crate::observe::Told;

/// A provider of invoices, for one seller.
#[async_trait]
pub trait Invoices: Send + Sync {
    /// Asks for an invoice. The same number again makes no second one.
    async fn issue(&self, invoice: &NewInvoice<'_>, now: OffsetDateTime) -> Issue;

    /// Asks for an invoice again that failed, under the number that it has.
    async fn retry(&self, order_no: &str, now: OffsetDateTime) -> Issue;

    /// Asks what became of an invoice.
    async fn query(&self, order_no: &str, now: OffsetDateTime) -> Query;

    /// Fetches a file of an issued invoice, at most [`MAX_FILE_BYTES`] of it.
    async fn file(&self, url: &str) -> Result<Vec<u8>, FileError>;
}

/// Whom the deployment has invoices issued by, as stored in the secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "provider", rename_all = "lowercase")]
pub enum Account {
    /// Nuonuo's open platform (诺诺).
    Nuonuo(Box<Seller>),
    /// Nobody: officers make invoices and upload them.
    Manual,
}

/// An invoice to issue: one line, tax inclusive.
#[derive(Clone, Copy)]
pub struct NewInvoice<'a> {
    /// Our number, never used for another invoice: at most 20 letters and digits.
    pub order_no: &'a str,
    /// Who bought.
    pub buyer: Buyer<'a>,
    /// What was bought.
    pub product: &'a str,
    /// What was paid, tax included.
    pub amount_fen: i64,
}

/// Who an invoice is made out to.
#[derive(Clone, Copy)]
pub struct Buyer<'a> {
    /// The title (抬头).
    pub title: &'a str,
    /// The tax number; people have none.
    pub tax_number: Option<&'a str>,
    /// Address and telephone (地址、电话), one text.
    pub address_telephone: Option<&'a str>,
    /// Bank and account (开户行及账号), one text.
    pub bank_account: Option<&'a str>,
}

/// What asking came to.
#[derive(Debug)]
pub enum Issue {
    /// The provider issues it.
    Accepted {
        /// The provider's number of the request.
        serial: String,
    },
    /// The provider will not: asking the same again gives the same.
    Refused(Reason),
    /// Perhaps it will: query, or ask again under the same number.
    Unknown(Doubt),
}

/// What became of an invoice.
#[derive(Debug)]
pub enum Query {
    /// The provider is at work.
    Issuing {
        /// The provider's number of the request.
        serial: String,
    },
    /// It exists.
    Issued(Issued),
    /// The provider gave it up; it can be asked for again.
    Failed(Reason),
    /// The provider has never heard of this number: ask for the invoice (again) under it.
    NotFound,
    /// No usable answer: ask again.
    Unknown(Doubt),
}

/// An invoice that exists. The addresses of its files may end after a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Its number: 20 digits.
    pub number: String,
    /// Where the PDF is.
    pub pdf_url: String,
    /// Where the OFD is.
    pub ofd_url: Option<String>,
    /// Where the XML is.
    pub xml_url: Option<String>,
    /// When it was issued, where the provider says so.
    pub issued_at: Option<OffsetDateTime>,
}

/// Why there is no invoice.
#[derive(Clone, PartialEq, Eq)]
pub struct Reason {
    /// A word or the provider's code.
    pub code: String,
    /// The provider's sentence; it may name the buyer.
    pub detail: Option<String>,
}

impl std::fmt::Debug for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reason({}, ..)", self.code)
    }
}

/// Why there is no usable answer.
#[derive(Debug, Error)]
pub enum Doubt {
    /// None at all.
    #[error("the invoice provider gave no usable answer")]
    Transport(#[from] http::Failure),
    /// One that is not the provider's application's.
    #[error("the invoice gateway answered with HTTP status {0}")]
    Status(u16),
    /// The gateway itself refused: signature, rights, rate, or a fault of its own.
    #[error("the invoice gateway refused with {0}")]
    Gateway(String),
    /// Not the protocol's answer.
    #[error("the invoice provider's answer is malformed")]
    Malformed,
    /// There is no access token, and the provider gives out no more of them for a while.
    #[error("as many access tokens were asked for as the provider gives out")]
    TokenQuota,
    /// Another process asks for an access token.
    #[error("another process asks for an access token")]
    TokenBusy,
    /// The provider gave no access token; the credentials may be wrong.
    #[error("the invoice provider gave no access token: {0}")]
    Token(String),
    /// What processes share cannot be read or written.
    #[error("the shared access token cannot be reached")]
    Cache(#[from] CacheError),
    /// The clock or the random source fails.
    #[error("the clock or the random source fails")]
    Environment,
}

impl Told for Issue {
    fn outcome(&self) -> &'static str {
        match self {
            Issue::Accepted { .. } => "ok",
            Issue::Refused(_) => "refused",
            Issue::Unknown(doubt) => doubt.word(),
        }
    }
}

impl Told for Query {
    fn outcome(&self) -> &'static str {
        match self {
            Query::Issuing { .. } => "issuing",
            Query::Issued(_) => "ok",
            Query::Failed(_) => "failed",
            Query::NotFound => "not_found",
            Query::Unknown(doubt) => doubt.word(),
        }
    }
}

impl Doubt {
    /// One word for metrics.
    fn word(&self) -> &'static str {
        match self {
            Doubt::Transport(failure) => failure.word(),
            Doubt::TokenQuota => "token_quota",
            Doubt::TokenBusy | Doubt::Token(_) | Doubt::Cache(_) => "no_token",
            Doubt::Status(_) | Doubt::Gateway(_) | Doubt::Malformed | Doubt::Environment => "unknown",
        }
    }
}
