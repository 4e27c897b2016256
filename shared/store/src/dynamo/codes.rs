//! One-time codes in DynamoDB.
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnConsumedCapacity, ReturnValue, TransactWriteItem};
use time::{Duration, OffsetDateTime};

use super::item::{Cancelled, Item, item, key, n, number, s, text};
use super::{DynamoStore, put_new};
use crate::codes::{AccountUse, CodeKey, CodeRefusal, Codes, MobileUse, SecretKept, StoredCode};
use crate::error::StoreError;
use crate::meter;
use crate::orders::Errand;

/// Codes and limits stay so long after they ended, so that a late try is told what happened.
const KEPT_AFTER: Duration = Duration::days(1);

#[async_trait]
impl Codes for DynamoStore {
    async fn put_captcha(&self, key: &CodeKey, code: &StoredCode) -> Result<(), StoreError> {
        let fresh = self
            .put_if_absent(&self.tables.codes, code_item(key, code))
            .await?;
        if fresh { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn mobile_use(&self, mobile: &str) -> Result<MobileUse, StoreError> {
        let Some(found) = self
            .get(&self.tables.codes, key(&mobile_pk(mobile), "LIMIT"))
            .await?
        else {
            return Ok(MobileUse::default());
        };
        Ok(MobileUse {
            day: text(&found, "day")?.to_owned(),
            count: number(&found, "sent")?,
            last_sent: number(&found, "last_sent")?,
            of_last_hour: numbers(&found, "of_last_hour"),
            revision: number(&found, "revision")?,
        })
    }

    async fn put_sms(
        &self,
        code_key: &CodeKey,
        code: &StoredCode,
        mobile: &str,
        used: &MobileUse,
        errand: &Errand,
    ) -> Result<(), StoreError> {
        let limit = item(
            &mobile_pk(mobile),
            "LIMIT",
            [
                ("day", s(&used.day)),
                ("sent", n(used.count)),
                ("last_sent", n(used.last_sent)),
                (
                    "of_last_hour",
                    AttributeValue::L(used.of_last_hour.iter().map(n).collect()),
                ),
                ("revision", n(used.revision)),
                ("expires_at", n(used.last_sent + KEPT_AFTER.whole_seconds() * 2)),
            ],
        );
        let limit = self.put_next(limit, used.revision - 1)?;
        let code = Put::builder()
            .table_name(&self.tables.codes)
            .set_item(Some(code_item(code_key, code)))
            .build()
            .map_err(StoreError::unavailable)?;
        let now = OffsetDateTime::from_unix_timestamp(used.last_sent).map_err(StoreError::unavailable)?;
        let writes = vec![
            limit,
            TransactWriteItem::builder().put(code).build(),
            self.put_errand(errand, now)?,
        ];
        self.transact(writes).await.map_err(|refused| match refused {
            Cancelled::Condition(_) | Cancelled::Race => StoreError::Conflict,
            Cancelled::Other(error) => error,
        })
    }

    async fn put_memo_secret(
        &self,
        code_key: &CodeKey,
        code: &StoredCode,
        account: &str,
        today: &str,
    ) -> Result<SecretKept, StoreError> {
        let used = self.account_use(account).await?;
        let Some(next) = used.after_one_more(today) else {
            // A repeated call finds the limit that the first one used up.
            let known = self
                .get(&self.tables.codes, key(&code_key.as_key(), "CODE"))
                .await?;
            return Ok(known.map_or(SecretKept::DailyLimit, |_| SecretKept::Before));
        };
        let expires_at = code.expires_at;
        let code = put_new(&self.tables.codes, code_item(code_key, code))?;
        let limit = item(
            &account_pk(account),
            "LIMIT",
            [
                ("day", s(&next.day)),
                ("sent", n(next.count)),
                ("revision", n(next.revision)),
                ("expires_at", n((expires_at + KEPT_AFTER).unix_timestamp())),
            ],
        );
        let limit = self.put_next(limit, used.revision)?;
        match self.transact(vec![code, limit]).await {
            Ok(()) => Ok(SecretKept::Now),
            Err(Cancelled::Condition(0)) => Ok(SecretKept::Before),
            Err(Cancelled::Condition(_) | Cancelled::Race) => Err(StoreError::Conflict),
            Err(Cancelled::Other(error)) => Err(error),
        }
    }

    async fn count_try(
        &self,
        code_key: &CodeKey,
        now: OffsetDateTime,
    ) -> Result<Result<String, CodeRefusal>, StoreError> {
        let counted = self
            .client
            .update_item()
            .table_name(&self.tables.codes)
            .set_key(Some(key(&code_key.as_key(), "CODE")))
            .update_expression("ADD tries :one")
            .condition_expression("used = :no AND tries < :most AND ends_at > :now")
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":most", n(code_key.max_tries()))
            .expression_attribute_values(":now", n(now.unix_timestamp()))
            .return_values(ReturnValue::AllNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match counted {
            Ok(counted) => {
                meter::count_write(counted.consumed_capacity());
                let item = counted.attributes.unwrap_or_default();
                Ok(Ok(text(&item, "hash")?.to_owned()))
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(Err(self.why_not(code_key, now).await?))
            }
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }
}

impl DynamoStore {
    /// A limit's next state over the one of revision `before`, or the first one.
    fn put_next(&self, limit: Item, before: u64) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.tables.codes)
            .set_item(Some(limit))
            .condition_expression("attribute_not_exists(pk) OR revision = :before")
            .expression_attribute_values(":before", n(before))
            .build()
            .map_err(StoreError::unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    async fn account_use(&self, account: &str) -> Result<AccountUse, StoreError> {
        let Some(found) = self
            .get(&self.tables.codes, key(&account_pk(account), "LIMIT"))
            .await?
        else {
            return Ok(AccountUse::default());
        };
        Ok(AccountUse {
            day: text(&found, "day")?.to_owned(),
            count: number(&found, "sent")?,
            revision: number(&found, "revision")?,
        })
    }

    async fn why_not(&self, code_key: &CodeKey, now: OffsetDateTime) -> Result<CodeRefusal, StoreError> {
        let Some(found) = self
            .get(&self.tables.codes, key(&code_key.as_key(), "CODE"))
            .await?
        else {
            return Ok(CodeRefusal::Unknown);
        };
        let code = StoredCode {
            hash: text(&found, "hash")?.to_owned(),
            expires_at: OffsetDateTime::from_unix_timestamp(number(&found, "ends_at")?)
                .map_err(StoreError::unavailable)?,
            tries: number(&found, "tries")?,
            used: found
                .get("used")
                .and_then(|used| used.as_bool().ok())
                .copied()
                .unwrap_or(true),
        };
        // Where nothing stands against it now, another try was first.
        Ok(code
            .may_be_tried(code_key, now)
            .err()
            .unwrap_or(CodeRefusal::Exhausted))
    }
}

fn code_item(code_key: &CodeKey, code: &StoredCode) -> Item {
    item(
        &code_key.as_key(),
        "CODE",
        [
            ("hash", s(&code.hash)),
            ("ends_at", n(code.expires_at.unix_timestamp())),
            ("tries", n(code.tries)),
            ("used", AttributeValue::Bool(code.used)),
            ("expires_at", n((code.expires_at + KEPT_AFTER).unix_timestamp())),
        ],
    )
}

/// The numbers in a list; none where the item was written before there was one.
fn numbers(item: &Item, name: &str) -> Vec<i64> {
    let list = item.get(name).and_then(|value| value.as_l().ok());
    list.into_iter()
        .flatten()
        .filter_map(|value| value.as_n().ok()?.parse().ok())
        .collect()
}

fn mobile_pk(mobile: &str) -> String {
    format!("MOBILE#{mobile}")
}

fn account_pk(account: &str) -> String {
    format!("ACCOUNT#{account}")
}
