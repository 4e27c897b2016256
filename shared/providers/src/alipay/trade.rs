//! What Alipay tells of a payment attempt and its refunds.

use time::OffsetDateTime;

/// A trade's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TradeStatus {
    /// Scanned, not paid.
    WaitBuyerPay,
    /// Timed out, closed, or refunded in full.
    Closed,
    /// Paid, can be refunded.
    Success,
    /// Paid, can no more be refunded.
    Finished,
}

impl TradeStatus {
    /// Whether the buyer has paid.
    pub fn is_paid(self) -> bool {
        matches!(self, Self::Success | Self::Finished)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "WAIT_BUYER_PAY" => Self::WaitBuyerPay,
            "TRADE_CLOSED" => Self::Closed,
            "TRADE_SUCCESS" => Self::Success,
            "TRADE_FINISHED" => Self::Finished,
            _ => return None,
        })
    }
}

/// What a query tells of a payment attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Nobody has scanned the QR code yet: not paid, and still payable until the code expires (at most 2 hours).
    NotScanned,
    /// The trade exists.
    Trade(Trade),
}

/// A trade as Alipay knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Alipay's number.
    pub trade_no: String,
    /// Its state.
    pub status: TradeStatus,
    /// Its total.
    pub amount_fen: i64,
    /// When it was paid.
    pub paid_at: Option<OffsetDateTime>,
}

/// What closing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Closed now or before: it cannot be paid any more.
    Closed,
    /// Nothing to close yet: the QR code can still be paid until it expires, and the payment must be handled as late.
    NotScanned,
    /// Paid already, or about to be: query.
    Paid,
}

/// What asking for a refund came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refund {
    /// The money moved by this call.
    Moved {
        /// All refunds of the trade so far, not only this one.
        total_refunded_fen: i64,
    },
    /// Nothing moved by this call (a repeat?): [`super::Alipay::refund_query`] knows.
    MustQuery,
}

/// What became of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundQuery {
    /// The money is back.
    Done {
        /// What this refund moved.
        amount_fen: i64,
    },
    /// Not, or not yet: repeat the refund under the same number.
    NotDone,
}
