//! The ledger in DynamoDB: a partition for each provider and day.
use async_trait::async_trait;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, TransactWriteItem};
use time::Date;
use yinxin_order::identifiers::china_date;
use yinxin_order::payment::{Posting, Provider};

use super::item::{from_json, item, key, s, text, to_json};
use super::{DynamoStore, put_new};
use crate::error::StoreError;
use crate::ledger::Ledger;
use crate::meter;

const REPORT: &str = "REPORT";
/// Of postings in their partition; a report stands beside them.
const MOVED: &str = "MOVED#";

#[async_trait]
impl Ledger for DynamoStore {
    async fn postings(&self, provider: Provider, day: Date) -> Result<Vec<Posting>, StoreError> {
        let items = self.partition(&ledger_pk(provider, day), MOVED).await?;
        items
            .iter()
            .map(|item| from_json(text(item, "posting")?))
            .collect()
    }

    async fn report(&self, provider: Provider, day: Date) -> Result<Option<String>, StoreError> {
        let place = key(&ledger_pk(provider, day), REPORT);
        let found = self.get(&self.tables.orders, place).await?;
        found
            .map(|found| text(&found, "report").map(str::to_owned))
            .transpose()
    }

    async fn put_report(&self, provider: Provider, day: Date, report: &str) -> Result<(), StoreError> {
        let stored = item(
            &ledger_pk(provider, day),
            REPORT,
            [("kind", s("report")), ("report", s(report))],
        );
        let put = self
            .client
            .put_item()
            .table_name(&self.tables.orders)
            .set_item(Some(stored))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        meter::count_write(put.consumed_capacity());
        Ok(())
    }
}

impl DynamoStore {
    pub(super) fn put_posting(&self, posting: &Posting) -> Result<TransactWriteItem, StoreError> {
        let number = posting.refund_no.as_deref().unwrap_or(&posting.out_trade_no);
        let stored = item(
            &ledger_pk(posting.provider, china_date(posting.at)),
            &format!("{MOVED}{number}"),
            [("kind", s("posting")), ("posting", s(to_json(posting)?))],
        );
        put_new(&self.tables.orders, stored)
    }
}

fn ledger_pk(provider: Provider, day: Date) -> String {
    format!("LEDGER#{}#{day}", provider.as_str())
}
