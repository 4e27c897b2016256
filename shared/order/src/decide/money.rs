//! Decisions about money: attempts to pay, what came in, what goes back.
use time::OffsetDateTime;

use super::notice;
use crate::effect::{Effect, Notice};
use crate::identifiers::Fen;
use crate::order::Order;
use crate::payment::{
    Flag, MAX_ATTEMPTS, MAX_REFUND_NUMBERS, Payment, PaymentStatus, Provider, Refund, RefundOutcome,
    RefundStatus,
};
use crate::refusal::Refusal;
use crate::state::State;

pub(super) fn flag_payment(
    order: &mut Order,
    attempt: u8,
    trade_no: &str,
    amount: Fen,
) -> Result<Vec<Effect>, Refusal> {
    payment(order, attempt)?;
    order.flags.push(Flag {
        attempt,
        trade_no: trade_no.to_owned(),
        amount,
    });
    Ok(vec![Effect::QueryPayment { attempt }])
}

pub(super) fn start_payment(
    order: &mut Order,
    provider: Provider,
    now: OffsetDateTime,
) -> Result<Vec<Effect>, Refusal> {
    if order.payments.len() >= MAX_ATTEMPTS {
        return Err(Refusal::TooManyAttempts);
    }
    let attempt = u8::try_from(order.payments.len() + 1).map_err(|_| Refusal::TooManyAttempts)?;
    let effects = close_others(order, attempt);
    order.payments.push(Payment {
        attempt,
        provider,
        amount: order.product.price,
        started_at: now,
        status: PaymentStatus::Open,
        refund: None,
    });
    order.reminders = 0;
    Ok(effects)
}

pub(super) fn paid(trade_no: &str, amount: Fen, paid_at: OffsetDateTime) -> PaymentStatus {
    PaymentStatus::Paid {
        trade_no: trade_no.to_owned(),
        amount,
        paid_at,
    }
}

/// Credits an attempt. Money that the order does not wait for (any more) goes back.
pub(super) fn record_payment(
    order: &mut Order,
    attempt: u8,
    paid: PaymentStatus,
) -> Result<Vec<Effect>, Refusal> {
    if order.state != State::AwaitingPayment {
        return return_payment(order, attempt, paid);
    }
    payment(order, attempt)?.status = paid;
    Ok(close_others(order, attempt))
}

/// Takes note of money, and has it go back.
pub(super) fn return_payment(
    order: &mut Order,
    attempt: u8,
    paid: PaymentStatus,
) -> Result<Vec<Effect>, Refusal> {
    let payment = payment(order, attempt)?;
    payment.status = paid;
    payment.refund = Some(Refund::DUE);
    order.reminders = 0;
    Ok(vec![Effect::Refund { attempt }])
}

/// Somebody could pay twice through two codes: there is to be one.
fn close_others(order: &Order, attempt: u8) -> Vec<Effect> {
    order
        .payments
        .iter()
        .filter(|payment| payment.is_open() && payment.attempt != attempt)
        .map(|payment| Effect::CloseAttempt {
            attempt: payment.attempt,
        })
        .collect()
}

/// Whether `outcome`, said of the refund's number `number`, is on the order already or about a number given up.
pub(super) fn tells_nothing_new(refund: Refund, number: u8, outcome: RefundOutcome) -> bool {
    number < refund.number
        || matches!(
            (refund.status, outcome),
            (RefundStatus::Done { .. }, _)
                | (RefundStatus::Processing, RefundOutcome::Processing)
                | (RefundStatus::Abnormal, RefundOutcome::Abnormal)
        )
}

pub(super) fn record_refund(
    order: &mut Order,
    attempt: u8,
    number: u8,
    outcome: RefundOutcome,
) -> Result<Vec<Effect>, Refusal> {
    let refund = payment(order, attempt)?
        .refund
        .as_mut()
        .filter(|refund| refund.number == number)
        .ok_or(Refusal::NoSuchRefund)?;
    match outcome {
        RefundOutcome::Processing => refund.status = RefundStatus::Processing,
        RefundOutcome::Abnormal => refund.status = RefundStatus::Abnormal,
        RefundOutcome::Closed if refund.number >= MAX_REFUND_NUMBERS => {
            refund.status = RefundStatus::Abnormal;
        }
        RefundOutcome::Closed => {
            refund.number += 1;
            refund.status = RefundStatus::Due;
            return Ok(vec![Effect::Refund { attempt }]);
        }
        RefundOutcome::Done { at } => {
            refund.status = RefundStatus::Done { at };
            return Ok(notice(Notice::Refunded));
        }
    }
    Ok(Vec::new())
}

/// Ends the order's money: what was paid goes back, what may still be scanned is closed.
pub(super) fn give_back(order: &mut Order) -> Vec<Effect> {
    if order.state == State::AwaitingReceipt {
        return Vec::new();
    }
    let mut effects = Vec::new();
    for payment in &mut order.payments {
        let attempt = payment.attempt;
        if payment.is_open() {
            effects.push(Effect::CloseAttempt { attempt });
        } else if payment.is_paid() && payment.refund.is_none() {
            payment.refund = Some(Refund::DUE);
            effects.push(Effect::Refund { attempt });
        }
    }
    effects
}

pub(super) fn payment(order: &mut Order, attempt: u8) -> Result<&mut Payment, Refusal> {
    order
        .payments
        .iter_mut()
        .find(|payment| payment.attempt == attempt)
        .ok_or(Refusal::NoSuchAttempt)
}
