//! Orders in DynamoDB: one transaction per move.
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, ReturnConsumedCapacity, TransactWriteItem, Update,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use yinxin_order::effect::Effect;
use yinxin_order::identifiers::{OrderId, OrderNumber, VendorId};
use yinxin_order::order::{Event, Order, Personal};
use yinxin_order::state::State;

use super::item::{Cancelled, Item, b, bytes, cancelled, from_json, item, key, n, number, s, text, to_json};
use super::{DynamoStore, put_new};
use crate::claims::{Claim, Idempotency};
use crate::error::StoreError;
use crate::meter;
use crate::orders::{Errand, OUTBOX_RETENTION, OrderSummary, Orders, PAGE_LIMIT, Page};
use crate::vault::{DataKey, Purpose};

/// Late orders are spread over so many index partitions.
const DUE_SHARDS: u8 = 4;
const ORDER: &str = "ORDER";
const CLAIM: &str = "CLAIM";

#[async_trait]
impl Orders for DynamoStore {
    async fn create(&self, order: &Order, event: &Event, claims: &[Claim]) -> Result<(), StoreError> {
        let data_key = self
            .vault
            .new_data_key(Purpose::Personal, order.id.as_str())
            .await?;
        self.recent_keys.keep(&order.id, data_key);
        let mut writes = vec![self.put_order(order).await?];
        writes.push(self.put_event(order, event)?);
        if let Some(intake) = &order.intake {
            let link = item(
                &format!("INTAKE#{intake}"),
                &format!("ORDER#{}", order.id),
                [("kind", s("claim"))],
            );
            writes.push(put_new(&self.tables.orders, link)?);
        }
        self.write(writes, claims, order).await
    }

    async fn save(
        &self,
        order: &Order,
        event: &Event,
        effects: &[Effect],
        claims: &[Claim],
    ) -> Result<(), StoreError> {
        let mut writes = vec![self.put_order(order).await?, self.put_event(order, event)?];
        for errand in Errand::of(order, effects) {
            writes.push(self.put_errand(&errand, event.at)?);
        }
        for posting in &event.postings {
            writes.push(self.put_posting(posting)?);
        }
        self.write(writes, claims, order).await
    }

    async fn load(&self, id: &OrderId) -> Result<Order, StoreError> {
        let stored = self
            .get(&self.tables.orders, key(&order_pk(id), ORDER))
            .await?
            .ok_or(StoreError::NotFound)?;
        self.order_of(&stored).await
    }

    async fn find(&self, number: &OrderNumber) -> Result<OrderId, StoreError> {
        let pk = format!("NUMBER#{number}");
        let claim = self
            .get(&self.tables.orders, key(&pk, CLAIM))
            .await?
            .ok_or(StoreError::NotFound)?;
        parse_id(text(&claim, "order_id")?)
    }

    async fn made_before(&self, key_hash: &str) -> Result<Option<Idempotency>, StoreError> {
        let pk = format!("IDEMPOTENCY#{key_hash}");
        let Some(found) = self.get(&self.tables.orders, key(&pk, CLAIM)).await? else {
            return Ok(None);
        };
        Ok(Some(Idempotency {
            key: key_hash.to_owned(),
            body: text(&found, "body")?.to_owned(),
            made: text(&found, "made")?.to_owned(),
            expires_at: number(&found, "expires_at")?,
        }))
    }

