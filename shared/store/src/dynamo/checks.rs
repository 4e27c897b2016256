//! Identity checks in DynamoDB.
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{KeysAndAttributes, Put, ReturnConsumedCapacity, TransactWriteItem, Update};
use time::{Duration, OffsetDateTime};
use yinxin_order::identifiers::china_date;

use super::DynamoStore;
use super::item::{Cancelled, Item, item, key, n, number, s, text};
use crate::checks::{Checks, MAX_TRIES_PER_DAY, PASSED_FOR, PassedCheck, TooManyChecks};
use crate::error::StoreError;
use crate::meter;

/// A day's tries are kept until the day is over wherever the clock that deletes them stands.
const TRIES_KEPT_FOR: Duration = Duration::days(2);
const PASSED: &str = "PASSED";

#[async_trait]
impl Checks for DynamoStore {
    async fn claim_checks(
        &self,
        subjects: &[String],
        now: OffsetDateTime,
    ) -> Result<Result<(), TooManyChecks>, StoreError> {
        if subjects.is_empty() {
            return Ok(Ok(()));
        }
        let change = Change {
            by: 1,
            condition: "attribute_not_exists(pk) OR tries < :limit",
            limit: MAX_TRIES_PER_DAY,
        };
        let writes = self.tries(subjects, now, &change)?;
        match self.transact(writes).await {
            Ok(()) => Ok(Ok(())),
            Err(Cancelled::Condition(_)) => Ok(Err(TooManyChecks)),
            Err(Cancelled::Race) => Err(StoreError::Conflict),
            Err(Cancelled::Other(error)) => Err(error),
        }
    }

    async fn give_back_checks(&self, subjects: &[String], now: OffsetDateTime) -> Result<(), StoreError> {
        if subjects.is_empty() {
            return Ok(());
        }
        let change = Change {
            by: -1,
            condition: "tries > :limit",
            limit: 0,
        };
        let writes = self.tries(subjects, now, &change)?;
        self.transact(writes).await.map_err(failed)
    }

    async fn passed_checks(
        &self,
        questions: &[String],
        now: OffsetDateTime,
    ) -> Result<Vec<PassedCheck>, StoreError> {
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let keys = questions
            .iter()
            .fold(KeysAndAttributes::builder(), |keys, question| {
                keys.keys(key(&passed_pk(question), PASSED))
            })
            .build()
            .map_err(StoreError::unavailable)?;
        let got = self
            .client
            .batch_get_item()
            .request_items(&self.tables.codes, keys)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        for capacity in got.consumed_capacity() {
            meter::count_read(Some(capacity));
        }
        // What was not read only costs another question.
        let items = got.responses().and_then(|tables| tables.get(&self.tables.codes));
        let passed: Vec<PassedCheck> = items
            .into_iter()
            .flatten()
            .map(passed_of)
            .collect::<Result<_, _>>()?;
        Ok(passed.into_iter().filter(|passed| passed.is_good(now)).collect())
    }

    async fn keep_passed(&self, passed: &[PassedCheck]) -> Result<(), StoreError> {
        if passed.is_empty() {
            return Ok(());
        }
        let writes = passed
            .iter()
            .map(|passed| {
                let put = Put::builder()
                    .table_name(&self.tables.codes)
                    .set_item(Some(passed_item(passed)))
                    .build()
                    .map_err(StoreError::unavailable)?;
                Ok(TransactWriteItem::builder().put(put).build())
            })
            .collect::<Result<_, StoreError>>()?;
        self.transact(writes).await.map_err(failed)
    }
}

/// How a day's tries are changed.
struct Change {
    by: i32,
    condition: &'static str,
    limit: u32,
}

impl DynamoStore {
    fn tries(
        &self,
        subjects: &[String],
        now: OffsetDateTime,
        change: &Change,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let today = china_date(now).to_string();
        let update = |subject: &String| {
            let update = Update::builder()
                .table_name(&self.tables.codes)
                .set_key(Some(key(&format!("CHECKS#{subject}"), &today)))
                .update_expression("ADD tries :by SET expires_at = :end")
                .condition_expression(change.condition)
                .expression_attribute_values(":by", n(change.by))
                .expression_attribute_values(":limit", n(change.limit))
                .expression_attribute_values(":end", n((now + TRIES_KEPT_FOR).unix_timestamp()))
                .build()
                .map_err(StoreError::unavailable)?;
            Ok(TransactWriteItem::builder().update(update).build())
        };
        subjects.iter().map(update).collect()
    }
}

fn failed(refused: Cancelled) -> StoreError {
    match refused {
        Cancelled::Condition(_) | Cancelled::Race => StoreError::Conflict,
        Cancelled::Other(error) => error,
    }
}

fn passed_item(passed: &PassedCheck) -> Item {
    item(
        &passed_pk(&passed.question),
        PASSED,
        [
            ("question", s(&passed.question)),
            ("check", s(&passed.check)),
            ("request_id", s(&passed.request_id)),
            ("checked_at", n(passed.checked_at.unix_timestamp())),
            ("expires_at", n((passed.checked_at + PASSED_FOR).unix_timestamp())),
        ],
    )
}

fn passed_of(found: &Item) -> Result<PassedCheck, StoreError> {
    Ok(PassedCheck {
        question: text(found, "question")?.to_owned(),
        check: text(found, "check")?.to_owned(),
        request_id: text(found, "request_id")?.to_owned(),
        checked_at: OffsetDateTime::from_unix_timestamp(number(found, "checked_at")?)
            .map_err(StoreError::unavailable)?,
    })
}

fn passed_pk(question: &str) -> String {
    format!("CHECKED#{question}")
}
