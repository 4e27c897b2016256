//! A trade's state at Alipay, as answers and notifications write it.

/// A trade's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TradeStatus {
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
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "WAIT_BUYER_PAY" => Self::WaitBuyerPay,
            "TRADE_CLOSED" => Self::Closed,
            "TRADE_SUCCESS" => Self::Success,
            "TRADE_FINISHED" => Self::Finished,
            _ => return None,
        })
    }
}
