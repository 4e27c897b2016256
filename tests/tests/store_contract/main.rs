//! What every store promises, checked on the twin in memory and on the deployed tables.
use std::sync::Arc;

use anyhow::{Context, Result};
use time::{Duration, OffsetDateTime};
use yinxin_order::command::{Actor, Command};
use yinxin_order::document::{Document, DocumentKind, Verdict};
use yinxin_order::form::sample;
use yinxin_order::identifiers::{Fen, OrderId, OrderNumber, VendorId, china_date};
use yinxin_order::kind::Kind;
use yinxin_order::order::{Event, NewOrder, Order, Product};
use yinxin_order::{Move, decide};
use yinxin_store::audits::Audits;
use yinxin_store::authorities::Authorities;
use yinxin_store::checks::Checks;
use yinxin_store::codes::{Codes, StoredCode};
use yinxin_store::deliveries::Deliveries;
use yinxin_store::intakes::Intakes;
use yinxin_store::issuances::Issuances;
use yinxin_store::key_history::KeyHistory;
use yinxin_store::memory::MemoryStore;
use yinxin_store::orders::Orders;
use yinxin_store::recoveries::Recoveries;
use yinxin_store::statuses::{RevocationLists, Statuses};
use yinxin_store::vault::random_bytes;
use yinxin_tests::journey::{Stage, new_seed};

mod authorities;
mod deliveries;
mod escrow;
mod orders;
mod others;
mod statuses;

/// All stores that one deployment has.
trait Store:
    Orders
    + Codes
    + Checks
    + Deliveries
    + Issuances
    + Authorities
    + Audits
    + Recoveries
    + KeyHistory
    + Intakes
    + Statuses
    + RevocationLists
    + 'static
{
}
impl<T> Store for T where
    T: Orders
        + Codes
        + Checks
        + Checks
        + Deliveries
        + Issuances
        + Authorities
        + Audits
        + Recoveries
        + KeyHistory
        + Intakes
        + Statuses
        + RevocationLists
        + 'static
{
}

#[tokio::test]
async fn the_twin_in_memory_keeps_the_contract() -> Result<()> {
    let mut store = MemoryStore::default();
    store.retention = Duration::days(1825);
    keeps_the_contract(Arc::new(store)).await
}

#[tokio::test]
async fn the_deployed_tables_keep_the_contract() -> Result<()> {
    let stage = Stage::open().await?;
    keeps_the_contract(Arc::new(stage.cloud.stores()?)).await
}

async fn keeps_the_contract(store: Arc<impl Store>) -> Result<()> {
    orders::an_order_is_created_once(&*store)
        .await
        .context("create")?;
    orders::a_stale_version_is_not_saved(&*store)
        .await
        .context("save")?;
    orders::claims_are_taken_once(&*store).await.context("claims")?;
    orders::racing_moves_are_all_kept(store.clone())
        .await
        .context("races")?;
    orders::waiting_orders_come_in_pages(&*store)
        .await
        .context("waiting")?;
    orders::late_orders_are_found(&*store).await.context("late")?;
    others::codes_have_limits(&*store).await.context("codes")?;
    others::mobiles_have_limits(&*store).await.context("mobiles")?;
    others::what_is_signed_is_recorded_once(&*store)
        .await
        .context("issuances")?;
    authorities::a_stale_ca_is_not_replaced(&*store)
        .await
        .context("authorities")?;
    authorities::a_stale_trust_list_is_not_replaced(&*store)
        .await
        .context("trust list")?;
    authorities::the_audit_trail_keeps_everything_in_order(&*store)
        .await
        .context("audits")?;
    escrow::a_recovery_takes_each_step_once_and_leaves_an_entry(&*store)
        .await
        .context("recoveries")?;
    escrow::keys_are_found_by_serial_order_and_holder(&*store)
        .await
        .context("key history")?;
    deliveries::messages_are_claimed(&*store)
        .await
        .context("deliveries")?;
    deliveries::what_was_not_sent_is_sent_again_and_what_is_in_doubt_is_not(&*store)
        .await
        .context("outcomes")?;
    deliveries::the_latest_receipt_is_kept(&*store)
        .await
        .context("receipts")?;
    others::checks_have_limits(&*store).await.context("checks")?;
    others::passed_checks_are_known_for_a_day(&*store)
        .await
        .context("passed checks")?;
    statuses::pairs_are_counted(&*store).await.context("pairs")?;
    statuses::statuses_are_kept_once(&*store)
        .await
        .context("statuses")?;
    statuses::a_revocation_counts_once(&*store)
        .await
        .context("revocations")?;
    statuses::the_newest_list_is_published(&*store)
        .await
        .context("lists")?;
    statuses::what_is_due_is_found(&*store).await.context("due")?;
    orders::intakes_find_their_orders(&*store)
        .await
        .context("intakes")
}

/// A whole second: what stores keep.
fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now)
}

fn random_id() -> OrderId {
    OrderId::from_random(random_bytes())
}

fn new_vendor() -> Result<VendorId> {
    Ok(format!("contract-{}", &random_id().as_str()[..12]).parse()?)
}

fn new_order(vendor: &VendorId, intake: Option<&str>, at: OffsetDateTime) -> Result<(Order, Event)> {
    let new = NewOrder {
        id: random_id(),
        kind: Kind::New,
        vendor: vendor.clone(),
        product: Product {
            id: "unit-1y".parse()?,
            name: "单位数字证书".to_owned(),
            price: Fen::new(22_000)?,
            term_years: 1,
        },
        form: sample::unit(new_seed()),
        checks: Vec::new(),
        intake: intake.map(str::to_owned),
    };
    Ok(Order::create(new, Actor::Applicant, at))
}

async fn created(store: &impl Store) -> Result<Order> {
    let (order, event) = new_order(&new_vendor()?, None, now())?;
    store.create(&order, &event, &[]).await?;
    Ok(order)
}

fn new_number() -> OrderNumber {
    OrderNumber::new(china_date(now()), u64::from(new_seed()) * 1_000 + 7)
}

fn confirmed(order: &Order, number: &OrderNumber) -> Result<Move> {
    let command = Command::Confirm {
        number: number.clone(),
    };
    Ok(decide(order, &command, Actor::Applicant, now())?)
}

fn document(order: &Order) -> Command {
    Command::RecordDocument {
        document: Document {
            kind: DocumentKind::IdPortrait,
            upload: random_id().as_str().to_owned(),
            verdict: Verdict::Accepted {
                content_type: "image/png".to_owned(),
                bytes: order.version,
            },
            judged_at: now(),
        },
    }
}

fn code(hash: &str) -> StoredCode {
    StoredCode {
        hash: hash.to_owned(),
        expires_at: now() + Duration::minutes(5),
        tries: 0,
        used: false,
    }
}
