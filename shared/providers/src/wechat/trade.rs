//! Trades and refunds as WeChat Pay writes them: in requests, in answers and inside notifications.

use serde::{Deserialize, Serialize};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::{format_description, offset};
use time::{OffsetDateTime, UtcOffset};

use crate::payments::{Failure, NewRefund, NewTrade, Paid, Query, RefundState};

/// Amounts of trades are 32-bit integers in the protocol.
const MAX_AMOUNT_FEN: i64 = i32::MAX as i64;
const MAX_SUBJECT_CHARS: usize = 127;
const MAX_REASON_CHARS: usize = 80;
const MIN_TRADE_NO_BYTES: usize = 6;
const MAX_TRADE_NO_BYTES: usize = 32;
const MAX_REFUND_NO_BYTES: usize = 64;
const CHINA: UtcOffset = offset!(+8);
const EXPIRY: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]+08:00");
pub(super) const CURRENCY: &str = "CNY";

/// Who is paid, and where to tell.
pub(super) struct Account {
    pub(super) mchid: String,
    pub(super) appid: String,
    pub(super) notify_url: String,
}

/// A native order. Its text is signed, so the order of the fields is that of the published examples.
#[derive(Debug, Serialize)]
pub(super) struct Native<'a> {
    appid: &'a str,
    mchid: &'a str,
    description: &'a str,
    out_trade_no: &'a str,
    time_expire: String,
    notify_url: &'a str,
    amount: Total,
}

#[derive(Debug, Serialize)]
struct Total {
    total: i64,
    currency: &'static str,
}

impl<'a> Native<'a> {
    pub(super) fn new(
        account: &'a Account,
        trade: &NewTrade<'a>,
        now: OffsetDateTime,
    ) -> Result<Self, Failure> {
        trade_number(trade.out_trade_no)?;
        if !(1..=MAX_SUBJECT_CHARS).contains(&trade.subject.chars().count()) {
            return Err(Failure::NotSent("the subject must have 1 to 127 characters"));
        }
        if trade.expires_at <= now {
            return Err(Failure::NotSent("the trade must end in the future"));
        }
        let expiry = trade.expires_at.to_offset(CHINA).format(EXPIRY);
        Ok(Self {
            appid: &account.appid,
            mchid: &account.mchid,
            description: trade.subject,
            out_trade_no: trade.out_trade_no,
            time_expire: expiry.map_err(|_| Failure::NotSent("the trade's end is out of range"))?,
            notify_url: &account.notify_url,
            amount: Total {
                total: amount(trade.amount_fen)?,
                currency: CURRENCY,
            },
        })
    }
}

/// A refund to ask for.
#[derive(Debug, Serialize)]
pub(super) struct RefundOrder<'a> {
    out_trade_no: &'a str,
    out_refund_no: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    notify_url: &'a str,
    amount: RefundOrderAmount,
}

#[derive(Debug, Serialize)]
struct RefundOrderAmount {
    refund: i64,
    total: i64,
    currency: &'static str,
}

impl<'a> RefundOrder<'a> {
    pub(super) fn new(account: &'a Account, refund: &NewRefund<'a>) -> Result<Self, Failure> {
        trade_number(refund.out_trade_no)?;
        refund_number(refund.refund_no)?;
        if refund.reason.chars().count() > MAX_REASON_CHARS {
            return Err(Failure::NotSent("the reason is longer than 80 characters"));
        }
        if refund.amount_fen > refund.total_fen {
            return Err(Failure::NotSent("the refund is more than what was paid"));
        }
        Ok(Self {
            out_trade_no: refund.out_trade_no,
            out_refund_no: refund.refund_no,
            reason: refund.reason,
            notify_url: &account.notify_url,
            amount: RefundOrderAmount {
                refund: amount(refund.amount_fen)?,
                total: amount(refund.total_fen)?,
                currency: CURRENCY,
            },
        })
    }
}

/// A trade, in the answer to a query and inside a notification; what only paid trades have is optional.
#[derive(Deserialize)]
pub(super) struct Transaction {
    pub(super) appid: String,
    pub(super) mchid: String,
    pub(super) out_trade_no: String,
    pub(super) trade_state: String,
    #[serde(rename = "transaction_id")]
    trade_no: Option<String>,
    success_time: Option<String>,
    amount: Option<TransactionAmount>,
}

