//! Crediting money: the one place, for notifications and for answers to queries alike.
use time::OffsetDateTime;
use tracing::{error, info, warn};
use yinxin_lambda::Platform;
use yinxin_order::Refusal;
use yinxin_order::command::{Actor, Command};
use yinxin_order::identifiers::{Fen, InvalidIdentifier};
use yinxin_order::order::Order;
use yinxin_order::payment::RefundOutcome;
use yinxin_providers::payments::{Paid, RefundState};
use yinxin_store::{AdvanceError, advance_with};

/// Money that the provider, verified, says was paid.
#[derive(Debug, Clone)]
pub(crate) struct Money {
    /// For which attempt.
    pub(crate) attempt: u8,
    /// The provider's number.
    pub(crate) trade_no: String,
    /// How much.
    pub(crate) amount: Fen,
    /// When.
    pub(crate) paid_at: OffsetDateTime,
}

/// How we know of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The provider posted it to us.
    Notification,
    /// The provider answered our question.
    Query,
}

impl Money {
    /// What was paid for `attempt`.
    pub(crate) fn of(attempt: u8, paid: Paid, now: OffsetDateTime) -> Result<Self, InvalidIdentifier> {
        Ok(Money {
            attempt,
            amount: Fen::new(paid.amount_fen)?,
            trade_no: paid.trade_no,
            paid_at: paid.paid_at.unwrap_or(now),
        })
    }
}

pub(crate) fn actor() -> Actor {
    Actor::platform("payment")
}

/// Credits `money` to its order. What nobody waits for (the order ended, or was paid before) is to go back, by an
/// effect of the same transaction. Another amount than is due is never credited: a notification of it has the provider
/// asked, and what the provider then says was paid goes back.
pub(crate) async fn credit(
    platform: &Platform,
    order: &Order,
    money: Money,
    source: Source,
) -> Result<(), AdvanceError> {
    let (id, attempt) = (&order.id, money.attempt);
    let record = Command::RecordPayment {
        attempt,
        trade_no: money.trade_no.clone(),
        amount: money.amount,
        paid_at: money.paid_at,
    };
    match record_once(platform, order, &record).await {
        Err(AdvanceError::Refused(Refusal::AmountDiffers)) => {}
        done => return done,
    }
    error!(order.id = %id, attempt, ?source, "order {id} was paid another amount than is due for attempt {attempt}");
    let note = match source {
        Source::Notification => Command::FlagPayment {
            attempt,
            trade_no: money.trade_no,
            amount: money.amount,
        },
        Source::Query => Command::ReturnPayment {
            attempt,
            trade_no: money.trade_no,
            amount: money.amount,
            paid_at: money.paid_at,
        },
    };
    record_once(platform, order, &note).await
}

/// Notes what the provider says of a refund; `NotFound` says nothing of it.
pub(crate) async fn record_refund(
    platform: &Platform,
    order: &Order,
    attempt: u8,
    number: u8,
    state: RefundState,
) -> Result<(), AdvanceError> {
    let id = &order.id;
    let outcome = match state {
        RefundState::NotFound => return Ok(()),
        RefundState::Processing => RefundOutcome::Processing,
        RefundState::Abnormal => {
            error!(order.id = %id, attempt, "order {id}: the payer's account does not take the refund of attempt {attempt}; act in the merchant portal");
            RefundOutcome::Abnormal
        }
        RefundState::Closed => {
            warn!(order.id = %id, attempt, number, "order {id}: the provider closed refund {number} of attempt {attempt}");
            RefundOutcome::Closed
        }
        RefundState::Done { at, .. } => RefundOutcome::Done {
            at: at.unwrap_or_else(|| platform.now()),
        },
    };
    let command = Command::RecordRefund {
        attempt,
        number,
        outcome,
    };
    record_once(platform, order, &command).await
}

/// Gives a command that says what happened outside; that it was said before is as good.
pub(crate) async fn record_once(
    platform: &Platform,
    order: &Order,
    command: &Command,
) -> Result<(), AdvanceError> {
    let (id, name) = (&order.id, command.name().as_str());
    let (orders, now) = (platform.orders.as_ref(), platform.now());
    match advance_with(orders, order.clone(), command, &actor(), now, &[]).await {
        Ok(order) => {
            info!(order.id = %id, order.version = order.version, "order {id}: {name}");
            Ok(())
        }
        Err(AdvanceError::Refused(Refusal::AlreadyRecorded)) => {
            info!(order.id = %id, "order {id}: {name} came again");
            Ok(())
        }
        Err(error) => Err(error),
    }
}
