//! Alipay's asynchronous notifications: decoded once, verified, then read.

use form_urlencoded::parse;
use thiserror::Error;
use time::OffsetDateTime;

use super::TradeStatus;
use super::keys::VerifyingKey;
use super::wire::joined;
use crate::{china_time, money};

/// Real notifications have about 2 KiB; more is refused before any work.
pub const MAX_BYTES: usize = 64 * 1024;

/// A verified notification; the caller compares number and amount with its own record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Our number of the payment attempt.
    pub out_trade_no: String,
    /// Alipay's number of the trade.
    pub trade_no: String,
    /// The trade's total, not what a refund moved.
    pub amount_fen: i64,
    /// The trade's state.
    pub status: TradeStatus,
    /// Our app, already checked.
    pub app_id: String,
    /// Our seller account, already checked.
    pub seller_id: String,
    /// It tells of a refund, not of a payment, whatever the status says.
    pub is_refund: bool,
    /// The refund's number, when it tells of a refund.
    pub out_biz_no: Option<String>,
    /// When the buyer paid.
    pub paid_at: Option<OffsetDateTime>,
}

impl Notification {
    /// Whether it proves a payment: paid, and not the echo of a refund.
    pub fn is_payment(&self) -> bool {
        self.status.is_paid() && !self.is_refund
    }
}

/// Why a notification is not believed.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NotificationError {
    /// Not signed by Alipay: answer `failure`, raise an alarm.
    #[error("the notification is not signed by Alipay")]
    BadSignature,
    /// Signed, but for another app or another seller.
    #[error("the notification is for another app or seller")]
    WrongApp,
    /// Not a notification, or one that says nothing usable.
    #[error("the notification is malformed")]
    Malformed,
}

/// Verifies and reads a form body, byte for byte as it came.
pub(crate) fn verify(
    body: &[u8],
    key: &VerifyingKey,
    app_id: &str,
    seller_id: &str,
) -> Result<Notification, NotificationError> {
    if body.len() > MAX_BYTES {
        return Err(NotificationError::Malformed);
    }
    // Decoded exactly once: values hold `%` and `+` of their own.
    let mut pairs: Vec<(String, String)> = parse(body)
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    pairs.sort();
    // With a name twice it would be open which value was signed.
    if pairs.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(NotificationError::Malformed);
    }
    let form = Form(pairs);
    if form.text("sign_type").is_some_and(|kind| kind != "RSA2") {
        // SHA1withRSA (`RSA`) is no longer a signature.
        return Err(NotificationError::BadSignature);
    }
    let signature = form.text("sign").ok_or(NotificationError::BadSignature)?;
    if !form
        .signed_texts()
        .iter()
        .any(|text| key.verifies(text.as_bytes(), signature))
    {
        return Err(NotificationError::BadSignature);
    }
    form.read(app_id, seller_id)
}

struct Form(Vec<(String, String)>);

impl Form {
    /// A value that is there and not empty.
    fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Kinds of messages differ in whether `sign_type` and empty values are signed; each text holds all values
    /// that are read afterwards, so accepting any of them is safe.
    fn signed_texts(&self) -> [String; 4] {
        [(false, true), (false, false), (true, true), (true, false)].map(|(with_type, with_empty)| {
            let pairs: Vec<&(String, String)> = self
                .0
                .iter()
                .filter(|(key, _)| key != "sign" && (with_type || key != "sign_type"))
                .filter(|(_, value)| with_empty || !value.is_empty())
                .collect();
            joined(&pairs.iter().map(|(key, value)| (key, value)).collect::<Vec<_>>())
        })
    }

    fn read(&self, app_id: &str, seller_id: &str) -> Result<Notification, NotificationError> {
        let required = |name: &str| self.text(name).ok_or(NotificationError::Malformed);
        let (our_app, our_seller) = (required("app_id")?, required("seller_id")?);
        if our_app != app_id || our_seller != seller_id {
            return Err(NotificationError::WrongApp);
        }
        let refunded = self.text("refund_fee").map(money::fen);
        if refunded == Some(None) {
            return Err(NotificationError::Malformed);
        }
        Ok(Notification {
            out_trade_no: required("out_trade_no")?.to_owned(),
            trade_no: required("trade_no")?.to_owned(),
            amount_fen: money::fen(required("total_amount")?).ok_or(NotificationError::Malformed)?,
            status: TradeStatus::parse(required("trade_status")?).ok_or(NotificationError::Malformed)?,
            app_id: our_app.to_owned(),
            seller_id: our_seller.to_owned(),
            is_refund: refunded.flatten().is_some_and(|fen| fen > 0)
                || self.text("gmt_refund").is_some()
                || self.text("out_biz_no").is_some(),
            out_biz_no: self.text("out_biz_no").map(str::to_owned),
            paid_at: self.text("gmt_payment").and_then(china_time::parse),
        })
    }
}
