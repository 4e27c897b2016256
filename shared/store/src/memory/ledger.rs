//! The ledger in memory.
use async_trait::async_trait;
use time::Date;
use yinxin_order::identifiers::china_date;
use yinxin_order::payment::{Posting, Provider};

use super::MemoryStore;
use crate::error::StoreError;
use crate::ledger::Ledger;

#[async_trait]
impl Ledger for MemoryStore {
    async fn postings(&self, provider: Provider, day: Date) -> Result<Vec<Posting>, StoreError> {
        let inner = self.inner();
        let of_day = |posting: &&Posting| posting.provider == provider && china_date(posting.at) == day;
        Ok(inner.postings.iter().filter(of_day).cloned().collect())
    }

    async fn report(&self, provider: Provider, day: Date) -> Result<Option<String>, StoreError> {
        Ok(self.inner().reports.get(&(provider, day)).cloned())
    }

    async fn put_report(&self, provider: Provider, day: Date, report: &str) -> Result<(), StoreError> {
        self.inner().reports.insert((provider, day), report.to_owned());
        Ok(())
    }
}
