//! Messages on their way out, in DynamoDB.
use async_trait::async_trait;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use time::OffsetDateTime;

use super::item::{Item, item, key, n, number, s, text};
use super::{DynamoStore, put_on_condition};
use crate::deliveries::{Claimed, DOUBT_LASTS, Deliveries, DeliveryReceipt, RECEIPT_RETENTION};
use crate::error::StoreError;
use crate::meter;
use crate::orders::OUTBOX_RETENTION;

const MESSAGE: &str = "MESSAGE";
const RECEIPT: &str = "RECEIPT";

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
        if found.contains_key("doubtful") && since > now - DOUBT_LASTS {
            return Ok(Claimed::Doubtful { since });
        }
        let nothing_was_sent = found.contains_key("not_sent");
        if !nothing_was_sent && retry_unfinished_before.is_none_or(|limit| since >= limit) {
            return Ok(Claimed::Unfinished { since });
        }
        let condition = if nothing_was_sent {
            "began_at = :before AND attribute_exists(not_sent) AND attribute_not_exists(receipt)"
        } else {
            "began_at = :before AND attribute_not_exists(not_sent) AND attribute_not_exists(receipt)"
        };
        let taken = self
            .client
            .update_item()
            .table_name(&self.tables.codes)
            .set_key(Some(key(&message_pk(message), MESSAGE)))
            .update_expression(
                "SET began_at = :now, first_at = if_not_exists(first_at, :before) REMOVE not_sent, doubtful",
            )
            .condition_expression(condition)
            .expression_attribute_values(":now", n(now.unix_timestamp()))
            .expression_attribute_values(":before", n(began))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match taken {
            Ok(done) => {
                meter::count_write(done.consumed_capacity());
                if !nothing_was_sent {
                    return Ok(Claimed::Mine);
                }
                let first = number(&found, "first_at").unwrap_or(began);
                let first_at = OffsetDateTime::from_unix_timestamp(first).map_err(StoreError::unavailable)?;
                Ok(Claimed::Again { first_at })
            }
            Err(error) if is_refused(&error) => Err(StoreError::Conflict),
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

    async fn not_sent(&self, message: &str) -> Result<(), StoreError> {
        self.note(message, "SET not_sent = :yes").await
    }

    async fn doubtful(&self, message: &str) -> Result<(), StoreError> {
        self.note(message, "SET doubtful = :yes").await
    }

    async fn record_receipt(
        &self,
        provider: &str,
        number: &str,
        receipt: &DeliveryReceipt,
        now: OffsetDateTime,
    ) -> Result<bool, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.codes)
            .set_item(Some(receipt_item(provider, number, receipt, now)))
            .condition_expression("attribute_not_exists(pk) OR told_at < :at")
            .expression_attribute_values(":at", n(receipt.at.unix_timestamp()));
        put_on_condition(put).await
    }

    async fn receipt(&self, provider: &str, number: &str) -> Result<Option<DeliveryReceipt>, StoreError> {
        let found = self
            .get(&self.tables.codes, key(&receipt_pk(provider, number), RECEIPT))
            .await?;
        found.as_ref().map(receipt_of).transpose()
    }
}

impl DynamoStore {
    /// Notes how a try ended that did not send its message, or not surely.
    async fn note(&self, message: &str, how: &str) -> Result<(), StoreError> {
        let noted = self
            .client
            .update_item()
            .table_name(&self.tables.codes)
            .set_key(Some(key(&message_pk(message), MESSAGE)))
            .update_expression(how)
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(receipt)")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match noted {
            Ok(done) => {
                meter::count_write(done.consumed_capacity());
                Ok(())
            }
            Err(error) if is_refused(&error) => Ok(()),
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }
}

fn is_refused(error: &SdkError<UpdateItemError>) -> bool {
    error
        .as_service_error()
        .is_some_and(UpdateItemError::is_conditional_check_failed_exception)
}

fn receipt_item(provider: &str, number: &str, receipt: &DeliveryReceipt, now: OffsetDateTime) -> Item {
    item(
        &receipt_pk(provider, number),
        RECEIPT,
        [
            ("delivered", AttributeValue::Bool(receipt.delivered)),
            ("code", s(&receipt.code)),
            ("told_at", n(receipt.at.unix_timestamp())),
            ("expires_at", n((now + RECEIPT_RETENTION).unix_timestamp())),
        ],
    )
}

fn receipt_of(found: &Item) -> Result<DeliveryReceipt, StoreError> {
    Ok(DeliveryReceipt {
        delivered: found
            .get("delivered")
            .and_then(|delivered| delivered.as_bool().ok())
            .copied()
            .unwrap_or_default(),
        code: text(found, "code")?.to_owned(),
        at: OffsetDateTime::from_unix_timestamp(number(found, "told_at")?)
            .map_err(StoreError::unavailable)?,
    })
}

fn message_pk(message: &str) -> String {
    format!("MESSAGE#{message}")
}

fn receipt_pk(provider: &str, number: &str) -> String {
    format!("RECEIPT#{provider}#{number}")
}
