//! Revocation lists in DynamoDB: entries, numbers, the published one. The signed bytes lie in S3.
use std::collections::BTreeMap;

use async_trait::async_trait;
use yinxin_order::identifiers::VendorId;

use super::DynamoStore;
use super::item::{Item, from_json, item, key, n, number, s, text, to_json};
use super::orders::rfc3339;
use super::statuses::{due_pk, index_time, unix_time, written};
use crate::error::StoreError;
use crate::statuses::{CertificateStatus, ListKey, PublishedList, RevocationLists, Revoked};

const HEAD: &str = "HEAD";
const ENTRY: &str = "REVOKED#";

#[async_trait]
impl RevocationLists for DynamoStore {
    async fn entries(&self, list: &ListKey) -> Result<BTreeMap<String, Revoked>, StoreError> {
        let items = self
            .partition_of(&self.tables.certificates, &list_pk(list), ENTRY)
            .await?;
        items
            .iter()
            .map(|item| {
                let serial = text(item, "sk")?.trim_start_matches(ENTRY).to_owned();
                Ok((serial, from_json(text(item, "revoked")?)?))
            })
            .collect()
    }

    async fn next_number(&self, list: &ListKey, vendor: &VendorId) -> Result<u64, StoreError> {
        self.count(head_key(list), Some(vendor.as_str())).await
    }

    async fn record_list(&self, list: &ListKey, number: u64, tbs_sm3: &str) -> Result<(), StoreError> {
        let record = item(&list_pk(list), &record_sk(number), [("tbs_sm3", s(tbs_sm3))]);
        if self.put_if_absent(&self.tables.certificates, record).await? {
            Ok(())
        } else {
            Err(StoreError::Conflict)
        }
    }

    async fn recorded_list(&self, list: &ListKey, number: u64) -> Result<Option<String>, StoreError> {
        let found = self
            .get(&self.tables.certificates, key(&list_pk(list), &record_sk(number)))
            .await?;
        found
            .map(|found| text(&found, "tbs_sm3").map(str::to_owned))
            .transpose()
    }

    async fn publish(&self, list: &ListKey, published: &PublishedList) -> Result<bool, StoreError> {
        let update = self
            .update(head_key(list))
            .update_expression(
                "SET published = :number, vendor = :vendor, this_update = :this, next_update = :next, \
                 due_pk = :shard, due_sk = :due",
            )
            .condition_expression("attribute_not_exists(published) OR published < :number")
            .expression_attribute_values(":number", n(published.number))
            .expression_attribute_values(":vendor", s(published.vendor.as_str()))
            .expression_attribute_values(":this", n(published.this_update.unix_timestamp()))
            .expression_attribute_values(":next", n(published.next_update.unix_timestamp()))
            .expression_attribute_values(":shard", s(due_pk(&list.shard.to_string())))
            .expression_attribute_values(":due", s(rfc3339(published.due)));
        written(update).await
    }

    async fn published(&self, list: &ListKey) -> Result<Option<PublishedList>, StoreError> {
        let head = self.get(&self.tables.certificates, head_key(list)).await?;
        let Some(head) = head.filter(|head| head.contains_key("published")) else {
            return Ok(None);
        };
        Ok(Some(PublishedList {
            vendor: text(&head, "vendor")?
                .parse()
                .map_err(|_| StoreError::Corrupt("a revocation list names nobody".to_owned()))?,
            number: number(&head, "published")?,
            this_update: unix_time(&head, "this_update")?,
            next_update: unix_time(&head, "next_update")?,
            due: index_time(&head, "due_sk")?,
        }))
    }
}

/// A certificate's entry in its list.
pub(super) fn entry(status: &CertificateStatus, revoked: &Revoked) -> Result<Item, StoreError> {
    Ok(item(
        &list_pk(&status.list()),
        &format!("{ENTRY}{}", status.key.serial),
        [("revoked", s(to_json(revoked)?))],
    ))
}

/// The item that counts a list's numbers and says which one is published.
pub(super) fn head_key(list: &ListKey) -> Item {
    key(&list_pk(list), HEAD)
}

fn list_pk(list: &ListKey) -> String {
    format!("CRL#{}#{}", list.authority, list.shard)
}

fn record_sk(number: u64) -> String {
    format!("SIGNED#{number:012}")
}
