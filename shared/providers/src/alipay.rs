//! Alipay's classic gateway: QR payments, queries, closing, refunds, notifications; RSA2 only.

pub mod failure;
mod keys;
pub mod notification;
#[cfg(test)]
mod tests;
mod trade;
mod wire;

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tracing::debug;

pub use failure::{Doubt, Failure, Reason, Refusal};
pub use keys::KeyError;
use keys::{SigningKey, VerifyingKey};
pub use notification::{Notification, NotificationError};
pub use trade::{Close, Query, Refund, RefundQuery, Trade, TradeStatus};
use wire::Request;

use crate::http::Http;
use crate::{Secret, china_time, money};

/// The most a trade may cost: 100,000,000 yuan.
const MAX_AMOUNT_FEN: i64 = 10_000_000_000;
const MAX_OUT_TRADE_NO: usize = 64;
const MAX_SUBJECT_CHARS: usize = 256;
const MAX_REASON_CHARS: usize = 256;
/// 15 days.
const MAX_TIMEOUT_MINUTES: u32 = 21_600;

/// The merchant's identity and keys, as stored in the secret.
#[derive(Clone, Debug, Deserialize)]
pub struct Merchant {
    /// The app at Alipay.
    pub app_id: String,
    /// The app's RSA key: PKCS#8 or PKCS#1, PEM or bare base64.
    pub app_private_key: Secret,
    /// Alipay's RSA key for this app (not the app's own): SPKI, PEM or bare base64.
    pub alipay_public_key: String,
    /// The account that is paid, `2088...`.
    pub seller_id: String,
    /// The signed contract's product, when it is not the gateway's default.
    #[serde(default)]
    pub product_code: Option<String>,
}

/// What a client is made of.
#[derive(Clone, Debug)]
pub struct Config {
    /// Identity and keys.
    pub merchant: Merchant,
    /// Such as `https://openapi.alipay.com/gateway.do`.
    pub gateway_url: String,
    /// Where notifications go: public, without query.
    pub notify_url: String,
}

/// A client of Alipay's gateway for one app.
pub struct Alipay {
    http: Http,
    app_id: String,
    seller_id: String,
    product_code: Option<String>,
    gateway_url: String,
    notify_url: String,
    signing: SigningKey,
    verifying: VerifyingKey,
}

#[derive(Serialize)]
struct Precreate<'a> {
    out_trade_no: &'a str,
    total_amount: String,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_code: Option<&'a str>,
    timeout_express: String,
}

#[derive(Serialize)]
struct Numbers<'a> {
    out_trade_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_request_no: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_amount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_reason: Option<&'a str>,
}

#[derive(Deserialize)]
struct PrecreateAnswer {
    qr_code: String,
}

#[derive(Deserialize)]
struct QueryAnswer {
    trade_no: String,
    trade_status: String,
    total_amount: String,
    send_pay_date: Option<String>,
}

#[derive(Deserialize)]
struct CloseAnswer {}

#[derive(Deserialize)]
struct RefundAnswer {
    #[serde(default)]
    fund_change: String,
    refund_fee: Option<String>,
}

#[derive(Deserialize)]
struct RefundQueryAnswer {
    out_request_no: Option<String>,
    #[serde(default)]
    refund_status: String,
    refund_amount: Option<String>,
}

impl Alipay {
    /// A client; fails when a key cannot be read.
    pub fn new(config: Config, http: Http) -> Result<Self, KeyError> {
        let Config {
            merchant,
            gateway_url,
            notify_url,
        } = config;
        Ok(Self {
            http,
            signing: SigningKey::parse(merchant.app_private_key.expose())?,
            verifying: VerifyingKey::parse(&merchant.alipay_public_key)?,
            app_id: merchant.app_id,
            seller_id: merchant.seller_id,
            product_code: merchant.product_code,
            gateway_url,
            notify_url,
        })
    }

