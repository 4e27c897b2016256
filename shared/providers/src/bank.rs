//! The bank bridge: 0.01-yuan transfers whose memo carries a secret, as signed JSON over HTTP.
//!
//! `POST {base}/bank/transfers` submits, `GET {base}/bank/transfers/{out_biz_no}` asks. Headers `X-Client-Id`,
//! `X-Timestamp` (Unix seconds) and `X-Signature`, the lower-hex HMAC-SHA256 under the client's secret of method,
//! path, timestamp and the body's lower-hex SHA-256, joined by line feeds.

mod values;

use std::fmt;

use aws_lc_rs::hmac;
use reqwest::{RequestBuilder, Url};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::debug;

use crate::Secret;
use crate::aliyun::{UrlError, sha256_hex};
use crate::http::{self, Answer, Http};
use crate::observe::Told;
pub use values::{MEMO_ALPHABET, Memo, OutBizNo, ValueError};

/// What the platform pays to reach an account's memo.
pub const AMOUNT_FEN: i64 = 1;

/// The bridge's credentials, as stored in the secret.
#[derive(Clone, Debug, Deserialize)]
pub struct Client {
    /// Our name at the bridge.
    pub client_id: String,
    /// The HMAC key.
    pub client_secret: Secret,
}

/// Who is paid.
#[derive(Clone, Copy)]
pub struct Payee<'a> {
    /// The account's holder.
    pub name: &'a str,
    /// The account's number.
    pub account: &'a str,
    /// The bank's name.
    pub bank_name: &'a str,
    /// The branch's 12-digit CNAPS number; not needed within one bank.
    pub branch_cnaps: Option<&'a str>,
    /// Whose account it is.
    pub kind: PayeeKind,
}

/// Whose account is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayeeKind {
    /// A unit's.
    Corporate,
    /// A person's.
    Private,
}

/// What submitting came to.
#[derive(Debug)]
pub enum Submitted {
    /// The bank will pay, perhaps on the next working day.
    Accepted,
    /// The bank will not pay.
    Rejected {
        /// The bank's code.
        code: String,
    },
    /// Ask with [`Bank::query`]; never submit under another number.
    Unknown(Doubt),
}

/// What became of a transfer.
#[derive(Debug)]
pub enum Transfer {
    /// On its way.
    Pending,
    /// Paid; it may still be returned later.
    Success {
        /// The bank's number.
        bank_serial: String,
        /// When it was booked.
        posted_at: Option<OffsetDateTime>,
    },
    /// Not paid.
    Failed {
        /// The bank's code.
        code: String,
        /// The bank's words.
        msg: String,
    },
    /// Paid and sent back (退汇): the account does not take it.
    Returned {
        /// The bank's code.
        code: String,
    },
    /// The bank has never heard of this number: submit it (again) under the same number.
    NotFound,
    /// No usable answer: ask again.
    Unknown(Doubt),
}

/// Why there is no usable answer.
#[derive(Debug, Error)]
pub enum Doubt {
    /// None at all.
    #[error("the bank bridge gave no usable answer")]
    Transport(#[source] http::Failure),
    /// One that is not the protocol's; 401 and 403 mean that our credentials or our clock are wrong.
    #[error("the bank bridge answered with HTTP status {0}")]
    Answer(u16),
    /// The bank itself does not know.
    #[error("the bank does not know")]
    BankUnsure,
}

impl Doubt {
    /// One word for metrics.
    fn word(&self) -> &'static str {
        match self {
            Self::Transport(failure) => failure.word(),
            Self::Answer(_) | Self::BankUnsure => "unknown",
        }
    }
}

impl Told for Submitted {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Accepted => "ok",
            Self::Rejected { .. } => "refused",
            Self::Unknown(doubt) => doubt.word(),
        }
    }
}

impl Told for Transfer {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success { .. } => "ok",
            Self::Failed { .. } => "failed",
            Self::Returned { .. } => "returned",
            Self::NotFound => "not_found",
            Self::Unknown(doubt) => doubt.word(),
        }
    }
}

#[derive(Serialize)]
struct Submission<'a> {
    out_biz_no: &'a str,
    payee_name: &'a str,
    payee_account: &'a str,
    bank_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch_cnaps: Option<&'a str>,
    payee_type: u8,
    amount_fen: i64,
    memo: &'a str,
    purpose: &'a str,
}

#[derive(Deserialize)]
struct Report {
    #[serde(rename = "status", default)]
    word: String,
    code: Option<String>,
    msg: Option<String>,
    bank_serial: Option<String>,
    posted_at: Option<String>,
}

/// The bridge's client.
#[derive(Clone)]
pub struct Bank {
    http: Http,
    client_id: String,
    key: hmac::Key,
    base: String,
}

