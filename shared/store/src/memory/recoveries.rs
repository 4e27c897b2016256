//! Recoveries and the history of encryption keys, in memory.
use async_trait::async_trait;
use yinxin_order::identifiers::{OrderId, RecoveryId, VendorId};
use yinxin_order::recovery::{Recovery, RecoveryMove};

use super::MemoryStore;
use crate::error::StoreError;
use crate::key_history::{KEYS_LIMIT, KeyEntry, KeyHistory};
use crate::recoveries::{Recoveries, audit_entry, errands};

#[async_trait]
impl Recoveries for MemoryStore {
    async fn recovery(&self, id: &RecoveryId) -> Result<Recovery, StoreError> {
        self.inner()
            .recoveries
            .get(id.as_str())
            .cloned()
            .ok_or(StoreError::NotFound)
    }

    async fn save_recovery(&self, moved: &RecoveryMove) -> Result<(), StoreError> {
        let mut inner = self.inner();
        let id = moved.recovery.id.as_str();
        let before = inner.recoveries.get(id).map_or(0, |recovery| recovery.version);
        if before + 1 != moved.recovery.version {
            return Err(StoreError::Conflict);
        }
        inner.recoveries.insert(id.to_owned(), moved.recovery.clone());
        inner.audits.push(audit_entry(moved));
        inner.errands.extend(errands(moved));
        Ok(())
    }
}

#[async_trait]
impl KeyHistory for MemoryStore {
    async fn enter_key(&self, entry: &KeyEntry) -> Result<(), StoreError> {
        self.inner()
            .keys
            .entry(entry.serial.clone())
            .or_insert_with(|| entry.clone());
        Ok(())
    }

    async fn key_of(&self, serial: &str) -> Result<Option<KeyEntry>, StoreError> {
        Ok(self.inner().keys.get(serial).cloned())
    }

    async fn keys_of_order(&self, order: &OrderId) -> Result<Vec<KeyEntry>, StoreError> {
        Ok(self.newest_keys(|key| key.order == *order))
    }

    async fn keys_of_holder(&self, holder: &str, vendor: &VendorId) -> Result<Vec<KeyEntry>, StoreError> {
        Ok(self.newest_keys(|key| key.holder == holder && key.vendor == *vendor))
    }
}

impl MemoryStore {
    fn newest_keys(&self, wanted: impl Fn(&KeyEntry) -> bool) -> Vec<KeyEntry> {
        let inner = self.inner();
        let mut keys: Vec<KeyEntry> = inner.keys.values().filter(|key| wanted(key)).cloned().collect();
        keys.sort_by(|left, right| (right.created_at, &right.serial).cmp(&(left.created_at, &left.serial)));
        keys.truncate(KEYS_LIMIT);
        keys
    }
}
