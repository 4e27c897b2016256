//! Statuses of certificates in DynamoDB.
use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValue, TransactWriteItem, Update};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use yinxin_order::identifiers::OrderId;

use super::item::{Cancelled, Item, b, bytes, from_json, item, key, n, number, s, text, to_json};
use super::orders::rfc3339;
use super::{DynamoStore, lists, put_new};
use crate::error::StoreError;
use crate::meter;
use crate::statuses::{Answers, CertificateKey, CertificateStatus, Due, ListKey, Revoked, Statuses};

/// What is due is spread over so many index partitions.
const DUE_SHARDS: u8 = 4;
const STATUS: &str = "STATUS";
const LINK: &str = "CERTIFICATE#";
/// The hashes by which answers are kept, with their attributes.
const ANSWERS: [(&str, &str); 3] = [
    ("sha1", "ocsp_sha1"),
    ("sha256", "ocsp_sha256"),
    ("sm3", "ocsp_sm3"),
];
/// How often a transaction that met another one is run again.
const MAX_RACES: u32 = 8;

#[async_trait]
impl Statuses for DynamoStore {
    async fn next_pair(&self, authority: &str) -> Result<u64, StoreError> {
        let count = self
            .count(key(&format!("PAIRS#{authority}"), "PAIRS"), None)
            .await?;
        Ok(count.saturating_sub(1))
    }

    async fn register(&self, statuses: &[CertificateStatus]) -> Result<bool, StoreError> {
        let table = &self.tables.certificates;
        let mut writes = Vec::with_capacity(statuses.len() * 2);
        for status in statuses {
            writes.push(put_new(table, status_item(status)?)?);
            let link = item(
                &issued_pk(&status.order),
                &format!("{LINK}{}#{}", status.key.authority, status.key.serial),
                [],
            );
            writes.push(put_new(table, link)?);
        }
        match self.transact_again(&writes).await {
            Ok(()) => Ok(true),
            Err(Cancelled::Condition(_)) => Ok(false),
            Err(Cancelled::Race) => Err(StoreError::Conflict),
            Err(Cancelled::Other(error)) => Err(error),
        }
    }

    async fn status(&self, certificate: &CertificateKey) -> Result<Option<CertificateStatus>, StoreError> {
        let found = self
            .get(&self.tables.certificates, key(&status_pk(certificate), STATUS))
            .await?;
        found
            .map(|found| status_of(&found, certificate.clone()))
            .transpose()
    }

    async fn of_order(&self, order: &OrderId) -> Result<Vec<CertificateStatus>, StoreError> {
        let links = self
            .partition_of(&self.tables.certificates, &issued_pk(order), LINK)
            .await?;
        let mut statuses = Vec::with_capacity(links.len());
        for link in &links {
            let certificate = certificate_key(text(link, "sk")?.trim_start_matches(LINK))?;
            let status = self.status(&certificate).await?;
            statuses
                .push(status.ok_or_else(|| StoreError::Corrupt("a certificate has no status".to_owned()))?);
        }
        Ok(statuses)
    }

    async fn revoke(&self, statuses: &[CertificateStatus], revoked: &Revoked) -> Result<(), StoreError> {
        let table = &self.tables.certificates;
        let mut writes = Vec::with_capacity(statuses.len() * 2);
        for status in statuses {
            let update = Update::builder()
                .table_name(table)
                .set_key(Some(key(&status_pk(&status.key), STATUS)))
                .update_expression(
                    "SET revoked = :revoked, due_pk = :shard, due_sk = :now \
                     REMOVE ocsp_sha1, ocsp_sha256, ocsp_sm3, this_update, next_update",
                )
                .condition_expression("attribute_exists(pk) AND attribute_not_exists(revoked)")
                .expression_attribute_values(":revoked", s(to_json(revoked)?))
                .expression_attribute_values(":shard", s(due_pk(&status.key.serial)))
                .expression_attribute_values(":now", s(rfc3339(revoked.at)))
                .build()
                .map_err(StoreError::unavailable)?;
            writes.push(TransactWriteItem::builder().update(update).build());
            writes.push(put_new(table, lists::entry(status, revoked)?)?);
        }
        match self.transact_again(&writes).await {
            Ok(()) => Ok(()),
            Err(Cancelled::Condition(_)) => self.were_revoked(statuses).await,
            Err(Cancelled::Race) => Err(StoreError::Conflict),
            Err(Cancelled::Other(error)) => Err(error),
        }
    }

