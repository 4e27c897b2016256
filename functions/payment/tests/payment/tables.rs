//! A table that is throttled, or whose answer is lost after it wrote.
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use time::OffsetDateTime;
use yinxin_order::effect::Effect;
use yinxin_order::identifiers::{OrderId, OrderNumber, VendorId};
use yinxin_order::order::{Event, Order};
use yinxin_order::state::State;
use yinxin_store::StoreError;
use yinxin_store::claims::{Claim, Idempotency};
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::{OrderSummary, Orders, Page};

/// What goes wrong with one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    None,
    /// Nothing is written.
    Throttled,
    /// Everything is written, and nobody hears of it.
    AnswerLost,
}

/// The orders of a store, in trouble as they are told.
pub struct Tables {
    pub store: Arc<MemoryStore>,
    /// What goes wrong with the next writes, first to last.
    pub troubles: Mutex<VecDeque<Trouble>>,
}

impl Tables {
    fn next(&self) -> Trouble {
        self.troubles.lock().unwrap().pop_front().unwrap_or(Trouble::None)
    }
}

fn unavailable() -> StoreError {
    StoreError::unavailable(std::io::Error::other("throttled"))
}

#[async_trait]
impl Orders for Tables {
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
        let trouble = self.next();
        if trouble == Trouble::Throttled {
            return Err(unavailable());
        }
        self.store.save(order, event, effects, claims).await?;
        if trouble == Trouble::AnswerLost {
            return Err(unavailable());
        }
        Ok(())
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