    /// Opens a payment attempt; answers the text to show as a QR code.
    pub async fn precreate(
        &self,
        out_trade_no: &str,
        amount_fen: i64,
        subject: &str,
        timeout_minutes: u32,
        now: OffsetDateTime,
    ) -> Result<String, Failure> {
        let content = self.precreate_content(out_trade_no, amount_fen, subject, timeout_minutes)?;
        let answer: PrecreateAnswer = self
            .call(
                "alipay.trade.precreate",
                out_trade_no,
                &content,
                Some(&self.notify_url),
                now,
            )
            .await?;
        Ok(answer.qr_code)
    }

    /// Asks what became of a payment attempt.
    pub async fn query(&self, out_trade_no: &str, now: OffsetDateTime) -> Result<Query, Failure> {
        let content = numbers(out_trade_no, None)?;
        let answer = self
            .call("alipay.trade.query", out_trade_no, &content, None, now)
            .await;
        let answer: QueryAnswer = match answer {
            Err(Failure::Refused(Refusal {
                reason: Reason::NoSuchTrade,
                ..
            })) => return Ok(Query::NotScanned),
            answer => answer?,
        };
        Ok(Query::Trade(Trade {
            trade_no: answer.trade_no,
            status: TradeStatus::parse(&answer.trade_status).ok_or(Doubt::Malformed)?,
            amount_fen: money::fen(&answer.total_amount).ok_or(Doubt::Malformed)?,
            paid_at: answer.send_pay_date.as_deref().and_then(china_time::parse),
        }))
    }

    /// Closes an unpaid attempt.
    pub async fn close(&self, out_trade_no: &str, now: OffsetDateTime) -> Result<Close, Failure> {
        let content = numbers(out_trade_no, None)?;
        match self
            .call("alipay.trade.close", out_trade_no, &content, None, now)
            .await
        {
            Ok(CloseAnswer {}) => Ok(Close::Closed),
            Err(Failure::Refused(refusal)) => match refusal.reason {
                Reason::NoSuchTrade => Ok(Close::NotScanned),
                Reason::AlreadyClosed => Ok(Close::Closed),
                Reason::AlreadyPaid => Ok(Close::Paid),
                Reason::NumberTaken | Reason::Operator => Err(Failure::Refused(refusal)),
            },
            Err(failure) => Err(failure),
        }
    }

    /// Refunds part or all of a paid trade; the refund's number moves money once however often it is asked.
    pub async fn refund(
        &self,
        out_trade_no: &str,
        refund_no: &str,
        amount_fen: i64,
        reason: &str,
        now: OffsetDateTime,
    ) -> Result<Refund, Failure> {
        let mut content = numbers(out_trade_no, Some(refund_no))?;
        content.refund_amount = Some(amount(amount_fen)?);
        if reason.chars().count() > MAX_REASON_CHARS {
            return Err(Failure::NotSent("the reason is longer than 256 characters"));
        }
        content.refund_reason = Some(reason);
        let answer: RefundAnswer = self
            .call("alipay.trade.refund", out_trade_no, &content, None, now)
            .await?;
        // `10000` alone does not say that money moved.
        if answer.fund_change != "Y" {
            return Ok(Refund::MustQuery);
        }
        let total = answer
            .refund_fee
            .as_deref()
            .and_then(money::fen)
            .ok_or(Doubt::Malformed)?;
        Ok(Refund::Moved {
            total_refunded_fen: total,
        })
    }

    /// Asks what became of a refund.
    pub async fn refund_query(
        &self,
        out_trade_no: &str,
        refund_no: &str,
        now: OffsetDateTime,
    ) -> Result<RefundQuery, Failure> {
        let content = numbers(out_trade_no, Some(refund_no))?;
        let answer: RefundQueryAnswer = self
            .call(
                "alipay.trade.fastpay.refund.query",
                out_trade_no,
                &content,
                None,
                now,
            )
            .await?;
        if answer
            .out_request_no
            .is_some_and(|answered| answered != refund_no)
        {
            return Err(Doubt::Malformed.into());
        }
        if answer.refund_status != "REFUND_SUCCESS" {
            return Ok(RefundQuery::NotDone);
        }
        let amount_fen = answer
            .refund_amount
            .as_deref()
            .and_then(money::fen)
            .ok_or(Doubt::Malformed)?;
        Ok(RefundQuery::Done { amount_fen })
    }