#[derive(Deserialize)]
struct TransactionAmount {
    /// What the trade costs; with coupons, the payer gives less.
    total: i64,
    currency: String,
}

impl Transaction {
    pub(super) fn is_of(&self, account: &Account) -> bool {
        self.appid == account.appid && self.mchid == account.mchid
    }

    /// What became of it; nothing for what the protocol does not know.
    pub(super) fn state(self) -> Option<Query> {
        match self.trade_state.as_str() {
            // A trade with refunds stays paid: the refunds have numbers of their own.
            "SUCCESS" | "REFUND" => self.paid().map(Query::Paid),
            "NOTPAY" | "USERPAYING" | "PAYERROR" | "ACCEPT" => Some(Query::Unpaid),
            "CLOSED" | "REVOKED" => Some(Query::Closed),
            _ => None,
        }
    }

    /// The payment, if all that a payment has is there.
    pub(super) fn paid(self) -> Option<Paid> {
        let amount = self
            .amount
            .filter(|amount| amount.total > 0 && amount.currency == CURRENCY)?;
        Some(Paid {
            trade_no: self.trade_no.filter(|number| !number.is_empty())?,
            amount_fen: amount.total,
            paid_at: self.success_time.as_deref().and_then(moment),
        })
    }
}

/// A refund, in the answers about it and inside a notification, which calls the status otherwise.
#[derive(Deserialize)]
pub(super) struct Refund {
    pub(super) out_trade_no: String,
    pub(super) out_refund_no: String,
    /// Only notifications name the merchant.
    pub(super) mchid: Option<String>,
    #[serde(alias = "refund_status")]
    status: String,
    success_time: Option<String>,
    amount: RefundAmount,
}

#[derive(Deserialize)]
struct RefundAmount {
    refund: i64,
    currency: Option<String>,
}

impl Refund {
    pub(super) fn is(&self, out_trade_no: &str, refund_no: &str) -> bool {
        self.out_trade_no == out_trade_no && self.out_refund_no == refund_no
    }

    pub(super) fn amount_fen(&self) -> i64 {
        self.amount.refund
    }

    /// What became of it; nothing for what the protocol does not know.
    pub(super) fn state(&self) -> Option<RefundState> {
        let currency = self.amount.currency.as_deref().unwrap_or(CURRENCY);
        if currency != CURRENCY || self.amount.refund <= 0 {
            return None;
        }
        Some(match self.status.as_str() {
            "SUCCESS" => RefundState::Done {
                amount_fen: self.amount.refund,
                at: self.success_time.as_deref().and_then(moment),
            },
            "PROCESSING" => RefundState::Processing,
            "ABNORMAL" => RefundState::Abnormal,
            "CLOSED" => RefundState::Closed,
            _ => return None,
        })
    }
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// Our number of a trade.
pub(super) fn trade_number(number: &str) -> Result<(), Failure> {
    is_number(number, MIN_TRADE_NO_BYTES..=MAX_TRADE_NO_BYTES)
        .then_some(())
        .ok_or(Failure::NotSent(
            "a trade's number must be 6 to 32 letters, digits and underscores",
        ))
}

/// Our number of a refund.
pub(super) fn refund_number(number: &str) -> Result<(), Failure> {
    is_number(number, 1..=MAX_REFUND_NO_BYTES)
        .then_some(())
        .ok_or(Failure::NotSent(
            "a refund's number must be 1 to 64 letters, digits and underscores",
        ))
}

/// The protocol allows a few more characters, which paths of URLs would need escaped.
fn is_number(number: &str, bytes: std::ops::RangeInclusive<usize>) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    bytes.contains(&number.len()) && number.bytes().all(legal)
}

fn amount(fen: i64) -> Result<i64, Failure> {
    (1..=MAX_AMOUNT_FEN)
        .contains(&fen)
        .then_some(fen)
        .ok_or(Failure::NotSent("the amount must be 1 to 2147483647 fen"))
}