    async fn waiting(
        &self,
        vendor: &VendorId,
        state: State,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Page<OrderSummary>, StoreError> {
        let turn = turn_pk(vendor, state);
        let from = match cursor {
            None => None,
            Some(cursor) => Some(cursor_key(&turn, cursor).ok_or(StoreError::NotFound)?),
        };
        let found = self
            .client
            .query()
            .table_name(&self.tables.orders)
            .index_name("by_turn")
            .key_condition_expression("turn_pk = :turn")
            .expression_attribute_values(":turn", s(&turn))
            .set_exclusive_start_key(from)
            .limit(i32::try_from(limit.min(PAGE_LIMIT)).unwrap_or(1))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        meter::count_read(found.consumed_capacity());
        let cursor = found.last_evaluated_key().map(cursor_text).transpose()?;
        let items = self.summaries(found.items()).await?;
        Ok(Page { items, cursor })
    }

    async fn of_intake(&self, intake: &str) -> Result<Vec<Order>, StoreError> {
        let links = self.partition(&format!("INTAKE#{intake}"), "ORDER#").await?;
        let mut orders = Vec::with_capacity(links.len());
        for link in &links {
            let id = parse_id(text(link, "sk")?.trim_start_matches("ORDER#"))?;
            orders.push(self.load(&id).await?);
        }
        orders.sort_by_key(|order| order.created_at);
        Ok(orders)
    }

    async fn late(&self, now: OffsetDateTime) -> Result<Vec<OrderId>, StoreError> {
        let mut late = Vec::new();
        for shard in 0..DUE_SHARDS {
            let found = self
                .client
                .query()
                .table_name(&self.tables.orders)
                .index_name("by_due")
                .key_condition_expression("due_pk = :shard AND due_sk <= :now")
                .expression_attribute_values(":shard", s(format!("DUE#{shard}")))
                .expression_attribute_values(":now", s(rfc3339(now)))
                .limit(i32::try_from(PAGE_LIMIT).unwrap_or(1))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            meter::count_read(found.consumed_capacity());
            for found in found.items() {
                late.push(parse_id(text(found, "pk")?.trim_start_matches("ORDER#"))?);
            }
        }
        Ok(late)
    }

    async fn events(&self, id: &OrderId) -> Result<Vec<Event>, StoreError> {
        let items = self.partition(&order_pk(id), "EVENT#").await?;
        items.iter().map(|item| from_json(text(item, "event")?)).collect()
    }
}

impl DynamoStore {
    /// The order item: the next version over the one before it, or the first one.
    async fn put_order(&self, order: &Order) -> Result<TransactWriteItem, StoreError> {
        let mut stored = item(
            &order_pk(&order.id),
            ORDER,
            [
                ("kind", s("order")),
                ("version", n(order.version)),
                ("order", s(to_json(order)?)),
                ("turn_pk", s(turn_pk(&order.vendor, order.state))),
                (
                    "turn_sk",
                    s(format!("{}#{}", rfc3339(order.entered_at), order.id)),
                ),
            ],
        );
        if let Some(personal) = &order.personal {
            let data_key = self.data_key_of(&order.id).await?;
            let hashes = self.vault.hashes().await?;
            let holder = hashes.lookup("holder", personal.form.holder_number());
            let sealed = data_key.seal(order.id.as_str(), to_json(personal)?.as_bytes());
            stored.insert("sealed".to_owned(), b(sealed));
            stored.insert("data_key".to_owned(), b(data_key.wrapped.clone()));
            stored.insert("holder_pk".to_owned(), s(holder));
            stored.insert("holder_sk".to_owned(), s(rfc3339(order.created_at)));
        }
        if let Some((at, _)) = order.due(self.retention) {
            let shard = order.id.as_str().bytes().last().unwrap_or_default() % DUE_SHARDS;
            stored.insert("due_pk".to_owned(), s(format!("DUE#{shard}")));
            stored.insert("due_sk".to_owned(), s(rfc3339(at)));
        }
        let put = Put::builder()
            .table_name(&self.tables.orders)
            .set_item(Some(stored));
        let put = if order.version == 1 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("version = :before")
                .expression_attribute_values(":before", n(order.version - 1))
        };
        Ok(TransactWriteItem::builder()
            .put(put.build().map_err(StoreError::unavailable)?)
            .build())
    }

    fn put_event(&self, order: &Order, event: &Event) -> Result<TransactWriteItem, StoreError> {
        let stored = item(
            &order_pk(&order.id),
            &format!("EVENT#{:08}", event.version),
            [("kind", s("event")), ("event", s(to_json(event)?))],
        );
        put_new(&self.tables.orders, stored)
    }

    pub(super) fn put_errand(
        &self,
        errand: &Errand,
        now: OffsetDateTime,
    ) -> Result<TransactWriteItem, StoreError> {
        let sk = format!("EFFECT#{:08}#{:04}", errand.version, errand.seq);
        let stored = item(
            &order_pk(&errand.order),
            &sk,
            [
                ("kind", s("effect")),
                ("errand", s(to_json(errand)?)),
                ("expires_at", n((now + OUTBOX_RETENTION).unix_timestamp())),
            ],
        );
        put_new(&self.tables.orders, stored)
    }

    fn claim(&self, claim: &Claim, order: &Order) -> Result<TransactWriteItem, StoreError> {
        match claim {
            Claim::Number(number) => {
                let claim = item(
                    &format!("NUMBER#{number}"),
                    CLAIM,
                    [("kind", s("claim")), ("order_id", s(order.id.as_str()))],
                );
                put_new(&self.tables.orders, claim)
            }
            Claim::Idempotency(idempotency) => put_new(&self.tables.orders, idempotency_item(idempotency)),
            Claim::Code(code) => {
                let update = Update::builder()
                    .table_name(&self.tables.codes)
                    .set_key(Some(key(&code.as_key(), "CODE")))
                    .update_expression("SET used = :yes")
                    .condition_expression("used = :no")
                    .expression_attribute_values(":yes", AttributeValue::Bool(true))
                    .expression_attribute_values(":no", AttributeValue::Bool(false))
                    .build()
                    .map_err(StoreError::unavailable)?;
                Ok(TransactWriteItem::builder().update(update).build())
            }
        }
    }

    async fn write(
        &self,
        mut writes: Vec<TransactWriteItem>,
        claims: &[Claim],
        order: &Order,
    ) -> Result<(), StoreError> {
        let first_claim = writes.len();
        for claim in claims {
            writes.push(self.claim(claim, order)?);
        }
        match self.transact(writes).await {
            Ok(()) => Ok(()),
            Err(Cancelled::Condition(place)) if place >= first_claim => Err(StoreError::Claimed(
                claims.get(place - first_claim).map_or("claim", Claim::name),
            )),
            Err(Cancelled::Condition(_) | Cancelled::Race) => Err(StoreError::Conflict),
            Err(Cancelled::Other(error)) => Err(error),
        }
    }

