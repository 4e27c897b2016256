//! What the CA signs, in DynamoDB: recorded before, completed after.
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;

use super::item::{Cancelled, item, key, s, text};
use super::{DynamoStore, put_new};
use crate::error::StoreError;
use crate::issuances::{Issuance, Issuances};
use crate::meter;

const REQUEST: &str = "REQUEST";
pub(super) const AUTHORITY: &str = "AUTHORITY";

#[async_trait]
impl Issuances for DynamoStore {
    async fn find(&self, request: &str) -> Result<Option<Issuance>, StoreError> {
        let Some(found) = self
            .get(&self.tables.certificates, key(&request_pk(request), REQUEST))
            .await?
        else {
            return Ok(None);
        };
        let issued = found
            .contains_key("issued")
            .then(|| text(&found, "issued"))
            .transpose()?;
        Ok(Some(Issuance {
            prepared: text(&found, "prepared")?.to_owned(),
            issued: issued.map(str::to_owned),
        }))
    }

    async fn record(
        &self,
        request: &str,
        prepared: &str,
        serials: &[String],
    ) -> Result<Issuance, StoreError> {
        let record = item(&request_pk(request), REQUEST, [("prepared", s(prepared))]);
        let mut writes = vec![put_new(&self.tables.certificates, record)?];
        for serial in serials {
            let claim = item(&format!("SERIAL#{serial}"), "SERIAL", [("request", s(request))]);
            writes.push(put_new(&self.tables.certificates, claim)?);
        }
        match self.transact(writes).await {
            Ok(()) => Ok(Issuance {
                prepared: prepared.to_owned(),
                issued: None,
            }),
            Err(Cancelled::Condition(0)) => Issuances::find(self, request).await?.ok_or(StoreError::Conflict),
            Err(Cancelled::Condition(_) | Cancelled::Race) => Err(StoreError::Conflict),
            Err(Cancelled::Other(error)) => Err(error),
        }
    }

    async fn proceed(&self, request: &str, prepared: &str, next: &str) -> Result<bool, StoreError> {
        let done = self
            .client
            .update_item()
            .table_name(&self.tables.certificates)
            .set_key(Some(key(&request_pk(request), REQUEST)))
            .update_expression("SET prepared = :next")
            .condition_expression("prepared = :prepared AND attribute_not_exists(issued)")
            .expression_attribute_values(":prepared", s(prepared))
            .expression_attribute_values(":next", s(next))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match done {
            Ok(done) => {
                meter::count_write(done.consumed_capacity());
                Ok(true)
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Issuances::find(self, request)
                    .await?
                    .map(|_| false)
                    .ok_or(StoreError::NotFound)
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    async fn complete(&self, request: &str, issued: &str) -> Result<String, StoreError> {
        let done = self
            .client
            .update_item()
            .table_name(&self.tables.certificates)
            .set_key(Some(key(&request_pk(request), REQUEST)))
            .update_expression("SET issued = :issued")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(issued)")
            .expression_attribute_values(":issued", s(issued))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match done {
            Ok(done) => {
                meter::count_write(done.consumed_capacity());
                Ok(issued.to_owned())
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                let found = Issuances::find(self, request)
                    .await?
                    .ok_or(StoreError::NotFound)?;
                found.issued.ok_or(StoreError::Conflict)
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    async fn authority(&self, vendor: &str) -> Result<String, StoreError> {
        let found = self
            .get(&self.tables.certificates, key(&authority_pk(vendor), AUTHORITY))
            .await?;
        Ok(text(&found.ok_or(StoreError::NotFound)?, "authority")?.to_owned())
    }

    async fn put_authority(&self, vendor: &str, authority: &str) -> Result<bool, StoreError> {
        let stored = item(&authority_pk(vendor), AUTHORITY, [("authority", s(authority))]);
        self.put_if_absent(&self.tables.certificates, stored).await
    }
}

fn request_pk(request: &str) -> String {
    format!("REQUEST#{request}")
}

pub(super) fn authority_pk(vendor: &str) -> String {
    format!("AUTHORITY#{vendor}")
}