    async fn put_answers(&self, status: &CertificateStatus, answers: &Answers) -> Result<bool, StoreError> {
        // Answers that say `good` never come after a revocation; a revocation never changes.
        let condition = if status.revoked.is_some() {
            "attribute_exists(revoked)"
        } else {
            "attribute_exists(pk) AND attribute_not_exists(revoked)"
        };
        let mut set = vec!["SET this_update = :this, next_update = :next".to_owned()];
        let mut update = self
            .update(key(&status_pk(&status.key), STATUS))
            .condition_expression(condition)
            .expression_attribute_values(":this", n(answers.this_update.unix_timestamp()))
            .expression_attribute_values(":next", n(answers.next_update.unix_timestamp()));
        for (hash, attribute) in ANSWERS {
            if let Some(answer) = answers.by_hash.get(hash) {
                set.push(format!(", {attribute} = :{hash}"));
                update = update.expression_attribute_values(format!(":{hash}"), b(answer.clone()));
            }
        }
        if let Some(due) = answers.due {
            set.push(", due_pk = :shard, due_sk = :due".to_owned());
            update = update
                .expression_attribute_values(":shard", s(due_pk(&status.key.serial)))
                .expression_attribute_values(":due", s(rfc3339(due)));
        } else {
            set.push(" REMOVE due_pk, due_sk".to_owned());
        }
        written(update.update_expression(set.concat())).await
    }

    async fn due(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<Due>, StoreError> {
        let mut due = Vec::new();
        let each = limit.div_ceil(usize::from(DUE_SHARDS));
        for shard in 0..DUE_SHARDS {
            let found = self
                .client
                .query()
                .table_name(&self.tables.certificates)
                .index_name("by_due")
                .key_condition_expression("due_pk = :shard AND due_sk <= :now")
                .expression_attribute_values(":shard", s(format!("DUE#{shard}")))
                .expression_attribute_values(":now", s(rfc3339(now)))
                .limit(i32::try_from(each).unwrap_or(1))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(StoreError::unavailable)?;
            meter::count_read(found.consumed_capacity());
            for item in found.items() {
                due.push(due_of(text(item, "pk")?)?);
            }
        }
        Ok(due)
    }

    async fn put_off(&self, due: &Due, until: OffsetDateTime) -> Result<(), StoreError> {
        let place = match due {
            Due::Answers(certificate) => key(&status_pk(certificate), STATUS),
            Due::List(list) => lists::head_key(list),
        };
        let update = self
            .update(place)
            .update_expression("SET due_sk = :until")
            .condition_expression("attribute_exists(due_pk)")
            .expression_attribute_values(":until", s(rfc3339(until)));
        written(update).await.map(drop)
    }
}

impl DynamoStore {
    pub(super) fn update(&self, key: Item) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.tables.certificates)
            .set_key(Some(key))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// Adds one to the counter of an item, and answers with it. `vendor` is kept with the first.
    pub(super) async fn count(&self, key: Item, vendor: Option<&str>) -> Result<u64, StoreError> {
        let mut update = self
            .update(key)
            .update_expression("ADD #count :one")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":one", n(1))
            .return_values(ReturnValue::UpdatedNew);
        if let Some(vendor) = vendor {
            update = update
                .update_expression("ADD #count :one SET vendor = :vendor")
                .expression_attribute_values(":vendor", s(vendor));
        }
        let done = update.send().await.map_err(StoreError::unavailable)?;
        meter::count_write(done.consumed_capacity());
        number(done.attributes().unwrap_or(&Item::new()), "count")
    }

    /// A transaction that met another one on an item is run again; what its conditions say is decided by the last run.
    async fn transact_again(&self, writes: &[TransactWriteItem]) -> Result<(), Cancelled> {
        let mut races = 0;
        loop {
            match self.transact(writes.to_vec()).await {
                Err(Cancelled::Race) if races < MAX_RACES => races += 1,
                done => return done,
            }
        }
    }

    async fn were_revoked(&self, statuses: &[CertificateStatus]) -> Result<(), StoreError> {
        for status in statuses {
            let found = self.status(&status.key).await?.ok_or(StoreError::NotFound)?;
            if found.revoked.is_none() {
                return Err(StoreError::Conflict);
            }
        }
        Ok(())
    }
}

/// Whether an update's condition held.
pub(super) async fn written(update: UpdateItemFluentBuilder) -> Result<bool, StoreError> {
    match update.send().await {
        Ok(done) => {
            meter::count_write(done.consumed_capacity());
            Ok(true)
        }
        Err(error)
            if error
                .as_service_error()
                .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
        {
            Ok(false)
        }
        Err(error) => Err(StoreError::unavailable(error)),
    }
}

