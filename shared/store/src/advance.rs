//! `advance`: the only way to change an order.
use time::OffsetDateTime;
use yinxin_order::command::{Actor, Command};
use yinxin_order::identifiers::OrderId;
use yinxin_order::order::Order;
use yinxin_order::{Refusal, decide};

use crate::claims::Claim;
use crate::error::StoreError;
use crate::orders::Orders;

/// How often a lost race is run again.
const MAX_RACES: u32 = 8;

/// Why an order was not changed.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// The order does not take the command.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store did not take the move.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Loads the order, decides `command`, stores the move; again from the start where another writer was first.
pub async fn advance(
    orders: &dyn Orders,
    id: &OrderId,
    command: &Command,
    by: &Actor,
    now: OffsetDateTime,
) -> Result<Order, AdvanceError> {
    let order = orders.load(id).await?;
    advance_with(orders, order, command, by, now, &[]).await
}

/// As [`advance`], for an order that is loaded already, with claims that the same transaction has to take.
pub async fn advance_with(
    orders: &dyn Orders,
    mut order: Order,
    command: &Command,
    by: &Actor,
    now: OffsetDateTime,
    claims: &[Claim],
) -> Result<Order, AdvanceError> {
    let mut races = 0;
    loop {
        match advance_once(orders, &order, command, by, now, claims).await {
            Err(AdvanceError::Store(StoreError::Conflict)) if races < MAX_RACES => {
                races += 1;
                order = orders.load(&order.id).await?;
            }
            done => return done,
        }
    }
}

/// As [`advance_with`], but `Conflict` where another writer was first: for a command that was chosen by what
/// `order` holds, and has to be chosen anew when it holds something else.
pub async fn advance_once(
    orders: &dyn Orders,
    order: &Order,
    command: &Command,
    by: &Actor,
    now: OffsetDateTime,
    claims: &[Claim],
) -> Result<Order, AdvanceError> {
    let moved = decide(order, command, by.clone(), now)?;
    orders
        .save(&moved.order, &moved.event, &moved.effects, claims)
        .await?;
    Ok(moved.order)
}
