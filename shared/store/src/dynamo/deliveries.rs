//! Messages on their way out, in DynamoDB.
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use time::OffsetDateTime;

use super::DynamoStore;
use super::item::{item, key, n, number, s};
use crate::deliveries::{Claimed, Deliveries};
use crate::error::StoreError;
use crate::meter;
use crate::orders::OUTBOX_RETENTION;

const MESSAGE: &str = "MESSAGE";

#[async_trait]
impl Deliveries for DynamoStore {
    async fn claim(
        &self,
        message: &str,
        now: OffsetDateTime,
        retry_unfinished_before: Option<OffsetDateTime>,
    ) -> Result<Claimed, StoreError> {
        let fresh = item(
            &message_pk(message),
            MESSAGE,
            [
                ("began_at", n(now.unix_timestamp())),
                ("expires_at", n((now + OUTBOX_RETENTION).unix_timestamp())),
            ],
        );
        if self.put_if_absent(&self.tables.codes, fresh).await? {
            return Ok(Claimed::Mine);
        }
        let found = self
            .get(&self.tables.codes, key(&message_pk(message), MESSAGE))
            .await?;
        let found = found.ok_or(StoreError::Conflict)?;
        if found.contains_key("receipt") {
            return Ok(Claimed::Sent);
        }
        let began: i64 = number(&found, "began_at")?;
        let since = OffsetDateTime::from_unix_timestamp(began).map_err(StoreError::unavailable)?;
        if retry_unfinished_before.is_none_or(|limit| since >= limit) {
            return Ok(Claimed::Unfinished { since });
        }
        let taken = self
            .client
            .update_item()
            .table_name(&self.tables.codes)
            .set_key(Some(key(&message_pk(message), MESSAGE)))
            .update_expression("SET began_at = :now")
            .condition_expression("began_at = :before AND attribute_not_exists(receipt)")
            .expression_attribute_values(":now", n(now.unix_timestamp()))
            .expression_attribute_values(":before", n(began))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match taken {
            Ok(done) => {
                meter::count_write(done.consumed_capacity());
                Ok(Claimed::Mine)
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Err(StoreError::Conflict)
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    async fn sent(&self, message: &str, receipt: &str) -> Result<(), StoreError> {
        let done = self
            .client
            .update_item()
            .table_name(&self.tables.codes)
            .set_key(Some(key(&message_pk(message), MESSAGE)))
            .update_expression("SET receipt = :receipt")
            .expression_attribute_values(":receipt", s(receipt))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        meter::count_write(done.consumed_capacity());
        Ok(())
    }
}

fn message_pk(message: &str) -> String {
    format!("MESSAGE#{message}")
}
