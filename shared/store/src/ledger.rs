//! The ledger of all orders by day and provider, and the reports of its comparison with the providers' bills.
//!
//! Postings are written by [`crate::orders::Orders::save`], in the transaction of the move that moved the money.
use async_trait::async_trait;
use time::Date;
use yinxin_order::payment::{Posting, Provider};

use crate::error::StoreError;

/// The ledger and its reports.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// All that moved through `provider` on one day in China.
    async fn postings(&self, provider: Provider, day: Date) -> Result<Vec<Posting>, StoreError>;

    /// The report of that day's comparison, JSON, if it was made.
    async fn report(&self, provider: Provider, day: Date) -> Result<Option<String>, StoreError>;

    /// Keeps a report, in the place of an earlier one of the day.
    async fn put_report(&self, provider: Provider, day: Date, report: &str) -> Result<(), StoreError>;
}