/// The index partition of what has this name.
pub(super) fn due_pk(name: &str) -> String {
    format!("DUE#{}", name.bytes().last().unwrap_or_default() % DUE_SHARDS)
}

/// The time in an attribute of an index.
pub(super) fn index_time(item: &Item, name: &str) -> Result<OffsetDateTime, StoreError> {
    OffsetDateTime::parse(text(item, name)?, &Rfc3339)
        .map_err(|_| StoreError::Corrupt(format!("the time {name} is none")))
}

/// The time in a number attribute.
pub(super) fn unix_time(item: &Item, name: &str) -> Result<OffsetDateTime, StoreError> {
    OffsetDateTime::from_unix_timestamp(number(item, name)?)
        .map_err(|_| StoreError::Corrupt(format!("the time {name} is none")))
}

fn issued_pk(order: &OrderId) -> String {
    format!("ISSUED#{order}")
}

fn status_pk(certificate: &CertificateKey) -> String {
    format!("STATUS#{}#{}", certificate.authority, certificate.serial)
}

fn certificate_key(name: &str) -> Result<CertificateKey, StoreError> {
    let (authority, serial) = name
        .split_once('#')
        .ok_or_else(|| StoreError::Corrupt("a certificate's name is none".to_owned()))?;
    Ok(CertificateKey {
        authority: authority.to_owned(),
        serial: serial.to_owned(),
    })
}

fn due_of(pk: &str) -> Result<Due, StoreError> {
    let corrupt = || StoreError::Corrupt("the index of what is due names something else".to_owned());
    match pk.split_once('#') {
        Some(("STATUS", certificate)) => Ok(Due::Answers(certificate_key(certificate)?)),
        Some(("CRL", list)) => {
            let (authority, shard) = list.split_once('#').ok_or_else(corrupt)?;
            Ok(Due::List(ListKey {
                authority: authority.to_owned(),
                shard: shard.parse().map_err(|_| corrupt())?,
            }))
        }
        _ => Err(corrupt()),
    }
}

fn status_item(status: &CertificateStatus) -> Result<Item, StoreError> {
    let mut stored = item(
        &status_pk(&status.key),
        STATUS,
        [
            ("vendor", s(status.vendor.as_str())),
            ("order_id", s(status.order.as_str())),
            ("shard", n(status.shard)),
            ("not_after", n(status.not_after.unix_timestamp())),
        ],
    );
    if let Some(revoked) = &status.revoked {
        stored.insert("revoked".to_owned(), s(to_json(revoked)?));
    }
    if let Some(answers) = &status.answers {
        for (hash, attribute) in ANSWERS {
            if let Some(answer) = answers.by_hash.get(hash) {
                stored.insert(attribute.to_owned(), b(answer.clone()));
            }
        }
        stored.insert("this_update".to_owned(), n(answers.this_update.unix_timestamp()));
        stored.insert("next_update".to_owned(), n(answers.next_update.unix_timestamp()));
        if let Some(due) = answers.due {
            stored.insert("due_pk".to_owned(), s(due_pk(&status.key.serial)));
            stored.insert("due_sk".to_owned(), s(rfc3339(due)));
        }
    }
    Ok(stored)
}

fn status_of(stored: &Item, key: CertificateKey) -> Result<CertificateStatus, StoreError> {
    let unreadable = |_| StoreError::Corrupt("a certificate's status names nobody".to_owned());
    let revoked = stored
        .contains_key("revoked")
        .then(|| from_json(text(stored, "revoked")?))
        .transpose()?;
    let answers = stored
        .contains_key("next_update")
        .then(|| answers_of(stored))
        .transpose()?;
    Ok(CertificateStatus {
        key,
        vendor: text(stored, "vendor")?.parse().map_err(unreadable)?,
        order: text(stored, "order_id")?.parse().map_err(unreadable)?,
        shard: number(stored, "shard")?,
        not_after: unix_time(stored, "not_after")?,
        revoked,
        answers,
    })
}

fn answers_of(stored: &Item) -> Result<Answers, StoreError> {
    let mut by_hash = BTreeMap::new();
    for (hash, attribute) in ANSWERS {
        if stored.contains_key(attribute) {
            by_hash.insert(hash.to_owned(), bytes(stored, attribute)?.to_vec());
        }
    }
    let due = stored
        .contains_key("due_sk")
        .then(|| index_time(stored, "due_sk"))
        .transpose()?;
    Ok(Answers {
        by_hash,
        this_update: unix_time(stored, "this_update")?,
        next_update: unix_time(stored, "next_update")?,
        due,
    })
}