    /// Verifies a notification's form body, byte for byte as it came, for this app and seller.
    pub fn verify_notification(&self, body: &[u8]) -> Result<Notification, NotificationError> {
        notification::verify(body, &self.verifying, &self.app_id, &self.seller_id)
    }

    fn precreate_content<'a>(
        &'a self,
        out_trade_no: &'a str,
        amount_fen: i64,
        subject: &'a str,
        timeout_minutes: u32,
    ) -> Result<Precreate<'a>, Failure> {
        number(out_trade_no)?;
        if subject.is_empty()
            || subject.chars().count() > MAX_SUBJECT_CHARS
            || subject.contains(['/', '=', '&'])
        {
            return Err(Failure::NotSent(
                "the subject must have 1 to 256 characters and none of / = &",
            ));
        }
        if !(1..=MAX_TIMEOUT_MINUTES).contains(&timeout_minutes) {
            return Err(Failure::NotSent("the time-out must be 1 minute to 15 days"));
        }
        Ok(Precreate {
            out_trade_no,
            total_amount: amount(amount_fen)?,
            subject,
            product_code: self.product_code.as_deref(),
            timeout_express: format!("{timeout_minutes}m"),
        })
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        out_trade_no: &str,
        content: &impl Serialize,
        notify_url: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<T, Failure> {
        let request = self.request(method, content, notify_url, now)?;
        debug!(method, out_trade_no, "asking {method} about {out_trade_no}");
        let post = self
            .http
            .post(&request.url)
            .header("content-type", Request::CONTENT_TYPE)
            .body(request.body);
        let answer = self.http.send(post).await?;
        if answer.status != 200 {
            return Err(Doubt::Status(answer.status).into());
        }
        wire::read(&answer.body, method, out_trade_no, &self.verifying)
    }

    fn request(
        &self,
        method: &str,
        content: &impl Serialize,
        notify_url: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<Request, Failure> {
        let content =
            serde_json::to_string(content).map_err(|_| Failure::NotSent("the content is no JSON"))?;
        let timestamp = china_time::format(now).ok_or(Failure::NotSent("the clock is out of range"))?;
        let public = vec![
            ("app_id", self.app_id.clone()),
            ("method", method.to_owned()),
            ("format", "JSON".to_owned()),
            ("charset", "utf-8".to_owned()),
            ("sign_type", "RSA2".to_owned()),
            ("timestamp", timestamp),
            ("version", "1.0".to_owned()),
            ("notify_url", notify_url.unwrap_or_default().to_owned()),
        ];
        Request::sign(&self.signing, &self.gateway_url, public, content)
            .ok_or(Failure::NotSent("the request cannot be signed"))
    }
}

impl fmt::Debug for Alipay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alipay")
            .field("app_id", &self.app_id)
            .field("gateway_url", &self.gateway_url)
            .finish_non_exhaustive()
    }
}

fn numbers<'a>(out_trade_no: &'a str, refund_no: Option<&'a str>) -> Result<Numbers<'a>, Failure> {
    number(out_trade_no)?;
    if let Some(refund_no) = refund_no {
        number(refund_no)?;
    }
    Ok(Numbers {
        out_trade_no,
        out_request_no: refund_no,
        refund_amount: None,
        refund_reason: None,
    })
}

fn number(number: &str) -> Result<(), Failure> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if number.is_empty() || number.len() > MAX_OUT_TRADE_NO || !number.bytes().all(legal) {
        return Err(Failure::NotSent(
            "a number must be 1 to 64 letters, digits and underscores",
        ));
    }
    Ok(())
}

fn amount(amount_fen: i64) -> Result<String, Failure> {
    (1..=MAX_AMOUNT_FEN)
        .contains(&amount_fen)
        .then(|| money::yuan(amount_fen))
        .flatten()
        .ok_or(Failure::NotSent("the amount must be 0.01 to 100000000 yuan"))
}
