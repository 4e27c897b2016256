//! Crediting money: the one place, for notifications and for answers to queries alike.
use time::OffsetDateTime;
use tracing::{error, info};
use yinxin_lambda::Platform;
use yinxin_order::Refusal;
use yinxin_order::command::{Actor, Command};
use yinxin_order::identifiers::{Fen, OrderId};
use yinxin_store::{AdvanceError, advance};

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

/// What became of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credited {
    /// The order has it, now or since before.
    Recorded,
    /// It is not what is due: noted on the order, for somebody to look at.
    Flagged,
}

pub(crate) fn actor() -> Actor {
    Actor::platform("payment")
}

/// Credits `money` to its order. What nobody waits for (the order ended, or was paid before) is to go back, by an
/// effect of the same transaction.
pub(crate) async fn credit(
    platform: &Platform,
    id: &OrderId,
    money: Money,
) -> Result<Credited, AdvanceError> {
    let (orders, now, attempt) = (platform.orders.as_ref(), platform.now(), money.attempt);
    let record = Command::RecordPayment {
        attempt,
        trade_no: money.trade_no.clone(),
        amount: money.amount,
        paid_at: money.paid_at,
    };
    match advance(orders, id, &record, &actor(), now).await {
        Ok(order) => {
            info!(order.id = %id, order.version = order.version, attempt, "order {id} got the money of attempt {attempt}");
            return Ok(Credited::Recorded);
        }
        Err(AdvanceError::Refused(Refusal::AlreadyRecorded)) => {
            info!(order.id = %id, attempt, "order {id} had the money of attempt {attempt} before");
            return Ok(Credited::Recorded);
        }
        Err(AdvanceError::Refused(Refusal::AmountDiffers)) => {}
        Err(error) => return Err(error),
    }
    error!(order.id = %id, attempt, "order {id} was paid another amount than is due for attempt {attempt}");
    let flag = Command::FlagPayment {
        attempt,
        trade_no: money.trade_no,
        amount: money.amount,
    };
    match advance(orders, id, &flag, &actor(), now).await {
        Ok(_) | Err(AdvanceError::Refused(Refusal::AlreadyRecorded)) => Ok(Credited::Flagged),
        Err(error) => Err(error),
    }
}
