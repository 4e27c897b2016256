//! The money of one order: attempts, what came in, what goes back.
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::identifiers::{Fen, OrderNumber};

/// The most attempts that one order may make; the number has two digits.
pub const MAX_ATTEMPTS: usize = 20;
/// The most numbers under which one refund is asked for; after the last one somebody has to act.
pub const MAX_REFUND_NUMBERS: u8 = 9;

/// Who takes the money.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Alipay (支付宝).
    Alipay,
    /// WeChat Pay (微信支付).
    Wechat,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Provider; 2] = [Provider::Alipay, Provider::Wechat];

    /// The name as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Alipay => "alipay",
            Provider::Wechat => "wechat",
        }
    }
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
    /// The provider takes no money for it any more. Should money come all the same, it is credited or goes back.
    Closed,
    /// Money arrived.
    Paid {
        /// The provider's number of the transaction.
        trade_no: String,
        /// How much.
        amount: Fen,
        /// When the payer paid.
        #[serde(with = "time::serde::rfc3339")]
        paid_at: OffsetDateTime,
    },
}

/// Money that goes back: all that was paid for the attempt.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// 1 for the first number under which it is asked for. Only a number that the provider closed is given up:
    /// under two living numbers money could go back twice.
    pub number: u8,
    /// How it stands.
    pub status: RefundStatus,
}

/// How a refund stands.
///
/// This type is used in stored state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RefundStatus {
    /// The provider has to be asked (again).
    Due,
    /// The provider took it on and has not moved the money yet.
    Processing,
    /// The payer's account does not take it: somebody has to act in the provider's merchant portal.
    Abnormal,
    /// The provider says that it moved the money.
    Done {
        /// When.
        #[serde(with = "time::serde::rfc3339")]
        at: OffsetDateTime,
    },
}

/// What the provider says of a refund under one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundOutcome {
    /// It took it on.
    Processing,
    /// The payer's account does not take it.
    Abnormal,
    /// It will never move money under this number.
    Closed,
    /// It moved the money.
    Done {
        /// When.
        at: OffsetDateTime,
    },
}

/// A payment whose notification could not be credited because it names another amount; the provider is asked.
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

/// One movement of money, as the ledger has it: written with the move that credits it, never changed.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Through whom.
    pub provider: Provider,
    /// Our number of the attempt.
    pub out_trade_no: String,
    /// The provider's number of it.
    pub trade_no: String,
    /// Our number of the refund; `None` for money that came in.
    pub refund_no: Option<String>,
    /// How much.
    pub amount: Fen,
    /// When it moved, as far as the provider says so.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

impl Payment {
    /// The number that the provider knows the attempt by (`out_trade_no`): letters that both providers take.
    pub fn out_trade_no(number: &OrderNumber, attempt: u8) -> String {
        format!("{}_{attempt:02}", number.as_str())
    }

    /// Whether money arrived.
    pub fn is_paid(&self) -> bool {
        matches!(self.status, PaymentStatus::Paid { .. })
    }

    /// Whether somebody may still pay it, as far as we know.
    pub fn is_open(&self) -> bool {
        self.status == PaymentStatus::Open
    }

    /// Whether money has to go back and has not.
    pub fn owes(&self) -> bool {
        self.refund
            .is_some_and(|refund| !matches!(refund.status, RefundStatus::Done { .. }))
    }

    /// What arrived.
    pub fn received(&self) -> Fen {
        match self.status {
            PaymentStatus::Paid { amount, .. } => amount,
            PaymentStatus::Open | PaymentStatus::Closed => Fen::ZERO,
        }
    }
}

impl Refund {
    /// A refund that nobody has asked for yet.
    pub const DUE: Refund = Refund {
        number: 1,
        status: RefundStatus::Due,
    };

    /// The number that the provider knows the refund of `out_trade_no` by.
    pub fn refund_no(self, out_trade_no: &str) -> String {
        match self.number {
            1 => format!("{out_trade_no}R"),
            number => format!("{out_trade_no}R{number}"),
        }
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

/// Splits a refund's number into the trade's number and which number of the refund it is.
pub fn parse_refund_no(text: &str) -> Option<(&str, u8)> {
    let (out_trade_no, number) = text.rsplit_once('R')?;
    let number = match number {
        "" => 1,
        number => number.parse().ok().filter(|&number| number > 1)?,
    };
    Some((out_trade_no, number))
}

/// The money that moved between two versions of an order's payments.
pub(crate) fn postings(number: &OrderNumber, before: &[Payment], after: &[Payment]) -> Vec<Posting> {
    let mut postings = Vec::new();
    for payment in after {
        let PaymentStatus::Paid {
            trade_no,
            amount,
            paid_at,
        } = &payment.status
        else {
            continue;
        };
        let was = before.iter().find(|was| was.attempt == payment.attempt);
        let out_trade_no = Payment::out_trade_no(number, payment.attempt);
        let posting = |refund_no, at| Posting {
            provider: payment.provider,
            out_trade_no: out_trade_no.clone(),
            trade_no: trade_no.clone(),
            refund_no,
            amount: *amount,
            at,
        };
        if !was.is_some_and(Payment::is_paid) {
            postings.push(posting(None, *paid_at));
        }
        if let Some(refund) = payment.refund
            && let RefundStatus::Done { at } = refund.status
            && was.is_none_or(|was| was.refund.is_none() || was.owes())
        {
            postings.push(posting(Some(refund.refund_no(&out_trade_no)), at));
        }
    }
    postings
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
        for payment in payments {
            let fen = payment.received().fen();
            ledger.received += fen;
            match payment.refund {
                Some(_) if payment.owes() => ledger.refund_due += fen,
                Some(_) => ledger.refunded += fen,
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

#[cfg(test)]
mod tests {
    use super::{Refund, RefundStatus, parse_refund_no};

    #[test]
    fn a_refunds_number_is_read_as_it_is_written() {
        for number in [1, 2, 9] {
            let refund = Refund {
                number,
                status: RefundStatus::Due,
            };
            let written = refund.refund_no("20230422A0000001145_01");
            assert_eq!(
                parse_refund_no(&written),
                Some(("20230422A0000001145_01", number))
            );
        }
        for text in ["20230422A0000001145_01", "xR1", "xR0", "xRx"] {
            assert_eq!(parse_refund_no(text), None, "{text}");
        }
    }
}
