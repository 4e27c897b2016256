//! Alipay's asynchronous notifications: decoded once, verified, then read.

use form_urlencoded::parse;

use super::keys::VerifyingKey;
use super::trade::TradeStatus;
use super::wire::joined;
use crate::payments::{NotificationError, Paid};
use crate::{china_time, money};

/// Real notifications have about 2 KiB; more is refused before any work.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// What a verified notification tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// A trade was paid.
    Paid { out_trade_no: String, paid: Paid },
    /// Money went back. How much by this refund is not told: `refund_fee` counts all refunds of the trade.
    Refund { out_trade_no: String, refund_no: String },
    /// A scan, a trade that closed, a refund without a number of ours.
    Other { out_trade_no: String },
}

/// Verifies and reads a form body, byte for byte as it came.
pub(crate) fn read(
    body: &[u8],
    key: &VerifyingKey,
    app_id: &str,
    seller_id: &str,
) -> Result<Notice, NotificationError> {
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

    fn read(&self, app_id: &str, seller_id: &str) -> Result<Notice, NotificationError> {
        let required = |name: &str| self.text(name).ok_or(NotificationError::Malformed);
        if required("app_id")? != app_id || required("seller_id")? != seller_id {
            return Err(NotificationError::WrongApp);
        }
        let out_trade_no = required("out_trade_no")?.to_owned();
        let status = TradeStatus::parse(required("trade_status")?).ok_or(NotificationError::Malformed)?;
        if let Some(refund_no) = self.text("out_biz_no") {
            return Ok(Notice::Refund {
                out_trade_no,
                refund_no: refund_no.to_owned(),
            });
        }
        if self.tells_of_refund()? || !matches!(status, TradeStatus::Success | TradeStatus::Finished) {
            return Ok(Notice::Other { out_trade_no });
        }
        Ok(Notice::Paid {
            out_trade_no,
            paid: Paid {
                trade_no: required("trade_no")?.to_owned(),
                amount_fen: money::fen(required("total_amount")?).ok_or(NotificationError::Malformed)?,
                paid_at: self.text("gmt_payment").and_then(china_time::parse),
            },
        })
    }

    /// The status of a trade that was refunded in part is still that of a paid one.
    fn tells_of_refund(&self) -> Result<bool, NotificationError> {
        let refunded = match self.text("refund_fee") {
            Some(fee) => money::fen(fee).ok_or(NotificationError::Malformed)?,
            None => 0,
        };
        Ok(refunded > 0 || self.text("gmt_refund").is_some())
    }
}
