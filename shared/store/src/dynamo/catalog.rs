//! The catalogue in DynamoDB.
use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use yinxin_order::identifiers::VendorId;

use super::DynamoStore;
use super::item::{Item, from_json, item, key, s, text, to_json};
use crate::catalog::{Catalog, Vendor};
use crate::error::StoreError;
use crate::meter;

const VENDORS: &str = "VENDORS";

#[async_trait]
impl Catalog for DynamoStore {
    async fn vendors(&self) -> Result<Vec<Vendor>, StoreError> {
        // Eleven vendors fit one page of a query (1 MB) by far.
        let found = self
            .client
            .query()
            .table_name(&self.tables.catalog)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", s(VENDORS))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        meter::count_read(found.consumed_capacity());
        found
            .items()
            .iter()
            .map(|item| from_json(text(item, "vendor")?))
            .collect()
    }

    async fn vendor(&self, id: &VendorId) -> Result<Vendor, StoreError> {
        let found = self
            .get(&self.tables.catalog, key(VENDORS, id.as_str()))
            .await?
            .ok_or(StoreError::NotFound)?;
        from_json(text(&found, "vendor")?)
    }

    async fn put_vendor(&self, vendor: &Vendor) -> Result<(), StoreError> {
        self.put(item(
            VENDORS,
            vendor.id.as_str(),
            [("vendor", s(to_json(vendor)?))],
        ))
        .await
    }

    async fn system_credential(&self, system: &str) -> Result<String, StoreError> {
        let found = self
            .get(&self.tables.catalog, key(&system_pk(system), "CREDENTIAL"))
            .await?;
        Ok(text(&found.ok_or(StoreError::NotFound)?, "hash")?.to_owned())
    }

    async fn put_system_credential(&self, system: &str, hash: &str) -> Result<(), StoreError> {
        self.put(item(&system_pk(system), "CREDENTIAL", [("hash", s(hash))]))
            .await
    }
}

impl DynamoStore {
    async fn put(&self, item: Item) -> Result<(), StoreError> {
        let done = self
            .client
            .put_item()
            .table_name(&self.tables.catalog)
            .set_item(Some(item))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        meter::count_write(done.consumed_capacity());
        Ok(())
    }
}

fn system_pk(system: &str) -> String {
    format!("SYSTEM#{system}")
}