impl Bank {
    /// A client; `base_url` is what stands before `/bank/transfers`.
    pub fn new(client: Client, base_url: &str, http: Http) -> Result<Self, UrlError> {
        let base = base_url.trim_end_matches('/').to_owned();
        Url::parse(&base).ok().filter(Url::has_host).ok_or(UrlError)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, client.client_secret.expose().as_bytes());
        Ok(Self {
            http,
            client_id: client.client_id,
            key,
            base,
        })
    }

    /// Submits a transfer of [`AMOUNT_FEN`]; repeating it under the same number pays once.
    pub async fn submit(
        &self,
        out_biz_no: &OutBizNo,
        payee: Payee<'_>,
        memo: &Memo,
        purpose: &str,
        now: OffsetDateTime,
    ) -> Submitted {
        let submission = Submission {
            out_biz_no: out_biz_no.as_str(),
            payee_name: payee.name,
            payee_account: payee.account,
            bank_name: payee.bank_name,
            branch_cnaps: payee.branch_cnaps,
            payee_type: match payee.kind {
                PayeeKind::Corporate => 1,
                PayeeKind::Private => 2,
            },
            amount_fen: AMOUNT_FEN,
            memo: memo.expose(),
            purpose,
        };
        debug!(%out_biz_no, "submitting transfer {out_biz_no}");
        let body = serde_json::json!(submission).to_string();
        let url = format!("{}/bank/transfers", self.base);
        let post = self.http.post(&url).header("content-type", "application/json");
        let call = async {
            match self.send(post, "POST", &url, body, now).await {
                Ok(answer) => submitted(&answer),
                Err(failure) => Submitted::Unknown(Doubt::Transport(failure)),
            }
        };
        self.http.observed("submit", call).await
    }

    /// Asks what became of a transfer.
    pub async fn query(&self, out_biz_no: &OutBizNo, now: OffsetDateTime) -> Transfer {
        debug!(%out_biz_no, "asking about transfer {out_biz_no}");
        let url = format!("{}/bank/transfers/{out_biz_no}", self.base);
        let get = self.http.get(&url);
        let call = async {
            match self.send(get, "GET", &url, String::new(), now).await {
                Ok(answer) => transfer(&answer),
                Err(failure) => Transfer::Unknown(Doubt::Transport(failure)),
            }
        };
        self.http.observed("query", call).await
    }

    async fn send(
        &self,
        request: RequestBuilder,
        method: &str,
        url: &str,
        body: String,
        now: OffsetDateTime,
    ) -> Result<Answer, http::Failure> {
        let path = Url::parse(url)
            .map(|url| url.path().to_owned())
            .unwrap_or_default();
        let timestamp = now.unix_timestamp();
        let request = request
            .header("x-client-id", &self.client_id)
            .header("x-timestamp", timestamp)
            .header(
                "x-signature",
                signature(&self.key, method, &path, timestamp, body.as_bytes()),
            )
            .body(body);
        self.http.send(request).await
    }
}

impl fmt::Debug for Bank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bank")
            .field("client_id", &self.client_id)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

fn signature(key: &hmac::Key, method: &str, path: &str, timestamp: i64, body: &[u8]) -> String {
    let message = format!("{method}\n{path}\n{timestamp}\n{}", sha256_hex(body));
    hex::encode(hmac::sign(key, message.as_bytes()))
}

/// The protocol's answer, whatever the HTTP status, unless the bridge itself failed.
fn report(answer: &Answer) -> Result<Report, Doubt> {
    if answer.status >= 500 {
        return Err(Doubt::Answer(answer.status));
    }
    serde_json::from_slice(&answer.body).map_err(|_| Doubt::Answer(answer.status))
}

fn submitted(answer: &Answer) -> Submitted {
    match report(answer) {
        Ok(answered) => match answered.word.as_str() {
            "ACCEPTED" if answer.status < 300 => Submitted::Accepted,
            "REJECTED" => Submitted::Rejected {
                code: answered.code.unwrap_or_default(),
            },
            // The bridge itself refused this content under this number; credentials (401, 403) say nothing of it.
            "" if matches!(answer.status, 400 | 409 | 422) && answered.code.is_some() => {
                Submitted::Rejected {
                    code: answered.code.unwrap_or_default(),
                }
            }
            "UNKNOWN" => Submitted::Unknown(Doubt::BankUnsure),
            _ => Submitted::Unknown(Doubt::Answer(answer.status)),
        },
        Err(doubt) => Submitted::Unknown(doubt),
    }
}

fn transfer(answer: &Answer) -> Transfer {
    let answered = match report(answer) {
        Ok(answered) => answered,
        Err(doubt) => return Transfer::Unknown(doubt),
    };
    let code = answered.code.unwrap_or_default();
    match (answered.word.as_str(), answered.bank_serial) {
        ("PENDING", _) => Transfer::Pending,
        ("SUCCESS", Some(bank_serial)) => Transfer::Success {
            bank_serial,
            posted_at: answered
                .posted_at
                .and_then(|at| OffsetDateTime::parse(&at, &Rfc3339).ok()),
        },
        ("FAILED", _) => Transfer::Failed {
            code,
            msg: answered.msg.unwrap_or_default(),
        },
        ("RETURNED", _) => Transfer::Returned { code },
        ("NOT_FOUND", _) => Transfer::NotFound,
        ("UNKNOWN", _) => Transfer::Unknown(Doubt::BankUnsure),
        _ => Transfer::Unknown(Doubt::Answer(answer.status)),
    }
}

#[cfg(test)]
mod tests;
