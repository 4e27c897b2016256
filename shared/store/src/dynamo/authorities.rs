//! Changes of CAs, the trust list and the audit trail, in DynamoDB.
use async_trait::async_trait;

use super::issuances::{AUTHORITY, authority_pk};
use super::item::{Item, from_json, item, key, s, text, to_json};
use super::{DynamoStore, put_on_condition};
use crate::audits::{AuditEntry, Audits};
use crate::authorities::Authorities;
use crate::error::StoreError;
use crate::vault::random_bytes;

const TRUST_LIST: &str = "TRUST-LIST";

#[async_trait]
impl Authorities for DynamoStore {
    async fn replace_authority(&self, vendor: &str, before: &str, after: &str) -> Result<bool, StoreError> {
        let stored = item(&authority_pk(vendor), AUTHORITY, [("authority", s(after))]);
        self.replace(stored, "authority", before).await
    }

    async fn trust_list(&self, name: &str) -> Result<Option<String>, StoreError> {
        let found = self
            .get(&self.tables.certificates, key(&trust_list_pk(name), TRUST_LIST))
            .await?;
        found
            .map(|found| text(&found, "trust_list").map(str::to_owned))
            .transpose()
    }

    async fn replace_trust_list(
        &self,
        name: &str,
        before: Option<&str>,
        after: &str,
    ) -> Result<bool, StoreError> {
        let stored = item(&trust_list_pk(name), TRUST_LIST, [("trust_list", s(after))]);
        match before {
            None => self.put_if_absent(&self.tables.certificates, stored).await,
            Some(before) => self.replace(stored, "trust_list", before).await,
        }
    }
}

#[async_trait]
impl Audits for DynamoStore {
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        if self
            .put_if_absent(&self.tables.certificates, audit_item(entry)?)
            .await?
        {
            Ok(())
        } else {
            Err(StoreError::Conflict)
        }
    }

    async fn audit_of(&self, subject: &str) -> Result<Vec<AuditEntry>, StoreError> {
        let items = self
            .partition_of(&self.tables.certificates, &audit_pk(subject), "")
            .await?;
        items.iter().map(|item| from_json(text(item, "entry")?)).collect()
    }
}

impl DynamoStore {
    /// Replaces an item of the certificates table, if its attribute `name` is `before`.
    async fn replace(&self, item: Item, name: &str, before: &str) -> Result<bool, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.certificates)
            .set_item(Some(item))
            .condition_expression("#name = :before")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":before", s(before));
        put_on_condition(put).await
    }
}

/// A new entry of the audit trail.
pub(super) fn audit_item(entry: &AuditEntry) -> Result<Item, StoreError> {
    // Entries of one moment differ by the random part.
    let sk = format!(
        "{:020}#{}",
        entry.at.unix_timestamp_nanos(),
        hex::encode(random_bytes::<8>())
    );
    Ok(item(
        &audit_pk(&entry.subject),
        &sk,
        [("entry", s(to_json(entry)?))],
    ))
}

fn trust_list_pk(name: &str) -> String {
    format!("TRUST-LIST#{name}")
}

fn audit_pk(subject: &str) -> String {
    format!("AUDIT#{subject}")
}
