//! Orders whose saving ends where a test says: before anything is written, or after everything was.
use std::sync::Arc;

use async_trait::async_trait;
use time::OffsetDateTime;
use yinxin_order::effect::Effect;
use yinxin_order::identifiers::{OrderId, OrderNumber, VendorId};
use yinxin_order::order::{Event, Order};
use yinxin_order::state::State;

use super::MemoryStore;
use crate::claims::{Claim, Idempotency};
use crate::error::StoreError;
use crate::orders::{OrderSummary, Orders, Page};

/// Where a save ends.
pub trait Interruptions: Send + Sync {
    /// An error here, and nothing is written.
    fn before_save(&self) -> Result<(), StoreError>;

    /// An error here, and everything is written, and nobody hears of it.
    fn after_save(&self) -> Result<(), StoreError>;
}

/// The orders of a store, with interruptions.
pub struct InterruptedSaves<I> {
    store: Arc<MemoryStore>,
    interruptions: Arc<I>,
}

impl<I> InterruptedSaves<I> {
    /// Over a store.
    pub fn new(store: Arc<MemoryStore>, interruptions: Arc<I>) -> Self {
        Self { store, interruptions }
    }
}

#[async_trait]
impl<I: Interruptions> Orders for InterruptedSaves<I> {
    async fn create(&self, order: &Order, event: &Event, claims: &[Claim]) -> Result<(), StoreError> {
        self.store.create(order, event, claims).await
    }

    async fn save(
        &self,
        order: &Order,
        event: &Event,
        effects: &[Effect],
        claims: &[Claim],
    ) -> Result<(), StoreError> {
        self.interruptions.before_save()?;
        self.store.save(order, event, effects, claims).await?;
        self.interruptions.after_save()
    }

    async fn load(&self, id: &OrderId) -> Result<Order, StoreError> {
        self.store.load(id).await
    }

    async fn find(&self, number: &OrderNumber) -> Result<OrderId, StoreError> {
        Orders::find(self.store.as_ref(), number).await
    }

    async fn made_before(&self, key: &str) -> Result<Option<Idempotency>, StoreError> {
        self.store.made_before(key).await
    }

    async fn waiting(
        &self,
        vendor: &VendorId,
        state: State,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<OrderSummary>, StoreError> {
        self.store.waiting(vendor, state, cursor, limit).await
    }

    async fn of_intake(&self, intake: &str) -> Result<Vec<Order>, StoreError> {
        self.store.of_intake(intake).await
    }

    async fn late(&self, now: OffsetDateTime) -> Result<Vec<OrderId>, StoreError> {
        self.store.late(now).await
    }

    async fn events(&self, id: &OrderId) -> Result<Vec<Event>, StoreError> {
        self.store.events(id).await
    }
}
