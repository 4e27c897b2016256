//! Messages on their way out and their receipts, in memory.
use std::collections::HashMap;

use async_trait::async_trait;
use time::OffsetDateTime;

use super::MemoryStore;
use crate::deliveries::{Claimed, DOUBT_LASTS, Deliveries, DeliveryReceipt};
use crate::error::StoreError;

#[derive(Default)]
pub(super) struct Known {
    messages: HashMap<String, Message>,
    receipts: HashMap<(String, String), DeliveryReceipt>,
}

struct Message {
    first_at: OffsetDateTime,
    began_at: OffsetDateTime,
    ended: Option<Ended>,
    receipt: Option<String>,
}

/// How a try ended that did not send its message, or not surely.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    NotSent,
    Doubtful,
}

impl MemoryStore {
    fn note(&self, message: &str, how: Ended) {
        if let Some(known) = self.inner().deliveries.messages.get_mut(message) {
            known.ended = Some(how);
        }
    }
}

#[async_trait]
impl Deliveries for MemoryStore {
    async fn claim(
        &self,
        message: &str,
        now: OffsetDateTime,
        retry_unfinished_before: Option<OffsetDateTime>,
    ) -> Result<Claimed, StoreError> {
        let mut inner = self.inner();
        let messages = &mut inner.deliveries.messages;
        let Some(known) = messages.get_mut(message) else {
            let fresh = Message {
                first_at: now,
                began_at: now,
                ended: None,
                receipt: None,
            };
            messages.insert(message.to_owned(), fresh);
            return Ok(Claimed::Mine);
        };
        let since = known.began_at;
        if known.receipt.is_some() {
            return Ok(Claimed::Sent);
        }
        let claimed = match known.ended {
            Some(Ended::Doubtful) if since > now - DOUBT_LASTS => return Ok(Claimed::Doubtful { since }),
            Some(Ended::NotSent) => Claimed::Again {
                first_at: known.first_at,
            },
            _ if retry_unfinished_before.is_none_or(|limit| since >= limit) => {
                return Ok(Claimed::Unfinished { since });
            }
            _ => Claimed::Mine,
        };
        (known.ended, known.began_at) = (None, now);
        Ok(claimed)
    }

    async fn sent(&self, message: &str, receipt: &str) -> Result<(), StoreError> {
        if let Some(known) = self.inner().deliveries.messages.get_mut(message) {
            known.receipt = Some(receipt.to_owned());
        }
        Ok(())
    }

    async fn not_sent(&self, message: &str) -> Result<(), StoreError> {
        self.note(message, Ended::NotSent);
        Ok(())
    }

    async fn doubtful(&self, message: &str) -> Result<(), StoreError> {
        self.note(message, Ended::Doubtful);
        Ok(())
    }

    async fn record_receipt(
        &self,
        provider: &str,
        number: &str,
        receipt: &DeliveryReceipt,
        _: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let mut inner = self.inner();
        let receipts = &mut inner.deliveries.receipts;
        let key = (provider.to_owned(), number.to_owned());
        if receipts.get(&key).is_some_and(|known| known.at >= receipt.at) {
            return Ok(false);
        }
        receipts.insert(key, receipt.clone());
        Ok(true)
    }

    async fn receipt(&self, provider: &str, number: &str) -> Result<Option<DeliveryReceipt>, StoreError> {
        let key = (provider.to_owned(), number.to_owned());
        Ok(self.inner().deliveries.receipts.get(&key).cloned())
    }
}