    pub(super) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<(), Cancelled> {
        let written = self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(cancelled)?;
        for capacity in written.consumed_capacity() {
            meter::count_write(Some(capacity));
        }
        Ok(())
    }

    /// The data key of an order that this process made or loaded a moment ago, or of the stored one.
    async fn data_key_of(&self, id: &OrderId) -> Result<DataKey, StoreError> {
        if let Some(key) = self.recent_keys.get(id) {
            return Ok(key);
        }
        let stored = self
            .get(&self.tables.orders, key(&order_pk(id), ORDER))
            .await?
            .ok_or(StoreError::NotFound)?;
        self.opened_key(id, &stored).await
    }

    async fn opened_key(&self, id: &OrderId, stored: &Item) -> Result<DataKey, StoreError> {
        if let Some(key) = self.recent_keys.get(id) {
            return Ok(key);
        }
        let wrapped = bytes(stored, "data_key")?;
        self.vault
            .open_data_key(Purpose::Personal, id.as_str(), wrapped)
            .await
    }

    async fn order_of(&self, stored: &Item) -> Result<Order, StoreError> {
        let mut order: Order = from_json(text(stored, "order")?)?;
        if stored.contains_key("sealed") {
            let data_key = self.opened_key(&order.id, stored).await?;
            let plain = data_key.open(order.id.as_str(), bytes(stored, "sealed")?)?;
            let plain =
                std::str::from_utf8(&plain).map_err(|_| StoreError::Corrupt("sealed part".to_owned()))?;
            order.personal = Some(from_json::<Personal>(plain)?);
            self.recent_keys.keep(&order.id, data_key);
        }
        Ok(order)
    }

    async fn summaries(&self, found: &[Item]) -> Result<Vec<OrderSummary>, StoreError> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let mut keys = KeysAndAttributes::builder()
            .projection_expression("pk, #o")
            .expression_attribute_names("#o", "order");
        for item in found {
            keys = keys.keys(key(text(item, "pk")?, ORDER));
        }
        let got = self
            .client
            .batch_get_item()
            .request_items(
                &self.tables.orders,
                keys.build().map_err(StoreError::unavailable)?,
            )
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        for capacity in got.consumed_capacity() {
            meter::count_read(Some(capacity));
        }
        if got.unprocessed_keys().is_some_and(|keys| !keys.is_empty()) {
            return Err(StoreError::unavailable(std::io::Error::other(
                "the batch was not read wholly",
            )));
        }
        let items = got.responses().and_then(|tables| tables.get(&self.tables.orders));
        let mut orders: Vec<OrderSummary> = items
            .into_iter()
            .flatten()
            .map(|item| Ok(OrderSummary::from(&from_json::<Order>(text(item, "order")?)?)))
            .collect::<Result<_, StoreError>>()?;
        // A batch comes back in any order.
        orders.sort_by(|left, right| {
            (left.entered_at, left.id.as_str()).cmp(&(right.entered_at, right.id.as_str()))
        });
        Ok(orders)
    }
}

pub(super) fn idempotency_item(idempotency: &Idempotency) -> Item {
    item(
        &format!("IDEMPOTENCY#{}", idempotency.key),
        CLAIM,
        [
            ("kind", s("idempotency")),
            ("body", s(&idempotency.body)),
            ("made", s(&idempotency.made)),
            ("expires_at", n(idempotency.expires_at)),
        ],
    )
}

fn order_pk(id: &OrderId) -> String {
    format!("ORDER#{id}")
}

fn turn_pk(vendor: &VendorId, state: State) -> String {
    format!("{vendor}#{}", state.as_str())
}

fn parse_id(text: &str) -> Result<OrderId, StoreError> {
    text.parse()
        .map_err(|_| StoreError::Corrupt("an index names no order".to_owned()))
}

/// Sorts as text in the order of time.
pub(super) fn rfc3339(at: OffsetDateTime) -> String {
    let whole = at
        .to_offset(time::UtcOffset::UTC)
        .replace_nanosecond(0)
        .unwrap_or(at);
    whole.format(&Rfc3339).unwrap_or_default()
}

fn cursor_text(last: &Item) -> Result<String, StoreError> {
    Ok(hex::encode(text(last, "turn_sk")?))
}

/// The sort key of the index holds the order's id, so that a cursor needs nothing else.
fn cursor_key(turn: &str, cursor: &str) -> Option<Item> {
    let sort = String::from_utf8(hex::decode(cursor).ok()?).ok()?;
    let (_, id) = sort.split_once('#')?;
    let id: OrderId = id.parse().ok()?;
    let mut start = key(&order_pk(&id), ORDER);
    start.insert("turn_pk".to_owned(), s(turn));
    start.insert("turn_sk".to_owned(), s(sort));
    Some(start)
}
