//! The history of encryption keys in DynamoDB: each entry three times, under its serial number, its order and its
//! holder. Entries are small and never change.
use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use yinxin_order::identifiers::{OrderId, VendorId};

use super::item::{Cancelled, Item, from_json, item, key, s, text, to_json};
use super::{DynamoStore, put_new};
use crate::error::StoreError;
use crate::key_history::{KEYS_LIMIT, KeyEntry, KeyHistory};
use crate::meter;

const KEY: &str = "KEY";

#[async_trait]
impl KeyHistory for DynamoStore {
    async fn enter_key(&self, entry: &KeyEntry) -> Result<(), StoreError> {
        let json = to_json(entry)?;
        // Digits of one length, so that the order of the text is the order of time.
        let at = entry.created_at.unix_timestamp_nanos();
        let place = format!("{at:020}#{}", entry.serial);
        let stored = |pk: &str, sk: &str| -> Item { item(pk, sk, [("entry", s(&json))]) };
        let writes = [
            stored(&key_pk(&entry.serial), KEY),
            stored(&order_pk(&entry.order), &place),
            stored(&holder_pk(&entry.holder), &format!("{}#{place}", entry.vendor)),
        ]
        .into_iter()
        .map(|stored| put_new(&self.tables.certificates, stored))
        .collect::<Result<Vec<_>, _>>()?;
        match self.transact(writes).await {
            // All three were written together, by an earlier run.
            Ok(()) | Err(Cancelled::Condition(_)) => Ok(()),
            Err(Cancelled::Race) => Err(StoreError::Conflict),
            Err(Cancelled::Other(error)) => Err(error),
        }
    }

    async fn key_of(&self, serial: &str) -> Result<Option<KeyEntry>, StoreError> {
        let found = self
            .get(&self.tables.certificates, key(&key_pk(serial), KEY))
            .await?;
        found.as_ref().map(entry_of).transpose()
    }

    async fn keys_of_order(&self, order: &OrderId) -> Result<Vec<KeyEntry>, StoreError> {
        self.newest_keys(&order_pk(order), "").await
    }

    async fn keys_of_holder(&self, holder: &str, vendor: &VendorId) -> Result<Vec<KeyEntry>, StoreError> {
        self.newest_keys(&holder_pk(holder), &format!("{vendor}#")).await
    }
}

impl DynamoStore {
    async fn newest_keys(&self, pk: &str, prefix: &str) -> Result<Vec<KeyEntry>, StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.tables.certificates)
            .expression_attribute_values(":pk", s(pk));
        let query = if prefix.is_empty() {
            query.key_condition_expression("pk = :pk")
        } else {
            query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", s(prefix))
        };
        let found = query
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(i32::try_from(KEYS_LIMIT).unwrap_or(1))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        meter::count_read(found.consumed_capacity());
        found.items().iter().map(entry_of).collect()
    }
}

fn entry_of(stored: &Item) -> Result<KeyEntry, StoreError> {
    from_json(text(stored, "entry")?)
}

fn key_pk(serial: &str) -> String {
    format!("KEY#{serial}")
}

fn order_pk(order: &OrderId) -> String {
    format!("KEYS-OF-ORDER#{order}")
}

fn holder_pk(holder: &str) -> String {
    format!("KEYS-OF-HOLDER#{holder}")
}
