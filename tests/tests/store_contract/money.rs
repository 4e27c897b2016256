//! The ledger by day and provider: written with the moves that moved the money, and its reports.
use anyhow::{Result, ensure};
use time::macros::datetime;
use time::{Date, Duration, OffsetDateTime};
use yinxin_order::command::Command;
use yinxin_order::form::sample;
use yinxin_order::order::Order;
use yinxin_order::payment::{Posting, Provider, RefundOutcome};
use yinxin_order::sample::{event_of, moved, order_in, payment};
use yinxin_order::state::State;
use yinxin_store::StoreError;
use yinxin_store::vault::random_bytes;
use yinxin_tests::journey::new_seed;

use super::Store;

/// Half past midnight in China, when it is still the day before elsewhere.
fn paid_at() -> OffsetDateTime {
    // A day of its own for each run: the deployed tables keep what earlier runs wrote.
    let days = i64::from(u16::from_be_bytes(random_bytes::<2>()));
    datetime!(2030-01-01 16:30 UTC) + Duration::days(days)
}

fn day_of(at: OffsetDateTime) -> Date {
    (at + Duration::hours(8)).date()
}

async fn step(store: &impl Store, order: &Order, command: &Command, at: OffsetDateTime) -> Result<Order> {
    let next = moved(order, command, at);
    store.save(&next.order, &next.event, &next.effects, &[]).await?;
    Ok(next.order)
}

pub async fn money_is_posted_once_on_its_day(store: &impl Store) -> Result<()> {
    let (at, seed) = (paid_at(), new_seed());
    let mut order = order_in(State::AwaitingPayment, seed, sample::person(seed), at);
    order.version = 1;
    let start = event_of(&order, at);
    store.create(&order, &start, &[]).await?;
    let provider = Provider::Wechat;
    let order = step(store, &order, &Command::StartPayment { provider }, at).await?;
    let paid = moved(&order, &payment(1, at), at);
    store.save(&paid.order, &paid.event, &paid.effects, &[]).await?;
    let again = store.save(&paid.order, &paid.event, &paid.effects, &[]).await;
    ensure!(
        matches!(again, Err(StoreError::Conflict)),
        "one version was saved twice"
    );
    let posted = store.postings(provider, day_of(at)).await?;
    ensure!(
        posted == paid.event.postings && posted.len() == 1,
        "posted: {posted:?}"
    );
    ensure!(store.postings(Provider::Alipay, day_of(at)).await?.is_empty());
    ensure!(
        store.postings(provider, at.date()).await?.is_empty(),
        "a day is China's"
    );

    let later = at + Duration::days(1);
    let order = step(store, &paid.order, &Command::Cancel, later).await?;
    let done = Command::RecordRefund {
        attempt: 1,
        number: 1,
        outcome: RefundOutcome::Done { at: later },
    };
    step(store, &order, &done, later).await?;
    let posted: Vec<Posting> = store.postings(provider, day_of(later)).await?;
    ensure!(
        posted.len() == 1 && posted[0].refund_no.is_some() && posted[0].amount == paid.order.product.price,
        "posted: {posted:?}"
    );
    ensure!(store.postings(provider, day_of(at)).await?.len() == 1);
    Ok(())
}

pub async fn a_report_is_kept_beside_its_postings(store: &impl Store) -> Result<()> {
    let (provider, day) = (Provider::Alipay, day_of(paid_at()));
    ensure!(store.report(provider, day).await?.is_none());
    for report in [r#"{"first":1}"#, r#"{"second":2}"#] {
        store.put_report(provider, day, report).await?;
        ensure!(store.report(provider, day).await?.as_deref() == Some(report));
    }
    ensure!(
        store.postings(provider, day).await?.is_empty(),
        "a report is no posting"
    );
    ensure!(store.report(Provider::Wechat, day).await?.is_none());
    Ok(())
}
