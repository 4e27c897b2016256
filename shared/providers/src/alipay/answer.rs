//! What the methods answer, and what of it counts.

use serde::Deserialize;

use super::trade::TradeStatus;
use crate::payments::{Doubt, Paid, Query, RefundState};
use crate::{china_time, money};

/// To `alipay.trade.precreate`.
#[derive(Deserialize)]
pub(crate) struct Precreate {
    pub(crate) qr_code: String,
}

/// To `alipay.trade.query`.
#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the protocol's names")]
pub(crate) struct Trade {
    trade_no: String,
    trade_status: String,
    total_amount: String,
    send_pay_date: Option<String>,
}

impl Trade {
    pub(crate) fn read(self) -> Result<Query, Doubt> {
        let status = TradeStatus::parse(&self.trade_status).ok_or(Doubt::Malformed)?;
        let paid_at = self.send_pay_date.as_deref().and_then(china_time::parse);
        let was_paid = match status {
            TradeStatus::WaitBuyerPay => return Ok(Query::Unpaid),
            // Closed for want of money, or since all of it went back.
            TradeStatus::Closed => self.send_pay_date.is_some_and(|date| !date.is_empty()),
            TradeStatus::Success | TradeStatus::Finished => true,
        };
        if !was_paid {
            return Ok(Query::Closed);
        }
        Ok(Query::Paid(Paid {
            trade_no: self.trade_no,
            amount_fen: money::fen(&self.total_amount).ok_or(Doubt::Malformed)?,
            paid_at,
        }))
    }
}

/// To `alipay.trade.close`.
#[derive(Deserialize)]
pub(crate) struct Closed {}

/// To `alipay.trade.refund`. `refund_fee` is not read: it counts all refunds of the trade.
#[derive(Deserialize)]
pub(crate) struct Refund {
    #[serde(default)]
    fund_change: String,
    gmt_refund_pay: Option<String>,
}

impl Refund {
    /// The refund of this amount, if the money moved by this very call: `10000` alone does not say so.
    pub(crate) fn moved(&self, amount_fen: i64) -> Option<RefundState> {
        (self.fund_change == "Y").then(|| RefundState::Done {
            amount_fen,
            at: self.gmt_refund_pay.as_deref().and_then(china_time::parse),
        })
    }
}

/// To `alipay.trade.fastpay.refund.query`.
#[derive(Deserialize)]
pub(crate) struct RefundQuery {
    out_request_no: Option<String>,
    #[serde(default)]
    refund_status: String,
    refund_amount: Option<String>,
    gmt_refund_pay: Option<String>,
}

impl RefundQuery {
    pub(crate) fn read(&self, refund_no: &str) -> Result<RefundState, Doubt> {
        let answered = self.out_request_no.as_deref();
        if answered.is_some_and(|answered| answered != refund_no) {
            return Err(Doubt::Malformed);
        }
        // A refund that was not done is a success that says nothing.
        if self.refund_status != "REFUND_SUCCESS" {
            return Ok(RefundState::NotFound);
        }
        let amount = self.refund_amount.as_deref().and_then(money::fen);
        Ok(RefundState::Done {
            amount_fen: amount.ok_or(Doubt::Malformed)?,
            at: self.gmt_refund_pay.as_deref().and_then(china_time::parse),
        })
    }
}

/// To `alipay.data.dataservice.bill.downloadurl.query`.
#[derive(Deserialize)]
pub(crate) struct Bill {
    pub(crate) bill_download_url: String,
}
