//! The stores in DynamoDB. Access patterns, keys and indexes: docs/store.md.
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{Put, ReturnConsumedCapacity, TransactWriteItem};
use time::Duration;
use yinxin_order::identifiers::OrderId;

use crate::error::StoreError;
use crate::meter;
use crate::vault::{DataKey, Vault};
use item::{Item, s};

mod authorities;
mod catalog;
mod checks;
mod codes;
mod deliveries;
mod intakes;
mod issuances;
mod item;
mod key_history;
mod ledger;
mod lists;
mod orders;
mod provider_states;
mod recoveries;
mod statuses;

/// The names of the tables.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// Orders, events, effects, claims, intakes.
    pub orders: String,
    /// One-time codes and limits, messages on their way out, what identity checks came to.
    pub codes: String,
    /// What the CA signs.
    pub certificates: String,
    /// Vendors, products, systems.
    pub catalog: String,
}

/// All stores over one client.
#[derive(Clone)]
pub struct DynamoStore {
    client: Client,
    tables: Tables,
    vault: Arc<dyn Vault>,
    /// How long personal data stays after an order ended.
    retention: Duration,
    recent_keys: Arc<RecentKeys>,
}

impl DynamoStore {
    /// Stores over `client`; calls nobody yet.
    pub fn new(client: Client, tables: Tables, vault: Arc<dyn Vault>, retention: Duration) -> Self {
        DynamoStore {
            client,
            tables,
            vault,
            retention,
            recent_keys: Arc::default(),
        }
    }

    async fn get(&self, table: &str, key: Item) -> Result<Option<Item>, StoreError> {
        let got = self
            .client
            .get_item()
            .table_name(table)
            .set_key(Some(key))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        meter::count_read(got.consumed_capacity());
        Ok(got.item)
    }

    /// Writes an item, unless one with its key is there; `false` where there was.
    async fn put_if_absent(&self, table: &str, item: Item) -> Result<bool, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)");
        put_on_condition(put).await
    }

    /// All items of the orders table under `pk` whose sort key begins with `prefix`, page after page.
    async fn partition(&self, pk: &str, prefix: &str) -> Result<Vec<Item>, StoreError> {
        self.partition_of(&self.tables.orders, pk, prefix).await
    }

    /// All items of a table under `pk` whose sort key begins with `prefix`, which may be empty, page after page.
    async fn partition_of(&self, table: &str, pk: &str, prefix: &str) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut from = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(table)
                .consistent_read(true)
                .expression_attribute_values(":pk", s(pk));
            // DynamoDB takes no empty text for a key.
            let query = if prefix.is_empty() {
                query.key_condition_expression("pk = :pk")
            } else {
                query
                    .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                    .expression_attribute_values(":prefix", s(prefix))
            };
            let found = query
                .set_exclusive_start_key(from)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            meter::count_read(found.consumed_capacity());
            items.extend(found.items.unwrap_or_default());
            from = found.last_evaluated_key;
            if from.is_none() {
                return Ok(items);
            }
        }
    }
}

/// Sends a write that has a condition; `false` where the condition did not hold.
async fn put_on_condition(put: PutItemFluentBuilder) -> Result<bool, StoreError> {
    let put = put.return_consumed_capacity(ReturnConsumedCapacity::Total);
    match put.send().await {
        Ok(done) => {
            meter::count_write(done.consumed_capacity());
            Ok(true)
        }
        Err(error)
            if error
                .as_service_error()
                .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
        {
            Ok(false)
        }
        Err(error) => Err(StoreError::unavailable(error)),
    }
}

/// A member of a transaction that writes an item, unless one with its key is there.
fn put_new(table: &str, item: Item) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .map_err(StoreError::unavailable)?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Data keys of the orders that this process opened last: a request that loads and saves opens the key once.
#[derive(Default)]
struct RecentKeys(Mutex<VecDeque<(OrderId, DataKey)>>);

/// So many keys are kept in the memory of a process.
const RECENT_KEYS: usize = 16;

impl RecentKeys {
    fn get(&self, id: &OrderId) -> Option<DataKey> {
        let keys = self.0.lock().ok()?;
        keys.iter()
            .find(|(known, _)| known == id)
            .map(|(_, key)| key.clone())
    }

    fn keep(&self, id: &OrderId, key: DataKey) {
        // A poisoned lock only costs a call to KMS.
        if let Ok(mut keys) = self.0.lock() {
            keys.retain(|(known, _)| known != id);
            keys.push_front((id.clone(), key));
            keys.truncate(RECENT_KEYS);
        }
    }
}

/// Counts every call that AWS answered, repeats too; a presigned address is no call. Each client gets one.
#[derive(Debug, Default)]
pub struct CallCounter;

impl Intercept for CallCounter {
    fn name(&self) -> &'static str {
        "CallCounter"
    }

    fn read_after_transmit(
        &self,
        _: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        meter::count_call();
        Ok(())
    }
}
