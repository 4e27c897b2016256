//! What the methods are asked with: `biz_content` by method, written only for arguments that the protocol allows.

use serde::Serialize;
use time::{Date, Duration, OffsetDateTime};

use crate::payments::{Failure, NewRefund, NewTrade};
use crate::{china_time, money};

/// The most a trade may cost: 100,000,000 yuan.
const MAX_AMOUNT_FEN: i64 = 10_000_000_000;
const MAX_NUMBER: usize = 64;
const MAX_SUBJECT_CHARS: usize = 256;
const MAX_REASON_CHARS: usize = 256;
/// How long a trade can be paid, at least and at most.
const LIFETIME: (Duration, Duration) = (Duration::minutes(1), Duration::days(15));

/// `alipay.trade.precreate`.
#[derive(Debug, Serialize)]
pub(crate) struct Precreate<'a> {
    out_trade_no: &'a str,
    total_amount: String,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_code: Option<&'a str>,
    /// Not `timeout_express`: a span would begin anew with each repetition, and this request shall stay the same.
    time_expire: String,
}

impl<'a> Precreate<'a> {
    pub(crate) fn new(
        trade: &NewTrade<'a>,
        product_code: Option<&'a str>,
        now: OffsetDateTime,
    ) -> Result<Self, Failure> {
        let subject = trade.subject;
        if subject.is_empty()
            || subject.chars().count() > MAX_SUBJECT_CHARS
            || subject.contains(['/', '=', '&'])
        {
            return Err(Failure::NotSent(
                "the subject must have 1 to 256 characters and none of / = &",
            ));
        }
        // The code itself lives for 2 hours at most; a trade that was scanned can be paid until the end.
        let (least, most) = LIFETIME;
        if !(now + least..=now + most).contains(&trade.expires_at) {
            return Err(Failure::NotSent("a trade must expire in 1 minute to 15 days"));
        }
        let time_expire = china_time::format(trade.expires_at);
        Ok(Self {
            out_trade_no: number(trade.out_trade_no)?,
            total_amount: amount(trade.amount_fen)?,
            subject,
            product_code,
            time_expire: time_expire.ok_or(Failure::NotSent("the expiry is out of range"))?,
        })
    }
}

/// `alipay.trade.query` and `alipay.trade.close`.
#[derive(Debug, Serialize)]
pub(crate) struct Trade<'a> {
    out_trade_no: &'a str,
}

impl<'a> Trade<'a> {
    pub(crate) fn new(out_trade_no: &'a str) -> Result<Self, Failure> {
        Ok(Self {
            out_trade_no: number(out_trade_no)?,
        })
    }
}

/// `alipay.trade.refund`.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the protocol's names")]
pub(crate) struct Refund<'a> {
    out_trade_no: &'a str,
    out_request_no: &'a str,
    refund_amount: String,
    refund_reason: &'a str,
}

impl<'a> Refund<'a> {
    pub(crate) fn new(refund: &NewRefund<'a>) -> Result<Self, Failure> {
        if refund.reason.chars().count() > MAX_REASON_CHARS {
            return Err(Failure::NotSent("the reason is longer than 256 characters"));
        }
        if refund.amount_fen > refund.total_fen {
            return Err(Failure::NotSent("the refund is more than was paid"));
        }
        Ok(Self {
            out_trade_no: number(refund.out_trade_no)?,
            out_request_no: number(refund.refund_no)?,
            refund_amount: amount(refund.amount_fen)?,
            refund_reason: refund.reason,
        })
    }
}

/// `alipay.trade.fastpay.refund.query`.
#[derive(Debug, Serialize)]
pub(crate) struct RefundQuery<'a> {
    out_trade_no: &'a str,
    out_request_no: &'a str,
    /// The time of the refund is not told unasked.
    query_options: [&'static str; 1],
}

impl<'a> RefundQuery<'a> {
    pub(crate) fn new(out_trade_no: &'a str, refund_no: &'a str) -> Result<Self, Failure> {
        Ok(Self {
            out_trade_no: number(out_trade_no)?,
            out_request_no: number(refund_no)?,
            query_options: ["gmt_refund_pay"],
        })
    }
}

/// `alipay.data.dataservice.bill.downloadurl.query`, for the payments and refunds of one day.
#[derive(Debug, Serialize)]
pub(crate) struct Bill {
    bill_type: &'static str,
    bill_date: String,
}

impl Bill {
    pub(crate) fn new(day: Date) -> Self {
        Self {
            bill_type: "trade",
            bill_date: day.to_string(),
        }
    }
}

/// A number that both sides take.
fn number(number: &str) -> Result<&str, Failure> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if number.is_empty() || number.len() > MAX_NUMBER || !number.bytes().all(legal) {
        return Err(Failure::NotSent(
            "a number must be 1 to 64 letters, digits and underscores",
        ));
    }
    Ok(number)
}

fn amount(amount_fen: i64) -> Result<String, Failure> {
    (1..=MAX_AMOUNT_FEN)
        .contains(&amount_fen)
        .then(|| money::yuan(amount_fen))
        .flatten()
        .ok_or(Failure::NotSent("the amount must be 0.01 to 100000000 yuan"))
}
