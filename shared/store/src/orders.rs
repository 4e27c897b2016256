//! The aggregate of orders.
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use yinxin_order::effect::{Effect, Queue};
use yinxin_order::identifiers::{OrderId, OrderNumber, VendorId};
use yinxin_order::order::{Event, Order};
use yinxin_order::state::State;

use crate::claims::{Claim, Idempotency};
use crate::error::StoreError;

/// The most orders that one page of a list holds.
pub const PAGE_LIMIT: usize = 50;

/// Orders with their events and effects.
#[async_trait]
pub trait Orders: Send + Sync {
    /// Writes version 1 of an order, its event and its claims.
    async fn create(&self, order: &Order, event: &Event, claims: &[Claim]) -> Result<(), StoreError>;

    /// Writes the next version over the one before it, with event, effects and claims, or nothing of it.
    async fn save(
        &self,
        order: &Order,
        event: &Event,
        effects: &[Effect],
        claims: &[Claim],
    ) -> Result<(), StoreError>;

    /// The order with this id.
    async fn load(&self, id: &OrderId) -> Result<Order, StoreError>;

    /// The id of the order with this number.
    async fn find(&self, number: &OrderNumber) -> Result<OrderId, StoreError>;

    /// What a creating call made before, under this idempotency key.
    async fn made_before(&self, key: &str) -> Result<Option<Idempotency>, StoreError>;

    /// A vendor's orders in one state, longest waiting first.
    async fn waiting(
        &self,
        vendor: &VendorId,
        state: State,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<OrderSummary>, StoreError>;

    /// The orders of one intake of the registration platform, oldest first.
    async fn of_intake(&self, intake: &str) -> Result<Vec<Order>, StoreError>;

    /// Ids of orders that are late at `now`, at most [`PAGE_LIMIT`] a call.
    async fn late(&self, now: OffsetDateTime) -> Result<Vec<OrderId>, StoreError>;

    /// The events of an order, oldest first.
    async fn events(&self, id: &OrderId) -> Result<Vec<Event>, StoreError>;
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one; opaque.
    pub cursor: Option<String>,
}

/// What a list shows of an order: nothing personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderSummary {
    /// The order.
    pub id: OrderId,
    /// Its number.
    pub number: Option<OrderNumber>,
    /// The product's name.
    pub product: String,
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub entered_at: OffsetDateTime,
}

impl From<&Order> for OrderSummary {
    fn from(order: &Order) -> Self {
        OrderSummary {
            id: order.id.clone(),
            number: order.number.clone(),
            product: order.product.name.clone(),
            state: order.state,
            entered_at: order.entered_at,
        }
    }
}

/// An effect on its way: what relay puts on a queue and the queue's function reads.
///
/// This type is used in stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// The order that asked for it.
    pub order: OrderId,
    /// The version of the order that asked for it.
    pub version: u64,
    /// Its place among the effects of that version; codes use a number of their own.
    pub seq: u32,
    /// What to do.
    pub effect: Effect,
}

impl Errand {
    /// The errands of one saved version.
    pub fn of(order: &Order, effects: &[Effect]) -> Vec<Errand> {
        (0_u32..)
            .zip(effects)
            .map(|(seq, effect)| Errand {
                order: order.id.clone(),
                version: order.version,
                seq,
                effect: effect.clone(),
            })
            .collect()
    }

    /// A name that is the same whenever the errand is run again.
    pub fn name(&self) -> String {
        format!("{}#{}#{}", self.order.as_str(), self.version, self.seq)
    }

    /// Where relay sends it.
    pub fn queue(&self) -> Queue {
        self.effect.queue()
    }
}

/// How long effects and idempotency keys stay after they did their work.
pub const OUTBOX_RETENTION: Duration = Duration::days(7);
/// How long the answer to a creating call is remembered.
pub const IDEMPOTENCY_RETENTION: Duration = Duration::days(1);
