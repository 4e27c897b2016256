//! The money of one order: attempts, what came in, what goes back.
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::identifiers::{Fen, OrderNumber};

/// The most attempts that one order may make; the number has two digits.
pub const MAX_ATTEMPTS: usize = 20;

/// Who takes the money.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Alipay (支付宝).
    Alipay,
}

/// One attempt to pay.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// 1 for the first attempt of the order.
    pub attempt: u8,
    /// Who was asked to take the money.
    pub provider: Provider,
    /// What is to be paid.
    pub amount: Fen,
    /// When the attempt was recorded.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// What became of it.
    pub status: PaymentStatus,
    /// Money that goes back.
    pub refund: Option<Refund>,
}

/// What became of an attempt.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum PaymentStatus {
    /// A code may be scanned.
    Open,
    /// Money arrived.
    Paid {
        /// The provider's number of the transaction.
        trade_no: String,
        /// When the payer paid.
        #[serde(with = "time::serde::rfc3339")]
        paid_at: OffsetDateTime,
    },
}

/// Money that goes back, whole.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refund {
    /// The provider has to be asked (again) with the refund's fixed number.
    Due,
    /// The provider says that it moved the money.
    Done,
}

/// A payment that could not be credited.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// The attempt that the notification named.
    pub attempt: u8,
    /// The provider's number of the transaction.
    pub trade_no: String,
    /// What the notification said was paid.
    pub amount: Fen,
}

impl Payment {
    /// The number that the provider knows the attempt by (`out_trade_no`).
    pub fn out_trade_no(number: &OrderNumber, attempt: u8) -> String {
        format!("{}_{attempt:02}", number.as_str())
    }

    /// Whether money arrived.
    pub fn is_paid(&self) -> bool {
        matches!(self.status, PaymentStatus::Paid { .. })
    }
}

/// Splits `out_trade_no` into order number and attempt.
pub fn parse_out_trade_no(text: &str) -> Option<(OrderNumber, u8)> {
    let (number, attempt) = text.split_once('_')?;
    if attempt.len() != 2 {
        return None;
    }
    Some((number.parse().ok()?, attempt.parse().ok()?))
}

/// The sums of an order's payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ledger {
    /// All that arrived.
    pub received: i64,
    /// All that went back.
    pub refunded: i64,
    /// What has to go back and has not.
    pub refund_due: i64,
}

impl Ledger {
    /// Sums up `payments`, in fen.
    pub fn of(payments: &[Payment]) -> Self {
        let mut ledger = Ledger {
            received: 0,
            refunded: 0,
            refund_due: 0,
        };
        for payment in payments.iter().filter(|payment| payment.is_paid()) {
            let fen = payment.amount.fen();
            ledger.received += fen;
            match payment.refund {
                Some(Refund::Due) => ledger.refund_due += fen,
                Some(Refund::Done) => ledger.refunded += fen,
                None => {}
            }
        }
        ledger
    }

    /// What the platform keeps: fen.
    pub fn kept(self) -> i64 {
        self.received - self.refunded - self.refund_due
    }
}
